// SPDX-License-Identifier: GPL-2.0

//! What C gives to Rust, in Rust's own words: each function of C is called in one place, and is
//! safe to call from there on. Pointers become references, slices and options, numbers become
//! enums, and a negative errno becomes an [`Error`].

use core::{
    cmp::Ordering,
    ptr::{self, NonNull},
};
use kernel::{
    bindings::{pid_t, task_struct},
    error::{from_err_ptr, from_result, to_result},
    ffi::{c_int, c_void},
    prelude::*,
    str::CStr,
    task::Task,
};

use crate::catalogue_h::{self, *};

/// A truth value.
pub(crate) fn not(value: bool) -> bool {
    // SAFETY: C takes any truth value.
    unsafe { catalogue_c_not(value) }
}

/// An enum of C is an enum of Rust, where C keeps to it.
pub(crate) fn opposite(order: Option<Ordering>) -> Option<Ordering> {
    let order = match order {
        Some(Ordering::Less) => CATALOGUE_LESS,
        Some(Ordering::Equal) => CATALOGUE_EQUAL,
        Some(Ordering::Greater) => CATALOGUE_GREATER,
        None => CATALOGUE_UNORDERED,
    };

    // SAFETY: C takes any number.
    match unsafe { catalogue_c_opposite(order) } {
        CATALOGUE_LESS => Some(Ordering::Less),
        CATALOGUE_EQUAL => Some(Ordering::Equal),
        CATALOGUE_GREATER => Some(Ordering::Greater),
        _ => None,
    }
}

/// Pointers that may be NULL are options of references.
pub(crate) fn copy(to: Option<&mut u32>, from: Option<&u32>) -> Result {
    // SAFETY: References are valid for what C does, and C looks for NULL.
    to_result(unsafe {
        catalogue_c_copy(
            to.map_or(ptr::null_mut(), ptr::from_mut),
            from.map_or(ptr::null(), ptr::from_ref),
        )
    })
}

/// The part of a text lives as long as the text.
pub(crate) fn basename(path: &CStr) -> &CStr {
    // SAFETY: C returns a part of what it gets, with the same NUL at its end.
    unsafe { CStr::from_char_ptr(catalogue_c_basename(path.as_char_ptr())) }
}

/// A slice is a pointer and a length.
pub(crate) fn backwards(to: &mut [u8], from: &[u8]) -> Result<usize> {
    // SAFETY: Both are as long as it says; they do not overlap, as one of them is `&mut`.
    let count =
        unsafe { catalogue_c_backwards(to.as_mut_ptr(), to.len(), from.as_ptr(), from.len()) };

    // A number, or in its place a negative errno, which always fits.
    usize::try_from(count).map_err(|_| Error::from_errno(count as c_int))
}

/// Structs by pointer: the contract's own types, with the very layout that C gives them.
pub(crate) fn grow(shape: &mut catalogue_shape, step: &catalogue_point) -> Result {
    // SAFETY: References are valid for what C does.
    to_result(unsafe { catalogue_c_grow(shape, step) })
}

/// A type of the kernel's. `current` is a macro, and only C can expand it.
pub(crate) fn current_task() -> *mut task_struct {
    // SAFETY: There always is a running task.
    unsafe { catalogue_c_current() }
}

/// A type of the kernel's, as the kernel crate has it.
pub(crate) fn pid(task: &Task) -> pid_t {
    // A `Task` is nothing but a `task_struct`, and is made to be changed by C.
    let task = ptr::from_ref(task).cast_mut().cast();

    // SAFETY: The task stays as long as the reference.
    unsafe { catalogue_c_pid(task) }
}

/// A callback and its context are a closure, and a function that knows its type.
pub(crate) fn each<F: FnMut(u32) -> Result>(count: u32, mut visit: F) -> Result {
    let context = ptr::from_mut(&mut visit).cast();

    // SAFETY: `call` takes a context of this very type, which C only borrows for this call.
    to_result(unsafe { catalogue_c_each(count, Some(call::<F>), context) })
}

/// The same with a spinlock held: `visit` must not sleep.
pub(crate) fn each_locked<F: FnMut(u32) -> Result>(count: u32, mut visit: F) -> Result {
    let context = ptr::from_mut(&mut visit).cast();

    // SAFETY: As in `each`.
    to_result(unsafe { catalogue_c_each_locked(count, Some(call::<F>), context) })
}

/// Calls the closure that is the context.
///
/// # Safety
///
/// `context` must point to an `F` that nothing else uses during the call.
unsafe extern "C" fn call<F: FnMut(u32) -> Result>(context: *mut c_void, nth: u32) -> c_int {
    // SAFETY: The caller promises just that.
    let visit = unsafe { &mut *context.cast::<F>() };

    from_result(|| visit(nth).map(|()| 0))
}

/// An errno is a [`Result`].
pub(crate) fn fail(err: c_int) -> Result {
    // SAFETY: C takes any number.
    to_result(unsafe { catalogue_c_fail(err) })
}

/// An object of C's, held by Rust.
///
/// # Invariants
///
/// The pointer comes from `catalogue_c_counter_new()` and was not freed.
pub(crate) struct Counter(NonNull<catalogue_c_counter>);

impl Counter {
    /// An `ERR_PTR()` is an [`Error`]. May sleep.
    pub(crate) fn new(step: u32) -> Result<Self> {
        // SAFETY: C takes any number.
        let counter = from_err_ptr(unsafe { catalogue_c_counter_new(step) })?;

        // INVARIANT: It was just made.
        NonNull::new(counter).map(Counter).ok_or(EINVAL)
    }

    /// Counts on.
    pub(crate) fn next(&self) -> u32 {
        // SAFETY: It was not freed, by the invariant; C lets any number of users share it.
        unsafe { catalogue_c_counter_next(self.0.as_ptr()) }
    }

    /// How many there are: data that C changes at any time, so that no reference may be made to it.
    pub(crate) fn live() -> c_int {
        // SAFETY: It lives as long as the module. A volatile read is what READ_ONCE() is in C.
        unsafe { ptr::addr_of!(catalogue_c_counter_live.counter).read_volatile() }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        // SAFETY: It was not freed, by the invariant, and nothing can use it any more.
        unsafe { catalogue_c_counter_free(self.0.as_ptr()) };
    }
}

/// Data that does not change.
pub(crate) fn powers() -> &'static [u32] {
    // SAFETY: It is `const` in C, and there as long as the module is.
    unsafe { &catalogue_h::catalogue_c_powers }
}

/// What only code that may sleep can call.
pub(crate) fn rest() -> Result {
    // SAFETY: A caller that may not sleep breaks the rules of the kernel, but not those of memory.
    to_result(unsafe { catalogue_c_rest() })
}
