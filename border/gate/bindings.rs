// SPDX-License-Identifier: GPL-2.0

//! A contract as Rust sees it: what bindgen made of the header.

use crate::tokens::{tokens, Kind, Token};

/// How the gate begins the comment that it puts before each item: see [`declarations`].
pub(crate) const DECLARED: &str = "/// Declared in ";

/// A function or a variable: what has a symbol.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// Its name for the linker, and for C.
    pub(crate) name: String,
    /// Its name in Rust.
    pub(crate) rust_name: String,
    pub(crate) variadic: bool,
    pub(crate) function: bool,
    /// The type of its address, as Rust writes it.
    pub(crate) pointer: String,
}

/// A struct or union.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    pub(crate) align: Option<u64>,
    /// Packed and aligned at once, for which rustc has no layout.
    pub(crate) impossible: bool,
    pub(crate) fields: Vec<Field>,
}

/// Its field.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The type's tokens, without blanks.
    pub(crate) rust_type: String,
    pub(crate) offset: Option<u64>,
}

/// All that crosses.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) types: Vec<Type>,
    /// (name, value), the value as Rust writes it.
    pub(crate) constants: Vec<(String, String)>,
    /// (name, what it stands for), without blanks.
    pub(crate) aliases: Vec<(String, String)>,
}

impl Bindings {
    /// Reads them.
    pub(crate) fn new(source: &str) -> Self {
        let tokens = tokens(source, 1);
        let mut bindings = Bindings::default();
        for at in 0..tokens.len() {
            if tokens[at].is("pub") {
                bindings.item(&tokens, at);
            }
        }
        bindings.layouts(&tokens);
        bindings
    }

    pub(crate) fn type_named(&self, name: &str) -> Option<&Type> {
        self.types.iter().find(|known| known.name == name)
    }

    fn item(&mut self, tokens: &[Token<'_>], at: usize) {
        let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text);
        match (word(1), word(2)) {
            // Not what a bit-field's accessors look like: `pub fn a(&self) -> u32 {`.
            ("fn", name) if ends(tokens, at).1 => self.symbol(tokens, at, name, true),
            ("static", "mut") => self.symbol(tokens, at, word(3), false),
            ("static", name) => self.symbol(tokens, at, name, false),
            ("const", name) => self.constants.push((name.to_owned(), value(tokens, at))),
            ("type", name) => self.aliases.push((name.to_owned(), value(tokens, at))),
            ("struct" | "union", name) => self.types.push(Type {
                name: name.to_owned(),
                size: None,
                align: None,
                impossible: ["packed", "align"]
                    .iter()
                    .all(|word| attributes(tokens, at).iter().any(|token| token.is(word))),
                fields: fields(tokens, at + 3),
            }),
            _ => {}
        }
    }

