// SPDX-License-Identifier: GPL-2.0

//! A macro that is a text with quotes, tabs and a byte of its own.

use kernel::prelude::*;

mod demo_h;

const _: () = assert!(demo_h::DEMO_NAME.len() == 7 && demo_h::DEMO_ERROR == -22);
const _: () = assert!(demo_h::DEMO_ALL == u64::MAX);

module! {
    type: Demo,
    name: "demo",
    license: "GPL",
}

struct Demo;

impl kernel::Module for Demo {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: C only looks at what it gets.
        let number = unsafe { demo_h::demo_count(1) };
        pr_info!("number: {number}\n");
        Ok(Demo)
    }
}
