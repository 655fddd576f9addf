// SPDX-License-Identifier: GPL-2.0

//! The Rust half of `tally.ko`: it counts, and has all CPUs do so at the same time.

use kernel::{error::to_result, prelude::*};

#[macro_use]
#[path = "border/border.rs"]
mod border;
/// The contract, generated from `tally.h`.
mod tally_h;

use tally_h::{tally, tally_on_all_cpus};

module! {
    type: Tally,
    name: "tally",
    license: "GPL",
}

/// The loaded module.
struct Tally;

impl kernel::Module for Tally {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut tally = tally { count: 0 };

        // SAFETY: C borrows it until it returns. That it is shared between CPUs is the fault.
        to_result(unsafe { tally_on_all_cpus(&mut tally) })?;
        pr_info!("counted {}\n", tally.count);
        Ok(Tally)
    }
}

/// Adds 1. This is the data race.
///
/// # Safety
///
/// `tally` must be valid for reads and writes, and not in use elsewhere, which is what C gets wrong.
#[no_mangle]
pub(crate) unsafe extern "C" fn tally_add(tally: *mut tally) {
    // SAFETY: By the safety requirements of this function.
    unsafe { (*tally).count = (*tally).count.wrapping_add(1) };
}

keeps_contract!(tally_h: tally_add);
