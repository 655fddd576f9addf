// SPDX-License-Identifier: GPL-2.0

//! An extern block by hand, under another name.

use kernel::prelude::*;

mod demo_h;

extern "C" {
    #[link_name = "demo_count"]
    fn other(nth: u64) -> i32;
}

module! {
    type: Demo,
    name: "demo",
    license: "GPL",
}

struct Demo;

impl kernel::Module for Demo {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: C only looks at what it gets.
        let number = unsafe { demo_h::demo_count(1) + other(1) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
