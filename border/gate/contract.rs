// SPDX-License-Identifier: GPL-2.0

//! Checks that a header can be a contract: both languages see the same declarations in it, and the
//! compilers can check all of them.

use crate::assertions;
use crate::bind::{self, Args};
use crate::bindings::{
    is_symbol, item_name, Bindings, Record, Symbol, SymbolKind, Value, DECLARED, NAMELESS,
};
use crate::header::{head_of_function, real, without_attributes, Header};
use crate::inline;
use crate::probes;
use crate::problem::{fail_if_any, write, Layer, Problem, Result};
use crate::rust_type::Type;
use crate::sizes;
use crate::tokens::{text, Token};

/// The keywords of Rust, to which bindgen appends a `_`.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Primitive types, to which bindgen appends a `_` except in the names of types.
const TYPES: &[&str] = &[
    "str", "bool", "f32", "f64", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
    "i64", "i128", "isize",
];

/// C that Rust cannot express: (tokens, what they mean, the help)
const ONLY_IN_C: &[(&[&str], &str, &str)] = &[
    (
        &["scalar_storage_order"],
        "another byte order",
        "remove the attribute, and use __be32 or __le32",
    ),
    (
        &["__scalar_storage_order__"],
        "another byte order",
        "remove the attribute, and use __be32 or __le32",
    ),
    (&["long", "double"], "long double", "use an integer"),
    (
        &["_Complex"],
        "complex numbers",
        "use a struct of two numbers",
    ),
];

/// Checks the header, and writes its bindings and the layout header.
pub(crate) fn check(args: &Args<'_>) -> Result {
    let (preprocessed, bound) = bind::read(args)?;
    let folder = real(args.folder);
    let header = Header::new(args.header, &preprocessed, |file| {
        !file.starts_with('<') && real(file).starts_with(&folder)
    });
    let bound = bind::complete(args, &header, bound)?;
    let bindings = Bindings::new(&bound.rust);

    let mut problems = check_all(&header, &bindings);
    problems.extend(bound.undefined.iter().map(|name| {
        Layer::Contract
            .error(format!(
                "neither the kernel crate nor the contract defines the type {name}"
            ))
            .note(header.place_of(name))
            .help("pass a pointer to it, or declare functions for what Rust needs of it")
    }));
    fail_if_any(problems)?;
    let (layout, problems) = assertions::of(&header, &bindings);
    fail_if_any(problems)?;

    let sizes = sizes::in_c(&header, &bound.kernel);
    write(args.layout, &(layout + &sizes))?;
    if let Some(file) = args.definitions() {
        write(&file, &inline::definitions(&header, &bindings))?;
    }
    let sizes = sizes::in_rust(&header, &bound.kernel);
    let probes = probes::in_rust(&bindings.symbols);
    let rust = with_places(&header, &bound.rust) + &bound.foreign;
    write(args.rust, &(rust + &probes + &sizes))
}

fn check_all(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let mut problems = macros(header, bindings);
    problems.extend(statements(header, bindings));
    let symbols = bindings.symbols.iter();
    problems.extend(symbols.filter_map(|it| symbol(header, it)));
    let records = bindings.records.iter();
    problems.extend(records.filter_map(|it| layout(header, bindings, it)));
    problems.extend(names(header, bindings));
    problems
}

/// Rust sees a macro only if it is a constant.
fn macros(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let constant = |name| {
        let mut constants = bindings.constants.iter();
        constants.any(|(known, value)| known == name && *value != Value::Other)
    };
    // bindgen binds wide strings as bytes.
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
            let place = header.place(defined.line);
            Layer::Contract
                .error(format!(
                    "{} is not a constant, so Rust cannot see it",
                    defined.name
                ))
                .note(format!("{place}: #define {}", defined.text))
                .help(if defined.text[defined.name.len()..].starts_with('(') {
                    "declare a function here, and use the macro in the .c file that defines it"
                } else {
                    "write enum { NAME = … }; for a number, or declare a function that returns it"
                })
        })
        .collect()
}

/// Checks for inline and static items, and for C that Rust cannot express.
fn statements(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let mut problems = Vec::new();
    for statement in crate::header::statements(&header.contract().tokens) {
        // What a body does is C's own business.
        let declared = head_of_function(statement).unwrap_or(statement);
        problems.extend(only_in_c(header, declared));
        problems.extend(inline::problem(header, bindings, statement));
    }
    problems
}

fn only_in_c(header: &Header<'_>, statement: &[Token<'_>]) -> Option<Problem> {
    ONLY_IN_C.iter().find_map(|(words, what, help)| {
        let mut all = statement.windows(words.len());
        let here = all.find(|here| here.iter().zip(*words).all(|(token, word)| token.is(word)))?;
        let place = header.place(here[0].line);
        Some(
            Layer::Contract
                .error(format!("Rust cannot express {what}"))
                .note(format!("{place}: {}", text(&without_attributes(statement))))
                .help(*help),
        )
    })
}

fn symbol(header: &Header<'_>, symbol: &Symbol) -> Option<Problem> {
    let (name, rust_name) = (symbol.c_name(), &symbol.rust_name);
    let error = |what: String| Layer::Contract.error(what);
    let problem = match &symbol.kind {
        Some(SymbolKind::Function(signature)) if signature.variadic => error(format!(
            "{name}() is variadic, and nothing checks its variable arguments"
        ))
        .help("declare a function with fixed parameters"),
        Some(SymbolKind::Function(signature))
            if signature.result == Type::Never && returns_pointer(header, name) =>
        {
            error(format!(
                "bindgen misreads {name}() as a function that never returns"
            ))
            .help("name its return type with a typedef")
        }
        Some(SymbolKind::Data { .. }) if is_per_cpu(header, name) => error(format!(
            "{name} is per-CPU or thread-local data, which has no single address"
        ))
        .help("declare a function that reads it"),
        _ if has_another_name(header, symbol) && !is_reserved(name) => error(format!(
            "{rust_name} has another symbol name: {}",
            symbol.name
        ))
        .note(header.place_of(rust_name))
        .help("declare it without asm(\"…\"), by the name of its symbol"),
        _ => return None,
    };
    Some(match header.symbol(name) {
        Some(declared) => problem.note(format!("{}: {}", declared.place, declared.text)),
        None => problem,
    })
}

