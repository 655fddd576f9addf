// SPDX-License-Identifier: GPL-2.0

//! Does a C source see the same contract as Rust? A macro, or a flag for this object alone, may
//! change what a header says. So the preprocessor's view of it is compared with Rust's.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::bindings::Bindings;
use crate::facts::LINE;
use crate::header::{lines, place, real, statements};
use crate::problem::{none, read, write, Checked, Layer, Problem};
use crate::tokens::{c_tokens, Token};

/// A contract, as Rust was told of it.
struct Told {
    header: String,
    /// `demo_layout.h`, which the C compiler confirms.
    layout: String,
    bindings: Bindings,
    /// (file, number, text)
    lines: Vec<(String, usize, String)>,
    /// The layout, and the files of the lines.
    files: Vec<PathBuf>,
}

/// What C sees: (file, number of the line) and each text that it has had.
type Seen = HashMap<(PathBuf, usize), Vec<String>>;

/// Writes the names of the contracts that the source includes, each in a line.
pub(crate) fn check(
    list: &str,
    source: &str,
    contracts: &[&str],
    preprocessor: &[&str],
) -> Checked {
    let mut told = Vec::new();
    for contract in contracts {
        told.push(Told::read(contract)?);
    }
    if let Some(flag) = preprocessor
        .iter()
        .find(|word| word.starts_with("-fsso-struct"))
    {
        let what = format!("{source} has another order of bytes in its structs");
        let problem = Problem::new(Layer::C, what).note(*flag);
        return none(vec![problem.help("take the flag away")]);
    }
    let preprocessed = run(source, preprocessor)?;

    let mut wanted = HashMap::new();
    let mut seen = Seen::new();
    for line in lines(&preprocessed) {
        let file = wanted.entry(line.file).or_insert_with(|| {
            let file = real(line.file);
            let known = told.iter().any(|told| told.files.contains(&file));
            known.then_some(file)
        });
        if let Some(file) = file {
            let texts = seen.entry((file.clone(), line.number)).or_default();
            texts.push(line.text.to_owned());
        }
    }

    let mut included = String::new();
    let mut problems = Vec::new();
    for told in &told {
        let header = real(&told.header);
        if seen.keys().any(|(file, _)| *file == header) {
            problems.extend(told.compare(source, &seen));
            included += &format!("{}\n", told.header);
        }
    }
    none(problems)?;
    write(list, &included)
}

fn run(source: &str, words: &[&str]) -> Checked<String> {
    let output = Command::new(words.first().unwrap_or(&""))
        .args(&words[1..])
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        _ => Err(vec![Problem::new(
            Layer::Gate,
            format!("the C preprocessor fails on {source}"),
        )]),
    }
}

impl Told {
    fn read(contract: &str) -> Checked<Told> {
        let layout = contract
            .strip_suffix("_h.rs")
            .map_or_else(|| contract.to_owned(), |stem| format!("{stem}_layout.h"));
        let text = read(&layout)?;
        let lines: Vec<_> = text.lines().filter_map(line).collect();
        let header = made_from(&text).to_owned();
        let mut names: Vec<&str> = lines.iter().map(|(file, ..)| file.as_str()).collect();
        names.dedup();
        names.extend([header.as_str(), layout.as_str()]);
        Ok(Told {
            files: names.into_iter().map(real).collect(),
            header,
            bindings: Bindings::new(&read(contract)?),
            layout,
            lines,
        })
    }

    fn compare(&self, source: &str, seen: &Seen) -> Vec<Problem> {
        let layout = real(&self.layout);
        if !seen.keys().any(|(file, _)| *file == layout) {
            return vec![self.without_layout(source)];
        }
        let mut files: Vec<&String> = self.lines.iter().map(|(file, ..)| file).collect();
        files.dedup();
        files
            .into_iter()
            .filter_map(|file| self.compare_file(source, file, seen))
            .collect()
    }

    /// Each object that includes the contract has to confirm it, with its own flags and macros.
    fn without_layout(&self, source: &str) -> Problem {
        let name = self.layout.rsplit('/').next().unwrap_or(&self.layout);
        Problem::new(
            Layer::Contract,
            format!(
                "{} does not include {name} where {source} includes it",
                self.header
            ),
        )
        .note("by that, the C compiler confirms what Rust is told")
        .help(format!(
            "at its end, before the last #endif:\n\
             \t#ifndef __BINDGEN__\n\
             \t#include \"{name}\"\n\
             \t#endif"
        ))
    }

    /// The first line that C sees otherwise.
    fn compare_file(&self, source: &str, file: &str, seen: &Seen) -> Option<Problem> {
        let real = real(file);
        let mut all: Vec<Token<'_>> = Vec::new();
        for (_, number, text) in self.lines.iter().filter(|(name, ..)| name == file) {
            all.extend(c_tokens(text, *number));
        }
        let statements = statements(&all);
        let inside = |number: usize| {
            statements.iter().find(|tokens| {
                let lines = tokens.first().map(|t| t.line)..=tokens.last().map(|t| t.line);
                lines.contains(&Some(number))
            })
        };

        for (_, number, text) in self.lines.iter().filter(|(name, ..)| name == file) {
            let texts = seen.get(&(real.clone(), *number));
            let same = texts.is_some_and(|texts| texts.iter().any(|other| same(text, other)));
            if !same {
                let c = texts.and_then(|texts| texts.first());
                let statement = inside(*number).copied().unwrap_or_default();
                return Some(self.differs(source, file, *number, Some(text), c, statement));
            }
        }
        // What C sees besides may be a declaration of its own, but nothing within another one.
        let mut more: Vec<_> = seen
            .iter()
            .filter(|((file, number), _)| {
                *file == real && !self.lines.iter().any(|(_, told, _)| told == number)
            })
            .filter_map(|((_, number), texts)| {
                let text = texts.iter().find(|text| !c_tokens(text, 1).is_empty())?;
                Some((*number, text))
            })
            .filter(|(_, text)| !text.starts_with('#'))
            .collect();
        more.sort_unstable();
        more.into_iter().find_map(|(number, text)| {
            let statement = inside(number)?;
            Some(self.differs(source, file, number, None, Some(text), statement))
        })
    }

