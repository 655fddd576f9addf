// SPDX-License-Identifier: GPL-2.0

use super::*;

const SOURCE: &str = r#"
        pub const MAX: u32 = 63;
        pub const RED: colour = -1;
        pub const LETTER: u8 = 100u8;
        pub const NAME: &[u8; 2] = b"a\0";
        pub const SUM: u32 = 1 + 1;
        pub type colour = kernel::ffi::c_uint;
        pub type colour_t = colour;
        #[repr(C, packed)]
        pub struct s {
            pub pid: pid_t,
            pub comm: [kernel::ffi::c_char; 16usize],
            pub call: ::core::option::Option<unsafe extern "C" fn(a: *mut c_void, n: u32) -> c_int>,
            pub __bindgen_anon_1: s__bindgen_ty_1,
        }
        const _: () = {
            ["Size of s"][::core::mem::size_of::<s>() - 40usize];
            ["Alignment of s"][::core::mem::align_of::<s>() - 8usize];
            ["Offset of field: s::comm"][::core::mem::offset_of!(s, comm) - 4usize];
        };
        impl s {
            pub fn flag(&self) -> u32 { 1 }
        }
        extern "C" {
            #[link_name = "\u{1}match"]
            pub fn match_(fmt: *const u8, ...) -> kernel::ffi::c_int;
        }
        extern "C" {
            pub static mut counter: u32;
        }
        extern "win64" {
            pub fn f(a: [u8; 4usize]);
        }
    "#;

#[test]
fn items() {
    let bindings = Bindings::new(SOURCE);
    let symbols: Vec<_> = bindings
        .symbols
        .iter()
        .map(|s| {
            (
                s.name.as_str(),
                s.rust_name.as_str(),
                s.pointer.replace(' ', ""),
            )
        })
        .collect();
    assert_eq!(
        symbols,
        [
            (
                "match",
                "match_",
                "unsafeextern\"C\"fn(fmt:*constu8,...)->kernel::ffi::c_int".to_owned()
            ),
            ("counter", "counter", "*mutu32".to_owned()),
            (
                "f",
                "f",
                "unsafeextern\"win64\"fn(a:[u8;4usize])".to_owned()
            ),
        ]
    );
    let variadic =
        |symbol: &Symbol| matches!(&symbol.kind, Some(SymbolKind::Function(f)) if f.variadic);
    assert!(variadic(&bindings.symbols[0]) && !variadic(&bindings.symbols[2]));
    let number = |number: &str| Value::Number(number.to_owned());
    let constants: Vec<_> = bindings
        .constants
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    assert_eq!(
        constants,
        [
            number("63"),
            number("-1"),
            number("100"),
            Value::Text("a\\0".to_owned()),
            Value::Other
        ]
    );
    assert_eq!(
        bindings.alias("colour"),
        Some(&Type::Name("c_uint".to_owned()))
    );
    assert_eq!(
        bindings.alias("colour_t"),
        Some(&Type::Name("colour".to_owned()))
    );

    let s = bindings.record("s").expect("the struct");
    assert_eq!(
        (s.size, s.align, s.packed, s.aligned),
        (Some(40), Some(8), true, false)
    );
    let fields: Vec<_> = s
        .fields
        .iter()
        .map(|f| (f.name.as_str(), f.offset))
        .collect();
    assert_eq!(
        fields,
        [
            ("pid", None),
            ("comm", Some(4)),
            ("call", None),
            ("__bindgen_anon_1", None)
        ]
    );
    assert!(s.fields.iter().all(|field| field.ty.is_some()));
}

#[test]
fn comments() {
    let source = "extern \"C\" {\n    /// Declared in a.h:7: `int f(int a)`\n    pub fn f(a: c_int);\n}\n\
                  extern \"C\" {\n    /// Declared in a.h:9: `extern u32 n`\n    pub static mut n: u32;\n}\n";
    assert_eq!(
        declarations(source),
        [
            ("f", "a.h:7: int f(int a)".to_owned()),
            ("n", "a.h:9: extern u32 n".to_owned())
        ]
    );
}
