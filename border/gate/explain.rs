// SPDX-License-Identifier: GPL-2.0

//! Runs a recipe of Kbuild's as its shell does; where a compiler fails over something of a
//! contract, tells what the header says, and which layer of the border it was: compilers know
//! nothing of borders. In the shell's place it is in no command that Kbuild records.

use std::process::{Command, ExitCode, Stdio};

use crate::bind::module_of;
use crate::bindings::{declarations, Bindings, SymbolKind, DECLARED};
use crate::facts::{BORDER, LINE, TOLD};
use crate::header::real;
use crate::problem::{read, Layer, Problem};

/// (the word on the command line, the layer)
const LAYERS: &[(&str, Layer)] = &[("rust", Layer::Rust), ("c", Layer::C)];

/// (what rustc says, what is wrong, what fixes it); the last is for all others.
const MISFITS: &[(&str, &str, &str)] = &[
    (
        "expected unsafe fn",
        "is a safe function, which would trust whatever C passes",
        "write unsafe extern \"C\" fn, and a # Safety section of what callers have to promise",
    ),
    (
        "to mutable static",
        "may be written by C, as the contract declares it",
        "write const in the header",
    ),
    (
        "",
        "does not fit its declaration",
        "make both say the same; the header's const is a part of it",
    ),
];

/// What a contract declares, for messages.
struct Symbol {
    name: String,
    /// `c_helper.h:7: int f(int a)`
    declaration: String,
    function: bool,
}

/// `LAYER CONTRACT... -c RECIPE`
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let (Some((layer, contracts)), Some(recipe)) = (
        words.split_first().and_then(|(layer, rest)| {
            let (_, layer) = LAYERS.iter().find(|(word, _)| word == layer)?;
            Some((*layer, rest.split_last_chunk::<2>()?.0))
        }),
        words.last(),
    ) else {
        eprint!(
            "{}",
            Problem::of_use("gate shell rust|c CONTRACT.rs... -c RECIPE")
        );
        return ExitCode::FAILURE;
    };
    let shell = || {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", recipe]);
        shell
    };
    let code = match shell().status() {
        Ok(status) if status.success() => return ExitCode::SUCCESS,
        // Killed: there is nothing to explain.
        Ok(status) => match status.code().and_then(|code| u8::try_from(code).ok()) {
            Some(code) => code,
            None => return ExitCode::FAILURE,
        },
        Err(error) => {
            let problem = Problem::new(Layer::Gate, format!("cannot run /bin/sh: {error}"));
            eprint!("{problem}");
            return ExitCode::FAILURE;
        }
    };
    // Once more, to read what its user has seen already, in colours perhaps.
    let output = shell().stdin(Stdio::null()).output();
    let said = output.map_or_else(|_| Vec::new(), |output| output.stderr);
    let said = String::from_utf8_lossy(&said);
    for problem in explanations(layer, contracts, &symbols(contracts), &said) {
        eprint!("{problem}");
    }
    ExitCode::from(code)
}

fn symbols(contracts: &[&str]) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    for contract in contracts {
        let source = read(contract).unwrap_or_default();
        let bindings = Bindings::new(&source);
        let kind = |name: &str| bindings.symbols.iter().find(|symbol| symbol.name == name);
        for (name, declaration) in declarations(&source) {
            symbols.extend(kind(name).map(|symbol| Symbol {
                name: name.to_owned(),
                declaration,
                function: matches!(symbol.kind, Some(SymbolKind::Function(_))),
            }));
        }
    }
    symbols
}

