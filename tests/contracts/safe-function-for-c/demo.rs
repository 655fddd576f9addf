// SPDX-License-Identifier: GPL-2.0

//! A case.

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
        Ok(Demo)
    }
}
/// Counts.
#[no_mangle]
pub extern "C" fn demo_put(n: u32) -> i32 {
    n as i32
}

keeps_contract!(demo_h: demo_put);
