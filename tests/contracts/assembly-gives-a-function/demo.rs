// SPDX-License-Identifier: GPL-2.0

//! Assembly gives what the contract declares.

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
        let it = unsafe { demo_h::demo_open(1) as u64 + demo_h::demo_fast(2) };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
