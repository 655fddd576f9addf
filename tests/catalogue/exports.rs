// SPDX-License-Identifier: GPL-2.0

//! What Rust exports to C. `catalogue.h` documents each function; this is how Rust implements it.
//!
//! Each `# Safety` section lists what C has to ensure. What Rust can check itself (NULL, or a value
//! that is not of an enum) is an error, not undefined behaviour.

use core::{
    ptr, slice,
    sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed},
};
use kernel::{
    bindings::{pid_t, task_struct},
    error::{from_result, to_result},
    ffi::{c_char, c_int, c_void},
    prelude::*,
    str::CStr,
    task::Task,
    types::ForeignOwnable,
};

use crate::catalogue_h::{self, *};
use crate::imports;

/// Integers: the saturating successor of each type.
macro_rules! export_next {
    ($($function:ident: $int:ty,)*) => {
        $(
            /// The number after `number`, or the last one.
            ///
            /// # Safety
            ///
            /// None; bindgen declares every function `unsafe`.
            #[no_mangle]
            pub(crate) unsafe extern "C" fn $function(number: $int) -> $int {
                number.saturating_add(1)
            }
        )*
        keeps_contract!(catalogue_h: $($function),*);
    };
}

export_next! {
    catalogue_rs_next_u8: u8,
    catalogue_rs_next_s8: i8,
    catalogue_rs_next_u16: u16,
    catalogue_rs_next_s16: i16,
    catalogue_rs_next_u32: u32,
    catalogue_rs_next_s32: i32,
    catalogue_rs_next_u64: u64,
    catalogue_rs_next_s64: i64,
    catalogue_rs_next_long: isize,
    catalogue_rs_next_size: usize,
    catalogue_rs_next_ssize: isize,
}

/// A truth value.
///
/// # Safety
///
/// `value` must be 0 or 1, as every `bool` is that C computes.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_not(value: bool) -> bool {
    !value
}

/// An enum: for Rust, an integer of which only some values have a meaning.
///
/// # Safety
///
/// None.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_opposite(order: catalogue_order) -> catalogue_order {
    match order {
        CATALOGUE_LESS => CATALOGUE_GREATER,
        CATALOGUE_EQUAL => CATALOGUE_EQUAL,
        CATALOGUE_GREATER => CATALOGUE_LESS,
        _ => CATALOGUE_UNORDERED,
    }
}

/// Pointers. They may be equal, so Rust must not create references to both.
///
/// # Safety
///
/// Unless NULL, `to` must be valid for writes and `from` for reads.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_copy(to: *mut u32, from: *const u32) -> c_int {
    if to.is_null() || from.is_null() {
        return EINVAL.to_errno();
    }

    // SAFETY: Neither is NULL, so they are valid by the safety requirements of this function.
    unsafe { to.write(from.read()) };
    0
}

/// Text: Rust checks that it is UTF-8.
///
/// # Safety
///
/// `path` must be NUL-terminated, and must not change while the result is in use.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_basename(path: *const c_char) -> *const c_char {
    // SAFETY: By the safety requirements of this function.
    let Ok(text) = unsafe { CStr::from_char_ptr(path) }.to_str() else {
        return ptr::null();
    };
    let start = text.rfind('/').map_or(0, |slash| slash + 1);

    // SAFETY: `start` is in bounds: at most the index of the NUL.
    unsafe { path.add(start) }
}

/// A buffer and its length. `to` may be uninitialised, so Rust must not create a slice of it.
///
/// # Safety
///
/// `to` must be valid for writes of `size` bytes, and `from` for reads of `len` bytes unless `len`
/// is 0. They must not overlap.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_backwards(
    to: *mut u8,
    size: usize,
    from: *const u8,
    len: usize,
) -> isize {
    if size < len {
        return ENOSPC.to_errno() as isize;
    }
    let from = match len {
        // C may pass NULL for an empty buffer, but a slice is never NULL.
        0 => &[],
        // SAFETY: By the safety requirements of this function.
        _ => unsafe { slice::from_raw_parts(from, len) },
    };

    for (nth, byte) in from.iter().rev().enumerate() {
        // SAFETY: `nth` is less than `len`, which is at most `size`.
        unsafe { to.add(nth).write(*byte) };
    }
    // No slice is longer than `isize::MAX`.
    from.len() as isize
}

