// SPDX-License-Identifier: GPL-2.0

//! Tests what Rust imports from C, with boundary values. The tests are in Rust, since a call from C
//! would prove nothing; `catalogue_test.c` runs them in its KUnit suite.

use core::{cmp::Ordering, ptr};
use kernel::{
    bindings::MAX_ERRNO,
    c_str,
    ffi::{c_char, c_int},
    prelude::*,
    str::CStr,
    task::Task,
};

use crate::catalogue_h::{self, *};
use crate::imports::{self, Counter, Fault};

/// What a check returns when it fails: a message for C, with the line in this file.
macro_rules! failure {
    ($what:expr) => {
        concat!("line ", line!(), ": ", $what, "\0").as_ptr()
    };
}

/// Returns from a check with a message, unless the condition holds.
macro_rules! expect {
    ($condition:expr) => {
        if !$condition {
            return failure!(stringify!($condition));
        }
    };
}

/// What a check returns when it passes.
const PASS: *const c_char = ptr::null();

extern "C" fn integers() -> *const c_char {
    macro_rules! expect_next {
        ($($function:ident: $int:ident,)*) => {$(
            // SAFETY: Safe for every integer.
            let next = |number: $int| unsafe { $function(number) };
            expect!(next($int::MIN) == $int::MIN + 1);
            expect!(next(0) == 1);
            expect!(next($int::MAX - 1) == $int::MAX);
            expect!(next($int::MAX) == $int::MAX);
        )*};
    }

    expect_next! {
        catalogue_c_next_u8: u8,
        catalogue_c_next_s8: i8,
        catalogue_c_next_u16: u16,
        catalogue_c_next_s16: i16,
        catalogue_c_next_u32: u32,
        catalogue_c_next_s32: i32,
        catalogue_c_next_u64: u64,
        catalogue_c_next_s64: i64,
        catalogue_c_next_long: isize,
        catalogue_c_next_size: usize,
        catalogue_c_next_ssize: isize,
    }
    PASS
}

extern "C" fn booleans() -> *const c_char {
    expect!(imports::not(false));
    expect!(!imports::not(true));
    PASS
}

extern "C" fn enums() -> *const c_char {
    expect!(imports::opposite(Some(Ordering::Less)) == Some(Ordering::Greater));
    expect!(imports::opposite(Some(Ordering::Equal)) == Some(Ordering::Equal));
    expect!(imports::opposite(Some(Ordering::Greater)) == Some(Ordering::Less));
    expect!(imports::opposite(None).is_none());
    PASS
}

extern "C" fn pointers() -> *const c_char {
    let mut to = 0;

    expect!(imports::copy(Some(&mut to), Some(&u32::MAX)) == Ok(()));
    expect!(to == u32::MAX);
    expect!(imports::copy(Some(&mut to), None) == Err(EINVAL));
    expect!(imports::copy(None, Some(&0)) == Err(EINVAL));
    expect!(to == u32::MAX);
    PASS
}

extern "C" fn text() -> *const c_char {
    fn basename(path: &CStr) -> Option<&str> {
        imports::basename(path).to_str().ok()
    }

    expect!(basename(c_str!("")) == Some(""));
    expect!(basename(c_str!("/")) == Some(""));
    expect!(basename(c_str!("a")) == Some("a"));
    expect!(basename(c_str!("a/")) == Some(""));
    expect!(basename(c_str!("/a/ö")) == Some("ö"));
    PASS
}

extern "C" fn buffers() -> *const c_char {
    let mut to = *b"....";

    expect!(imports::backwards(&mut to, b"") == Ok(0));
    expect!(imports::backwards(&mut [], b"") == Ok(0));
    expect!(imports::backwards(&mut to[..3], b"1234") == Err(ENOSPC));
    expect!(to == *b"....");
    expect!(imports::backwards(&mut to, b"\x00\xff1") == Ok(3));
    expect!(to == *b"1\xff\x00.");
    expect!(imports::backwards(&mut to, b"1234") == Ok(4));
    expect!(to == *b"4321");
    PASS
}

extern "C" fn structs() -> *const c_char {
    let mut shape = catalogue_shape {
        kind: CATALOGUE_BOX,
        extent: catalogue_extent { sides: [1, 0x7fff] },
        ..Default::default()
    };
    let step = catalogue_point {
        layer: i8::MIN,
        x: i32::MAX,
    };

    expect!(imports::grow(&mut shape, &step) == Ok(()));
    expect!(shape.ends.map(|end| (end.layer, end.x)) == [(i8::MIN, i32::MAX); 2]);
    // SAFETY: `kind` selects this member.
    expect!(unsafe { shape.extent.sides } == [2, 0xfffe]);
    expect!(shape.grown_by == *b"c\0\0");

    // If any field overflows, the shape is unchanged.
    expect!(imports::grow(&mut shape, &catalogue_point { layer: -1, x: 0 }) == Err(ERANGE));
    expect!(imports::grow(&mut shape, &catalogue_point { layer: 0, x: 1 }) == Err(ERANGE));
    expect!(imports::grow(&mut shape, &catalogue_point::default()) == Err(ERANGE));
    // SAFETY: As above.
    expect!(unsafe { shape.extent.sides } == [2, 0xfffe]);
    expect!(shape.ends[1].x == i32::MAX);

    shape.kind = CATALOGUE_CIRCLE;
    shape.extent.radius = u64::MAX / 2;
    expect!(imports::grow(&mut shape, &catalogue_point::default()) == Ok(()));
    // SAFETY: `kind` selects this member.
    expect!(unsafe { shape.extent.radius } == u64::MAX - 1);
    shape.kind = CATALOGUE_BOX + 1;
    expect!(imports::grow(&mut shape, &step) == Err(EINVAL));
    PASS
}

