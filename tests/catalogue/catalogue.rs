// SPDX-License-Identifier: GPL-2.0

//! The Rust half of catalogue.ko: each kind of crossing between Rust and C, once.
//!
//! `catalogue.h` lists them. [`gives`] has what C calls, [`takes`] what C is called for, and
//! [`checks`] the tests that have to be done from Rust's side.

use kernel::prelude::*;

#[macro_use]
#[path = "border/border.rs"]
mod border;
/// The contract as Rust sees it, made from `catalogue.h`.
mod catalogue_h;
mod checks;
mod gives;
mod takes;

module! {
    type: Catalogue,
    name: "catalogue",
    license: "GPL",
}

/// The loaded module. It does nothing by itself: the KUnit suite calls both halves.
struct Catalogue;

impl kernel::Module for Catalogue {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Catalogue)
    }
}