/// Structs by pointer: `shape` is written only once nothing can fail any more.
///
/// # Safety
///
/// `shape` must be valid for reads and writes, `step` for reads.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_grow(
    shape: *mut catalogue_shape,
    step: *const catalogue_point,
) -> c_int {
    // SAFETY: By the safety requirements of this function.
    let (mut grown, step) = unsafe { (shape.read(), step.read()) };

    from_result(|| {
        match grown.kind {
            CATALOGUE_CIRCLE => {
                // SAFETY: Any 8 bytes are a valid `u64`, and `kind` selects this member.
                let radius = unsafe { grown.extent.radius };
                grown.extent.radius = radius.checked_mul(2).ok_or(ERANGE)?;
            }
            CATALOGUE_BOX => {
                // SAFETY: As above.
                for side in unsafe { &mut grown.extent.sides } {
                    *side = side.checked_mul(2).ok_or(ERANGE)?;
                }
            }
            _ => return Err(EINVAL),
        }
        for end in &mut grown.ends {
            end.layer = end.layer.checked_add(step.layer).ok_or(ERANGE)?;
            end.x = end.x.checked_add(step.x).ok_or(ERANGE)?;
        }
        grown.grown_by = *b"rs\0";

        // SAFETY: By the safety requirements of this function.
        unsafe { shape.write(grown) };
        Ok(0)
    })
}

/// A kernel type: `task_struct` in the bindings is the one of the kernel crate.
///
/// # Safety
///
/// `task` must point to a task that stays alive during the call.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_pid(task: *mut task_struct) -> pid_t {
    // SAFETY: A `Task` is a transparent `task_struct`; the caller ensures that it stays alive.
    unsafe { &*task.cast::<Task>() }.pid()
}

/// A callback and its context.
///
/// # Safety
///
/// `visit` must be safe to call with `context`, `count` times.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_each(
    count: u32,
    visit: catalogue_visit_fn,
    context: *mut c_void,
) -> c_int {
    // A C function pointer may be NULL, so it is an `Option`.
    let Some(visit) = visit else {
        return EINVAL.to_errno();
    };

    from_result(|| {
        // SAFETY: By the safety requirements of this function.
        (0..count).try_for_each(|nth| to_result(unsafe { visit(context, nth) }))?;
        Ok(0)
    })
}

/// An errno becomes a `Result` becomes an errno.
///
/// # Safety
///
/// None.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_fail(err: c_int) -> c_int {
    from_result(|| to_result(err).map(|()| 0))
}

/// The target of a `struct catalogue_rs_counter *`.
struct Counter {
    counted: AtomicU32,
    step: u32,
}

static LIVE: AtomicI32 = AtomicI32::new(0);

impl Counter {
    fn new(step: u32) -> Result<KBox<Self>> {
        if step == 0 {
            return Err(EINVAL);
        }
        let counter = KBox::new(
            Counter {
                counted: AtomicU32::new(0),
                step,
            },
            GFP_KERNEL,
        )?;
        LIVE.fetch_add(1, Relaxed);
        Ok(counter)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

/// A Rust object that C holds. On failure, the `Result` becomes an `ERR_PTR()`.
///
/// # Safety
///
/// None. It may sleep, but sleeping in atomic context does not break memory safety.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_new(step: u32) -> *mut catalogue_rs_counter {
    match Counter::new(step) {
        Ok(counter) => {
            // `*const` on 6.12, `*mut` on later kernels.
            let foreign: *const c_void = counter.into_foreign();
            foreign.cast_mut().cast()
        }
        Err(error) => error.to_ptr(),
    }
}

/// Borrows the object that C holds.
///
/// # Safety
///
/// `counter` must come from [`catalogue_rs_counter_new`], and must not be freed during the call.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_next(
    counter: *mut catalogue_rs_counter,
) -> u32 {
    // SAFETY: By the safety requirements of this function. The reference is shared; the counter
    // is atomic.
    let counter = unsafe { KBox::<Counter>::borrow(counter.cast()) };

    counter
        .counted
        .fetch_add(counter.step, Relaxed)
        .wrapping_add(counter.step)
}

/// Takes the object back from C, and frees it.
///
/// # Safety
///
/// Unless NULL, `counter` must come from [`catalogue_rs_counter_new`], and must not be used again.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_free(counter: *mut catalogue_rs_counter) {
    // SAFETY: By the safety requirements of this function.
    drop(unsafe { KBox::<Counter>::try_from_foreign(counter.cast()) });
}

/// The number of these objects that C holds.
///
/// # Safety
///
/// None.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_live() -> c_int {
    LIVE.load(Relaxed)
}

/// Constant data.
#[no_mangle]
pub(crate) static CATALOGUE_RS_POWERS: [u32; CATALOGUE_POWERS as usize] = [1, 2, 4, 8];

/// A function that may sleep.
///
/// # Safety
///
/// None. Sleeping in atomic context does not break memory safety.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_rest() -> c_int {
    from_result(|| imports::rest().map(|()| 0))
}

keeps_contract!(
    catalogue_h: catalogue_rs_not,
    catalogue_rs_opposite,
    catalogue_rs_copy,
    catalogue_rs_basename,
    catalogue_rs_backwards,
    catalogue_rs_grow,
    catalogue_rs_pid,
    catalogue_rs_each,
    catalogue_rs_fail,
    catalogue_rs_counter_new,
    catalogue_rs_counter_next,
    catalogue_rs_counter_free,
    catalogue_rs_counter_live,
    static CATALOGUE_RS_POWERS,
    catalogue_rs_rest
);
