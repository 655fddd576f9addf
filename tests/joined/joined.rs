// SPDX-License-Identifier: GPL-2.0

//! The Rust half of joined.ko.

use kernel::prelude::*;

#[macro_use]
#[path = "border/border.rs"]
mod border;
mod joined_h;

module! {
    type: Joined,
    name: "joined",
    license: "GPL",
}

struct Joined;

impl kernel::Module for Joined {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: The functions have no preconditions.
        let answer = unsafe { joined_h::joined_c_answer(joined_h::joined_twice(5)) };

        pr_info!("the answer is {answer}\n");
        Ok(Joined)
    }
}

/// The next number.
///
/// # Safety
///
/// None; bindgen declares every function `unsafe`.
#[no_mangle]
pub unsafe extern "C" fn joined_rs_next(number: u32) -> u32 {
    number.saturating_add(1)
}

keeps_contract!(joined_h: joined_rs_next);
