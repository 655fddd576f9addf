// SPDX-License-Identifier: GPL-2.0

//! May this header be a contract? It may if both languages see the same in all of it, and if what
//! they see can be checked.

use crate::bind::{self, Asked};
use crate::bindings::{
    is_symbol, item_name, Bindings, Record, Symbol, SymbolKind, Value, DECLARED,
};
use crate::facts;
use crate::header::{real, without_attributes, Header};
use crate::probes;
use crate::problem::{none, write, Checked, Layer, Problem};
use crate::rust_type::Type;
use crate::sizes;
use crate::tokens::{text, Token};

/// Names that Rust keeps for itself, so that bindgen has to give others.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// What bindgen does the same for where it is no type.
const TYPES: &[&str] = &[
    "str", "bool", "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
    "i64", "i128", "isize",
];

/// (words of C, what they mean, what fixes it)
const UNKNOWN_TO_RUST: &[(&[&str], &str, &str)] = &[
    (
        &["scalar_storage_order"],
        "another order of bytes",
        "take the attribute away, and use __be32 or __le32",
    ),
    (
        &["__scalar_storage_order__"],
        "another order of bytes",
        "take the attribute away, and use __be32 or __le32",
    ),
    (&["long", "double"], "long double", "use an integer"),
    (
        &["_Complex"],
        "complex numbers",
        "use a struct of two numbers",
    ),
];

/// Checks the header; writes what rustc and the C compiler see of it.
pub(crate) fn check(asked: &Asked<'_>) -> Checked {
    let (preprocessed, bound) = bind::read(asked)?;
    let folder = real(asked.folder);
    let header = Header::new(asked.header, &preprocessed, |file| {
        !file.starts_with('<') && real(file).starts_with(&folder)
    });
    let bound = bind::complete(asked, &header, bound)?;
    let bindings = Bindings::new(&bound.rust);

    let mut problems = macros(&header, &bindings);
    problems.extend(statements(&header));
    let symbols = bindings.symbols.iter();
    problems.extend(symbols.flat_map(|symbol| self::symbols(&header, symbol)));
    let records = bindings.records.iter();
    problems.extend(records.filter_map(|record| layout(&header, &bindings, record)));
    problems.extend(names(&header, &bindings));
    problems.extend(bound.lacking.iter().map(|name| lacking(&header, name)));
    none(problems)?;
    let (layout, problems) = facts::of(&header, &bindings);
    none(problems)?;

    let sizes = sizes::in_c(&header, &bound.kernel);
    write(asked.layout, &(layout + &sizes))?;
    let sizes = sizes::in_rust(&header, &bound.kernel);
    let rust = with_places(&header, &bound.rust) + &bound.foreign;
    write(
        asked.rust,
        &(rust + &probes::of(&bindings.symbols) + &sizes),
    )
}

fn lacking(header: &Header<'_>, name: &str) -> Problem {
    Problem::new(
        Layer::Contract,
        format!("neither the kernel crate nor the contract has the type {name}"),
    )
    .note(header.place_of(name))
    .help("pass a pointer to it, or declare functions for what Rust needs of it")
}

/// A macro must be a constant, or Rust does not see it.
fn macros(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let constant = |name| {
        let mut constants = bindings.constants.iter();
        constants.any(|(known, value)| known == name && *value != Value::Other)
    };
    // bindgen forgets how wide the letters of a text are.
    let is_wide = |text: &str| {
        let mut values = text.split_whitespace().skip(1);
        values.any(|value| {
            ["L\"", "u\"", "U\""]
                .iter()
                .any(|start| value.starts_with(start))
        })
    };
    header
        .macros
        .iter()
        .filter(|defined| {
            defined.text != defined.name && (is_wide(defined.text) || !constant(defined.name))
        })
        .map(|defined| {
            Problem::new(
                Layer::Contract,
                format!("{} is no constant that Rust could see", defined.name),
            )
            .note(format!(
                "{}: #define {}",
                header.place(defined.line),
                defined.text
            ))
            .help(if defined.text[defined.name.len()..].starts_with('(') {
                "declare a function here, and use the macro in the .c that defines it"
            } else {
                "write enum { NAME = … }; for a number, or declare a function that returns it"
            })
        })
        .collect()
}

