#![no_std]
#![allow(warnings)]

extern "C" {
    #[link_name = "c_f"]
    fn one(x: u32) -> i32;
    #[cfg_attr(all(), link_name = "c_g")]
    fn other(x: u32) -> i32;
}

#[inline(never)]
pub unsafe fn u() -> i32 {
    one(1) + other(2)
}
