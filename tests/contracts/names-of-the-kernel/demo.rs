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
        const { assert!(demo_h::DEMO_MAX == 8) };
        let (mut core, mut kernel) = (demo_h::core { raw: [1; 4] }, demo_h::kernel { a: 1 });
        // SAFETY: Both structs are valid for reads, and 0 is a value of the enum.
        let again: demo_h::demo_again =
            unsafe { demo_h::demo_put(&mut core, &mut kernel, core::mem::zeroed()) };
        pr_info!("{}\n", core::mem::size_of_val(&again));
        Ok(Demo)
    }
}
