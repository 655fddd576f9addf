// SPDX-License-Identifier: GPL-2.0

//! Rust types, spelled in C.

use crate::header::Header;
use crate::rust_type::{Signature, Type};

/// (in Rust, in C)
const BASIC: &[(&str, &str)] = &[
    ("c_char", "char"),
    ("c_schar", "signed char"),
    ("c_uchar", "unsigned char"),
    ("c_short", "short"),
    ("c_ushort", "unsigned short"),
    ("c_int", "int"),
    ("c_uint", "unsigned int"),
    ("c_long", "long"),
    ("c_ulong", "unsigned long"),
    ("c_longlong", "long long"),
    ("c_ulonglong", "unsigned long long"),
    ("c_void", "void"),
    ("bool", "_Bool"),
    ("usize", "__SIZE_TYPE__"),
    ("isize", "__PTRDIFF_TYPE__"),
    ("i8", "signed char"),
    ("u8", "unsigned char"),
    ("i16", "short"),
    ("u16", "unsigned short"),
    ("i32", "int"),
    ("u32", "unsigned int"),
    ("i64", "long long"),
    ("u64", "unsigned long long"),
    ("i128", "__int128"),
    ("u128", "unsigned __int128"),
    ("f32", "float"),
    ("f64", "double"),
];

/// (in Rust, the attribute in C)
const CALLING_CONVENTIONS: &[(&str, &str)] = &[
    ("C", ""),
    ("win64", "__attribute__((__ms_abi__)) "),
    ("sysv64", "__attribute__((__sysv_abi__)) "),
];

/// Whether this is a primitive type, or one of `core::ffi`.
pub(crate) fn is_basic(rust: &str) -> bool {
    BASIC.iter().any(|(name, _)| *name == rust)
}

/// The C name of a type that has this name in Rust, if it has one.
pub(crate) fn name(header: &Header<'_>, rust: &str) -> Option<String> {
    if let Some((_, c)) = BASIC.iter().find(|(name, _)| *name == rust) {
        return Some((*c).to_owned());
    }
    // bindgen appends a `_` to names that Rust has already: `u32_`.
    let name = rust
        .strip_suffix('_')
        .filter(|name| is_basic(name))
        .unwrap_or(rust);
    let tag = ["struct", "union", "enum"]
        .into_iter()
        .find(|tag| header.has_tag(tag, name));
    match tag {
        Some(tag) => Some(format!("{tag} {name}")),
        None if header.has_word(name) => Some(name.to_owned()),
        None => nested(header, name),
    }
}

/// bindgen writes `outer_inner` for a struct that is defined inside another one; C writes `inner`.
fn nested(header: &Header<'_>, name: &str) -> Option<String> {
    let mut inner = name.match_indices('_').map(|(at, _)| &name[at + 1..]);
    inner.find_map(|inner| {
        let mut tags = ["struct", "union", "enum"].into_iter();
        let tag = tags.find(|tag| !inner.is_empty() && header.has_tag(tag, inner))?;
        Some(format!("{tag} {inner}"))
    })
}

/// The type as in `sizeof()`.
pub(crate) fn of(header: &Header<'_>, ty: &Type) -> Option<String> {
    declaration(header, ty, false, "")
}

/// `int (u32, void *)`, with `declarator` before the parameters.
pub(crate) fn of_function(
    header: &Header<'_>,
    signature: &Signature,
    declarator: &str,
) -> Option<String> {
    function(header, signature, declarator, false)
}

/// The same with a `const` result.
pub(crate) fn of_function_with_const(
    header: &Header<'_>,
    signature: &Signature,
    declarator: &str,
) -> Option<String> {
    function(header, signature, declarator, true)
}

fn function(
    header: &Header<'_>,
    signature: &Signature,
    declarator: &str,
    constant: bool,
) -> Option<String> {
    let mut parameters = Vec::new();
    for parameter in &signature.parameters {
        parameters.push(of(header, parameter)?);
    }
    if parameters.is_empty() {
        parameters.push("void".to_owned());
    }
    let (_, convention) = CALLING_CONVENTIONS
        .iter()
        .find(|(abi, _)| *abi == signature.abi)?;
    let parameters = parameters.join(", ");
    let declarator = match declarator {
        "" => format!(" ({parameters})"),
        pointer => format!("({convention}{pointer})({parameters})"),
    };
    declaration(header, &signature.result, constant, &declarator)
}

/// The type of a variable.
pub(crate) fn of_data(header: &Header<'_>, ty: &Type, mutable: bool) -> Option<String> {
    declaration(header, ty, !mutable, "")
}

/// A C declaration is built around its declarator, from the inside out.
fn declaration(header: &Header<'_>, ty: &Type, constant: bool, declarator: &str) -> Option<String> {
    let qualifier = if constant { "const " } else { "" };
    match ty {
        Type::Name(rust) => Some(format!("{qualifier}{} {declarator}", name(header, rust)?)),
        Type::Unit | Type::Never => Some(format!("{qualifier}void {declarator}")),
        Type::Pointer { mutable, to } => {
            let declarator = format!("*{qualifier}{declarator}");
            // `[]` binds more tightly than `*`.
            let declarator = match **to {
                Type::Array { .. } => format!("({declarator})"),
                _ => declarator,
            };
            declaration(header, to, !mutable, &declarator)
        }
        Type::Array { of, length } => {
            let length = match length {
                0 => String::new(),
                length => length.to_string(),
            };
            declaration(header, of, constant, &format!("{declarator}[{length}]"))
        }
        Type::Function(signature) => {
            of_function(header, signature, &format!("*{qualifier}{declarator}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::tokens;

    #[test]
    fn types() {
        let header = Header::of_text("struct s; typedef unsigned int u32;");
        for (rust, c) in [
            ("kernel::ffi::c_int", "int "),
            ("u32_", "u32 "),
            ("*const s", "const struct s *"),
            ("*mut *const s", "const struct s **"),
            ("*const *mut s", "struct s *const *"),
            ("[u32_; 3usize]", "u32 [3]"),
            ("*mut [u32_; 3usize]", "u32 (*)[3]"),
            (
                "Option<unsafe extern \"C\" fn(a: *mut c_void, n: u32_) -> c_int>",
                "int (*)(void *, u32 )",
            ),
            (
                "Option<unsafe extern \"C\" fn() -> Option<unsafe extern \"C\" fn(n: u32_)>>",
                "void (*(*)(void))(u32 )",
            ),
        ] {
            let ty = Type::read(&tokens(rust, 1)).expect("a type");
            assert_eq!(of(&header, &ty).as_deref(), Some(c), "{rust}");
        }
        assert_eq!(name(&header, "s__bindgen_ty_1"), None);
    }

    #[test]
    fn functions() {
        let header = Header::of_text("struct s;");
        let read = |source| Signature::read("C", &tokens(source, 1)).expect("a signature");
        let of = |source| of_function(&header, &read(source), "");
        assert_eq!(of("() -> *mut s").as_deref(), Some("struct s * (void)"));
        assert_eq!(
            of("(n: c_int) -> Option<unsafe extern \"C\" fn()>").as_deref(),
            Some("void (* (int ))(void)")
        );
    }
}
