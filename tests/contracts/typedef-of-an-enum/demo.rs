// SPDX-License-Identifier: GPL-2.0

//! A typedef of an enum with a tag.

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
        let it = unsafe { demo_h::demo_put(demo_h::DEMO_ON, core::ptr::null_mut(), demo_h::DEMO_A) };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
