// SPDX-License-Identifier: GPL-2.0

//! Declares C by hand.

use kernel::prelude::*;

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
        let number = unsafe { demo_h::demo_number() + demo_half__extern(2) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}

extern "C" {
    fn demo_half__extern(of: u64) -> u32;
}
