#![no_std]
#![allow(warnings)]

#[repr(C, align(16))]
#[derive(Clone, Copy)]
pub struct s {
    a: u64,
    b: u64,
}

extern "C" {
    fn c_first(s: s) -> u64;
    fn c_second(x: u64, s: s) -> u64;
    fn c_third(x: u64, y: u64, s: s) -> u64;
}

#[inline(never)]
pub unsafe fn u(s: s) -> u64 {
    c_first(s) + c_second(1, s) + c_third(1, 2, s)
}
