// SPDX-License-Identifier: GPL-2.0

//! The Rust part of `fault.ko`: a panic.

#[macro_use]
#[path = "border/border.rs"]
mod border;
mod faults_h;

const PRIMES: [u32; 4] = [2, 3, 5, 7];

/// One of four primes.
///
/// # Panics
///
/// If `index` is out of bounds, which is the fault to commit.
///
/// # Safety
///
/// None; C calls it.
#[no_mangle]
pub unsafe extern "C" fn faults_rs_prime(index: usize) -> u32 {
    PRIMES[index]
}

keeps_contract!(faults_h: faults_rs_prime);
