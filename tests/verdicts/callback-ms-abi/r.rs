#![no_std]
#![allow(warnings)]

extern "C" {
    fn c_f(f: extern "C" fn(i32) -> i32) -> i32;
}

extern "C" fn g(x: i32) -> i32 {
    x
}

#[inline(never)]
pub unsafe fn u() -> i32 {
    c_f(g)
}
