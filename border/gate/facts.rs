// SPDX-License-Identifier: GPL-2.0

//! What libclang told Rust of the contract, as assertions for the compiler of the C half: it may
//! lay out structs in another way, by itself or by a flag.

use crate::bindings::{Bindings, Record, SymbolKind, Value};
use crate::c_type;
use crate::header::{defines, Header};
use crate::probes;
use crate::problem::{Layer, Problem};
use crate::rust_type::Type;

/// How an assertion's message begins, before the place in the header.
pub(crate) const BORDER: &str = "border: ";

/// What stands in it before Rust's value.
pub(crate) const TOLD: &str = ": Rust was told ";

/// What types may have in C, and Rust has no words for.
const QUALIFIERS: &[&str] = &[
    "volatile",
    "__volatile__",
    "_Atomic",
    "noreturn",
    "__noreturn__",
];

/// How a line begins that has a line of the contract in it, as the preprocessor left it.
pub(crate) const LINE: &str = "// ";

/// The header that each C object includes at the contract's end, and what no C compiler could be
/// asked.
pub(crate) fn of(header: &Header<'_>, bindings: &Bindings) -> (String, Vec<Problem>) {
    let mut facts = Facts {
        header,
        bindings,
        lines: Vec::new(),
        problems: Vec::new(),
    };
    facts.symbols();
    facts.aliases();
    facts.constants();
    for record in &bindings.records {
        facts.record(record);
    }
    let (lines, problems) = (facts.lines, facts.problems);
    let text = format!(
        "/* Made by border/gate from {}: what Rust was told, for this compiler to confirm. */\n\
         {}#ifndef __CHECKER__\n\
         #define BORDER(fact, what, told) \\\n\
         \t_Static_assert(fact, \"{BORDER}\" what \"{TOLD}\" told)\n\
         {}\n#undef BORDER\n#endif\n",
        header.contract().name,
        listing(header, bindings),
        lines.join("\n")
    );
    (text, problems)
}

/// The lines of the contract, and of the headers beside it those that define a type of it.
fn listing(header: &Header<'_>, bindings: &Bindings) -> String {
    let mut listing = String::new();
    let records = bindings.records.iter().map(|record| &record.name);
    let names: Vec<_> = records
        .chain(bindings.aliases.iter().map(|(name, _)| name))
        .collect();
    for (nth, file) in header.files.iter().enumerate() {
        let needed: Vec<_> = header
            .statements()
            .filter(|statement| std::ptr::eq(statement.file, file))
            .filter(|statement| names.iter().any(|name| defines(statement.tokens, name)))
            .filter_map(|s| Some(s.tokens.first()?.line..=s.tokens.last()?.line))
            .collect();
        for (line, text) in &file.lines {
            if nth == 0 || needed.iter().any(|lines| lines.contains(line)) {
                listing += &format!("{LINE}{}:{line}: {}\n", file.name, text.trim());
            }
        }
    }
    listing
}

struct Facts<'h, 'a> {
    header: &'h Header<'a>,
    bindings: &'h Bindings,
    lines: Vec<String>,
    problems: Vec<Problem>,
}

impl Facts<'_, '_> {
    fn fact(&mut self, fact: &str, place: &str, what: &str, told: &str) {
        let told = told.replace(" ,", ",").replace(" )", ")");
        self.lines
            .push(format!("BORDER({fact}, \"{place}: {what}\", \"{told}\");"));
    }

    fn number(&mut self, c: &str, rust: Option<u64>, place: &str, what: &str) {
        if let Some(rust) = rust {
            self.fact(&format!("{c} == {rust}"), place, what, &rust.to_string());
        }
    }

