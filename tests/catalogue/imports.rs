// SPDX-License-Identifier: GPL-2.0

//! What Rust imports from C, as safe functions: each function of C is called in one place. Pointers
//! become references, slices and options, integers become enums, and a negative errno becomes an
//! [`Error`].

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
    // SAFETY: Safe for every `bool`.
    unsafe { catalogue_c_not(value) }
}

/// An enum of C, as an enum of Rust.
pub(crate) fn opposite(order: Option<Ordering>) -> Option<Ordering> {
    let order = match order {
        Some(Ordering::Less) => CATALOGUE_LESS,
        Some(Ordering::Equal) => CATALOGUE_EQUAL,
        Some(Ordering::Greater) => CATALOGUE_GREATER,
        None => CATALOGUE_UNORDERED,
    };

    // SAFETY: Safe for every integer.
    match unsafe { catalogue_c_opposite(order) } {
        CATALOGUE_LESS => Some(Ordering::Less),
        CATALOGUE_EQUAL => Some(Ordering::Equal),
        CATALOGUE_GREATER => Some(Ordering::Greater),
        _ => None,
    }
}

/// Pointers that may be NULL, as options of references.
pub(crate) fn copy(to: Option<&mut u32>, from: Option<&u32>) -> Result {
    // SAFETY: References are valid for the accesses of C, and C checks for NULL.
    to_result(unsafe {
        catalogue_c_copy(
            to.map_or(ptr::null_mut(), ptr::from_mut),
            from.map_or(ptr::null(), ptr::from_ref),
        )
    })
}

/// A part of a text, with the lifetime of the text.
pub(crate) fn basename(path: &CStr) -> &CStr {
    // SAFETY: C returns a pointer into `path`, up to the same NUL.
    unsafe { CStr::from_char_ptr(catalogue_c_basename(path.as_char_ptr())) }
}

/// Pointers with lengths, as slices.
pub(crate) fn backwards(to: &mut [u8], from: &[u8]) -> Result<usize> {
    // SAFETY: The lengths are those of the slices, which do not overlap, since one is `&mut`.
    let count =
        unsafe { catalogue_c_backwards(to.as_mut_ptr(), to.len(), from.as_ptr(), from.len()) };

    // A negative errno fits a `c_int`.
    usize::try_from(count).map_err(|_| Error::from_errno(count as c_int))
}

/// Structs by pointer, with the layout that they have in C.
pub(crate) fn grow(shape: &mut catalogue_shape, step: &catalogue_point) -> Result {
    // SAFETY: References are valid for the accesses of C.
    to_result(unsafe { catalogue_c_grow(shape, step) })
}

/// A kernel type. `current` is a macro, which only C can expand.
pub(crate) fn current_task() -> *mut task_struct {
    // SAFETY: There is always a current task.
    unsafe { catalogue_c_current() }
}

/// A kernel type, as a type of the kernel crate.
pub(crate) fn pid(task: &Task) -> pid_t {
    // A `Task` is a transparent `task_struct`, which C may change.
    let task = ptr::from_ref(task).cast_mut().cast();

    // SAFETY: The task lives as long as the reference.
    unsafe { catalogue_c_pid(task) }
}

/// A callback and its context, as a closure.
pub(crate) fn each<F: FnMut(u32) -> Result>(count: u32, mut visit: F) -> Result {
    let context = ptr::from_mut(&mut visit).cast();

    // SAFETY: `call` expects a context of this type, which C only borrows for this call.
    to_result(unsafe { catalogue_c_each(count, Some(call::<F>), context) })
}

/// Like [`each`], with a spinlock held: `visit` must not sleep.
pub(crate) fn each_locked<F: FnMut(u32) -> Result>(count: u32, mut visit: F) -> Result {
    let context = ptr::from_mut(&mut visit).cast();

    // SAFETY: As in `each`.
    to_result(unsafe { catalogue_c_each_locked(count, Some(call::<F>), context) })
}

/// Calls the closure that is the context.
///
/// # Safety
///
/// `context` must point to an `F` that nothing else accesses during the call.
unsafe extern "C" fn call<F: FnMut(u32) -> Result>(context: *mut c_void, nth: u32) -> c_int {
    // SAFETY: By the safety requirements of this function.
    let visit = unsafe { &mut *context.cast::<F>() };

    from_result(|| visit(nth).map(|()| 0))
}

/// An errno, as a [`Result`].
pub(crate) fn fail(err: c_int) -> Result {
    // SAFETY: Safe for every integer.
    to_result(unsafe { catalogue_c_fail(err) })
}

/// Makes the `nth` call of C fail, of those that can; until it is dropped.
pub(crate) struct Fault(());

impl Fault {
    /// Counts from now on, from 1.
    pub(crate) fn new(nth: c_int) -> Self {
        Fault::set(nth);
        Fault(())
    }

    fn set(nth: c_int) {
        // SAFETY: Valid as long as the module is. A volatile write is atomic_set() in C.
        unsafe { ptr::addr_of_mut!(catalogue_c_calls_to_failure.counter).write_volatile(nth) };
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        Fault::set(0);
    }
}

/// A C object that Rust holds.
///
/// # Invariants
///
/// The pointer comes from `catalogue_c_counter_new()` and has not been freed.
pub(crate) struct Counter(NonNull<catalogue_c_counter>);

impl Counter {
    /// Turns an `ERR_PTR()` into an [`Error`]. May sleep.
    pub(crate) fn new(step: u32) -> Result<Self> {
        // SAFETY: Safe for every integer.
        let counter = from_err_ptr(unsafe { catalogue_c_counter_new(step) })?;

        // INVARIANT: The counter is new.
        NonNull::new(counter).map(Counter).ok_or(EINVAL)
    }

    /// Increments the counter.
    pub(crate) fn next(&self) -> u32 {
        // SAFETY: Valid by the type invariant, and C allows concurrent calls.
        unsafe { catalogue_c_counter_next(self.0.as_ptr()) }
    }

    /// The number of counters. C may change this data at any time, so Rust must not create a
    /// reference to it.
    pub(crate) fn live() -> c_int {
        // SAFETY: Valid as long as the module is. A volatile read is READ_ONCE() in C.
        unsafe { ptr::addr_of!(catalogue_c_counter_live.counter).read_volatile() }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        // SAFETY: Valid by the type invariant, and not used again.
        unsafe { catalogue_c_counter_free(self.0.as_ptr()) };
    }
}

/// Constant data.
pub(crate) fn powers() -> &'static [u32] {
    // SAFETY: It is `const` in C, and lives as long as the module.
    unsafe { &catalogue_h::catalogue_c_powers }
}

/// A function that may sleep.
pub(crate) fn rest() -> Result {
    // SAFETY: Sleeping in atomic context does not break memory safety.
    to_result(unsafe { catalogue_c_rest() })
}
