// SPDX-License-Identifier: GPL-2.0

//! What libclang told Rust of the contract, as C that fails to compile where the compiler of the C
//! half sees it otherwise: because it lays out structs in another way, or because a macro or a
//! flag changes the header for one object only.

use crate::bindings::{Bindings, Type};
use crate::declared::{self, Body, Field};
use crate::header::{text, without_attributes, Header};
use crate::probes;
use crate::tokens::{Kind, Token};

/// How a static assertion's message begins, before the place in the header.
pub(crate) const ASKED: &str = "border: ";

/// What stands in it before Rust's value.
pub(crate) const TOLD: &str = ": Rust was told ";

const PROLOGUE: &str = "\
#define BORDER_VALUE(c, rust, what) \\
\t_Static_assert((c) == (rust), \"border: \" what \": Rust was told \" #rust)
#ifdef __clang__
#define BORDER_SIZE(c, rust, name, what) BORDER_VALUE(c, rust, what)
#else
/* GCC does not tell the value of what failed, but it does tell the types that conflict. */
#define BORDER_SIZE(c, rust, name, what) \\
\tBORDER_VALUE(c, rust, what); \\
\textern char name[rust]; \\
\textern char name[c]
#endif
";

/// The header that each C object includes at the contract's end.
pub(crate) fn of(header: &Header<'_>, bindings: &Bindings) -> String {
    let mut lines = Vec::new();
    for symbol in &bindings.symbols {
        let declared = declared::anything(header, &symbol.name);
        lines.extend(declared.map(|declared| format!("{};", declared.text)));
        lines.push(probes::of_c(&symbol.name));
    }
    for (name, target) in &bindings.aliases {
        match declared::body(header, name) {
            Some(body) => lines.extend(enumeration(header, &body, target)),
            None => {
                let typedef = declared::typedef(header, name);
                lines.extend(typedef.map(|typedef| format!("{};", typedef.text)));
            }
        }
    }
    for (name, value) in &bindings.constants {
        lines.extend(constant(header, name, value));
    }
    for known in &bindings.types {
        if let Some(body) = declared::body(header, &known.name) {
            let mut record = Record {
                header,
                bindings,
                top: &body,
                lines: Vec::new(),
            };
            record.whole(known);
            record.fields(known, body.tokens, "", 0);
            lines.append(&mut record.lines);
        }
    }
    format!(
        "/* Made by border/gate from {}: what Rust was told, for this compiler to confirm. */\n\
         {PROLOGUE}{}\n#undef BORDER_SIZE\n#undef BORDER_VALUE\n",
        header.file,
        lines.join("\n")
    )
}

/// An enum's size and sign; rustc takes it for an integer.
fn enumeration(header: &Header<'_>, body: &Body<'_, '_>, target: &str) -> Vec<String> {
    let Some((size, signed)) = integer(target) else {
        return Vec::new();
    };
    let (name, place) = (&body.c_name, header.place(body.line));
    let (size, sign) = (size.to_string(), u8::from(signed).to_string());
    vec![
        value(
            &place,
            &format!("size of {name}"),
            &format!("sizeof({name})"),
            &size,
        ),
        value(
            &place,
            &format!("sign of {name}"),
            &format!("({name})-1 < 0"),
            &sign,
        ),
    ]
}

/// A number; texts have no value that C could compare.
fn constant(header: &Header<'_>, name: &str, rust: &str) -> Option<String> {
    let place = header.place(declared::constant(header, name)?);
    // Of a letter, Rust's value says its type as well: `100u8`.
    let rust = rust.split(['u', 'i']).next().unwrap_or(rust);
    let digits = rust.strip_prefix('-').unwrap_or(rust);
    let number = digits.starts_with(|c: char| c.is_ascii_digit());
    // In C, the digits of an unsigned long need to say so.
    let suffix = if digits.parse::<i64>().is_err() {
        "ULL"
    } else {
        ""
    };
    number.then(|| value(&place, name, name, &format!("{rust}{suffix}")))
}

/// One line that fails to compile where C has another number.
fn value(place: &str, what: &str, c: &str, rust: &str) -> String {
    match rust.parse::<u32>() {
        Ok(_) => format!(
            "BORDER_SIZE({c}, {rust}, {}, \"{place}: {what}\");",
            identifier(what)
        ),
        // No array has a negative size.
        Err(_) => format!("BORDER_VALUE({c}, {rust}, \"{place}: {what}\");"),
    }
}

/// (bytes, signed) of what Rust has for an enum.
fn integer(rust: &str) -> Option<(u32, bool)> {
    let name = rust.rsplit("::").next().unwrap_or(rust);
    Some(match name {
        "c_schar" | "i8" => (1, true),
        "c_uchar" | "u8" => (1, false),
        "c_short" | "i16" => (2, true),
        "c_ushort" | "u16" => (2, false),
        "c_int" | "i32" => (4, true),
        "c_uint" | "u32" => (4, false),
        "c_long" | "c_longlong" | "i64" => (8, true),
        "c_ulong" | "c_ulonglong" | "u64" => (8, false),
        _ => return None,
    })
}

/// One struct or union, with all that is inside it.
struct Record<'t, 'a> {
    header: &'t Header<'a>,
    bindings: &'t Bindings,
    top: &'t Body<'t, 'a>,
    lines: Vec<String>,
}

impl<'t, 'a> Record<'t, 'a> {
    fn whole(&mut self, known: &Type) {
        let (name, line) = (&self.top.c_name, self.top.line);
        let size = (format!("sizeof({name})"), format!("size of {name}"));
        let align = (format!("_Alignof({name})"), format!("alignment of {name}"));
        self.layout(&size.0, known.size, &size.1, line);
        self.layout(&align.0, known.align, &align.1, line);
    }

    /// Offsets and types of what is declared between these braces. `path` leads there from the top
    /// (`u.`, `list[0].`), and `base` is how far it leads.
    fn fields(&mut self, known: &Type, body: &'t [Token<'a>], path: &str, base: u64) {
        let fields = declared::fields(body);
        for bound in &known.fields {
            let inner = self.bindings.type_named(element(&bound.rust_type));
            let offset = bound.offset.map(|offset| base + offset);
            if let Some(nth) = unnamed(&bound.name) {
                // C reaches its members as if they were the outer struct's own.
                let mut bodies = fields.iter().filter(|field| field.is_unnamed());
                let body = bodies.nth(nth).and_then(|field| field.body);
                if let (Some(inner), Some(body), Some(offset)) = (inner, body, offset) {
                    self.fields(inner, body, path, offset);
                }
                continue;
            }
            let Some(field) = fields.iter().find(|field| field.declares(&bound.name)) else {
                continue;
            };
            let (top, here) = (&self.top.c_name, format!("{path}{}", bound.name));
            let (c, what) = (
                format!("__builtin_offsetof({top}, {here})"),
                format!("offset of {here} in {top}"),
            );
            self.layout(&c, offset, &what, field.statement[0].line);
            match (field.body, inner, offset) {
                (Some(body), Some(inner), Some(offset)) => {
                    let zeros = "[0]".repeat(bound.rust_type.matches('[').count());
                    self.fields(inner, body, &format!("{here}{zeros}."), offset);
                }
                _ => self.field_type(known, field, &here),
            }
        }
    }

    fn layout(&mut self, c: &str, rust: Option<u64>, what: &str, line: usize) {
        if let Some(rust) = rust {
            let place = self.header.place(line);
            self.lines.push(value(&place, what, c, &rust.to_string()));
        }
    }

    /// Two declarations of one name, which conflict where this compiler reads another type: the
    /// type that the field has here, and the words that libclang read.
    fn field_type(&mut self, known: &Type, field: &Field<'_, '_>, path: &str) {
        let top = &self.top.c_name;
        let name = |field: &str| {
            let before = path.rfind('.').map_or("", |dot| &path[..=dot]);
            identifier(&format!("type of {before}{field} in {top}"))
        };
        let words = without_attributes(field.statement);
        let mut renamed = Vec::new();
        for (at, token) in words.iter().enumerate() {
            let declared = at > 0
                && token.is_word()
                && !is_tag(&words[at - 1])
                && known.fields.iter().any(|known| token.is(&known.name));
            renamed.push(if declared {
                Some(name(token.text))
            } else {
                None
            });
        }
        let mut said = Vec::new();
        for (token, new) in words.iter().zip(&renamed) {
            said.push(Token {
                text: new.as_deref().unwrap_or(token.text),
                ..*token
            });
        }
        let own = path.rsplit('.').next().unwrap_or(path);
        let place = self.header.place(field.statement[0].line);
        self.lines.push(format!(
            "/* {}: {place}: type of {path} in {top}{TOLD}{} */",
            name(own),
            text(&words)
        ));
        self.lines.push(format!(
            "extern {};\nextern __typeof__((({top} *)0)->{path}) {};",
            text(&said),
            name(own)
        ));
    }
}