extern "C" fn kernel_types() -> *const c_char {
    let current: &Task = current!();

    expect!(ptr::eq(imports::current_task().cast(), current));
    expect!(imports::pid(current) == current.pid());
    PASS
}

extern "C" fn callbacks() -> *const c_char {
    let mut sum = 0;

    expect!(imports::each(0, |_| Err(EIO)) == Ok(()));
    let add = |nth| {
        sum += nth;
        Ok(())
    };
    expect!(imports::each(5, add) == Ok(()));
    expect!(sum == 10);
    expect!(imports::each(u32::MAX, |nth| if nth < 2 { Ok(()) } else { Err(EINTR) }) == Err(EINTR));
    // SAFETY: C checks for NULL.
    let no_callback = unsafe { catalogue_c_each(1, None, ptr::null_mut()) };
    expect!(no_callback == EINVAL.to_errno());
    PASS
}

extern "C" fn errors() -> *const c_char {
    const LAST: c_int = -(MAX_ERRNO as c_int);
    let fail = |err| imports::fail(err).map_err(|error| error.to_errno());

    expect!(fail(0) == Ok(()));
    expect!(fail(-1) == Err(-1));
    expect!(fail(LAST) == Err(LAST));
    PASS
}

extern "C" fn objects() -> *const c_char {
    let before = Counter::live();

    expect!(Counter::new(0).err() == Some(EINVAL));
    expect!(Counter::live() == before);
    let (Ok(ones), Ok(last)) = (Counter::new(1), Counter::new(u32::MAX)) else {
        return failure!("no memory");
    };
    expect!(Counter::live() == before + 2);
    expect!([ones.next(), ones.next()] == [1, 2]);
    expect!([last.next(), last.next()] == [u32::MAX, u32::MAX - 1]);
    drop(ones);
    expect!(Counter::live() == before + 1);
    drop(last);
    expect!(Counter::live() == before);
    PASS
}

extern "C" fn data() -> *const c_char {
    expect!(imports::powers() == [1, 3, 9, 27]);
    PASS
}

extern "C" fn contexts() -> *const c_char {
    let Ok(counter) = Counter::new(1) else {
        return failure!("no memory");
    };

    let count = |_| {
        counter.next();
        Ok(())
    };
    expect!(imports::each_locked(3, count) == Ok(()));
    expect!(imports::rest() == Ok(()));
    expect!(counter.next() == 4);
    PASS
}

/// Calls each function of C that can fail, some of them in callbacks, while there are counters to
/// free.
fn calls_that_can_fail() -> Result {
    let ones = Counter::new(1)?;
    imports::copy(Some(&mut 0), Some(&ones.next()))?;
    imports::backwards(&mut [0; 2], b"ab")?;
    imports::grow(
        &mut catalogue_shape::default(),
        &catalogue_point::default(),
    )?;
    imports::each(2, |_| Counter::new(2).map(drop))?;
    imports::each_locked(1, |_| imports::fail(0))?;
    let _twos = Counter::new(2)?;
    imports::rest()
}

/// How many calls these are.
const CALLS: c_int = 11;

/// Each call fails, one after the other: Rust gets its error, and has undone the others.
extern "C" fn faults() -> *const c_char {
    let before = Counter::live();

    for nth in 1..=CALLS {
        let fault = Fault::new(nth);
        expect!(calls_that_can_fail() == Err(EIO));
        expect!(Counter::live() == before);
        drop(fault);
    }
    let fault = Fault::new(CALLS + 1);
    expect!(calls_that_can_fail() == Ok(()));
    expect!(imports::fail(0) == Err(EIO));
    drop(fault);
    expect!(Counter::live() == before);
    PASS
}

// SAFETY: The pointers are to `'static` data that never changes.
unsafe impl Sync for catalogue_check {}

/// A check with the name of its function.
macro_rules! check {
    ($run:ident) => {
        catalogue_check {
            name: concat!(stringify!($run), "\0").as_ptr(),
            run: Some($run),
        }
    };
}

/// The checks for C to run: data with pointers to text and to Rust functions.
#[no_mangle]
pub(crate) static CATALOGUE_RS_CHECKS: [catalogue_check; CATALOGUE_CHECKS as usize] = [
    check!(integers),
    check!(booleans),
    check!(enums),
    check!(pointers),
    check!(text),
    check!(buffers),
    check!(structs),
    check!(kernel_types),
    check!(callbacks),
    check!(errors),
    check!(objects),
    check!(data),
    check!(contexts),
    check!(faults),
];

keeps_contract!(catalogue_h: static CATALOGUE_RS_CHECKS);