    fn symbols(&mut self) {
        let place = self.header.contract().name;
        self.flags(place);
        self.sign("(char)", self.header.char_is_signed, place, "char");
        for symbol in &self.bindings.symbols {
            let name = &symbol.name;
            self.lines.push(probes::of_c(name));
            let place = match self.header.symbol(name) {
                Some(declared) => declared.place,
                None => place.to_owned(),
            };
            let mut with_const = None;
            let (asked, c, comparable) = match &symbol.kind {
                // For GCC, this one's address is of another type.
                Some(SymbolKind::Function(signature)) if signature.result == Type::Never => {
                    let c = c_type::of_function(self.header, signature, "");
                    (name.clone(), c, true)
                }
                Some(SymbolKind::Function(signature)) => {
                    let signature = signature.with(&|name| self.function(name));
                    let c = c_type::of_function(self.header, &signature, "*");
                    if self.says_const(name) {
                        with_const = c_type::of_function_with_const(self.header, &signature, "*");
                    }
                    (format!("&{name}"), c, !self.is_qualified(name))
                }
                Some(SymbolKind::Data { ty, mutable }) => {
                    let c = c_type::of_data(self.header, &self.expanded(ty), *mutable);
                    (name.clone(), c, self.is_comparable(name, ty))
                }
                None => (name.clone(), None, true),
            };
            match c {
                Some(c) if comparable && with_const.is_some() => {
                    let other = with_const.unwrap_or_default();
                    let same = |ty: &str| {
                        format!("__builtin_types_compatible_p(__typeof__({asked}), {ty})")
                    };
                    let fact = format!("({} || {})", same(&c), same(&other));
                    self.fact(&fact, &place, &format!("type of {name}"), c.trim());
                }
                Some(c) if comparable => {
                    self.same_type(&asked, &c, &place, &format!("type of {name}"));
                }
                Some(_) => {}
                None => self.problems.push(
                    Problem::new(
                        Layer::Contract,
                        format!("{name} has a type that has no name in C"),
                    )
                    .note(format!("{place}: {}", symbol.pointer))
                    .help("give the type a name"),
                ),
            }
        }
    }

    /// Flags and pragmas that also change what the kernel's headers say.
    fn flags(&mut self, place: &str) {
        self.lines.push(
            "#ifndef BORDER_ENUM\n#define BORDER_ENUM\nenum border_enum { border_member };\n#endif"
                .to_owned(),
        );
        self.number(
            "sizeof(enum border_enum)",
            Some(4),
            place,
            "size of an enum",
        );
        let gap = "__builtin_offsetof(struct { char one; long other; }, other) == sizeof(long)";
        self.fact(gap, place, "alignment of long", "its size");
        self.lines.push("#ifdef __x86_64__".to_owned());
        let calls = "__builtin_types_compatible_p(void (*)(void), \
                     void (__attribute__((__sysv_abi__)) *)(void))";
        self.fact(calls, place, "calling convention", "the System V ABI");
        self.lines.push("#endif".to_owned());
    }

    /// C's `typedef int f(void)` is no pointer: bindgen uses the name for what is one.
    fn expanded(&self, ty: &Type) -> Type {
        ty.with(&|name| self.function(name))
    }

    fn function(&self, name: &str) -> Option<Type> {
        let alias = self.bindings.alias(name)?;
        matches!(alias, Type::Function(_)).then(|| alias.clone())
    }

    /// Whether C's type may have more to it than Rust was told of what is pointed to.
    fn is_qualified(&self, name: &str) -> bool {
        self.header.statement_of(name).is_some_and(|statement| {
            let mut tokens = statement.tokens.iter();
            tokens.any(|token| QUALIFIERS.iter().any(|word| token.is(word)))
        })
    }

    /// `const u32 f(void)`, `u8 *const f(void)`: the last word before the name counts.
    fn says_const(&self, name: &str) -> bool {
        self.header.statement_of(name).is_some_and(|statement| {
            let before = statement.tokens.split(|token| token.is(name)).next();
            let mut result = before.unwrap_or_default().rsplit(|token| token.is("*"));
            let words = result.next().unwrap_or_default();
            words.iter().any(|word| word.is("const"))
        })
    }

    fn is_atomic(&self, name: &str) -> bool {
        let statement = self.header.statement_of(name);
        statement.is_some_and(|it| it.tokens.iter().any(|token| token.is("_Atomic")))
    }

    fn is_comparable(&self, name: &str, ty: &Type) -> bool {
        !((ty.has_pointer() || self.is_atomic(name)) && self.is_qualified(name))
    }

    fn same_type(&mut self, c: &str, rust: &str, place: &str, what: &str) {
        let fact = format!("__builtin_types_compatible_p(__typeof__({c}), {rust})");
        self.fact(&fact, place, what, rust.trim());
    }

    /// Of a typedef, what it stands for; of an enum, its size and sign.
    fn aliases(&mut self) {
        for (name, ty) in &self.bindings.aliases {
            let (Some(c), Some(ty)) = (c_type::name(self.header, name), ty) else {
                continue;
            };
            let place = self.header.place_of(name);
            if c.starts_with("enum ") {
                self.integer(&format!("({c})"), &c, ty, &place);
            } else if let Some(rust) = c_type::of(self.header, &self.expanded(ty)) {
                if self.is_comparable(name, ty) {
                    if matches!(ty, Type::Function(_)) {
                        self.same_function(&c, &rust, &place);
                        continue;
                    }
                    self.same_type(&c, &rust, &place, &format!("type of {c}"));
                }
            }
        }
    }

