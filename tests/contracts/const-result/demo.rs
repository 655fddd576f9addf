// SPDX-License-Identifier: GPL-2.0

//! Functions with const results.

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
        let it = unsafe { { demo_h::demo_name(0); demo_h::demo_len() } };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
