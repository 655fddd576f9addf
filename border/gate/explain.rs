// SPDX-License-Identifier: GPL-2.0

//! Runs a recipe in place of Kbuild's shell. If a compiler rejects something that a contract
//! declares, explains the error in terms of the contract. As the shell, the gate is not a part of
//! the commands that Kbuild records.

use std::process::{Command, ExitCode, Stdio};

use crate::assertions::{BORDER, LINE, RUST_HAS};
use crate::bind::module_of;
use crate::bindings::{declarations, Bindings, SymbolKind, DECLARED};
use crate::header::real;
use crate::problem::{read, Layer, Problem};
use crate::tokens::is_word_char;

/// (a part of rustc's message, the error, the help); the last one is for all other messages.
const MISMATCHES: &[(&str, &str, &str)] = &[
    (
        "expected unsafe fn",
        "is a safe function, but C can call it with any arguments",
        "make it an unsafe extern \"C\" fn, and document what callers must ensure under # Safety",
    ),
    (
        "to mutable static",
        "is not const in the contract, so C may write to it",
        "add const in the header",
    ),
    (
        "",
        "does not fit its declaration",
        "make the two match, including const",
    ),
];

/// A symbol that a contract declares.
pub(crate) struct Symbol {
    name: String,
    /// `c_helper.h:7: int f(int a)`
    declaration: String,
    function: bool,
}

pub(crate) fn run(layer: Layer, contracts: &[&str], recipe: &str) -> ExitCode {
    let shell = || {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", recipe]);
        shell
    };
    let status = match shell().status() {
        Ok(status) => status,
        Err(error) => {
            eprint!(
                "{}",
                Layer::Gate.error(format!("cannot run /bin/sh: {error}"))
            );
            return ExitCode::FAILURE;
        }
    };
    if status.success() {
        return ExitCode::SUCCESS;
    }
    let Some(code) = status.code().and_then(|code| u8::try_from(code).ok()) else {
        // Killed by a signal.
        return ExitCode::FAILURE;
    };
    // The first run wrote to the terminal. Run it again to read its errors.
    let output = shell().stdin(Stdio::null()).output();
    let stderr = output.map_or_else(|_| Vec::new(), |output| output.stderr);
    let stderr = String::from_utf8_lossy(&stderr);
    for problem in explanations(layer, contracts, &symbols(contracts), &stderr) {
        eprint!("{problem}");
    }
    ExitCode::from(code)
}

fn symbols(contracts: &[&str]) -> Vec<Symbol> {
    let sources = contracts
        .iter()
        .map(|contract| read(contract).unwrap_or_default());
    sources.flat_map(|source| symbols_in(&source)).collect()
}

/// The symbols that bindings declare.
pub(crate) fn symbols_in(source: &str) -> Vec<Symbol> {
    let bindings = Bindings::new(source);
    let symbol = |name: &str| {
        bindings
            .symbols
            .iter()
            .find(|symbol| symbol.c_name() == name)
    };
    let declared = declarations(source).into_iter();
    let symbols = declared.filter_map(|(name, declaration)| {
        let symbol = symbol(name)?;
        Some(Symbol {
            name: name.to_owned(),
            declaration,
            function: matches!(symbol.kind, Some(SymbolKind::Function(_))),
        })
    });
    symbols.collect()
}

pub(crate) fn explanations(
    layer: Layer,
    contracts: &[&str],
    symbols: &[Symbol],
    stderr: &str,
) -> Vec<Problem> {
    let mut problems = failed_assertions(stderr);
    problems.extend(missing_prototypes(layer, stderr));
    if !problems.is_empty() {
        return problems;
    }
    let other = error_in_bindings(layer, contracts, stderr);
    if let Some(problem) = other.or_else(|| missing_binding(layer, contracts, stderr)) {
        return vec![problem];
    }
    mismatches(layer, symbols, stderr)
}

