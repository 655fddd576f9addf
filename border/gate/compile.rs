// SPDX-License-Identifier: GPL-2.0

//! Runs a compiler, or bindgen; where it fails over something of a contract, tells what the header
//! says, and which layer of the border it was: compilers know nothing of borders.

use std::io::{BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::bindings::{declarations, DECLARED};
use crate::layout::{identifier, ASKED, TOLD};
use crate::problem::{read, Layer, Problem};
use crate::scan;

/// (the word on the command line, the layer, how its compiler is told to use colours)
const LAYERS: &[(&str, Layer, Option<&str>)] = &[
    ("contract", Layer::Contract, None),
    ("rust", Layer::Rust, Some("--color=always")),
    ("c", Layer::C, Some("-fdiagnostics-color=always")),
];

/// `LAYER CONTRACT... -- COMPILER ARGUMENTS...`
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let mut parts = words.splitn(2, |word| *word == "--");
    let (Some([layer, contracts @ ..]), Some([compiler, arguments @ ..])) =
        (parts.next(), parts.next())
    else {
        return told(&[Problem::of_use(
            "gate compile LAYER CONTRACT... -- COMPILER ...",
        )]);
    };
    let Some((_, layer, colour)) = LAYERS.iter().find(|(word, ..)| word == layer) else {
        return told(&[Problem::of_use(&format!("gate compile: no layer {layer}"))]);
    };
    match compile(compiler, arguments, *colour) {
        Ok((true, _)) => ExitCode::SUCCESS,
        Ok((false, said)) => told(&explanations(*layer, contracts, &without_colours(&said))),
        Err(error) => told(&[Problem::new(
            Layer::Gate,
            format!("cannot run {compiler}: {error}"),
        )]),
    }
}

fn told(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprint!("{problem}");
    }
    ExitCode::FAILURE
}

/// Whether it succeeded, and its messages, which are passed on as they come.
fn compile(
    compiler: &str,
    arguments: &[&str],
    colour: Option<&str>,
) -> std::io::Result<(bool, String)> {
    let mut command = Command::new(compiler);
    command.args(arguments).stderr(Stdio::piped());
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        command.args(colour);
    }
    let mut child = command.spawn()?;
    let mut said = String::new();
    for line in child
        .stderr
        .take()
        .into_iter()
        .flat_map(|pipe| BufReader::new(pipe).split(b'\n'))
    {
        let line = String::from_utf8_lossy(&line?).into_owned();
        eprintln!("{line}");
        said += &line;
        said.push('\n');
    }
    Ok((child.wait()?.success(), said))
}

/// The text without the escape sequences of a terminal: `\x1b[1m`.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        plain += end.map_or("", |end| &part[end + 1..]);
    }
    plain
}

fn explanations(layer: Layer, contracts: &[&str], said: &str) -> Vec<Problem> {
    if layer == Layer::Contract {
        return vec![
            Problem::new(layer, format!("{} does not parse", contracts.join(" "))).mend(
                "write plain C, as the lines above ask for it: no class, no reference, no overload",
            ),
        ];
    }
    let mut problems = undeclared(layer, said);
    for contract in contracts {
        problems.extend(unconfirmed(layer, said, &layout_beside(contract)));
    }
    let sources: Vec<String> = contracts
        .iter()
        .map(|file| read(file).unwrap_or_default())
        .collect();
    let declared: Vec<(&str, String)> = sources
        .iter()
        .flat_map(|source| declarations(source))
        .collect();
    // What could not be confirmed has the names of types in it, and was told already.
    let others = if problems.is_empty() { said } else { "" };
    if let Some(problem) = of_data(layer, &declared, said) {
        problems.push(problem);
        return problems;
    }
    let meant = meant(&declared, others);
    for (name, declaration) in meant {
        let problem = Problem::new(layer, format!("{name} does not fit its declaration"));
        let views = views(layer, name, said);
        let problem = views
            .into_iter()
            .fold(problem.seen(declaration), Problem::seen);
        problems.push(problem.mend("make both say the same"));
    }
    problems
}

fn layout_beside(contract: &str) -> String {
    let layout = contract.replace("_h.rs", "_layout.h");
    std::fs::read_to_string(layout).unwrap_or_default()
}

