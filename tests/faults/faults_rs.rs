// SPDX-License-Identifier: GPL-2.0

//! Rust's part of fault.ko: a panic.

mod faults_bindings;

const PRIMES: [u32; 4] = [2, 3, 5, 7];

/// One of four primes.
///
/// # Panics
///
/// Where there is none at `index`: that is what it is for.
///
/// # Safety
///
/// None; C calls it.
#[no_mangle]
pub unsafe extern "C" fn faults_rs_prime(index: usize) -> u32 {
    PRIMES[index]
}

/// Fails to compile unless the function has the very type that `faults.h` declares for it.
const _: () = {
    // The branches of an `if` must have one type.
    let _ = if true {
        faults_bindings::faults_rs_prime
    } else {
        faults_rs_prime
    };
};
