#![no_std]
#![allow(warnings)]

macro_rules! foreign {
    ($($name:ident: $ty:ty),*) => {
        extern "C" {
            $(fn $name(x: *mut $ty) -> i32;)*
        }
    };
}

foreign!(c_f: u64, c_g: u32);

#[inline(never)]
pub unsafe fn u(x: *mut u64) -> i32 {
    c_f(x) + c_g(x as _)
}