fn mismatches(layer: Layer, symbols: &[Symbol], stderr: &str) -> Vec<Problem> {
    let place = first_place(layer, stderr);
    let (_, what, help) = MISMATCHES
        .iter()
        .find(|(message, ..)| stderr.contains(message))
        .unwrap_or(&MISMATCHES[MISMATCHES.len() - 1]);
    let problem = |subject: &str, symbols: &[&Symbol]| {
        let problem = layer.error(format!("{subject} {what}"));
        let notes = symbols
            .iter()
            .map(|symbol| &symbol.declaration)
            .chain(&place);
        notes.fold(problem, Problem::note).help(*help)
    };
    let affected = affected(symbols, stderr);
    if affected.is_empty() && in_border_rs(stderr) {
        // For a static in keeps_contract!(), rustc's message contains no name.
        let data: Vec<_> = symbols.iter().filter(|symbol| !symbol.function).collect();
        let names: Vec<&str> = data.iter().map(|symbol| symbol.name.as_str()).collect();
        return match names[..] {
            [] => Vec::new(),
            [name] => vec![problem(name, &data)],
            _ => vec![problem(&format!("one of {}", names.join(", ")), &data)],
        };
    }
    let affected = affected.into_iter();
    affected
        .map(|symbol| problem(&symbol.name, &[symbol]))
        .collect()
}

/// An error that rustc reports in the generated bindings.
fn error_in_bindings(layer: Layer, contracts: &[&str], stderr: &str) -> Option<Problem> {
    let mut lines = stderr.lines();
    let place = lines.find_map(|line| line.trim().strip_prefix("--> "))?;
    let (file, line) = without_column(place).rsplit_once(':')?;
    let contract = contracts
        .iter()
        .find(|contract| real(contract) == real(file))?;
    let headline = stderr.lines().find(|line| line.starts_with("error"))?;
    if let Some((_, module)) = headline.split_once("`super::") {
        let module = module.split([':', '`']).next().unwrap_or(module);
        let own = module_of(contract.strip_suffix(".rs").unwrap_or(contract));
        let what = format!("{contract} uses types of {module}, which is not a module beside it");
        let problem = layer.error(what).note(headline);
        return Some(problem.help(format!("add mod {module}; next to mod {own};")));
    }
    let source = read(contract).ok()?;
    let before: Vec<&str> = source.lines().take(line.parse().ok()?).collect();
    let declared = before
        .iter()
        .rev()
        .find_map(|line| line.trim().strip_prefix(DECLARED));
    let problem = Layer::Contract
        .error("rustc rejects what the contract declares")
        .note(declared.unwrap_or(contract).replace('`', ""))
        .note(headline);
    Some(problem.help("pass such types by pointer, and declare functions for what Rust needs"))
}

/// A name that the bindings lack, though the header may declare it.
fn missing_binding(layer: Layer, contracts: &[&str], stderr: &str) -> Option<Problem> {
    let headline = stderr
        .lines()
        .find(|line| line.starts_with("error[E0425]"))?;
    let (_, rest) = headline.split_once(" `")?;
    let (name, rest) = rest.split_once('`')?;
    let module = rest.split_once(" in module `")?.1.split('`').next()?;
    let contract = contracts
        .iter()
        .find(|contract| module_of(contract.strip_suffix(".rs").unwrap_or(contract)) == module)?;
    let layout = read(&contract.replace("_h.rs", "_layout.h")).ok()?;
    let declared = layout
        .lines()
        .filter_map(|line| line.strip_prefix(LINE))
        .find(|line| names(line).any(|word| word == name));
    let problem = layer.error(format!("{module} has no {name}"));
    Some(match declared {
        Some(line) => problem.note(line).help(
            "declare it as an ordinary function or variable: bindgen skips hidden symbols \
             (visibility), inline functions and macros",
        ),
        None => problem.help(format!("declare {name} in the contract")),
    })
}

fn in_border_rs(stderr: &str) -> bool {
    let mut lines = stderr.lines();
    lines.any(|line| line.trim_start().starts_with("--> ") && line.contains("border/border.rs:"))
}

/// The place of the first error, and its headline.
fn first_place(layer: Layer, stderr: &str) -> Option<String> {
    let mut lines = stderr.lines();
    if layer == Layer::Rust {
        let headline = lines.find(|line| line.starts_with("error"))?;
        let mut places = lines.filter_map(|line| {
            let line = line.trim();
            line.strip_prefix("--> ").or(line.strip_prefix("::: "))
        });
        let place = places.find(|place| !place.contains("border/border.rs:"))?;
        let what = headline.split_once(": ").map_or(headline, |(_, what)| what);
        return Some(format!("{}: {what}", without_column(place)));
    }
    let (place, what) = lines.find_map(|line| line.split_once(": error: "))?;
    Some(format!("{}: {what}", without_column(place)))
}

