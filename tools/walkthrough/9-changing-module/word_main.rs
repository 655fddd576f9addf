// SPDX-License-Identifier: GPL-2.0
//! Exports a word to other modules.

use kernel::{ffi::c_char, prelude::*};

module! {
    type: Word,
    name: "word",
    description: "Exports a word to other modules, in Rust",
    license: "GPL",
}

struct Word;

impl kernel::Module for Word {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Ok(Word)
    }
}

/// The word, which is never freed.
#[no_mangle]
pub extern "C" fn word() -> *const c_char {
    c"hello from Rust".as_ptr().cast()
}