fn has_another_name(header: &Header<'_>, symbol: &Symbol) -> bool {
    symbol.has_another_name() || symbol.is_inline() && !inline::is_declared(header, symbol.c_name())
}

fn is_per_cpu(header: &Header<'_>, name: &str) -> bool {
    header.statement_of(name).is_some_and(|statement| {
        statement.tokens.iter().any(|token| {
            token.is_any(&["__seg_gs", "__seg_fs", "__thread", "_Thread_local"])
                || token.text.contains("percpu")
        })
    })
}

fn is_reserved(name: &str) -> bool {
    KEYWORDS.contains(&name) || TYPES.contains(&name)
}

/// Whether the function returns a pointer, as in `void (__noreturn *pick(void))(void)`.
fn returns_pointer(header: &Header<'_>, name: &str) -> bool {
    header.statement_of(name).is_some_and(|statement| {
        let plain = without_attributes(statement.tokens);
        let own = |token: &Token<'_>| token.is(name);
        let at = plain.iter().position(own).unwrap_or_default();
        plain[..at].iter().any(|token| token.is("*"))
    })
}

fn layout(header: &Header<'_>, bindings: &Bindings, record: &Record) -> Option<Problem> {
    let has = |start: &str| {
        record
            .fields
            .iter()
            .any(|field| field.name.starts_with(start))
    };
    let (what, help) = if has("_bitfield_") {
        (
            "bit-fields, whose offsets no C compiler can check",
            "use an integer, and constants for its bits",
        )
    } else if has("_bindgen_opaque_blob") || record.packed && is_aligned(bindings, record) {
        (
            "a layout that Rust cannot express (packed, or with unusual alignment)",
            "order its fields so that it needs no attribute; or pass only pointers to it, and \
             declare functions for its fields",
        )
    } else {
        return None;
    };
    let name = record.name.split(NAMELESS).next().unwrap_or_default();
    let problem = Layer::Contract
        .error(format!("{name} has {what}"))
        .help(help);
    Some(match header.declaration(name) {
        Some(declared) => problem.note(format!("{}: {}", declared.place, declared.text)),
        None => problem,
    })
}

/// Whether an attribute aligns the struct, or one inside it.
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

/// Checks for names that bindgen changes, since Rust reserves them.
fn names(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let symbols = bindings.symbols.iter().map(|symbol| &symbol.rust_name);
    let records = bindings.records.iter().map(|record| &record.name);
    let fields = bindings.records.iter().flat_map(|record| &record.fields);
    let fields = fields.map(|field| &field.name);
    let constants = bindings.constants.iter().map(|(name, _)| name);
    let aliases = bindings.aliases.iter().map(|(name, _)| name);
    let others = symbols.chain(fields).chain(constants);
    let types = records.chain(aliases).filter_map(|name| as_in_c(name));
    let mut names: Vec<&str> = others
        .filter_map(|name| as_in_c(name))
        .filter(|name| is_reserved(name))
        .chain(types.filter(|name| KEYWORDS.contains(name)))
        .collect();
    names.sort_unstable();
    names.dedup();
    let has = |name: &str| {
        let mut tokens = header.files.iter().flat_map(|file| &file.tokens);
        tokens.any(|token| token.is(name))
    };
    names
        .into_iter()
        .filter(|name| has(name))
        .map(|name| {
            Layer::Contract
                .error(format!(
                    "`{name}` is reserved in Rust, so bindgen would rename it"
                ))
                .note(header.place_of(name))
                .help("choose a name that is valid in both languages")
        })
        .collect()
}

fn as_in_c(name: &str) -> Option<&str> {
    name.strip_suffix('_')
}

/// Adds the place and the text of its declaration to each item of the bindings.
fn with_places(header: &Header<'_>, bindings: &str) -> String {
    let mut result = String::new();
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
            result += &format!(
                "{indent}{DECLARED}{}: `{}`\n",
                declared.place, declared.text
            );
        }
        result += line;
        result.push('\n');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(c: &str, rust: &str) -> Vec<String> {
        let c = format!("# 1 \"a.h\"\n{c}");
        let header = Header::new("a.h", &c, |_| false);
        let bindings = Bindings::new(rust);
        let problems = check_all(&header, &bindings);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_problems() {
        let c = "#define A_H\n#define MAX 3\nint f(int type);\nstruct s { int a; };\n";
        let rust = "pub const MAX: u32 = 3; pub struct s { pub a: c_int, } \
                    extern \"C\" { pub fn f(type_: c_int) -> c_int; }";
        assert_eq!(found(c, rust), Vec::<String>::new());
    }

    #[test]
    fn all_problems() {
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
            &["TWICE is not a constant", "a.h:1", "a function"],
        );
        of(
            "#define HERE current\n",
            "",
            &["HERE is not a constant", "enum"],
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
            &["misreads pick()", "a.h:1: void(*pick(int nth))(void)"],
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
            &["`type` is reserved in Rust"],
        );
        of(
            "int match(int);\n",
            "extern \"C\" { #[link_name = \"\\u{1}match\"] pub fn match_(a: c_int); }",
            &["`match` is reserved in Rust"],
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