    fn differs(
        &self,
        source: &str,
        file: &str,
        number: usize,
        rust: Option<&String>,
        c: Option<&String>,
        statement: &[Token<'_>],
    ) -> Problem {
        let view = |text: Option<&String>| match text.map(|text| text.trim()) {
            Some(text) if !text.is_empty() => format!("`{text}`"),
            _ => "nothing".to_owned(),
        };
        let here = place(file, number);
        Problem::new(
            Layer::C,
            format!("{} is not the same in both halves", self.name_of(statement)),
        )
        .note(format!("{here}: Rust was told {}", view(rust)))
        .note(format!("{here}: {source} has {}", view(c)))
        .help(format!(
            "take the macro or the flag away that changes {} for one of them",
            place(file, 0).trim_end_matches(":0")
        ))
    }

    /// What the statement is about, by the name that Rust has for it.
    fn name_of(&self, statement: &[Token<'_>]) -> String {
        let bindings = &self.bindings;
        let symbols = bindings.symbols.iter().map(|symbol| &symbol.name);
        let records = bindings.records.iter().map(|record| &record.name);
        let aliases = bindings.aliases.iter().map(|(name, _)| name);
        let constants = bindings.constants.iter().map(|(name, _)| name);
        let mut names = symbols.chain(records).chain(aliases).chain(constants);
        let found = names.find(|name| statement.iter().any(|token| token.is(name)));
        found.unwrap_or(&self.header).clone()
    }
}

/// The contract, of which a layout begins: `/* Made by border/gate from ./demo.h: what …`
pub(crate) fn made_from(layout: &str) -> &str {
    let end = layout.find(": what Rust was told").unwrap_or_default();
    layout[..end].split(" from ").nth(1).unwrap_or_default()
}

/// `// ./demo.h:7: int f(void);`
fn line(text: &str) -> Option<(String, usize, String)> {
    let mut parts = text.strip_prefix(LINE)?.splitn(3, ':');
    let (file, number, text) = (parts.next()?, parts.next()?, parts.next()?);
    Some((file.to_owned(), number.parse().ok()?, text.to_owned()))
}

/// Blanks do not count.
fn same(one: &str, other: &str) -> bool {
    let words = |text| {
        let tokens = c_tokens(text, 1).into_iter();
        tokens
            .map(|token| (token.kind, token.text))
            .collect::<Vec<_>>()
    };
    words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(told: &[(usize, &str)], seen: &[(usize, &str)]) -> Option<String> {
        let told = Told {
            header: "a.h".to_owned(),
            layout: "a_layout.h".to_owned(),
            files: Vec::new(),
            bindings: Bindings::new("pub struct s { pub a: u8, } extern \"C\" { pub fn f(); }"),
            lines: told
                .iter()
                .map(|(number, text)| ("a.h".to_owned(), *number, (*text).to_owned()))
                .collect(),
        };
        let seen = seen
            .iter()
            .map(|(number, text)| ((PathBuf::from("a.h"), *number), vec![(*text).to_owned()]))
            .collect();
        let problem = told.compare_file("a.c", "a.h", &seen);
        problem.map(|problem| problem.to_string())
    }

    #[test]
    fn the_same() {
        let told = [
            (1, "int f(u8 a,"),
            (2, "u8 b);"),
            (3, "struct s {"),
            (4, "u8 a;"),
            (5, "};"),
        ];
        assert_eq!(compare(&told, &told), None);
        let mut more = told.to_vec();
        more[0].1 = "int  f( u8 a,";
        more.extend([(7, "int g(void);"), (8, "#pragma pack(1)")]);
        assert_eq!(compare(&told, &more), None);
    }

    #[test]
    fn another() {
        let told = [
            (1, "int f(void);"),
            (3, "struct s {"),
            (5, "u8 a;"),
            (6, "};"),
        ];
        let with = |number: usize, text: &'static str| {
            let mut seen = told.to_vec();
            seen.retain(|(told, _)| *told != number);
            seen.push((number, text));
            compare(&told, &seen).expect("it is another")
        };
        let problem = with(1, "int f(int);");
        assert!(
            problem.contains("error: f is not the same in both halves"),
            "{problem}"
        );
        assert!(
            problem.contains("note: a.h:1: Rust was told `int f(void);`"),
            "{problem}"
        );
        assert!(
            problem.contains("note: a.h:1: a.c has `int f(int);`"),
            "{problem}"
        );
        // A line more, or one less.
        assert!(with(4, "u32 more;").contains("error: s is not the same"));
        assert!(with(5, "").contains("a.c has nothing"));
    }
}