fn explanations(layer: Layer, contracts: &[&str], symbols: &[Symbol], said: &str) -> Vec<Problem> {
    let mut problems = unconfirmed(said);
    problems.extend(undeclared(layer, said));
    if !problems.is_empty() {
        return problems;
    }
    if let Some(problem) = generated(layer, contracts, said) {
        return vec![problem];
    }
    if let Some(problem) = left_out(layer, contracts, said) {
        return vec![problem];
    }
    let (meant, unsure) = match (meant(symbols, said), in_border_rs(said)) {
        (meant, false) => (meant, false),
        // Of a static that `keeps_contract!` was asked about, rustc tells no name.
        (meant, true) if meant.is_empty() => (
            symbols.iter().filter(|symbol| !symbol.function).collect(),
            true,
        ),
        (meant, true) => (meant, false),
    };
    let place = first_place(layer, said);
    let (what, help) = misfit(said);
    if unsure {
        let names: Vec<&str> = meant.iter().map(|symbol| symbol.name.as_str()).collect();
        let subject = match names[..] {
            [] => return Vec::new(),
            [name] => name.to_owned(),
            _ => format!("one of {}", names.join(", ")),
        };
        let problem = Problem::new(layer, format!("{subject} {what}"));
        let declarations = meant.iter().map(|symbol| &symbol.declaration);
        let notes = declarations.chain(&place);
        return vec![notes.fold(problem, Problem::note).help(help)];
    }
    for symbol in meant {
        let problem = Problem::new(layer, format!("{} {what}", symbol.name));
        let notes = std::iter::once(&symbol.declaration).chain(&place);
        problems.push(notes.fold(problem, Problem::note).help(help));
    }
    problems
}

/// What is wrong with it, and what fixes it.
fn misfit(said: &str) -> (&'static str, &'static str) {
    let (_, what, help) = MISFITS
        .iter()
        .find(|(words, ..)| said.contains(words))
        .unwrap_or(&MISFITS[MISFITS.len() - 1]);
    (what, help)
}

/// rustc refuses what bindgen made of the contract.
fn generated(layer: Layer, contracts: &[&str], said: &str) -> Option<Problem> {
    let mut lines = said.lines();
    let place = lines.find_map(|line| line.trim().strip_prefix("--> "))?;
    let (file, line) = without_column(place).rsplit_once(':')?;
    let contract = contracts
        .iter()
        .find(|contract| real(contract) == real(file))?;
    let headline = said.lines().find(|line| line.starts_with("error"))?;
    if let Some((_, module)) = headline.split_once("`super::") {
        let module = module.split([':', '`']).next().unwrap_or(module);
        let own = module_of(contract.strip_suffix(".rs").unwrap_or(contract));
        let what = format!("{contract} uses types of {module}, which is no module beside it");
        let problem = Problem::new(layer, what).note(headline);
        return Some(problem.help(format!("mod {module}; where mod {own} is")));
    }
    let source = read(contract).ok()?;
    let before: Vec<&str> = source.lines().take(line.parse().ok()?).collect();
    let declared = before
        .iter()
        .rev()
        .find_map(|line| line.trim().strip_prefix(DECLARED));
    let problem = Problem::new(Layer::Contract, "rustc refuses what the contract declares")
        .note(declared.unwrap_or(contract).replace('`', ""))
        .note(headline);
    Some(problem.help("pass pointers to such types, and declare functions for what Rust needs"))
}

/// What Rust looks for in the bindings and does not find there: a header may declare it all the same.
fn left_out(layer: Layer, contracts: &[&str], said: &str) -> Option<Problem> {
    let headline = said.lines().find(|line| line.starts_with("error[E0425]"))?;
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
    let problem = Problem::new(layer, format!("{module} has no {name}"));
    Some(match declared {
        Some(line) => problem.note(line).help(
            "declare it as plain functions and data are: bindgen leaves out what is hidden \
             (visibility), inline or a macro",
        ),
        None => problem.help(format!("declare {name} in the contract")),
    })
}

fn in_border_rs(said: &str) -> bool {
    said.lines()
        .any(|line| line.trim_start().starts_with("--> ") && line.contains("border/border.rs:"))
}

/// Where the compiler stands, and the headline of its message.
fn first_place(layer: Layer, said: &str) -> Option<String> {
    if layer == Layer::Rust {
        let mut lines = said.lines();
        let headline = lines.find(|line| line.starts_with("error"))?;
        let mut places = lines.filter_map(|line| {
            let line = line.trim();
            line.strip_prefix("--> ").or(line.strip_prefix("::: "))
        });
        let place = places.find(|place| !place.contains("border/border.rs:"))?;
        let what = headline.split_once(": ").map_or(headline, |(_, what)| what);
        return Some(format!("{}: {what}", without_column(place)));
    }
    let mut lines = said.lines();
    let (place, what) = lines.find_map(|line| line.split_once(": error: "))?;
    Some(format!("{}: {what}", without_column(place)))
}

