// SPDX-License-Identifier: GPL-2.0

//! A case.

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
        // SAFETY: A test.
        let it = unsafe { demo_h::demo_put(::core::ptr::null_mut()) };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
