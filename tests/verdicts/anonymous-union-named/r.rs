#![no_std]
#![allow(warnings)]

#[repr(C)]
#[derive(Clone, Copy)]
pub struct h {
    lo: u16,
    hi: u16,
}

#[repr(C)]
pub union v {
    a: u32,
    h: h,
}

#[repr(C)]
pub struct s {
    tag: u32,
    v: v,
}

#[repr(C)]
pub union wide {
    a: u64,
}

#[repr(C)]
pub struct t {
    tag: u32,
    v: wide,
}

extern "C" {
    fn c_f(s: *mut s) -> i32;
    fn c_g(s: *mut t) -> i32;
}

#[inline(never)]
pub unsafe fn u(s: *mut s, t: *mut t) -> i32 {
    c_f(s) + c_g(t)
}