    /// C's name may be one of the pointer or of the function.
    fn same_function(&mut self, c: &str, rust: &str, place: &str) {
        let same = |c: &str| format!("__builtin_types_compatible_p({c}, {rust})");
        let fact = format!("({} || {})", same(c), same(&format!("__typeof__({c} *)")));
        self.fact(&fact, place, &format!("type of {c}"), rust.trim());
    }

    /// `cast` makes a -1 of the type.
    fn integer(&mut self, cast: &str, what: &str, ty: &Type, place: &str) {
        let Some((size, signed)) = self.integer_of(ty) else {
            return;
        };
        self.number(
            &format!("sizeof({cast}0)"),
            Some(size),
            place,
            &format!("size of {what}"),
        );
        self.sign(cast, signed, place, what);
    }

    fn sign(&mut self, cast: &str, signed: bool, place: &str, what: &str) {
        let told = if signed { "signed" } else { "unsigned" };
        let fact = format!("({cast}-1 < 0) == {}", u8::from(signed));
        self.fact(&fact, place, &format!("sign of {what}"), told);
    }

    /// (bytes, signed)
    fn integer_of(&self, ty: &Type) -> Option<(u64, bool)> {
        let Type::Name(name) = ty else {
            return None;
        };
        Some(match name.as_str() {
            "c_schar" | "i8" => (1, true),
            "c_uchar" | "u8" => (1, false),
            "c_short" | "i16" => (2, true),
            "c_ushort" | "u16" => (2, false),
            "c_int" | "i32" => (4, true),
            "c_uint" | "u32" => (4, false),
            "c_longlong" | "i64" => (8, true),
            "c_ulonglong" | "u64" => (8, false),
            _ => return self.integer_of(self.bindings.alias(name)?),
        })
    }

    fn constants(&mut self) {
        for (name, value) in &self.bindings.constants {
            let place = self.header.place_of(name);
            match value {
                Value::Number(rust) => {
                    let digits = rust.trim_start_matches('-');
                    // In C, the digits of an unsigned long need to say so.
                    let suffix = if digits.parse::<i64>().is_err() && !digits.contains('.') {
                        "ULL"
                    } else {
                        ""
                    };
                    let sign = u8::from(rust.starts_with('-'));
                    // ~0U equals -1 for C, but is no less than 0.
                    let fact = format!("({name}) == {rust}{suffix} && (({name}) < 0) == {sign}");
                    self.fact(&fact, &place, name, rust);
                }
                Value::Text(rust) => {
                    let c = c_text(rust.strip_suffix("\\0").unwrap_or(rust));
                    // A byte of 0 may be in it.
                    let fact = format!(
                        "sizeof({name}) == sizeof(\"{c}\") && \
                         __builtin_memcmp({name}, \"{c}\", sizeof(\"{c}\")) == 0"
                    );
                    // The message takes it as text: not all that it may say is allowed there.
                    let told = c.replace('\\', "\\\\").replace('"', "\\\"");
                    self.fact(&fact, &place, name, &told);
                }
                Value::Other => self.problems.push(
                    Problem::new(
                        Layer::Contract,
                        format!("{name} has a value that C cannot compare with Rust's"),
                    )
                    .note(place)
                    .help("declare a function that returns it"),
                ),
            }
        }
    }

    fn record(&mut self, record: &Record) {
        let Some(c) = c_type::name(self.header, &record.name) else {
            // What has no name is looked at where it is a field.
            if !record.name.contains("__bindgen_ty_") && record.size != Some(0) {
                self.problems.push(
                    Problem::new(Layer::Contract, format!("{} has no name in C", record.name))
                        .help("give the type a name"),
                );
            }
            return;
        };
        // Of what is only declared, nothing is known on either side.
        if record.fields.is_empty() || record.fields.iter().all(|field| field.name == "_unused") {
            return;
        }
        let place = self.header.place_of(&record.name);
        self.number(
            &format!("sizeof({c})"),
            record.size,
            &place,
            &format!("size of {c}"),
        );
        self.number(
            &format!("_Alignof({c})"),
            record.align,
            &place,
            &format!("alignment of {c}"),
        );
        self.fields(&c, record, "", 0);
    }

