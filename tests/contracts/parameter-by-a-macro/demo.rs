// SPDX-License-Identifier: GPL-2.0

//! A parameter that only one object sees.

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
        // SAFETY: C only looks at what it gets.
        let number = unsafe { demo_h::demo_count(1) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