/// What gives each half a copy of its own, or Rust nothing to link with.
fn statements(header: &Header<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for statement in crate::header::statements(&header.contract().tokens) {
        problems.extend(unknown_to_rust(header, statement));
        let before_body: Vec<_> = statement
            .iter()
            .take_while(|token| !token.is("{"))
            .copied()
            .collect();
        // In `u32 v[static 4]` it says something of the parameter.
        let mut depth = 0;
        let word = before_body.iter().find(|token| {
            depth += i32::from(token.is("(")) - i32::from(token.is(")"));
            let words = ["inline", "__inline", "__inline__", "static"];
            depth == 0 && words.iter().any(|word| token.is(word))
        });
        problems.extend(word.map(|word| {
            Problem::new(
                Layer::Contract,
                format!(
                    "{} functions and data have no symbol to link with",
                    word.text
                ),
            )
            .note(format!(
                "{}: {}",
                header.place(word.line),
                text(&without_attributes(&before_body))
            ))
            .help("declare a plain function here that calls it, and define that in a .c")
        }));
    }
    problems
}

fn unknown_to_rust(header: &Header<'_>, statement: &[Token<'_>]) -> Option<Problem> {
    UNKNOWN_TO_RUST.iter().find_map(|(words, what, help)| {
        let mut all = statement.windows(words.len());
        let here = all.find(|here| here.iter().zip(*words).all(|(token, word)| token.is(word)))?;
        let place = header.place(here[0].line);
        Some(
            Problem::new(Layer::Contract, format!("Rust has no words for {what}"))
                .note(format!("{place}: {}", text(&without_attributes(statement))))
                .help(*help),
        )
    })
}

fn symbols(header: &Header<'_>, symbol: &Symbol) -> Option<Problem> {
    let name = &symbol.name;
    let problem = match &symbol.kind {
        Some(SymbolKind::Function(signature)) if signature.variadic => Problem::new(
            Layer::Contract,
            format!("{name}() is variadic: nothing checks what is passed for the ..."),
        )
        .help("declare a function with fixed parameters"),
        Some(SymbolKind::Function(signature))
            if signature.result == Type::Never && returns(header, name) =>
        {
            Problem::new(
                Layer::Contract,
                format!("bindgen takes {name}() for a function that never returns"),
            )
            .help("give the type of what it returns a name, by a typedef")
        }
        Some(SymbolKind::Data { .. }) if is_per_cpu(header, name) => Problem::new(
            Layer::Contract,
            format!("{name} is there once for each CPU: its address alone is of no use to Rust"),
        )
        .help("declare a function that reads it"),
        _ if symbol.has_another_name() && !is_reserved(&symbol.name) => Problem::new(
            Layer::Contract,
            format!(
                "{} has another name for the linker: {}",
                symbol.rust_name, symbol.name
            ),
        )
        .note(header.place_of(&symbol.rust_name))
        .help("declare it without asm(\"…\"), by the name that it has"),
        _ => return None,
    };
    Some(match header.symbol(name) {
        Some(declared) => problem.note(format!("{}: {}", declared.place, declared.text)),
        None => problem,
    })
}

/// DECLARE_PER_CPU(), or a variable of a thread.
fn is_per_cpu(header: &Header<'_>, name: &str) -> bool {
    header.statement_of(name).is_some_and(|statement| {
        statement.tokens.iter().any(|token| {
            let word = ["__seg_gs", "__seg_fs", "__thread", "_Thread_local"];
            word.iter().any(|word| token.is(word)) || token.text.contains("percpu")
        })
    })
}

