// SPDX-License-Identifier: GPL-2.0

//! The Rust part of the KUnit suite: calls into C on behalf of `kunit.c`.

use core::slice;
use kernel::{
    error::to_result,
    ffi::{c_int, c_void},
    prelude::*,
};

#[macro_use]
#[path = "border/border.rs"]
mod border;
mod c_helper_h;
mod kunit_h;

/// The context of [`count_call`].
struct Calls {
    seen: u32,
    stop_at: u32,
    stop_with: c_int,
}

/// Counts the calls, and returns `stop_with` in the call `stop_at`.
///
/// # Safety
///
/// `context` must point to a [`Calls`] that nothing else accesses during the call.
unsafe extern "C" fn count_call(context: *mut c_void, nth: u32) -> c_int {
    // SAFETY: By the safety requirements of this function.
    let calls = unsafe { &mut *context.cast::<Calls>() };

    calls.seen += 1;
    if calls.seen != nth {
        return EIO.to_errno();
    }
    if nth == calls.stop_at {
        return calls.stop_with;
    }
    0
}

/// Has C call back `times` times; the call `stop_at` returns `stop_with`.
///
/// # Safety
///
/// `called` must be valid for writes.
#[no_mangle]
pub unsafe extern "C" fn kunit_rs_repeat(
    times: u32,
    stop_at: u32,
    stop_with: c_int,
    called: *mut u32,
) -> c_int {
    let mut calls = Calls {
        seen: 0,
        stop_at,
        stop_with,
    };
    let context: *mut Calls = &mut calls;

    // SAFETY: `count_call` expects a context of this type, which C only borrows for this call.
    let result = to_result(unsafe {
        c_helper_h::c_helper_repeat(times, Some(count_call), context.cast())
    });
    // SAFETY: `called` is valid by the safety requirements of this function.
    unsafe { called.write(calls.seen) };
    errno(result)
}

/// Passes NULL as the function to call.
///
/// # Safety
///
/// None; C calls it.
#[no_mangle]
pub unsafe extern "C" fn kunit_rs_repeat_null() -> c_int {
    // SAFETY: C checks for NULL.
    errno(to_result(unsafe {
        c_helper_h::c_helper_repeat(1, None, core::ptr::null_mut())
    }))
}

/// Returns what Rust reads from the struct that C fills in.
///
/// # Safety
///
/// `pid` and `cpu` must be valid for writes, and `comm` for writes of `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn kunit_rs_current(
    pid: *mut c_int,
    cpu: *mut u32,
    comm: *mut u8,
    size: usize,
) -> c_int {
    let mut task = c_helper_h::c_helper_task::default();

    // SAFETY: `task` is valid for writes.
    unsafe { c_helper_h::c_helper_current(&mut task) };
    // SAFETY: Both are valid by the safety requirements of this function.
    unsafe {
        pid.write(task.pid);
        cpu.write(task.cpu);
    }
    // SAFETY: `comm` is valid by the safety requirements of this function.
    let comm = unsafe { slice::from_raw_parts_mut(comm, size) };
    match comm.get_mut(..task.comm.len()) {
        Some(room) => room.copy_from_slice(&task.comm),
        None => return ENOSPC.to_errno(),
    }
    0
}

/// Copies the text that C stores, as Rust reads it, and returns its length.
///
/// # Safety
///
/// `whom` must be valid for writes of `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn kunit_rs_whom(whom: *mut u8, size: usize) -> isize {
    // SAFETY: C returns a NUL-terminated string that no longer changes.
    let Ok(text) = unsafe { CStr::from_char_ptr(c_helper_h::c_helper_whom()) }.to_str() else {
        return EINVAL.to_errno() as isize;
    };

    // SAFETY: `whom` is valid by the safety requirements of this function.
    match unsafe { slice::from_raw_parts_mut(whom, size) }.get_mut(..=text.len()) {
        Some([room @ .., nul]) => {
            room.copy_from_slice(text.as_bytes());
            *nul = 0;
        }
        _ => return ENOSPC.to_errno() as isize,
    }
    text.len() as isize
}

/// Returns the number of greetings, as Rust reads it.
///
/// # Safety
///
/// None; C calls it.
#[no_mangle]
pub unsafe extern "C" fn kunit_rs_times() -> u32 {
    // SAFETY: C only reads an integer.
    unsafe { c_helper_h::c_helper_times() }
}

fn errno(result: Result) -> c_int {
    result.map_or_else(|error| error.to_errno(), |()| 0)
}

keeps_contract!(kunit_h:
    kunit_rs_repeat,
    kunit_rs_repeat_null,
    kunit_rs_current,
    kunit_rs_whom,
    kunit_rs_times
);
