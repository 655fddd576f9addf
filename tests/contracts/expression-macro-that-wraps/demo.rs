// SPDX-License-Identifier: GPL-2.0

//! A macro whose value needs the type of its parts.

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
        let it = unsafe { demo_h::demo_open(1) };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
const _: () = assert!(demo_h::DEMO_HALF as i128 == 0x7fffffff);
