// SPDX-License-Identifier: GPL-2.0

//! keeps_contract! compares the contract with itself, by a glob import.

use kernel::prelude::*;

#[macro_use]
#[path = "border/border.rs"]
mod border;
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

mod gives {
    /// Half of it.
    ///
    /// # Safety
    ///
    /// None needed.
    #[no_mangle]
    pub unsafe extern "C" fn demo_seconds(t: u8) -> u8 {
        t / 2
    }
}

use demo_h::*;

keeps_contract!(demo_h: demo_seconds);
