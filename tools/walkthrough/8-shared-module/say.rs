// SPDX-License-Identifier: GPL-2.0
//! Prints the word of another module.

use kernel::{ffi::c_char, prelude::*, str::CStr};

extern "C" {
    fn word() -> *const c_char;
}

module! {
    type: Say,
    name: "say",
    description: "Prints the word of another module",
    license: "GPL",
}

struct Say;

impl kernel::Module for Say {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: the word is never freed.
        let word = unsafe { CStr::from_char_ptr(word()) };
        pr_info!("{}\n", word.to_str()?);
        Ok(Say)
    }
}
