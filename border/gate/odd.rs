// SPDX-License-Identifier: GPL-2.0

//! Tests with input that no compiler prints, each of which the gate once did not survive. It may say
//! anything about it, but has to end.

use crate::assertions;
use crate::bindings::Bindings;
use crate::contract::check_all;
use crate::header::Header;

/// How deep brackets are nested: once, that was more than the stack had.
const DEEP: usize = 200_000;

fn survives(c: &str, rust: &str) {
    let c = format!("# 1 \"a.h\"\n{c}");
    let header = Header::new("a.h", &c, |_| false);
    let bindings = Bindings::new(rust);
    check_all(&header, &bindings);
    assertions::of(&header, &bindings);
}

#[test]
fn items_that_end_early() {
    survives("", "pub fn;");
    survives("", "pub static mut a;");
    survives("", "pub static;");
}

#[test]
fn a_typedef_of_itself() {
    survives(
        "enum a { A }; typedef b c;",
        "pub type a = a; pub type b = c; pub type c = b; pub struct s { pub x: b, }",
    );
}

#[test]
fn a_struct_inside_itself() {
    survives(
        "struct s { int a; } __attribute__((packed));",
        "#[repr(packed)] pub struct s { pub a: s, }",
    );
    survives(
        "struct s { int a; };",
        "pub struct s { pub a: s__bindgen_ty_1, }
         pub struct s__bindgen_ty_1 { pub a: s__bindgen_ty_1, pub b: s__bindgen_ty_1, }
         const _: () = { [\"Offset of field: s::a\"][offset_of!(s, a) - 0usize];
             [\"Offset of field: s__bindgen_ty_1::a\"][offset_of!(s, a) - 0usize];
             [\"Offset of field: s__bindgen_ty_1::b\"][offset_of!(s, b) - 0usize]; };",
    );
}

#[test]
fn offsets_beyond_all_memory() {
    survives(
        "struct s { int a; };",
        "pub struct s { pub a: s__bindgen_ty_1, } pub struct s__bindgen_ty_1 { pub a: u8, }
         const _: () = { [\"Offset of field: s::a\"][offset_of!(s, a) - 18446744073709551615usize];
             [\"Offset of field: s__bindgen_ty_1::a\"][offset_of!(s, a) - 1usize]; };",
    );
}

#[test]
fn types_without_end() {
    let pointers = "*mut ".repeat(DEEP);
    survives("int f(void);", &format!("pub fn f(a: {pointers}u8);"));
    let arrays = "[".repeat(DEEP);
    survives("extern int a;", &format!("pub static a: {arrays}u8;"));
}

#[test]
fn nothing_but_an_attribute() {
    survives(
        "__attribute__((unused)); int f(void);",
        "pub fn f() -> c_int;",
    );
}

#[test]
fn a_line_number_beyond_all_files() {
    survives("# 18446744073709551615 \"a.h\"\nint a;\nint b;\n", "");
}
