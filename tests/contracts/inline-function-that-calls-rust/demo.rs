// SPDX-License-Identifier: GPL-2.0

//! Calls itself, through C.

use kernel::prelude::*;

#[macro_use]
#[path = "border/border.rs"]
mod border;
mod demo_h;

module! {
    type: Demo,
    name: "demo",
    license: "GPL",
}

struct Demo;

impl kernel::Module for Demo {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: The function has no preconditions.
        let number = unsafe { demo_h::demo_twice(demo_h::demo_number()) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}

/// Any number.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn demo_rs_number(number: u32) -> u32 {
    number + 1
}

keeps_contract!(demo_h: demo_rs_number);
