// SPDX-License-Identifier: GPL-2.0

//! Calls C that has no symbol.

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
        let mut pair = demo_h::demo_pair { a: 4, b: 6 };
        // SAFETY: The pointers are valid, and `visit` and `last` ignore their arguments.
        let (half, each, opposite) = unsafe {
            demo_h::demo_first(&mut pair, [1, 2].as_ptr());
            demo_h::demo_zero(&mut pair);
            (
                demo_h::demo_half(8),
                demo_h::demo_each(Some(visit), Some(last), core::ptr::null_mut()),
                demo_h::demo_opposite(demo_h::DEMO_LEFT),
            )
        };
        let task: *const kernel::bindings::task_struct = core::ptr::null();
        if !task.is_null() {
            // SAFETY: Never reached.
            unsafe { demo_h::demo_pid(task) };
            // SAFETY: Never reached.
            unsafe { demo_h::demo_stop() };
        }
        pr_info!("{half} {each} {opposite} {} {}\n", pair.a, pair.b);
        Ok(Demo)
    }
}

unsafe extern "C" fn visit(_: *mut core::ffi::c_void, nth: u32) -> i32 {
    nth as i32 - 1
}

unsafe extern "C" fn last() -> i32 {
    0
}
