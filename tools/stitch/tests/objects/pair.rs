// SPDX-License-Identifier: GPL-2.0

//! The Rust half of the objects in stitch's tests.

#![no_std]

extern "C" {
    fn c_add(one: i32, other: i32) -> i32;
    static c_times: i32;
}

/// C calls it, and stores its address.
#[no_mangle]
pub extern "C" fn rust_twice(number: i32) -> i32 {
    number.wrapping_mul(2)
}

/// Calls C, and reads its data.
pub fn sum(numbers: &[i32]) -> i32 {
    let add = |sum, &number| {
        // SAFETY: `c_add` takes any numbers.
        unsafe { c_add(sum, number) }
    };
    numbers.iter().fold(times(), add)
}

fn times() -> i32 {
    // SAFETY: no other thread writes to it. The read is inlined from the core library.
    unsafe { core::ptr::read_volatile(&raw const c_times) }
}
