//! Each way to disagree.

use std::collections::BTreeMap;

use super::*;
use crate::views::bindings::Bindings;

/// Types that the rows below use.
const TYPES: &str = "
    #[repr(C)] pub struct pair { a: u32, b: u8 }
    #[repr(C)] pub struct small { a: u32 }
    #[repr(C)] pub struct opaque { _unused: [u8; 0] }
    #[repr(C)] pub struct other { _unused: [u8; 0] }
    #[repr(u32)] pub enum colour { RED }
    pub type call = Option<unsafe extern \"C\" fn(a: u32) -> i32>;
    pub type wide_call = Option<unsafe extern \"C\" fn(a: u64) -> i32>;
    pub type rust_call = Option<unsafe fn(a: u32) -> i32>;
";

/// (C's, in Rust's words; Rust's; the worst level, and a sentence)
type Pair = (&'static str, &'static str, Option<(Level, &'static str)>);

const PAIRS: &[Pair] = &[
    ("fn f(a: u32) -> i32", "fn f(a: u32) -> i32", None),
    (
        "fn f(a: u32)",
        "fn f(a: u64)",
        Some((Level::Abi, "parameter 1 `a`: 4 bytes unsigned in C, 8 bytes unsigned in Rust")),
    ),
    (
        "fn f(a: u8)",
        "fn f(a: i8)",
        Some((Level::Abi, "parameter 1 `a`: 1 byte unsigned in C, 1 byte signed in Rust")),
    ),
    (
        "fn f(a: f64)",
        "fn f(a: u64)",
        Some((Level::Abi, "parameter 1 `a`: floating point of 8 bytes in C, 8 bytes unsigned in Rust")),
    ),
    (
        "fn f(a: bool)",
        "fn f(a: u8)",
        Some((Level::Abi, "parameter 1 `a`: 0 or 1 in a byte in C, 1 byte unsigned in Rust")),
    ),
    (
        "fn f(a: u32, b: u32)",
        "fn f(a: u32)",
        Some((Level::Abi, "the number of parameters: 2 (a, b) in C, 1 (a) in Rust")),
    ),
    (
        "fn f(a: u32, b: u32)",
        "fn f(b: u32, a: u32)",
        Some((Level::Language, "the order of the parameters: a, b in C, b, a in Rust")),
    ),
    (
        "fn f(a: u32, b: u64)",
        "fn f(b: u64, a: u32)",
        Some((Level::Abi, "parameter 2 `b`: 8 bytes unsigned in C, 4 bytes unsigned in Rust")),
    ),
    (
        "fn f() -> i32",
        "fn f()",
        Some((Level::Abi, "the result: 4 bytes signed in C, nothing in Rust")),
    ),
    (
        "fn f(a: u32, ...)",
        "fn f(a: u32)",
        Some((Level::Abi, "arguments behind the parameters: any more (`...`) in C, no more in Rust")),
    ),
    (
        "fn f(p: *mut pair)",
        "fn f(p: pair)",
        Some((Level::Abi, "parameter 1 `p`: a pointer in C, a struct of 8 bytes in Rust")),
    ),
    (
        "fn f(p: *mut *mut u8)",
        "fn f(p: *mut u8)",
        Some((Level::Abi, "what parameter 1 `p` points to: a pointer in C, 1 byte unsigned in Rust")),
    ),
    (
        "fn f(p: *mut u8)",
        "fn f(p: *const u8)",
        Some((Level::Language, "what parameter 1 `p` points to: may be written to in C, const in Rust")),
    ),
    (
        "fn f(p: *mut ffi::c_void)",
        "fn f(p: *mut pair)",
        Some((Level::Language, "what parameter 1 `p` points to: anything in C, `pair` in Rust")),
    ),
    ("fn f(p: *mut opaque)", "fn f(p: *mut opaque)", None),
    (
        "fn f(p: *mut opaque)",
        "fn f(p: *mut other)",
        Some((Level::Language, "what parameter 1 `p` points to: `struct opaque` in C, `other` in Rust")),
    ),
    (
        "fn f(p: *mut pair)",
        "fn f(p: *mut mystery)",
        Some((Level::Language, "what parameter 1 `p` points to: `struct pair` in C, `mystery` in Rust")),
    ),
    (
        "fn f(p: mystery)",
        "fn f(p: mystery)",
        Some((Level::Unknown, "parameter 1 `p`: nothing at hand tells what `mystery` is in C")),
    ),
    (
        "fn f(p: *mut mystery)",
        "fn f(p: *mut mystery)",
        Some((Level::Language, "what parameter 1 `p` points to: `mystery` by name; its layout could not be compared")),
    ),
    (
        "fn f(p: small)",
        "fn f(p: u32)",
        Some((Level::Language, "parameter 1 `p`: a struct of 4 bytes in C, 4 bytes unsigned in Rust")),
    ),
    (
        "fn f(c: colour)",
        "fn f(c: u32)",
        Some((Level::Language, "parameter 1 `c`: `enum colour` in C, `u32` in Rust")),
    ),
    (
        "fn f(c: colour)",
        "fn f(c: i32)",
        Some((Level::Abi, "parameter 1 `c`: 4 bytes unsigned in C, 4 bytes signed in Rust")),
    ),
    (
        "fn f(n: u64)",
        "fn f(n: usize)",
        Some((Level::Language, "parameter 1 `n`: 64 bits on every machine in C, as wide as an address in Rust")),
    ),
    (
        "fn f(c: call)",
        "fn f(c: wide_call)",
        Some((Level::Abi, "parameter 1 `a` of what parameter 1 `c` calls: 4 bytes unsigned in C, 8 bytes unsigned in Rust")),
    ),
    (
        "fn f(c: call)",
        "fn f(c: rust_call)",
        Some((Level::Abi, "parameter 1 `c`: called as C calls in C, called as Rust calls in Rust")),
    ),
    (
        "fn f(p: *mut u8)",
        "fn f(p: &mut u8)",
        Some((Level::Language, "parameter 1 `p`: NULL or not in C, never NULL in Rust")),
    ),
    ("static f: [u32; 4usize]", "static f: [u32; 4usize]", None),
    (
        "static f: [u32; 4usize]",
        "static f: [u32; 5usize]",
        Some((Level::Abi, "it: 4 elements in C, 5 elements in Rust")),
    ),
    (
        "static f: u32",
        "static mut f: u32",
        Some((Level::Language, "it: const in C, may be written to in Rust")),
    ),
    ("fn f()", "static f: u32", Some((Level::Abi, "it: a function in C, data in Rust"))),
];

fn opinion(types: &str, item: &str, language: Language) -> Opinion {
    let text = format!("{types} extern \"C\" {{ {item}; }}");
    let bindings = Bindings::parse("a_h.rs", "a_h.rs", text).expect("it is Rust");
    let mut opinion = bindings
        .opinion("f", &BTreeMap::new())
        .expect("it is declared");
    opinion.language = language;
    opinion
}

fn compared(c: (&str, &str), rust: (&str, &str)) -> Vec<Difference> {
    differences(
        &opinion(c.0, c.1, Language::C),
        &opinion(rust.0, rust.1, Language::Rust),
    )
}

#[test]
fn in_each_way() {
    for (c, rust, expected) in PAIRS {
        let found = compared((TYPES, c), (TYPES, rust));
        let worst = found.iter().map(|difference| difference.level).max();
        assert_eq!(
            worst,
            expected.map(|(level, _)| level),
            "{c} {rust} {found:?}"
        );
        if let Some((level, text)) = expected {
            let sentence = Difference {
                level: *level,
                text: (*text).to_owned(),
            };
            assert!(found.contains(&sentence), "{text}: {found:?}");
        }
    }
}

#[test]
fn structs_behind_pointers() {
    let item = "fn f(s: *mut s)";
    let c = "#[repr(C)] struct s { a: u32, b: u8, c: u8 }";
    for (rust, expected) in [
        (c, None),
        (
            "#[repr(C)] struct s { b: u8, a: u32, c: u8 }",
            Some((Level::Abi, "field `a` of what parameter 1 `s` points to, `s`: at 0 in C, at 4 in Rust")),
        ),
        (
            "#[repr(C)] struct s { a: u64, b: u8, c: u8 }",
            Some((Level::Abi, "what parameter 1 `s` points to, `s`: 8 bytes large in C, 16 bytes large in Rust")),
        ),
        (
            "#[repr(C)] struct s { a: u32, b: u8 }",
            Some((Level::Abi, "field `c` of what parameter 1 `s` points to, `s`: at 5 in C, nowhere in Rust")),
        ),
        (
            "#[repr(C, align(8))] struct s { a: u32, b: u8, c: u8 }",
            Some((Level::Abi, "what parameter 1 `s` points to, `s`: aligned to 4 in C, aligned to 8 in Rust")),
        ),
        (
            "#[repr(C)] struct s { a: u32, x: u8, c: u8 }",
            Some((Level::Language, "field `b` of what parameter 1 `s` points to, `s`: `b` in C, `x` in Rust")),
        ),
        (
            "#[repr(C)] struct s { a: u32, b: i8, c: u8 }",
            Some((Level::Abi, "field `b` of what parameter 1 `s` points to, `s`: 1 byte unsigned in C, 1 byte signed in Rust")),
        ),
    ] {
        let found = compared((c, item), (rust, item));
        let worst = found.iter().map(|difference| difference.level).max();
        assert_eq!(worst, expected.map(|(level, _)| level), "{rust} {found:?}");
        if let Some((_, text)) = expected {
            assert!(found.iter().any(|one| one.text == text), "{found:?}");
        }
    }
}
