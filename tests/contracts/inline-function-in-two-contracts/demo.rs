// SPDX-License-Identifier: GPL-2.0

//! Calls both.

use kernel::prelude::*;

mod demo_h;
mod more_h;

module! {
    type: Demo,
    name: "demo",
    license: "GPL",
}

struct Demo;

impl kernel::Module for Demo {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut more = more_h::demo_more { number: 3 };
        // SAFETY: `more` is valid.
        let number = unsafe { demo_h::demo_twice(&mut more) + more_h::demo_more(&mut more) + demo_h::demo_number() };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
