// SPDX-License-Identifier: GPL-2.0

//! The Rust half of hello_rust.ko: the kernel calls it, it calls C, and C calls it back.

use kernel::{
    error::to_result,
    ffi::{c_int, c_void},
    prelude::*,
};

#[macro_use]
#[path = "border/border.rs"]
mod border;
/// The contract as Rust sees it: made by bindgen from `c_helper.h`.
mod c_helper_h;

module! {
    type: HelloRust,
    name: "hello_rust",
    license: "GPL",
}

/// The loaded module; dropping it unloads it.
struct HelloRust {
    whom: &'static str,
    greeted: u32,
}

impl kernel::Module for HelloRust {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("Rust, called by the kernel: hello_rust is loading\n");

        let task = current_task();
        let mut hello = HelloRust {
            whom: whom()?,
            greeted: 0,
        };
        hello.greet()?;

        pr_info!("Rust, back from C: pid {} was greeted\n", task.pid);
        Ok(hello)
    }
}

impl HelloRust {
    /// Has C call [`greet`] for each greeting that was asked for.
    fn greet(&mut self) -> Result {
        let context: *mut Self = self;

        // SAFETY: `greet` takes a context of this very type, which C only borrows for the call.
        to_result(unsafe {
            c_helper_h::c_helper_repeat(c_helper_h::c_helper_times(), Some(greet), context.cast())
        })
    }
}

impl Drop for HelloRust {
    fn drop(&mut self) {
        pr_info!(
            "Rust, called by the kernel: goodbye, {}! Greetings counted: {}\n",
            self.whom,
            self.greeted
        );
    }
}

/// Asks C which task is running: `current` is a macro, out of reach for Rust.
fn current_task() -> c_helper_h::c_helper_task {
    let mut task = c_helper_h::c_helper_task::default();

    // SAFETY: `task` is a valid place for C to write to.
    unsafe { c_helper_h::c_helper_current(&mut task) };
    task
}

/// Whom to greet, as C keeps it.
fn whom() -> Result<&'static str> {
    // SAFETY: C returns a NUL-terminated string that neither moves nor changes once `init` runs.
    let whom = unsafe { CStr::from_char_ptr(c_helper_h::c_helper_whom()) };

    whom.to_str().map_err(|_| EINVAL)
}

/// One greeting, called back by C.
///
/// # Safety
///
/// `context` must point to a [`HelloRust`] that nothing else uses during the call.
unsafe extern "C" fn greet(context: *mut c_void, nth: u32) -> c_int {
    // SAFETY: The caller promises just that.
    let hello = unsafe { &mut *context.cast::<HelloRust>() };

    hello.greeted += 1;
    pr_info!("Rust, called by C: hello, {}! ({nth})\n", hello.whom);
    0
}

/// Counts the characters of a text, which takes more than C's `strlen()` in UTF-8.
///
/// Returns `-EINVAL` where `text` is not UTF-8, or has control characters.
///
/// # Safety
///
/// `text` must point to `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn hello_rust_count_chars(text: *const u8, len: usize) -> isize {
    // SAFETY: The caller promises just that.
    let bytes = unsafe { core::slice::from_raw_parts(text, len) };

    match core::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.chars().count() as isize,
        _ => EINVAL.to_errno() as isize,
    }
}

keeps_contract!(c_helper_h: hello_rust_count_chars);
