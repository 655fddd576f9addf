// SPDX-License-Identifier: GPL-2.0

//! Rust's part of fault.ko: a panic.

#[macro_use]
#[path = "border/border.rs"]
mod border;
mod faults_h;

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

keeps_contract!(faults_h: faults_rs_prime);