/// `gives.rs:25` of `gives.rs:25:14`
fn without_column(place: &str) -> &str {
    let place = place.rsplit_once(':').map_or(place, |(place, _)| place);
    place.strip_prefix("./").unwrap_or(place)
}

/// The assertions in a layout that failed.
fn unconfirmed(said: &str) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for line in said.lines().filter(|line| line.contains("error: ")) {
        let Some((fact, told)) = line
            .split_once(BORDER)
            .and_then(|(_, fact)| fact.split_once(TOLD))
        else {
            continue;
        };
        // The place ends with a number, or is a whole file.
        let Some((place, what)) = fact.split_once(": ") else {
            continue;
        };
        let problem = Problem::new(Layer::C, format!("{what} is not the same in both halves"))
            .note(format!(
                "{place}: Rust was told {}",
                told.trim_end_matches('"')
            ));
        let problem = match included_by(said, line) {
            Some(source) => problem.note(format!("{source}: C has another")),
            None => problem,
        };
        let problem = problem.help(if what.starts_with("type of ") {
            "declare the same for both; a typedef helps where bindgen takes a type for another"
        } else {
            "take the flag or the #pragma away that changes it for C"
        });
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// `a.c:2` of `In file included from a.c:2:` before the message; GCC goes on in lines of its own.
fn included_by<'s>(said: &'s str, message: &str) -> Option<&'s str> {
    let at = message.as_ptr() as usize - said.as_ptr() as usize;
    let before = said.get(..at)?;
    let mut from = before.lines().filter_map(|line| {
        let (_, file) = line.split_once("from ")?;
        let file = file.trim_end_matches([':', ',']);
        file.split(':').next()?.ends_with(".c").then_some(file)
    });
    from.next_back()
}

/// `no previous prototype for function 'f'`: C gives what the contract does not declare.
fn undeclared(layer: Layer, said: &str) -> Vec<Problem> {
    said.lines()
        .filter(|line| layer == Layer::C && line.contains("no previous prototype for"))
        .filter_map(|line| {
            let name = line.split(['\'', '‘', '’']).nth(1)?;
            let (place, _) = line.split_once(": error: ")?;
            let what = format!("{name} has a symbol that no contract declares");
            Some(
                Problem::new(layer, what)
                    .note(without_column(place))
                    .help("declare it in the contract, or make it static"),
            )
        })
        .collect()
}

/// The symbols that the messages are about. Compilers quote whole lines, with the names of
/// innocents in them: only what they compare, name in a headline, or underline is meant.
fn meant<'d>(symbols: &'d [Symbol], said: &str) -> Vec<&'d Symbol> {
    let lines: Vec<&str> = said.lines().collect();
    let compared = lines.iter().filter_map(|line| {
        let item = line.split_once(" fn item `")?.1.rsplit_once('{')?.1;
        names(item.split('}').next()?).last()
    });
    let headlines = lines.iter().filter(|line| line.contains("error"));
    let sources = || lines.windows(2);
    // What is passed is underlined, not to whom.
    let passed = sources().filter(|pair| said.contains(" fn pointer `") && pair[1].contains('^'));
    let exact: [Vec<&str>; 4] = [
        compared.collect(),
        headlines.flat_map(|line| names(line)).collect(),
        sources()
            .flat_map(|pair| underlined(pair[0], pair[1]))
            .collect(),
        passed.flat_map(|pair| names(pair[0])).collect(),
    ];
    exact
        .into_iter()
        .map(|names| named(symbols, &names))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn named<'d>(symbols: &'d [Symbol], names: &[&str]) -> Vec<&'d Symbol> {
    let mut found: Vec<_> = symbols
        .iter()
        .filter(|symbol| names.contains(&symbol.name.as_str()))
        .collect();
    if found.iter().any(|symbol| symbol.function) {
        // The types of its parameters are named for its sake.
        found.retain(|symbol| symbol.function);
    }
    found
}