fn is_reserved(name: &str) -> bool {
    KEYWORDS.contains(&name) || TYPES.contains(&name)
}

/// Whether a pointer comes back: `void (__noreturn *pick(void))(void)`.
fn returns(header: &Header<'_>, name: &str) -> bool {
    header.statement_of(name).is_some_and(|statement| {
        let plain = without_attributes(statement.tokens);
        let own = |token: &Token<'_>| token.is(name);
        let at = plain.iter().position(own).unwrap_or_default();
        plain[..at].iter().any(|token| token.is("*"))
    })
}

/// A struct must be visible to the last byte, or only ever be pointed to.
fn layout(header: &Header<'_>, bindings: &Bindings, record: &Record) -> Option<Problem> {
    let has = |start: &str| {
        record
            .fields
            .iter()
            .any(|field| field.name.starts_with(start))
    };
    let (what, help) = if has("_bitfield_") {
        (
            "bit-fields, whose places no C compiler can confirm",
            "use a whole integer, and constants for its bits",
        )
    } else if has("_bindgen_opaque_blob") || record.packed && is_aligned(bindings, record) {
        (
            "a layout that Rust has no words for: packed, or aligned oddly",
            "order its fields so that it needs no attribute; or pass only pointers to it, and \
             declare functions for its fields",
        )
    } else {
        return None;
    };
    let name = record
        .name
        .split("__bindgen_ty_")
        .next()
        .unwrap_or_default();
    let problem = Problem::new(Layer::Contract, format!("{name} has {what}")).help(help);
    Some(match header.declaration(name) {
        Some(declared) => problem.note(format!("{}: {}", declared.place, declared.text)),
        None => problem,
    })
}

/// Whether an attribute aligns it, or what is inside it.
fn is_aligned(bindings: &Bindings, record: &Record) -> bool {
    record.aligned
        || record.fields.iter().any(|field| {
            let mut inner = field.ty.as_ref().map(Type::element);
            while let Some(Type::Name(name)) = inner {
                if let Some(record) = bindings.record(name) {
                    return is_aligned(bindings, record);
                }
                inner = bindings.alias(name).map(Type::element);
            }
            false
        })
}

/// bindgen puts a `_` behind names that Rust keeps for itself.
fn names(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let symbols = bindings.symbols.iter().map(|symbol| &symbol.rust_name);
    let records = bindings.records.iter().map(|record| &record.name);
    let fields = bindings.records.iter().flat_map(|record| &record.fields);
    let fields = fields.map(|field| &field.name);
    let constants = bindings.constants.iter().map(|(name, _)| name);
    let aliases = bindings.aliases.iter().map(|(name, _)| name);
    let no_types = symbols.chain(fields).chain(constants);
    let types = records.chain(aliases).filter_map(|name| as_in_c(name));
    let mut names: Vec<&str> = no_types
        .filter_map(|name| as_in_c(name))
        .filter(|name| KEYWORDS.contains(name) || TYPES.contains(name))
        .chain(types.filter(|name| KEYWORDS.contains(name)))
        .collect();
    names.sort_unstable();
    names.dedup();
    let is_there = |name: &&str| {
        header
            .files
            .iter()
            .any(|file| file.tokens.iter().any(|token| token.is(name)))
    };
    names
        .into_iter()
        .filter(is_there)
        .map(|name| {
            Problem::new(
                Layer::Contract,
                format!("`{name}` is a word of Rust's own, where this would have another name"),
            )
            .note(header.place_of(name))
            .help("choose a name that is good in both languages")
        })
        .collect()
}

fn as_in_c(name: &str) -> Option<&str> {
    name.strip_suffix('_')
}

