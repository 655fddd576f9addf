// SPDX-License-Identifier: GPL-2.0

//! Fields that are arrays of function pointers, and such that return one.

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
        let number = unsafe { demo_h::demo_run(core::ptr::null()) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