/// The names in a line of source below which the compiler has drawn a line.
fn underlined<'s>(source: &'s str, drawn: &str) -> Vec<&'s str> {
    let drawn: Vec<char> = drawn.chars().collect();
    names(source)
        .filter(|name| {
            let start = name.as_ptr() as usize - source.as_ptr() as usize;
            let column = source[..start].chars().count();
            let below = drawn.get(column..).unwrap_or_default();
            let length = below.iter().take_while(|c| "^~-".contains(**c)).count();
            // clang only points at the first letter.
            length >= name.chars().count() || length == 1 && below.first() == Some(&'^')
        })
        .collect()
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_alphanumeric())
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
    fn a_function_that_nobody_declares() {
        for said in [
            "a.c:3:5: error: no previous prototype for function 'f' [-Werror,-Wmissing-prototypes]",
            "a.c:3:5: error: no previous prototype for ‘f’ [-Werror=missing-prototypes]",
        ] {
            let told = explanations(Layer::C, &[], &[], said)[0].to_string();
            assert!(
                told.contains("error: f has a symbol that no contract declares"),
                "{told}"
            );
            assert!(told.contains("note: a.c:3\n"), "{told}");
        }
    }

    #[test]
    fn what_is_meant() {
        let declared = declared();
        let meant = |said: &str| -> Vec<&str> {
            meant(&declared, said)
                .into_iter()
                .map(|symbol| symbol.name.as_str())
                .collect()
        };
        let list = "error[E0308]: mismatched types\n --> x.rs:1:2\n\
                    1 | keeps_contract!(a_h: f, g);\n  |                         ^\n";
        assert_eq!(
            meant(&format!(
                "{list} = note: expected fn item `fn() {{a_h::f}}`\n"
            )),
            ["f"]
        );
        assert_eq!(meant(list), ["g"]);
        assert_eq!(
            meant("a.c:3:5: error: conflicting types for 'f'\n 3 | int f(g)\n"),
            ["f"]
        );
        assert_eq!(
            meant("error[E0061]: 1 argument\n7 | f(g(), 1)\n  | ^      -\n"),
            ["f"]
        );
        // An error of another kind, in a line with a crossing in it.
        assert!(meant("error[E0425]: cannot find `x`\n7 | f(x)\n  |   ^\n").is_empty());
    }

    #[test]
    fn a_static() {
        let said = "error[E0308]: mismatched types\n  --> ./border/border.rs:30:1\n\
                    \x20 ::: x.rs:7:1\n = note: expected reference `&u32`\n";
        let told = explanations(Layer::Rust, &[], &declared(), said)[0].to_string();
        assert!(
            told.contains("error: DATA does not fit its declaration"),
            "{told}"
        );
        assert!(
            told.contains("note: a.h:3: extern const u32 DATA"),
            "{told}"
        );
        assert!(told.contains("note: x.rs:7: mismatched types"), "{told}");
    }

    #[test]
    fn what_c_does_not_confirm() {
        let clang = "In file included from a.c:2:\nIn file included from ./a.h:9:\n\
            ./a_layout.h:4:1: error: static assertion failed due to requirement 'sizeof(struct s) == 4': border: a.h:3: size of struct s: Rust was told 4\n\
            ./a_layout.h:4:1: note: expression evaluates to '8 == 4'\n";
        let gcc = "In file included from a.h:9,\n                 from a.c:2:\n\
            a_layout.h:4:2: error: static assertion failed: \"border: a.h:3: size of struct s: Rust was told 4\"\n";
        for said in [clang, gcc] {
            let told = explanations(Layer::C, &[], &declared(), said)[0].to_string();
            for wanted in [
                "error: size of struct s is not the same in both halves\n",
                "note: a.h:3: Rust was told 4\n",
                "note: a.c:2: C has another\n",
            ] {
                assert!(told.contains(wanted), "{wanted}: {told}");
            }
        }
    }
}
