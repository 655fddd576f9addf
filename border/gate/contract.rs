// SPDX-License-Identifier: GPL-2.0

//! May this header be a contract? It may if both languages see the same in all of it, and if what
//! they see can be checked.

use crate::bindings::{item_name, Bindings, Symbol, Type, DECLARED};
use crate::declared;
use crate::header::{text, without_attributes, Header};
use crate::layout;
use crate::probes;
use crate::problem::{none, read, write, Checked, Layer, Problem};
use crate::tokens::c_tokens;

/// Names that Rust keeps for itself, so that bindgen has to give others.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "Self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Checks the header; writes what rustc and the C compiler see of it.
pub(crate) fn check(
    file: &str,
    preprocessed: &str,
    bound: &str,
    rust: &str,
    layout: &str,
) -> Checked {
    let (preprocessed, bound) = (read(preprocessed)?, read(bound)?);
    let header = Header::new(file, &preprocessed);
    let bindings = Bindings::new(&bound);

    let mut problems = has_layout(file, &read(file)?, layout);
    problems.extend(macros(&header, &bindings));
    problems.extend(statements(&header));
    problems.extend(
        bindings
            .symbols
            .iter()
            .flat_map(|symbol| symbols(&header, symbol)),
    );
    problems.extend(
        bindings
            .types
            .iter()
            .flat_map(|known| types(&header, known)),
    );
    problems.extend(names(&header, &bindings));
    none(problems)?;

    write(layout, &layout::of(&header, &bindings))?;
    let probes = probes::of(&bindings.symbols);
    write(rust, &(with_places(&header, &bound) + &probes))
}

/// Each object that includes the header has to confirm the layout, with its own flags and macros.
fn has_layout(file: &str, source: &str, layout: &str) -> Vec<Problem> {
    let name = layout.rsplit('/').next().unwrap_or(layout);
    let tokens = c_tokens(source, 1);
    let included = tokens
        .windows(2)
        .any(|pair| pair[0].is("include") && pair[1].text == name);
    match included {
        true => Vec::new(),
        false => vec![Problem::new(
            Layer::Contract,
            format!("{file} has no line by which the C compiler confirms what Rust is told"),
        )
        .mend(format!(
            "at its end, before the last #endif:\n\
             \t#ifndef __BINDGEN__\n\
             \t#include \"{name}\"\n\
             \t#endif"
        ))],
    }
}

/// A macro must be a constant, or Rust does not see it.
fn macros(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let constant = |name| bindings.constants.iter().any(|(known, _)| known == name);
    header
        .macros
        .iter()
        .filter(|defined| defined.text != defined.name && !constant(defined.name))
        .map(|defined| {
            Problem::new(
                Layer::Contract,
                format!("{} is no constant that Rust could see", defined.name),
            )
            .seen(format!(
                "{}: #define {}",
                header.place(defined.line),
                defined.text
            ))
            .mend(match defined.text[defined.name.len()..].starts_with('(') {
                true => "declare a function here, and use the macro in the .c that defines it",
                false => {
                    "write enum { NAME = … }; for a number, or declare a function that returns it"
                }
            })
        })
        .collect()
}

/// What gives each half a copy of its own, or Rust nothing to link with.
fn statements(header: &Header<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for statement in header.statements() {
        let before_body = statement.iter().take_while(|token| !token.is("{"));
        // In `u32 v[static 4]` it says something of the parameter.
        let mut depth = 0;
        let outside = before_body.clone().filter(|token| {
            depth += i32::from(token.is("(")) - i32::from(token.is(")"));
            depth == 0
        });
        let outside: Vec<_> = outside.collect();
        let word = ["inline", "__inline", "__inline__", "static"]
            .iter()
            .find_map(|word| outside.iter().find(|token| token.is(word)));
        if let Some(word) = word {
            let declaration: Vec<_> = before_body.copied().collect();
            problems.push(
                Problem::new(
                    Layer::Contract,
                    format!(
                        "{} functions and data have no symbol to link with",
                        word.text
                    ),
                )
                .seen(format!(
                    "{}: {}",
                    header.place(word.line),
                    text(&without_attributes(&declaration))
                ))
                .mend("declare a plain function here that calls it, and define that in a .c"),
            );
        }
    }
    problems
}