/// A `static` that keeps_contract! was asked about: rustc tells the types, but not the name.
fn of_data(layer: Layer, declared: &[(&str, String)], said: &str) -> Option<Problem> {
    let in_macro = said.contains("--> border/border.rs:") || said.contains("/border/border.rs:");
    if layer != Layer::Rust || !in_macro || said.contains(" fn item `") {
        return None;
    }
    let place = place_in_rust(said)?;
    // It stands in the same file.
    let file = format!("{}:", place.rsplit_once(':')?.0);
    let mut names = Vec::new();
    let mut seen = Vec::new();
    for (name, declaration) in declared
        .iter()
        .filter(|(_, text)| text.contains(": extern "))
    {
        if let Some(defined) = definition(name, place).filter(|defined| defined.starts_with(&file))
        {
            names.push(*name);
            seen.extend([declaration.clone(), defined]);
        }
    }
    let names = match &names[..] {
        [] => return None,
        [name] => (*name).to_owned(),
        names => format!("one of {}", names.join(", ")),
    };
    let problem = Problem::new(layer, format!("{names} does not fit its declaration"));
    let problem = seen.into_iter().fold(problem, Problem::seen);
    let problem = views_of_rust("", said)
        .into_iter()
        .fold(problem, Problem::seen);
    Some(problem.mend("make both say the same; the header's `const` is a part of it"))
}