/// The bindings, each item with the place and the words of its declaration.
fn with_places(header: &Header<'_>, bindings: &str) -> String {
    let mut whole = String::new();
    for line in bindings.lines() {
        let item = line.trim_start();
        let declaration = |name| {
            if is_symbol(item) {
                header.symbol(name)
            } else {
                header.declaration(name)
            }
        };
        if let Some(declared) = item_name(item).and_then(declaration) {
            let indent = &line[..line.len() - item.len()];
            whole += &format!(
                "{indent}{DECLARED}{}: `{}`\n",
                declared.place, declared.text
            );
        }
        whole += line;
        whole.push('\n');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(c: &str, rust: &str) -> Vec<String> {
        let c = format!("# 1 \"a.h\"\n{c}");
        let header = Header::new("a.h", &c, |_| false);
        let bindings = Bindings::new(rust);
        let mut problems = macros(&header, &bindings);
        problems.extend(statements(&header));
        problems.extend(bindings.symbols.iter().filter_map(|s| symbols(&header, s)));
        problems.extend(
            bindings
                .records
                .iter()
                .filter_map(|r| layout(&header, &bindings, r)),
        );
        problems.extend(names(&header, &bindings));
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_both_see_is_well() {
        let c = "#define A_H\n#define MAX 3\nint f(int type);\nstruct s { int a; };\n";
        let rust = "pub const MAX: u32 = 3; pub struct s { pub a: c_int, } \
                    extern \"C\" { pub fn f(type_: c_int) -> c_int; }";
        assert_eq!(found(c, rust), Vec::<String>::new());
    }

    #[test]
    fn what_both_cannot_see() {
        let of = |c: &str, rust: &str, wanted: &[&str]| {
            let found = found(c, rust);
            assert_eq!(found.len(), 1, "{found:?}");
            for words in wanted {
                assert!(found[0].contains(words), "{words}: {found:?}");
            }
        };
        of(
            "#define TWICE(x) ((x) * 2)\n",
            "",
            &["TWICE is no constant", "a.h:1", "a function"],
        );
        of(
            "#define HERE current\n",
            "",
            &["HERE is no constant", "enum"],
        );
        assert_eq!(
            found(
                "int f(const u32 v[static 4]);\n",
                "extern \"C\" { pub fn f(v: *const u32_) -> c_int; }"
            ),
            Vec::<String>::new()
        );
        of(
            "static inline int f(void) { return 1; }\n",
            "",
            &["a.h:1: static inline int f(void)"],
        );
        of(
            "int f(int, ...);\n",
            "extern \"C\" { pub fn f(a: c_int, ...); }",
            &["f() is variadic"],
        );
        of(
            "void (*pick(int nth))(void);\n",
            "extern \"C\" { pub fn pick(nth: c_int) -> !; }",
            &["takes pick()", "a.h:1: void(*pick(int nth))(void)"],
        );
        of(
            "struct s { u64 a; } __attribute__((aligned(16)));\nstruct t { struct s a; } __attribute__((packed));\n",
            "#[repr(C)] #[repr(align(16))] pub struct s { pub a: u64_, } \
             #[repr(C, packed)] pub struct t { pub a: s, }",
            &["t has a layout", "a.h:2: struct t"],
        );
        of(
            "struct s { u32 a:3; };\n",
            "pub struct s { pub _bitfield_1: X, }",
            &["bit-fields", "a.h:1: struct s"],
        );
        of(
            "struct s { int type; };\n",
            "pub struct s { pub type_: c_int, }",
            &["`type` is a word of Rust's own"],
        );
        of(
            "int match(int);\n",
            "extern \"C\" { #[link_name = \"\\u{1}match\"] pub fn match_(a: c_int); }",
            &["`match` is a word of Rust's own"],
        );
    }

    #[test]
    fn places() {
        let header = Header::new("a.h", "# 7 \"a.h\"\nint f(int a);\n", |_| false);
        assert_eq!(
            with_places(&header, "extern \"C\" {\n    pub fn f(a: c_int);\n}\n"),
            "extern \"C\" {\n    /// Declared in a.h:7: `int f(int a)`\n    pub fn f(a: c_int);\n}\n"
        );
    }
}