fn symbols(header: &Header<'_>, symbol: &Symbol) -> Vec<Problem> {
    let mut problems = Vec::new();
    let declarations = declared::functions(header, &symbol.name);
    let seen = |problem: Problem| {
        declarations.iter().fold(problem, |problem, declaration| {
            problem.seen(format!(
                "{}: {}",
                header.place(declaration.line),
                declaration.text
            ))
        })
    };
    if symbol.variadic {
        problems.push(
            seen(Problem::new(
                Layer::Contract,
                format!(
                    "{}() is variadic: nothing checks what is passed for the ...",
                    symbol.name
                ),
            ))
            .mend("declare a function with fixed parameters"),
        );
    }
    if declarations.len() > 1 {
        problems.push(
            seen(Problem::new(
                Layer::Contract,
                format!("{}() is declared {} times", symbol.name, declarations.len()),
            ))
            .mend("keep one of them"),
        );
    }
    problems
}

/// A struct must be visible to the last byte, or only ever be pointed to.
fn types(header: &Header<'_>, known: &Type) -> Vec<Problem> {
    let has = |start: &str| {
        known
            .fields
            .iter()
            .any(|field| field.name.starts_with(start))
    };
    let (what, mend) = if has("_bitfield_") {
        (
            "bit-fields, whose places no C compiler can confirm",
            "use a whole integer, and constants for its bits",
        )
    } else if has("_bindgen_opaque_blob") || known.impossible {
        (
            "a layout that Rust has no words for: packed, or aligned oddly",
            "order its fields so that it needs no attribute; or pass only pointers to it, and \
             declare functions for its fields",
        )
    } else {
        return Vec::new();
    };
    let problem = Problem::new(Layer::Contract, format!("{} has {what}", known.name)).mend(mend);
    vec![match declared::body(header, &known.name) {
        Some(body) => problem.seen(format!("{}: {}", header.place(body.line), body.c_name)),
        None => problem,
    }]
}

/// bindgen puts a `_` behind names that Rust keeps for itself.
fn names(header: &Header<'_>, bindings: &Bindings) -> Vec<Problem> {
    let symbols = bindings
        .symbols
        .iter()
        .map(|symbol| symbol.rust_name.as_str());
    let types = bindings.types.iter().map(|known| known.name.as_str());
    let fields = bindings.types.iter().flat_map(|known| &known.fields);
    let fields = fields.map(|field| field.name.as_str());
    let constants = bindings.constants.iter().map(|(name, _)| name.as_str());
    let aliases = bindings.aliases.iter().map(|(name, _)| name.as_str());
    let mut names: Vec<&str> = symbols
        .chain(types)
        .chain(fields)
        .chain(constants)
        .chain(aliases)
        .filter_map(|name| name.strip_suffix('_'))
        .filter(|name| KEYWORDS.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| header.tokens.iter().find(|token| token.is(name)))
        .map(|token| {
            Problem::new(
                Layer::Contract,
                format!(
                    "`{}` is a keyword of Rust, where this would have another name",
                    token.text
                ),
            )
            .seen(header.place(token.line))
            .mend("choose a name that is good in both languages")
        })
        .collect()
}

/// The bindings, each item with the place and the words of its declaration.
fn with_places(header: &Header<'_>, bindings: &str) -> String {
    let mut whole = String::new();
    for line in bindings.lines() {
        let item = line.trim_start();
        let declaration = item_name(item).and_then(|name| declared::anything(header, name));
        if let Some(declaration) = declaration {
            let indent = &line[..line.len() - item.len()];
            let place = header.place(declaration.line);
            whole += &format!("{indent}{DECLARED}{place}: `{}`\n", declaration.text);
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
        let header = Header::new("a.h", &c);
        let bindings = Bindings::new(rust);
        let mut problems = macros(&header, &bindings);
        problems.extend(statements(&header));
        problems.extend(bindings.symbols.iter().flat_map(|s| symbols(&header, s)));
        problems.extend(bindings.types.iter().flat_map(|t| types(&header, t)));
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
            "int f(int);\n\nint f(int);\n",
            "extern \"C\" { pub fn f(a: c_int); }",
            &["2 times", "a.h:3"],
        );
        of(
            "struct s { u32 a:3; };\n",
            "pub struct s { pub _bitfield_1: X, }",
            &["bit-fields", "a.h:1: struct s"],
        );
        of(
            "struct s { int type; };\n",
            "pub struct s { pub type_: c_int, }",
            &["`type` is a keyword"],
        );
        of(
            "int match(int);\n",
            "extern \"C\" { #[link_name = \"\\u{1}match\"] pub fn match_(a: c_int); }",
            &["`match` is a keyword"],
        );
    }

    #[test]
    fn places() {
        let header = Header::new("a.h", "# 7 \"a.h\"\nint f(int a);\n");
        assert_eq!(
            with_places(&header, "extern \"C\" {\n    pub fn f(a: c_int);\n}\n"),
            "extern \"C\" {\n    /// Declared in a.h:7: `int f(int a)`\n    pub fn f(a: c_int);\n}\n"
        );
    }
}
