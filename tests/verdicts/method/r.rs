#![no_std]
#![allow(warnings)]

#[repr(C)]
pub struct S(u32);

impl S {
    #[no_mangle]
    pub extern "C" fn rs_m(&self) -> i32 {
        self.0 as i32
    }

    #[no_mangle]
    pub extern "C" fn rs_n(&self, by: u64) -> i32 {
        (self.0 as u64 + by) as i32
    }
}
