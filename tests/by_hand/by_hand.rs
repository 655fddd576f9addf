// SPDX-License-Identifier: GPL-2.0

//! Hand-written declarations of kernel exports: a correct one, and several that are wrong, as the
//! names of the types say. It is built for `stitch check`, but never loaded.

use kernel::prelude::*;

module! {
    type: ByHand,
    name: "by_hand",
    description: "Hand-written declarations of kernel exports",
    license: "GPL",
}

mod raw {
    use kernel::ffi::{c_int, c_void};

    #[repr(C)]
    pub(crate) struct Notifier {
        call: Option<unsafe extern "C" fn(*mut Notifier, usize, *mut c_void) -> c_int>,
        next: *mut Notifier,
        priority: c_int,
    }

    #[repr(C)]
    pub(crate) struct InAnotherOrder {
        priority: c_int,
        next: *mut InAnotherOrder,
        call: Option<unsafe extern "C" fn(*mut InAnotherOrder, usize, *mut c_void) -> c_int>,
    }

    extern "C" {
        pub(crate) fn register_reboot_notifier(block: *mut Notifier) -> c_int;
        pub(crate) fn unregister_reboot_notifier(block: *mut InAnotherOrder) -> c_int;
        pub(crate) fn kstrtouint(text: *const u8, base: u64, result: *mut u32) -> c_int;
        pub(crate) fn kstrtoint(text: *const u8, base: u32, result: *mut i32) -> c_int;
        pub(crate) fn get_random_u32() -> u64;
    }
}

struct ByHand;

impl kernel::Module for ByHand {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let text = c"1".as_ptr().cast::<u8>();
        let (mut unsigned, mut signed) = (0, 0);
        // SAFETY: This module is never loaded.
        let codes = unsafe {
            [
                raw::register_reboot_notifier(core::ptr::null_mut()),
                raw::unregister_reboot_notifier(core::ptr::null_mut()),
                raw::kstrtouint(text, 10, &mut unsigned),
                raw::kstrtoint(text, 10, &mut signed),
            ]
        };
        // SAFETY: As above.
        let random = unsafe { raw::get_random_u32() };
        pr_info!("{codes:?}, {unsigned}, {signed}, {random}\n");
        Ok(ByHand)
    }
}
