#![no_std]
#![allow(warnings)]

unsafe extern "C" {
    safe fn c_f(x: u32) -> i32;
    unsafe fn c_g(x: u64) -> i32;
}

#[unsafe(no_mangle)]
pub extern "C" fn rs_f(x: u32) -> i32 {
    x as i32
}

#[unsafe(export_name = "rs_g")]
pub extern "C" fn named_otherwise(x: u64) -> i32 {
    x as i32
}

#[inline(never)]
pub unsafe fn u() -> i32 {
    c_f(1) + c_g(2)
}
