#![no_std]
#![allow(warnings)]

#[repr(C)]
pub struct ops {
    owner: *const u8,
    flags: u32,
    order: u32,
}

#[repr(C)]
pub struct swapped {
    owner: *const u8,
    order: u32,
    flags: u32,
}

#[repr(transparent)]
pub struct Shared<T>(T);

unsafe impl<T> Sync for Shared<T> {}

#[no_mangle]
pub static rs_right: Shared<ops> = Shared(ops { owner: core::ptr::null(), flags: 1, order: 2 });

#[no_mangle]
pub static rs_wrong: Shared<swapped> = Shared(swapped { owner: core::ptr::null(), flags: 1, order: 2 });

extern "C" {
    fn c_take(ops: *const Shared<ops>) -> i32;
}

#[inline(never)]
pub unsafe fn u() -> i32 {
    c_take(&rs_right)
}