/// `exports.rs:25` of `exports.rs:25:14`
fn without_column(place: &str) -> &str {
    let place = place.rsplit_once(':').map_or(place, |(place, _)| place);
    place.strip_prefix("./").unwrap_or(place)
}

/// The assertions of a layout header that failed.
fn failed_assertions(stderr: &str) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for line in stderr.lines().filter(|line| line.contains("error: ")) {
        let assertion = line.split_once(BORDER).map(|(_, assertion)| assertion);
        let Some((fact, rust)) = assertion.and_then(|it| it.split_once(RUST_HAS)) else {
            continue;
        };
        let Some((place, what)) = fact.split_once(": ") else {
            continue;
        };
        let rust = rust.trim_end_matches('"');
        let mut problem = Layer::C
            .error(format!("{what} differs between Rust and C"))
            .note(format!("{place}: Rust has {rust}"));
        if let Some(source) = included_by(stderr, line) {
            problem = problem.note(format!("{source}: C has a different one"));
        }
        problem = problem.help(if what.starts_with("type of ") {
            "declare the same type for both; a typedef helps where bindgen substitutes another type"
        } else {
            "remove the flag or #pragma that changes it for C"
        });
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// `a.c:2` of the line `In file included from a.c:2:` before a message. GCC splits that line.
fn included_by<'s>(stderr: &'s str, message: &str) -> Option<&'s str> {
    let at = message.as_ptr() as usize - stderr.as_ptr() as usize;
    let before = stderr.get(..at)?;
    let mut files = before.lines().filter_map(|line| {
        let (_, file) = line.split_once("from ")?;
        let file = file.trim_end_matches([':', ',']);
        file.split(':').next()?.ends_with(".c").then_some(file)
    });
    files.next_back()
}

/// `no previous prototype for function 'f'`
fn missing_prototypes(layer: Layer, stderr: &str) -> Vec<Problem> {
    stderr
        .lines()
        .filter(|line| layer == Layer::C && line.contains("no previous prototype for"))
        .filter_map(|line| {
            let name = line.split(['\'', '‘', '’']).nth(1)?;
            let (place, _) = line.split_once(": error: ")?;
            Some(
                layer
                    .error(format!(
                        "{name} is a global symbol that no contract declares"
                    ))
                    .note(without_column(place))
                    .help("declare it in the contract, or make it static"),
            )
        })
        .collect()
}

/// The symbols that the messages are about. Compilers quote whole lines, so only names that are
/// compared, in a headline, or underlined count.
fn affected<'d>(symbols: &'d [Symbol], stderr: &str) -> Vec<&'d Symbol> {
    let lines: Vec<&str> = stderr.lines().collect();
    let compared = lines.iter().filter_map(|line| {
        let item = line.split_once(" fn item `")?.1.rsplit_once('{')?.1;
        names(item.split('}').next()?).last()
    });
    let headlines = lines.iter().filter(|line| line.contains("error"));
    let sources = || lines.windows(2);
    // For a callback, rustc underlines the argument, not the function that is called.
    let passed = sources().filter(|pair| stderr.contains(" fn pointer `") && pair[1].contains('^'));
    let candidates: [Vec<&str>; 4] = [
        compared.collect(),
        headlines.flat_map(|line| names(line)).collect(),
        sources()
            .flat_map(|pair| underlined(pair[0], pair[1]))
            .collect(),
        passed.flat_map(|pair| names(pair[0])).collect(),
    ];
    candidates
        .into_iter()
        .map(|names| named(symbols, &names))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn named<'d>(symbols: &'d [Symbol], names: &[&str]) -> Vec<&'d Symbol> {
    let symbols = symbols.iter();
    let mut found: Vec<_> = symbols
        .filter(|it| names.contains(&it.name.as_str()))
        .collect();
    if found.iter().any(|symbol| symbol.function) {
        // Data may be named in the arguments of a function.
        found.retain(|symbol| symbol.function);
    }
    found
}