/// The element's type of an array's, or the type itself: `T` of `[T;4usize]`.
fn element(rust_type: &str) -> &str {
    let inner = rust_type.trim_start_matches('[');
    inner.split(';').next().unwrap_or(inner)
}

/// bindgen counts what has no name in C, from 1.
fn unnamed(field: &str) -> Option<usize> {
    let nth: usize = field.strip_prefix("__bindgen_anon_")?.parse().ok()?;
    nth.checked_sub(1)
}

/// `offset of u.raw in struct s` as one word, for the compiler's own message.
pub(crate) fn identifier(words: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() { c } else { '_' };
    format!("border_{}", words.chars().map(word).collect::<String>())
}

fn is_tag(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && ["struct", "union", "enum"].contains(&token.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: &str = "# 1 \"a.h\"\n\
        enum colour { RED, GREEN = 5 };\n\
        #define MAGIC 'd'\n\
        struct s { u32 a, b; union { u8 raw[4]; u32 whole; }; struct { u8 x; } list[2]; };\n\
        int f(struct s *s);\n";
    const RUST: &str = "pub const MAGIC: u8 = 100u8;
        pub const RED: colour = 0; pub const GREEN: colour = 5;
        pub type colour = kernel::ffi::c_uint;
        pub struct s { pub a: u32_, pub b: u32_, pub __bindgen_anon_1: s__bindgen_ty_1,
            pub list: [s__bindgen_ty_2; 2usize], }
        pub union s__bindgen_ty_1 { pub raw: [u8_; 4usize], pub whole: u32_, }
        pub struct s__bindgen_ty_2 { pub x: u8_, }
        const _: () = { [\"Size of s\"][size_of::<s>() - 16usize];
            [\"Offset of field: s::b\"][offset_of!(s, b) - 4usize];
            [\"Offset of field: s::__bindgen_anon_1\"][offset_of!(s, x) - 8usize];
            [\"Offset of field: s__bindgen_ty_1::whole\"][offset_of!(s, x) - 0usize];
            [\"Offset of field: s::list\"][offset_of!(s, list) - 12usize];
            [\"Offset of field: s__bindgen_ty_2::x\"][offset_of!(s, x) - 0usize]; };
        extern \"C\" { pub fn f(s: *mut s) -> kernel::ffi::c_int; }";

    #[test]
    fn all_of_it_is_confirmed() {
        let layout = of(&Header::new("a.h", C), &Bindings::new(RUST));
        for wanted in [
            "int f(struct s *s);",
            "BORDER_SIZE(sizeof(enum colour), 4, border_size_of_enum_colour, \"a.h:1: size of enum colour\");",
            "BORDER_SIZE((enum colour)-1 < 0, 0,",
            "BORDER_SIZE(GREEN, 5, border_GREEN, \"a.h:1: GREEN\");",
            "BORDER_SIZE(MAGIC, 100, border_MAGIC, \"a.h:2: MAGIC\");",
            "BORDER_SIZE(sizeof(struct s), 16, border_size_of_struct_s, \"a.h:3: size of struct s\");",
            "BORDER_SIZE(__builtin_offsetof(struct s, b), 4,",
            "BORDER_SIZE(__builtin_offsetof(struct s, whole), 8,",
            "BORDER_SIZE(__builtin_offsetof(struct s, list[0].x), 12,",
            "extern u32 border_type_of_a_in_struct_s, border_type_of_b_in_struct_s;\n\
             extern __typeof__(((struct s *)0)->b) border_type_of_b_in_struct_s;",
            "extern u8 border_type_of_raw_in_struct_s[4];",
            "extern u8 border_type_of_list_0__x_in_struct_s;",
        ] {
            assert!(layout.contains(wanted), "{wanted} is not in:\n{layout}");
        }
    }
}
