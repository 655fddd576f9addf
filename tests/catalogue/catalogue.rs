// SPDX-License-Identifier: GPL-2.0

//! The Rust half of `catalogue.ko`: each kind of crossing between Rust and C, once.
//!
//! `catalogue.h` declares them. [`exports`] defines what C calls, [`imports`] wraps what C defines,
//! and [`checks`] has the tests that need to call from Rust.

use kernel::prelude::*;

#[macro_use]
#[path = "border/border.rs"]
mod border;
/// The contract, generated from `catalogue.h`.
mod catalogue_h;
mod checks;
mod exports;
mod imports;

module! {
    type: Catalogue,
    name: "catalogue",
    license: "GPL",
}

/// The loaded module. It does nothing on its own: the KUnit suite calls both halves.
struct Catalogue;

impl kernel::Module for Catalogue {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Catalogue)
    }
}