/// The names in a line of source that the compiler underlines in the next line.
fn underlined<'s>(source: &'s str, marks: &str) -> Vec<&'s str> {
    let marks: Vec<char> = marks.chars().collect();
    names(source)
        .filter(|name| {
            let start = name.as_ptr() as usize - source.as_ptr() as usize;
            let column = source[..start].chars().count();
            let below = marks.get(column..).unwrap_or_default();
            let length = below.iter().take_while(|c| "^~-".contains(**c)).count();
            // clang may mark only the first character.
            length >= name.chars().count() || length == 1 && below.first() == Some(&'^')
        })
        .collect()
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word_char(c))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Vec<Symbol> {
        [
            ("f", "a.h:1: int f(int)", true),
            ("g", "a.h:2: int g(void)", true),
            ("DATA", "a.h:3: extern const u32 DATA", false),
        ]
        .map(|(name, declaration, function)| Symbol {
            name: name.to_owned(),
            declaration: declaration.to_owned(),
            function,
        })
        .into()
    }

    #[test]
    fn prototypes() {
        for stderr in [
            "a.c:3:5: error: no previous prototype for function 'f' [-Werror,-Wmissing-prototypes]",
            "a.c:3:5: error: no previous prototype for ‘f’ [-Werror=missing-prototypes]",
        ] {
            let message = explanations(Layer::C, &[], &[], stderr)[0].to_string();
            assert!(
                message.contains("error: f is a global symbol that no contract declares"),
                "{message}"
            );
            assert!(message.contains("note: a.c:3\n"), "{message}");
        }
    }

    #[test]
    fn affected_symbols() {
        let declared = declared();
        let affected = |stderr: &str| -> Vec<&str> {
            affected(&declared, stderr)
                .into_iter()
                .map(|symbol| symbol.name.as_str())
                .collect()
        };
        let list = "error[E0308]: mismatched types\n --> x.rs:1:2\n\
                    1 | keeps_contract!(a_h: f, g);\n  |                         ^\n";
        assert_eq!(
            affected(&format!(
                "{list} = note: expected fn item `fn() {{a_h::f}}`\n"
            )),
            ["f"]
        );
        assert_eq!(affected(list), ["g"]);
        assert_eq!(
            affected("a.c:3:5: error: conflicting types for 'f'\n 3 | int f(g)\n"),
            ["f"]
        );
        assert_eq!(
            affected("error[E0061]: 1 argument\n7 | f(g(), 1)\n  | ^      -\n"),
            ["f"]
        );
        // The error is about another name in the line.
        assert!(affected("error[E0425]: cannot find `x`\n7 | f(x)\n  |   ^\n").is_empty());
    }

    #[test]
    fn a_static() {
        let stderr = "error[E0308]: mismatched types\n  --> ./border/border.rs:30:1\n\
                    \x20 ::: x.rs:7:1\n = note: expected reference `&u32`\n";
        let message = explanations(Layer::Rust, &[], &declared(), stderr)[0].to_string();
        assert!(
            message.contains("error: DATA does not fit its declaration"),
            "{message}"
        );
        assert!(
            message.contains("note: a.h:3: extern const u32 DATA"),
            "{message}"
        );
        assert!(
            message.contains("note: x.rs:7: mismatched types"),
            "{message}"
        );
    }

    #[test]
    fn assertions() {
        let clang = "In file included from a.c:2:\nIn file included from ./a.h:9:\n\
            ./a_layout.h:4:1: error: static assertion failed due to requirement 'sizeof(struct s) == 4': border: a.h:3: size of struct s: Rust has 4\n\
            ./a_layout.h:4:1: note: expression evaluates to '8 == 4'\n";
        let gcc = "In file included from a.h:9,\n                 from a.c:2:\n\
            a_layout.h:4:2: error: static assertion failed: \"border: a.h:3: size of struct s: Rust has 4\"\n";
        for stderr in [clang, gcc] {
            let message = explanations(Layer::C, &[], &declared(), stderr)[0].to_string();
            for wanted in [
                "error: size of struct s differs between Rust and C\n",
                "note: a.h:3: Rust has 4\n",
                "note: a.c:2: C has a different one\n",
            ] {
                assert!(message.contains(wanted), "{wanted}: {message}");
            }
        }
    }
}
