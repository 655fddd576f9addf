// SPDX-License-Identifier: GPL-2.0

//! The Rust half of crossings that disagree with c_side.c, one in each way; the name says how.

#![no_std]
#![allow(missing_docs, clippy::missing_safety_doc)]

#[repr(C)]
pub struct agrees {
    pub a: u32,
    pub b: u8,
}
#[repr(C)]
pub struct moved {
    pub b: u8,
    pub a: u32,
    pub c: u8,
}
#[repr(C)]
pub struct resized {
    pub a: u64,
    pub b: u8,
}

#[no_mangle]
pub unsafe extern "C" fn rs_agrees(a: u32, s: *const agrees) -> u32 {
    a + (*s).a
}
#[no_mangle]
pub extern "C" fn rs_width(a: u64) -> u32 {
    a as u32
}
#[no_mangle]
pub extern "C" fn rs_sign(a: i8) -> i8 {
    a / 2
}
#[no_mangle]
pub extern "C" fn rs_dropped(a: u32) -> u32 {
    a + 1
}
#[no_mangle]
pub extern "C" fn rs_added(a: u32, b: u32) -> u32 {
    a + b
}
#[no_mangle]
pub extern "C" fn rs_swapped(b: u64, a: u32) -> u32 {
    a * b as u32
}
#[no_mangle]
pub extern "C" fn rs_result(a: u32) -> u32 {
    a * 3
}
#[no_mangle]
pub extern "C" fn rs_by_value(s: agrees) -> u64 {
    s.b as u64
}
#[no_mangle]
pub unsafe extern "C" fn rs_moved(s: *mut moved) {
    (*s).a = 1
}
#[no_mangle]
pub unsafe extern "C" fn rs_resized(s: *mut resized) {
    (*s).a = 2
}
#[no_mangle]
pub unsafe extern "C" fn rs_const(text: *const u8) {
    core::ptr::read_volatile(text);
}
#[no_mangle]
pub unsafe extern "C" fn rs_enum(colour: u32) {
    core::ptr::write_volatile(8 as *mut u32, colour)
}
#[no_mangle]
pub unsafe extern "C" fn rs_long_long(a: isize) {
    core::ptr::write_volatile(16 as *mut isize, a)
}
#[no_mangle]
pub unsafe extern "C" fn rs_float(a: f32) {
    core::ptr::write_volatile(24 as *mut f32, a)
}
#[no_mangle]
pub unsafe extern "C" fn rs_callback(call: Option<unsafe extern "C" fn(u64) -> i32>) {
    if let Some(call) = call {
        call(3);
    }
}

mod inner {
    #[inline(never)]
    pub fn rs_namesake(a: u8, b: u8) -> u8 {
        // SAFETY: `a` is a value of its own.
        unsafe { core::ptr::read_volatile(&a) / (b | 1) }
    }
}
/// Another function has its name, but not its symbol.
#[no_mangle]
pub extern "C" fn rs_namesake(a: u32) -> u32 {
    a + u32::from(inner::rs_namesake(a as u8, 7))
}
