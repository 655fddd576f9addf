// SPDX-License-Identifier: GPL-2.0

//! Tests of what C gives to Rust, at the boundaries of what it takes. They have to be in Rust: a
//! call from C would prove nothing. `catalogue_test.c` runs them as a part of its KUnit suite.

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
use crate::takes::{self, Counter};

/// What a check returns where it is not content: a text for C, with its place in this file.
macro_rules! complaint {
    ($what:expr) => {
        concat!("line ", line!(), ": ", $what, "\0").as_ptr()
    };
}

/// Leaves a check with a complaint, unless the condition holds.
macro_rules! expect {
    ($condition:expr) => {
        if !$condition {
            return complaint!(stringify!($condition));
        }
    };
}

/// What a check returns when it is content.
const WELL: *const c_char = ptr::null();

extern "C" fn integers() -> *const c_char {
    macro_rules! expect_next {
        ($($function:ident: $int:ident,)*) => {$(
            // SAFETY: It takes any number.
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
    WELL
}

extern "C" fn booleans() -> *const c_char {
    expect!(takes::not(false));
    expect!(!takes::not(true));
    WELL
}

extern "C" fn enums() -> *const c_char {
    expect!(takes::opposite(Some(Ordering::Less)) == Some(Ordering::Greater));
    expect!(takes::opposite(Some(Ordering::Equal)) == Some(Ordering::Equal));
    expect!(takes::opposite(Some(Ordering::Greater)) == Some(Ordering::Less));
    expect!(takes::opposite(None).is_none());
    WELL
}

extern "C" fn pointers() -> *const c_char {
    let mut to = 0;

    expect!(takes::copy(Some(&mut to), Some(&u32::MAX)) == Ok(()));
    expect!(to == u32::MAX);
    expect!(takes::copy(Some(&mut to), None) == Err(EINVAL));
    expect!(takes::copy(None, Some(&0)) == Err(EINVAL));
    expect!(to == u32::MAX);
    WELL
}

extern "C" fn text() -> *const c_char {
    fn basename(path: &CStr) -> Option<&str> {
        takes::basename(path).to_str().ok()
    }

    expect!(basename(c_str!("")) == Some(""));
    expect!(basename(c_str!("/")) == Some(""));
    expect!(basename(c_str!("a")) == Some("a"));
    expect!(basename(c_str!("a/")) == Some(""));
    expect!(basename(c_str!("/a/ö")) == Some("ö"));
    WELL
}

extern "C" fn buffers() -> *const c_char {
    let mut to = *b"....";

    expect!(takes::backwards(&mut to, b"") == Ok(0));
    expect!(takes::backwards(&mut [], b"") == Ok(0));
    expect!(takes::backwards(&mut to[..3], b"1234") == Err(ENOSPC));
    expect!(to == *b"....");
    expect!(takes::backwards(&mut to, b"\x00\xff1") == Ok(3));
    expect!(to == *b"1\xff\x00.");
    expect!(takes::backwards(&mut to, b"1234") == Ok(4));
    expect!(to == *b"4321");
    WELL
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

    expect!(takes::grow(&mut shape, &step) == Ok(()));
    expect!(shape.ends.map(|end| (end.layer, end.x)) == [(i8::MIN, i32::MAX); 2]);
    // SAFETY: `kind` says that these count.
    expect!(unsafe { shape.extent.sides } == [2, 0xfffe]);
    expect!(shape.grown_by == *b"c\0\0");

    // One field too far, whichever it is, and the shape is as it was.
    expect!(takes::grow(&mut shape, &catalogue_point { layer: -1, x: 0 }) == Err(ERANGE));
    expect!(takes::grow(&mut shape, &catalogue_point { layer: 0, x: 1 }) == Err(ERANGE));
    expect!(takes::grow(&mut shape, &catalogue_point::default()) == Err(ERANGE));
    // SAFETY: As above.
    expect!(unsafe { shape.extent.sides } == [2, 0xfffe]);
    expect!(shape.ends[1].x == i32::MAX);

    shape.kind = CATALOGUE_CIRCLE;
    shape.extent.radius = u64::MAX / 2;
    expect!(takes::grow(&mut shape, &catalogue_point::default()) == Ok(()));
    // SAFETY: `kind` says that this counts.
    expect!(unsafe { shape.extent.radius } == u64::MAX - 1);
    shape.kind = CATALOGUE_BOX + 1;
    expect!(takes::grow(&mut shape, &step) == Err(EINVAL));
    WELL
}

extern "C" fn kernel_types() -> *const c_char {
    let current: &Task = current!();

    expect!(ptr::eq(takes::current_task().cast(), current));
    expect!(takes::pid(current) == current.pid());
    WELL
}

extern "C" fn callbacks() -> *const c_char {
    let mut sum = 0;

    expect!(takes::each(0, |_| Err(EIO)) == Ok(()));
    let add = |nth| {
        sum += nth;
        Ok(())
    };
    expect!(takes::each(5, add) == Ok(()));
    expect!(sum == 10);
    expect!(takes::each(u32::MAX, |nth| if nth < 2 { Ok(()) } else { Err(EINTR) }) == Err(EINTR));
    // SAFETY: C looks for the function that is not there.
    let nobody = unsafe { catalogue_c_each(1, None, ptr::null_mut()) };
    expect!(nobody == EINVAL.to_errno());
    WELL
}

extern "C" fn errors() -> *const c_char {
    const LAST: c_int = -(MAX_ERRNO as c_int);
    let fail = |err| takes::fail(err).map_err(|error| error.to_errno());

    expect!(fail(0) == Ok(()));
    expect!(fail(-1) == Err(-1));
    expect!(fail(LAST) == Err(LAST));
    WELL
}

extern "C" fn objects() -> *const c_char {
    let before = Counter::live();

    expect!(Counter::new(0).err() == Some(EINVAL));
    expect!(Counter::live() == before);
    let (Ok(ones), Ok(last)) = (Counter::new(1), Counter::new(u32::MAX)) else {
        return complaint!("no memory");
    };
    expect!(Counter::live() == before + 2);
    expect!([ones.next(), ones.next()] == [1, 2]);
    expect!([last.next(), last.next()] == [u32::MAX, u32::MAX - 1]);
    drop(ones);
    expect!(Counter::live() == before + 1);
    drop(last);
    expect!(Counter::live() == before);
    WELL
}

extern "C" fn data() -> *const c_char {
    expect!(takes::powers() == [1, 3, 9, 27]);
    WELL
}

extern "C" fn contexts() -> *const c_char {
    let Ok(counter) = Counter::new(1) else {
        return complaint!("no memory");
    };

    let count = |_| {
        counter.next();
        Ok(())
    };
    expect!(takes::each_locked(3, count) == Ok(()));
    expect!(takes::rest() == Ok(()));
    expect!(counter.next() == 4);
    WELL
}

// SAFETY: All that it points to is `'static` and never changes.
unsafe impl Sync for catalogue_check {}

/// A check, by the name of its function.
macro_rules! check {
    ($run:ident) => {
        catalogue_check {
            name: concat!(stringify!($run), "\0").as_ptr(),
            run: Some($run),
        }
    };
}

/// What C runs. The table is data with pointers in it: texts, and functions of Rust.
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
];

keeps_contract!(catalogue_h: static CATALOGUE_RS_CHECKS);
