// SPDX-License-Identifier: GPL-2.0
//! Prints the word of its own C half.

use kernel::{ffi::c_char, prelude::*, str::CStr};

extern "C" {
    fn inside_word() -> *const c_char;
}

module! {
    type: Inside,
    name: "inside",
    description: "Prints the word of its own C half",
    license: "GPL",
}

struct Inside;

impl kernel::Module for Inside {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: the word is never freed.
        let word = unsafe { CStr::from_char_ptr(inside_word()) };
        pr_info!("{}\n", word.to_str()?);
        Ok(Inside)
    }
}
