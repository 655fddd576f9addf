// SPDX-License-Identifier: GPL-2.0

//! -fshort-enums for one object, which changes an enum of the kernel.

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
        let it = unsafe { { let mut r = 0x500u32; demo_h::demo_next(&mut r as *mut u32 as *mut _); r } };
        pr_info!("{it}\n");
        Ok(Demo)
    }
}
