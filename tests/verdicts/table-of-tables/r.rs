#![no_std]
#![allow(warnings)]

extern "C" {
    static c_t: [[u32; 3]; 2];
    static c_v: [[u32; 2]; 3];
}

#[inline(never)]
pub unsafe fn u(i: usize) -> u32 {
    c_t[i][1] + c_v[i][1]
}