/// The declarations that the messages are about. Compilers quote whole lines, with the names of
/// innocents in them: only what they compare, name in a headline, or underline is meant.
fn meant<'d>(declared: &'d [(&'d str, String)], said: &str) -> Vec<&'d (&'d str, String)> {
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
        .map(|names| named(declared, &names))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn named<'d>(declared: &'d [(&'d str, String)], names: &[&str]) -> Vec<&'d (&'d str, String)> {
    let mut found: Vec<_> = declared
        .iter()
        .filter(|(name, _)| names.contains(name))
        .collect();
    let function = |(_, text): &&(&str, String)| text.contains('(');
    if found.iter().any(function) {
        // The types of its parameters are named for its sake.
        found.retain(function);
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

/// What the half itself says, with its places, as far as the messages tell.
fn views(layer: Layer, name: &str, said: &str) -> Vec<String> {
    match layer {
        Layer::Rust => views_of_rust(name, said),
        _ => views_of_c(name, said),
    }
}

fn views_of_c(name: &str, said: &str) -> Vec<String> {
    let errors = || said.lines().filter(|line| line.contains(": error: "));
    let about = errors().filter(|line| names(line).any(|word| word == name));
    let view = |line: &str| {
        let (place, what) = line.split_once(": error: ")?;
        let place = place_of(place)?;
        let source = line_at(place).map_or(String::new(), |line| format!(": {line}"));
        Some(format!("{place}: {what}{source}"))
    };
    let views: Vec<String> = about.filter_map(view).collect();
    match views.is_empty() {
        true => errors().find_map(view).into_iter().collect(),
        false => views,
    }
}

/// Where keeps_contract! stands, not what it consists of.
fn place_in_rust(said: &str) -> Option<&str> {
    let mut places = said.lines().filter_map(|line| {
        let line = line.trim();
        place_of(line.strip_prefix("--> ").or(line.strip_prefix("::: "))?)
    });
    places.find(|place| !place.contains("border/border.rs:"))
}

fn views_of_rust(name: &str, said: &str) -> Vec<String> {
    let Some(place) = place_in_rust(said) else {
        return Vec::new();
    };
    let found = said
        .lines()
        .find_map(|line| line.split_once("found fn item `")?.1.split_once(" {"));
    let headline = said.lines().find(|line| line.starts_with("error"));
    let what = match (found, headline.and_then(|line| line.split_once(": "))) {
        (Some((found, _)), _) => found,
        (None, Some((_, headline))) => headline,
        (None, None) => "",
    };
    let mut views = vec![format!("{place}: {what}")];
    views.extend(definition(name, place));
    views
}

/// `gives.rs:25` of `gives.rs:25:14`
fn place_of(text: &str) -> Option<&str> {
    let (place, _column) = text.rsplit_once(':')?;
    place.contains(':').then_some(place)
}

/// What stands in a source, at `c_helper.c:25`.
fn line_at(place: &str) -> Option<String> {
    let (file, line) = place.rsplit_once(':')?;
    let nth = line.parse::<usize>().ok()?.checked_sub(1)?;
    let source = std::fs::read_to_string(file).ok()?;
    source.lines().nth(nth).map(|line| line.trim().to_owned())
}

/// Where Rust defines a name, in the folder of this place.
fn definition(name: &str, place: &str) -> Option<String> {
    let folder = Path::new(place).parent()?;
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        let source = match path.extension().is_some_and(|extension| extension == "rs") {
            true => std::fs::read_to_string(&path).ok()?,
            false => continue,
        };
        // The generated file only declares it.
        let defined = scan::rust("", &source).defined;
        let found = defined.iter().find(|given| given.name == name);
        if let (Some(found), false) = (found, source.contains(DECLARED)) {
            let line = source
                .lines()
                .nth(found.line - 1)
                .unwrap_or_default()
                .trim();
            let path = path.strip_prefix(".").unwrap_or(&path).display();
            return Some(format!("{path}:{}: {line}", found.line));
        }
    }
    None
}

/// `no previous prototype for function 'f'`: C gives what the contract does not declare.
fn undeclared(layer: Layer, said: &str) -> Vec<Problem> {
    said.lines()
        .filter(|line| line.contains("no previous prototype for"))
        .filter_map(|line| {
            let name = line.split(['\'', '‘', '’']).nth(1)?;
            let place = place_of(line.split_once(": error: ")?.0)?;
            let what = format!("{name} has a symbol that no contract declares");
            Some(
                Problem::new(layer, what)
                    .seen(place)
                    .mend("declare it in the contract, or make it static"),
            )
        })
        .collect()
}

/// What `layout.rs` has had the compiler confirm, and it did not; with what it has instead.
fn unconfirmed(layer: Layer, said: &str, layout: &str) -> Vec<Problem> {
    let lines: Vec<&str> = said.lines().collect();
    let mut problems: Vec<Problem> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(Asked {
            place,
            what,
            rust,
            c,
        }) = asked(&lines[at..], layout).filter(|_| line.contains(": error: "))
        else {
            continue;
        };
        let source = lines[..at].iter().rev().find_map(|line| {
            let from = line.split_once(" from ")?.1.trim_end_matches([':', ',']);
            Some(from).filter(|from| !from.contains(".h:"))
        });
        let mut problem = Problem::new(layer, format!("{what} is not the same in both halves"))
            .seen(format!("{place}: Rust was told {rust}"));
        if let Some(source) = source {
            let c = c.map_or("something else".to_owned(), str::to_owned);
            problem = problem.seen(format!("{source}: C has {c}"));
        }
        let problem =
            problem.mend("let no flag, macro or pragma change the contract for one half only");
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

/// Something that was to be confirmed.
struct Asked<'a> {
    place: &'a str,
    what: &'a str,
    rust: &'a str,
    c: Option<&'a str>,
}

/// What the error at the head of these lines is about, if it is about a layout.
fn asked<'a>(lines: &[&'a str], layout: &'a str) -> Option<Asked<'a>> {
    let line = *lines.first()?;
    if let Some((_, asked)) = line
        .split_once(ASKED)
        .filter(|_| line.contains("static assertion"))
    {
        let (place, asked) = asked.trim_end_matches('"').split_once(": ")?;
        let (what, rust) = asked.split_once(TOLD)?;
        // clang has the value in a note, GCC in the error of the declarations that follow.
        let note = lines
            .iter()
            .take(12)
            .find_map(|line| line.split_once("evaluates to '")?.1.split(" == ").next());
        let conflict = || {
            let name = identifier(what);
            let line = lines
                .iter()
                .find(|line| line.contains(&name) && line.contains("have "))?;
            line.split_once("char[")?.1.split(']').next()
        };
        let c = note.or_else(conflict);
        return Some(Asked {
            place,
            what,
            rust,
            c,
        });
    }
    // `border_type_of_x_in_struct_s`, declared twice: what it is stands in the generated header.
    let name = names(line).find(|name| name.starts_with("border_type_of_"))?;
    let comment = layout
        .lines()
        .find_map(|line| line.strip_prefix(&format!("/* {name}: ")))?;
    let (place, what) = comment.trim_end_matches(" */").split_once(": ")?;
    let (what, rust) = what.split_once(TOLD)?;
    let quoted = |text: &'a str| text.split(['\'', '‘', '’']).nth(1);
    let c = match line.split_once("; have ") {
        Some((_, have)) => quoted(have),
        None => line
            .split_once("different type: ")
            .and_then(|(_, have)| quoted(have)),
    };
    Some(Asked {
        place,
        what,
        rust,
        c,
    })
}

fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c != '_' && !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_nobody_declares() {
        for said in [
            "a.c:3:5: error: no previous prototype for function 'f' [-Werror,-Wmissing-prototypes]",
            "a.c:3:5: error: no previous prototype for ‘f’ [-Werror=missing-prototypes]",
        ] {
            let told = explanations(Layer::C, &[], said)[0].to_string();
            assert!(
                told.contains("error: f has a symbol that no contract declares"),
                "{told}"
            );
            assert!(told.contains("seen: a.c:3\n"), "{told}");
        }
    }

    #[test]
    fn what_is_meant() {
        let declared = [
            ("f", "a.h:1: int f(int)".to_owned()),
            ("g", "a.h:2: int g(void)".to_owned()),
        ];
        let meant = |said: &str| -> Vec<&str> {
            let said = without_colours(said);
            meant(&declared, &said)
                .into_iter()
                .map(|(name, _)| *name)
                .collect()
        };
        let list = "\x1b[1m\x1b[91merror[E0308]\x1b[0m: mismatched types\n --> x.rs:1:2\n\
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
    fn what_rust_has() {
        let said = "error[E0308]: mismatched types\n   --> nowhere/x.rs:35:57\n    |\n\
             \x20   = note: expected fn item `extern \"C\" fn(bool) {a_h::f}`\n\
             \x20              found fn item `extern \"C\" fn(bool, i32) {f}`\n";
        assert_eq!(
            views(Layer::Rust, "f", said),
            ["nowhere/x.rs:35: extern \"C\" fn(bool, i32)"]
        );
    }

    #[test]
    fn what_c_does_not_confirm() {
        let clang = "In file included from a.c:2:\nIn file included from ./a.h:9:\n\
            ./a_layout.h:4:1: error: static assertion failed due to requirement 'sizeof(struct s) == 4': border: a.h:3: size of struct s: Rust was told 4\n\
            ./a_layout.h:4:1: note: expression evaluates to '8 == 4'\n";
        let gcc = "In file included from a.h:9,\n                 from a.c:2:\n\
            a_layout.h:4:2: error: static assertion failed: \"border: a.h:3: size of struct s: Rust was told 4\"\n\
            a_layout.h:4:2: error: conflicting types for ‘border_size_of_struct_s’; have ‘char[8]’\n";
        for said in [clang, gcc] {
            let told = unconfirmed(Layer::C, said, "")[0].to_string();
            assert!(
                told.contains("size of struct s is not the same in both halves"),
                "{told}"
            );
            assert!(told.contains("seen: a.h:3: Rust was told 4\n"), "{told}");
            assert!(told.contains("seen: a.c:2: C has 8\n"), "{told}");
        }
    }

    #[test]
    fn types_that_c_does_not_confirm() {
        let layout = "/* border_type_of_x_in_struct_s: a.h:4: type of x in struct s: Rust was told s32 x */\n";
        let clang = "In file included from a.c:2:\nIn file included from ./a.h:9:\n\
            a_layout.h:5:1: error: redeclaration of 'border_type_of_x_in_struct_s' with a different type: 'u32' vs 's32'\n";
        let gcc = "In file included from a.h:9,\n                 from a.c:2:\n\
            a_layout.h:5:2: error: conflicting types for ‘border_type_of_x_in_struct_s’; have ‘u32’ {aka ‘unsigned int’}\n";
        for said in [clang, gcc] {
            let told = unconfirmed(Layer::C, said, layout)[0].to_string();
            assert!(
                told.contains("type of x in struct s is not the same"),
                "{told}"
            );
            assert!(
                told.contains("seen: a.h:4: Rust was told s32 x\n"),
                "{told}"
            );
            assert!(told.contains("seen: a.c:2: C has u32\n"), "{told}");
        }
    }
}
