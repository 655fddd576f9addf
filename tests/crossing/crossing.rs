// SPDX-License-Identifier: GPL-2.0

//! The Rust half of `crossing.ko`: loops that call C, each, word for word, what `rows.h` does in C.

use core::{arch::asm, ptr};
use kernel::{
    error::to_result,
    ffi::{c_char, c_int, c_void},
    prelude::*,
    str::BStr,
};

#[macro_use]
#[path = "border/border.rs"]
mod border;
mod crossing_c_h;
mod crossing_h;

use crossing_c_h::{
    crossing_c_add, crossing_c_check, crossing_c_move, crossing_c_rest, crossing_c_visit,
};
use crossing_h::{crossing_count, crossing_point};

module! {
    type: Crossing,
    name: "crossing",
    license: "GPL",
}

struct Crossing;

impl kernel::Module for Crossing {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // SAFETY: The function has no preconditions.
        unsafe { crossing_count() };
        Ok(Crossing)
    }
}

/// A value of which the compiler knows nothing: C's `OPTIMIZER_HIDE_VAR()`, without an instruction.
/// [`core::hint::black_box`] would store the value and load it again.
#[inline(always)]
#[allow(asm_sub_register)] // x86 and arm64 name half a register in other ways.
fn hidden(mut value: u32) -> u32 {
    // SAFETY: There is no instruction, only a comment with the name of the register.
    unsafe { asm!("/* {0} */", inout(reg) value, options(pure, nomem, nostack)) };
    value
}

/// The same for a text.
#[inline(always)]
fn hidden_text(mut text: *const c_char) -> *const c_char {
    // SAFETY: As in `hidden`.
    unsafe { asm!("/* {0} */", inout(reg) text, options(pure, readonly, nostack)) };
    text
}

/// Calls `times` times, at least once, with the number of calls that are left.
#[inline(always)]
fn repeat(mut times: u32, mut call: impl FnMut(u32)) {
    loop {
        call(times);
        times = hidden(times.wrapping_sub(1));
        if times == 0 {
            break;
        }
    }
}

/// Calls nothing.
///
/// # Safety
///
/// None, as for the others: C calls them.
#[no_mangle]
pub unsafe extern "C" fn from_rust_nothing(times: u32) -> u32 {
    repeat(times, |_| ());
    0
}

/// Passes numbers.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_number(times: u32) -> u32 {
    let mut sum = 0;

    repeat(times, |left| {
        // SAFETY: Safe for all numbers.
        sum = hidden(unsafe { crossing_c_add(sum, left) });
    });
    sum
}

/// Adds a number to the sum that is the context.
///
/// # Safety
///
/// `context` must point to a `u32` that nothing else accesses during the call.
unsafe extern "C" fn visit(context: *mut c_void, number: u32) -> c_int {
    // SAFETY: By the safety requirements of this function.
    let sum = unsafe { &mut *context.cast::<u32>() };

    *sum = sum.wrapping_add(number);
    0
}

/// Has C call back, with a context.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_callback(times: u32) -> u32 {
    let mut sum = 0;

    repeat(times, |left| {
        let context = ptr::from_mut(&mut sum).cast();
        // SAFETY: `visit` expects a context of this type, which C only borrows for this call.
        let _ = unsafe { crossing_c_visit(Some(visit), context, left) };
    });
    sum
}

/// Turns an errno into a `Result` itself: `Ok`.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_errno(times: u32) -> u32 {
    errors(times, 1, |err| {
        if err < 0 {
            return Err(Error::from_errno(err));
        }
        Ok(())
    })
}

/// Adds up the numbers of the errors.
#[inline(always)]
fn errors(times: u32, mut number: u32, result: fn(c_int) -> Result) -> u32 {
    let mut sum: u32 = 0;

    repeat(times, |_| {
        number = hidden(number);
        // SAFETY: Safe for all numbers.
        if let Err(error) = result(unsafe { crossing_c_check(number) }) {
            sum = hidden(sum.wrapping_sub(error.to_errno() as u32));
        }
    });
    sum
}

/// Has the kernel's `to_result()` turn an errno into a `Result`: `Ok`.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_success(times: u32) -> u32 {
    errors(times, 1, to_result)
}

/// The same: `Err`.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_failure(times: u32) -> u32 {
    errors(times, 0, to_result)
}

/// Turns the string that C returns into a `CStr`.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_string(times: u32) -> u32 {
    let mut text = c"crossing".to_bytes_with_nul().as_ptr().cast();
    let mut sum: u32 = 0;

    repeat(times, |_| {
        text = hidden_text(text);
        // SAFETY: C returns a pointer into the same string, which is not empty.
        let rest = unsafe { CStr::from_char_ptr(crossing_c_rest(text)) };
        // `CStr` has other methods on 6.12.
        let bytes: &BStr = rest.as_ref();
        sum = hidden(sum.wrapping_add(bytes.len() as u32));
    });
    sum
}

/// Has C change a struct.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn from_rust_struct(times: u32) -> u32 {
    let mut point = crossing_point { x: times, y: 0 };

    // SAFETY: `point` is valid for reads and writes.
    repeat(times, |left| unsafe { crossing_c_move(&mut point, left) });
    point.x.wrapping_sub(point.y)
}

/// Returns the sum of two numbers.
///
/// # Safety
///
/// None.
#[no_mangle]
pub unsafe extern "C" fn crossing_rs_add(a: u32, b: u32) -> u32 {
    a.wrapping_add(b)
}

keeps_contract!(crossing_h:
    from_rust_nothing,
    from_rust_number,
    from_rust_callback,
    from_rust_errno,
    from_rust_success,
    from_rust_failure,
    from_rust_string,
    from_rust_struct,
    crossing_rs_add
);
