// SPDX-License-Identifier: GPL-2.0

//! -fshort-enums for one object.

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
        let number = unsafe { demo_h::demo_draw(core::ptr::null_mut()) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
