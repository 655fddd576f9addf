// SPDX-License-Identifier: GPL-2.0
use std::ffi::{c_char, c_int};

extern "C" {
    fn puts(text: *const c_char) -> c_int;
}

#[no_mangle]
pub extern "C" fn hello() {
    unsafe { puts(c"hello from Rust".as_ptr()) };
}