    /// Offsets and types. `path` leads there from the outermost struct (`u.`, `list[0].`), and
    /// `base` is how far it leads.
    fn fields(&mut self, top: &str, record: &Record, path: &str, base: u64) {
        for field in &record.fields {
            let inner = match field.ty.as_ref().map(Type::element) {
                Some(Type::Name(name)) => self.bindings.record(name),
                _ => None,
            };
            let nameless = inner.filter(|inner| inner.name.contains("__bindgen_ty_"));
            let offset = field.offset.map(|offset| base + offset);
            // C reaches its members as if they were the outer struct's own.
            if field.name.starts_with("__bindgen_anon_") {
                if let (Some(inner), Some(offset)) = (nameless, offset) {
                    self.fields(top, inner, path, offset);
                }
                continue;
            }
            let here = format!("{path}{}", field.name);
            let place = self.header.place_of(&field.name);
            let c = format!("__builtin_offsetof({top}, {here})");
            self.number(&c, offset, &place, &format!("offset of {here} in {top}"));
            match (nameless, offset, &field.ty) {
                (Some(inner), Some(offset), Some(ty)) => {
                    let zeros = "[0]".repeat(dimensions(ty));
                    self.fields(top, inner, &format!("{here}{zeros}."), offset);
                }
                (_, _, Some(ty)) => self.field_type(top, &here, ty, &place),
                (_, _, None) => self.problems.push(
                    Problem::new(
                        Layer::Contract,
                        format!("{here} in {top} has a type that has no name in C"),
                    )
                    .note(place)
                    .help("give the type a name"),
                ),
            }
        }
    }

    fn field_type(&mut self, top: &str, path: &str, ty: &Type, place: &str) {
        let name = top.rsplit(' ').next().unwrap_or(top);
        let field = format!("(({top} *)0)->{path}");
        let what = format!("type of {path} in {top}");
        match c_type::of(self.header, &self.expanded(ty)) {
            Some(rust) if self.is_comparable(name, ty) => {
                self.same_type(&field, &rust, place, &what);
            }
            Some(_) => {}
            // An enum without a name.
            None => self.integer(
                &format!("(__typeof__({field}))"),
                &format!("{path} in {top}"),
                ty,
                place,
            ),
        }
    }
}

fn dimensions(ty: &Type) -> usize {
    match ty {
        Type::Array { of, .. } => 1 + dimensions(of),
        _ => 0,
    }
}

/// Rust's `\x07` takes two digits; in C it would go on. An octal one ends after three.
fn c_text(rust: &str) -> String {
    let mut text = String::new();
    let mut rest = rust.chars();
    while let Some(c) = rest.next() {
        text.push(c);
        if c != '\\' {
            continue;
        }
        match rest.next() {
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16).unwrap_or_default();
                text += &format!("{byte:03o}");
            }
            Some('0') => text += "000",
            other => text.extend(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: &str = "enum colour { RED, GREEN = 5 };\n\
        struct s { u32 a, b; union { u8 raw[4]; u32 whole; }; struct { u8 x; } list[2]; };\n\
        typedef unsigned char u8; typedef unsigned int u32;\n\
        int f(struct s *s);\n";
    const RUST: &str = "pub const MAGIC: u8 = 100u8; pub const ALL: i32 = -1;
        pub const NAME: &[u8; 3] = b\"\\x01\\xe9\\0\";
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
        extern \"C\" { pub fn f(s: *mut s) -> kernel::ffi::c_int; pub fn g(c: c_char); }";

    #[test]
    fn texts() {
        assert_eq!(c_text("a\\x07b\\0\\\\x41\\n"), "a\\007b\\000\\\\x41\\n");
    }

    #[test]
    fn all_of_it_is_confirmed() {
        let (text, problems) = of(&Header::of_text(C), &Bindings::new(RUST));
        for wanted in [
            "BORDER(((char)-1 < 0) == 1, \"a.h: sign of char\", \"signed\");",
            "__builtin_types_compatible_p(__typeof__(&f), int (*)(struct s *)), \"a.h:4: type of f\"",
            "BORDER(sizeof((enum colour)0) == 4, \"a.h:1: size of enum colour\", \"4\");",
            "BORDER(((enum colour)-1 < 0) == 0,",
            "BORDER((GREEN) == 5 && ((GREEN) < 0) == 0, \"a.h:1: GREEN\", \"5\");",
            "BORDER((ALL) == -1 && ((ALL) < 0) == 1,",
            "__builtin_memcmp(NAME, \"\\001\\351\", sizeof(\"\\001\\351\")) == 0,",
            "BORDER(sizeof(struct s) == 16, \"a.h:2: size of struct s\", \"16\");",
            "BORDER(__builtin_offsetof(struct s, b) == 4,",
            "BORDER(__builtin_offsetof(struct s, whole) == 8,",
            "BORDER(__builtin_offsetof(struct s, list[0].x) == 12,",
            "(__typeof__(((struct s *)0)->b), u32 ), \"a.h:2: type of b in struct s\", \"u32\"",
            "(__typeof__(((struct s *)0)->raw), u8 [4])",
            "(__typeof__(((struct s *)0)->list[0].x), u8 )",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in:\n{text}");
        }
        assert_eq!(problems, []);
    }
}