    fn symbol(&mut self, tokens: &[Token<'_>], at: usize, name: &str, function: bool) {
        let end = ends(tokens, at).0;
        let dots = |three: &[Token<'_>]| three.iter().all(|token| token.is("."));
        let behind_name = tokens[at..end]
            .iter()
            .skip_while(|token| !token.is(name))
            .skip(1);
        let ty: String = behind_name.fold(String::new(), |ty, token| match token.text {
            // `...` is one sign, and `::` another.
            ":" | "." | "-" => ty + token.text,
            word => ty + word + " ",
        });
        self.symbols.push(Symbol {
            name: link_name(tokens, at).unwrap_or(name).to_owned(),
            rust_name: name.to_owned(),
            variadic: tokens[at..end].windows(3).any(dots),
            function,
            pointer: match (
                function,
                tokens.get(at + 2).is_some_and(|token| token.is("mut")),
            ) {
                (true, _) => format!("unsafe extern \"C\" fn{}", ty.trim_end()),
                (false, true) => format!("*mut {}", ty.trim_start_matches(':').trim()),
                (false, false) => format!("*const {}", ty.trim_start_matches(':').trim()),
            },
        });
    }

    /// `["Offset of field: s::a"][::core::mem::offset_of!(s, a) - 4usize];`
    fn layouts(&mut self, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            let Some((what, name)) = token
                .text
                .split_once(" of ")
                .filter(|_| token.kind == Kind::Text)
            else {
                continue;
            };
            let number = tokens[at..].iter().find(|token| token.kind == Kind::Number);
            let number = number.and_then(|token| token.text.strip_suffix("usize")?.parse().ok());
            let field = name
                .strip_prefix("field: ")
                .and_then(|name| name.split_once("::"));
            let Some(known) = self
                .types
                .iter_mut()
                .find(|known| known.name == field.map_or(name, |(name, _)| name))
            else {
                continue;
            };
            match (what, field) {
                ("Size", None) => known.size = number,
                ("Alignment", None) => known.align = number,
                ("Offset", Some((_, field))) => {
                    for known in known.fields.iter_mut().filter(|known| known.name == field) {
                        known.offset = number;
                    }
                }
                _ => {}
            }
        }
    }
}

/// Where an item ends, and whether with a `;` rather than a body.
fn ends(tokens: &[Token<'_>], at: usize) -> (usize, bool) {
    let mut depth = 0;
    for (end, token) in tokens.iter().enumerate().skip(at) {
        if token.kind == Kind::Sign {
            match token.text {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                ";" if depth == 0 => return (end, true),
                "{" if depth == 0 => return (end, false),
                _ => {}
            }
        }
    }
    (tokens.len(), false)
}

/// What stands behind the `=`.
fn value(tokens: &[Token<'_>], at: usize) -> String {
    let end = ends(tokens, at).0;
    let item = &tokens[at..end];
    let equals = item
        .iter()
        .position(|token| token.is("="))
        .map_or(item.len(), |at| at + 1);
    item[equals..].iter().map(|token| token.text).collect()
}

/// What stands before an item, behind the end of another.
fn attributes<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> &'t [Token<'a>] {
    let end = tokens[..at]
        .iter()
        .rposition(|token| token.is("}") || token.is(";"));
    &tokens[end.map_or(0, |end| end + 1)..at]
}

/// `#[link_name = "\u{1}match"]` before an item.
fn link_name<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    let [.., name, equals, text, end] = tokens.get(..at)? else {
        return None;
    };
    let attribute = name.is("link_name") && equals.is("=") && end.is("]");
    attribute.then(|| text.text.trim_start_matches("\\u{1}"))
}

/// `{ pub a : u32 , pub b : [ u8 ; 4usize ] , }`
fn fields(tokens: &[Token<'_>], open: usize) -> Vec<Field> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut fields = Vec::new();
    let (mut depth, mut at) = (0, open);
    while at < tokens.len() {
        match tokens[at].text {
            "{" | "(" | "[" | "<" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            ">" if !tokens[at - 1].is("-") => depth -= 1,
            // Private ones are padding.
            "pub" if depth == 1 => fields.push(Field {
                name: text(at + 1).to_owned(),
                rust_type: field_type(tokens.get(at + 3..).unwrap_or_default()),
                offset: None,
            }),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        at += 1;
    }
    fields
}

/// Up to the comma, or the brace that ends the struct.
fn field_type(tokens: &[Token<'_>]) -> String {
    let mut depth = 0;
    let mut text = String::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" | "<" => depth += 1,
            ")" | "]" => depth -= 1,
            ">" if at > 0 && !tokens[at - 1].is("-") => depth -= 1,
            "," | "}" if depth == 0 => break,
            _ => {}
        }
        text.push_str(token.text);
    }
    text
}

/// (name, `c_helper.h:7: int f(int a)`) for each item that the gate has put a comment before.
pub(crate) fn declarations(source: &str) -> Vec<(&str, String)> {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let declared = pair[0].strip_prefix(DECLARED)?;
            Some((item_name(pair[1])?, declared.replace('`', "")))
        })
        .collect()
}

/// `f` of `pub fn f(…`
pub(crate) fn item_name(item: &str) -> Option<&str> {
    let rest = [
        "fn ",
        "static mut ",
        "static ",
        "struct ",
        "union ",
        "type ",
    ]
    .into_iter()
    .find_map(|kind| item.strip_prefix("pub ")?.strip_prefix(kind))?;
    rest.split(|c: char| c != '_' && !c.is_alphanumeric())
        .next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
        pub const MAX: u32 = 63;
        pub const RED: colour = 0;
        pub type colour = kernel::ffi::c_uint;
        #[repr(C)]
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
        extern "C" {
            pub fn f(a: [u8; 4usize]);
        }
    "#;

    #[test]
    fn reads_what_bindgen_writes() {
        let bindings = Bindings::new(SOURCE);
        let symbols: Vec<_> = bindings
            .symbols
            .iter()
            .map(|s| {
                (
                    s.name.as_str(),
                    s.rust_name.as_str(),
                    s.variadic,
                    s.function,
                )
            })
            .collect();
        assert_eq!(
            symbols,
            [
                ("match", "match_", true, true),
                ("counter", "counter", false, false),
                ("f", "f", false, true),
            ]
        );
        let pointers: Vec<_> = bindings
            .symbols
            .iter()
            .map(|s| s.pointer.replace(' ', ""))
            .collect();
        assert_eq!(
            pointers,
            [
                "unsafeextern\"C\"fn(fmt:*constu8,...)->kernel::ffi::c_int",
                "*mutu32",
                "unsafeextern\"C\"fn(a:[u8;4usize])",
            ]
        );
        assert_eq!(bindings.constants[0], ("MAX".to_owned(), "63".to_owned()));
        assert_eq!(bindings.aliases[0].1, "kernel::ffi::c_uint");

        let s = bindings.type_named("s").expect("it is there");
        assert_eq!((s.size, s.align), (Some(40), Some(8)));
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
        assert_eq!(s.fields[1].rust_type, "[kernel::ffi::c_char;16usize]");
    }

    #[test]
    fn declared_and_said() {
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
}
