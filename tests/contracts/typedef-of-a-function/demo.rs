// SPDX-License-Identifier: GPL-2.0

//! A typedef of a function, not of a pointer to one.

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
        let it = unsafe { demo_h::demo_run(core::ptr::null(), None) };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
