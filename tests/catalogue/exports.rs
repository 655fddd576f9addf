// SPDX-License-Identifier: GPL-2.0

//! What Rust gives to C. `catalogue.h` tells about each function; here is how Rust does it.
//!
//! Everything that C may get wrong stands under `# Safety`. What Rust can find out by itself, a
//! NULL or a number that no enum has, is an error, not a matter of safety.

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
use crate::takes;

/// Integers: the saturating successor, for each type.
macro_rules! give_next {
    ($($function:ident: $int:ty,)*) => {
        $(
            /// The number after `number`, or the last one.
            ///
            /// # Safety
            ///
            /// Any number will do; but the contract has no safe functions.
            #[no_mangle]
            pub(crate) unsafe extern "C" fn $function(number: $int) -> $int {
                number.saturating_add(1)
            }
        )*
        keeps_contract!(catalogue_h: $($function),*);
    };
}

give_next! {
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
/// `value` must be `true` or `false`, as any `bool` is that C has computed.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_not(value: bool) -> bool {
    !value
}

/// An enum: to Rust it is a number, of which only some have a meaning.
///
/// # Safety
///
/// Any number will do.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_opposite(order: catalogue_order) -> catalogue_order {
    match order {
        CATALOGUE_LESS => CATALOGUE_GREATER,
        CATALOGUE_EQUAL => CATALOGUE_EQUAL,
        CATALOGUE_GREATER => CATALOGUE_LESS,
        _ => CATALOGUE_UNORDERED,
    }
}

/// Pointers. The two may be one, so Rust must not have references to both at a time.
///
/// # Safety
///
/// Unless NULL, `to` must be valid for a write and `from` for a read.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_copy(to: *mut u32, from: *const u32) -> c_int {
    if to.is_null() || from.is_null() {
        return EINVAL.to_errno();
    }

    // SAFETY: Neither is NULL, so that the caller promises just that.
    unsafe { to.write(from.read()) };
    0
}

/// Text: found to be UTF-8, or refused.
///
/// # Safety
///
/// `path` must be NUL-terminated, and must not change as long as the result is used.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_basename(path: *const c_char) -> *const c_char {
    // SAFETY: The caller promises just that.
    let Ok(text) = unsafe { CStr::from_char_ptr(path) }.to_str() else {
        return ptr::null();
    };
    let start = text.rfind('/').map_or(0, |slash| slash + 1);

    // SAFETY: This is a place in the text, or that of its NUL.
    unsafe { path.add(start) }
}

/// A buffer and its length. `to` need not hold anything yet, so Rust must not have a slice of it.
///
/// # Safety
///
/// `to` must be valid for `size` writes, `from` for `len` reads unless `len` is 0; they must not
/// overlap.
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
        // C has no need of a pointer where there is nothing; a slice never is NULL.
        0 => &[],
        // SAFETY: The caller promises just that.
        _ => unsafe { slice::from_raw_parts(from, len) },
    };

    for (nth, byte) in from.iter().rev().enumerate() {
        // SAFETY: `nth` is less than `len`, which is at most `size`.
        unsafe { to.add(nth).write(*byte) };
    }
    // No slice is longer than an `isize` can tell.
    from.len() as isize
}

/// Structs by pointer: read as a whole, and written as a whole when nothing can fail any more.
///
/// # Safety
///
/// `shape` must be valid for reads and writes, `step` for reads.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_grow(
    shape: *mut catalogue_shape,
    step: *const catalogue_point,
) -> c_int {
    // SAFETY: The caller promises just that.
    let (mut grown, step) = unsafe { (shape.read(), step.read()) };

    from_result(|| {
        match grown.kind {
            CATALOGUE_CIRCLE => {
                // SAFETY: Any 8 bytes are a number; `kind` says that it is the one that counts.
                let radius = unsafe { grown.extent.radius };
                grown.extent.radius = radius.checked_mul(2).ok_or(ERANGE)?;
            }
            CATALOGUE_BOX => {
                // SAFETY: Likewise.
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

        // SAFETY: The caller promises just that.
        unsafe { shape.write(grown) };
        Ok(0)
    })
}

/// A type of the kernel's: what bindgen calls `task_struct` is what the kernel crate knows as well.
///
/// # Safety
///
/// `task` must be a task that does not go away during the call.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_pid(task: *mut task_struct) -> pid_t {
    // SAFETY: A `Task` is nothing but a `task_struct`; the caller promises that it stays.
    unsafe { &*task.cast::<Task>() }.pid()
}

/// A callback and its context: Rust does not know what is behind either of them.
///
/// # Safety
///
/// `visit` must take this `context`, for `count` calls.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_each(
    count: u32,
    visit: catalogue_visit_fn,
    context: *mut c_void,
) -> c_int {
    // A function pointer of C that may be NULL is an `Option`.
    let Some(visit) = visit else {
        return EINVAL.to_errno();
    };

    from_result(|| {
        // SAFETY: The caller promises just that.
        (0..count).try_for_each(|nth| to_result(unsafe { visit(context, nth) }))?;
        Ok(0)
    })
}

/// An errno, that becomes a `Result`, that becomes an errno.
///
/// # Safety
///
/// Any number will do.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_fail(err: c_int) -> c_int {
    from_result(|| to_result(err).map(|()| 0))
}

/// What is behind a `struct catalogue_rs_counter *`.
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

/// An object of Rust's, for C to hold: a `Result` of a pointer is an `ERR_PTR()` where it fails.
///
/// # Safety
///
/// Any number will do. Who must not sleep must not call it, but that is no matter of memory.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_new(step: u32) -> *mut catalogue_rs_counter {
    match Counter::new(step) {
        Ok(counter) => {
            // On 6.12 it is this, on later kernels a `*mut`.
            let foreign: *const c_void = counter.into_foreign();
            foreign.cast_mut().cast()
        }
        Err(error) => error.to_ptr(),
    }
}

/// Borrows the object from C.
///
/// # Safety
///
/// `counter` must come from [`catalogue_rs_counter_new`], and not be freed during the call.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_next(
    counter: *mut catalogue_rs_counter,
) -> u32 {
    // SAFETY: The caller promises just that. It is only shared, and what changes is atomic.
    let counter = unsafe { KBox::<Counter>::borrow(counter.cast()) };

    counter
        .counted
        .fetch_add(counter.step, Relaxed)
        .wrapping_add(counter.step)
}

/// Takes the object back from C.
///
/// # Safety
///
/// Unless NULL, `counter` must come from [`catalogue_rs_counter_new`], and never be used again.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_free(counter: *mut catalogue_rs_counter) {
    // SAFETY: The caller promises just that.
    drop(unsafe { KBox::<Counter>::try_from_foreign(counter.cast()) });
}

/// How many of these objects C holds.
///
/// # Safety
///
/// None; but the contract has no safe functions.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_counter_live() -> c_int {
    LIVE.load(Relaxed)
}

/// Data that does not change.
#[no_mangle]
pub(crate) static CATALOGUE_RS_POWERS: [u32; CATALOGUE_POWERS as usize] = [1, 2, 4, 8];

/// What only code that may sleep can call.
///
/// # Safety
///
/// None; who must not sleep must not call it, but that is no matter of memory.
#[no_mangle]
pub(crate) unsafe extern "C" fn catalogue_rs_rest() -> c_int {
    from_result(|| takes::rest().map(|()| 0))
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
