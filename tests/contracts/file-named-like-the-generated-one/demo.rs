// SPDX-License-Identifier: GPL-2.0

//! Calls the other function.

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
        let number = unsafe { demo_h::demo_number() };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
