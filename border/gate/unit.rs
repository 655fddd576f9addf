// SPDX-License-Identifier: GPL-2.0

//! Checks that a C source sees the same contract as Rust. A macro, or a flag for this object alone,
//! could change what a header declares, so the preprocessed lines of both are compared.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::assertions::{contract_of, LINE};
use crate::bindings::Bindings;
use crate::header::{lines, place, real, statements};
use crate::problem::{fail_if_any, failure, read, write, Layer, Problem, Result};
use crate::tokens::{c_tokens, Kind, Token};

/// A contract as Rust sees it.
pub(crate) struct Contract {
    header: String,
    /// `demo_layout.h`
    layout: String,
    bindings: Bindings,
    lines: Vec<Line>,
    /// The layout header, and the files of the lines.
    files: Vec<PathBuf>,
}

struct Line {
    file: String,
    number: usize,
    text: String,
}

/// What C sees: the texts of each (file, line number). A file may be included more than once.
type Seen = HashMap<(PathBuf, usize), Vec<String>>;

/// Writes the paths of the contracts that the source includes, one a line.
pub(crate) fn check(list: &str, source: &str, contracts: &[&str], preprocessor: &[&str]) -> Result {
    let contracts: Result<Vec<_>> = contracts.iter().copied().map(Contract::read).collect();
    let contracts = contracts?;
    let mut flags = preprocessor.iter();
    if let Some(flag) = flags.find(|word| word.starts_with("-fsso-struct")) {
        let what = format!("{source} is compiled with another byte order in structs");
        let problem = Layer::C.error(what).note(*flag);
        return Err(vec![problem.help("remove the flag")]);
    }
    let preprocessed = run(source, preprocessor)?;
    let (included, problems) = compare(source, &contracts, &preprocessed);
    fail_if_any(problems)?;
    write(list, &included)
}

/// The contracts that a preprocessed source includes, one a line, and where it sees another one.
pub(crate) fn compare(
    source: &str,
    contracts: &[Contract],
    preprocessed: &str,
) -> (String, Vec<Problem>) {
    let mut files = HashMap::new();
    let mut seen = Seen::new();
    for line in lines(preprocessed) {
        let file = files.entry(line.file).or_insert_with(|| {
            let file = real(line.file);
            let mut contracts = contracts.iter();
            let known = contracts.any(|contract| contract.files.contains(&file));
            known.then_some(file)
        });
        if let Some(file) = file {
            let texts = seen.entry((file.clone(), line.number)).or_default();
            texts.push(line.text.to_owned());
        }
    }

    let mut included = String::new();
    let mut problems = Vec::new();
    for contract in contracts {
        let header = real(&contract.header);
        if seen.keys().any(|(file, _)| *file == header) {
            problems.extend(contract.compare(source, &seen));
            included += &format!("{}\n", contract.header);
        }
    }
    (included, problems)
}

fn run(source: &str, words: &[&str]) -> Result<String> {
    let output = Command::new(words.first().unwrap_or(&""))
        .args(&words[1..])
        .stderr(Stdio::inherit())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        _ => Err(failure(format!("the C preprocessor failed on {source}"))),
    }
}

impl Contract {
    fn read(contract: &str) -> Result<Self> {
        let layout = contract
            .strip_suffix("_h.rs")
            .map_or_else(|| contract.to_owned(), |stem| format!("{stem}_layout.h"));
        let text = read(&layout)?;
        Ok(Contract::new(layout, &text, &read(contract)?))
    }

    /// A contract of this layout header, and of these bindings.
    pub(crate) fn new(layout: String, text: &str, bindings: &str) -> Self {
        let lines: Vec<_> = text.lines().filter_map(line).collect();
        let header = contract_of(text).to_owned();
        let mut names: Vec<&str> = lines.iter().map(|line: &Line| &*line.file).collect();
        names.dedup();
        names.extend([header.as_str(), layout.as_str()]);
        Contract {
            files: names.into_iter().map(real).collect(),
            header,
            bindings: Bindings::new(bindings),
            layout,
            lines,
        }
    }

    fn compare(&self, source: &str, seen: &Seen) -> Vec<Problem> {
        let layout = real(&self.layout);
        if !seen.keys().any(|(file, _)| *file == layout) {
            return vec![self.without_layout(source)];
        }
        let mut files: Vec<&String> = self.lines.iter().map(|line| &line.file).collect();
        files.dedup();
        files
            .into_iter()
            .filter_map(|file| self.compare_file(source, file, seen))
            .collect()
    }

    /// The assertions have to hold with the flags and macros of each object.
    fn without_layout(&self, source: &str) -> Problem {
        let name = self.layout.rsplit('/').next().unwrap_or(&self.layout);
        let header = &self.header;
        Layer::Contract
            .error(format!(
                "{header} does not include {name} when {source} includes it"
            ))
            .note("the C compiler checks the assertions in it")
            .help(format!(
                "add before the last #endif:\n\
                 \t#ifndef __BINDGEN__\n\
                 \t#include \"{name}\"\n\
                 \t#endif"
            ))
    }

    /// The first line that C sees differently.
    fn compare_file(&self, source: &str, file: &str, seen: &Seen) -> Option<Problem> {
        let real = real(file);
        let lines = || self.lines.iter().filter(|line| line.file == file);
        let tokens: Vec<Token<'_>> = lines()
            .flat_map(|line| c_tokens(&line.text, line.number))
            .collect();
        let statements = statements(&tokens);
        let statement_at = |number: usize| {
            statements.iter().copied().find(|tokens| {
                let lines = tokens.first().map(|t| t.line)..=tokens.last().map(|t| t.line);
                lines.contains(&Some(number))
            })
        };

        for line in lines() {
            let texts = seen.get(&(real.clone(), line.number));
            let same = texts.is_some_and(|texts| texts.iter().any(|c| same(&line.text, c)));
            if !same {
                let views = [Some(&line.text), texts.and_then(|texts| texts.first())];
                let statement = statement_at(line.number).unwrap_or_default();
                return Some(self.difference(source, &place(file, line.number), views, statement));
            }
        }
        // C may see further declarations, but nothing more within one that Rust has.
        let mut more: Vec<_> = seen
            .iter()
            .filter(|((file, number), _)| {
                *file == real && !self.lines.iter().any(|line| line.number == *number)
            })
            .filter_map(|((_, number), texts)| {
                let text = texts.iter().find(|text| !c_tokens(text, 1).is_empty())?;
                Some((*number, text))
            })
            .filter(|(_, text)| !text.starts_with('#'))
            .collect();
        more.sort_unstable();
        more.into_iter().find_map(|(number, text)| {
            let statement = statement_at(number)?;
            Some(self.difference(source, &place(file, number), [None, Some(text)], statement))
        })
    }

    fn difference(
        &self,
        source: &str,
        place: &str,
        views: [Option<&String>; 2],
        statement: &[Token<'_>],
    ) -> Problem {
        let [rust, c] = views.map(|text| match text.map(|text| text.trim()) {
            Some(text) if !text.is_empty() => format!("`{text}`"),
            _ => "nothing".to_owned(),
        });
        let (header, _) = place.rsplit_once(':').unwrap_or((place, ""));
        let name = self.name_of(statement);
        Layer::C
            .error(format!("{name} differs between Rust and C"))
            .note(format!("{place}: Rust sees {rust}"))
            .note(format!("{place}: {source} sees {c}"))
            .help(format!(
                "remove the macro or flag that changes {header} for one of them"
            ))
    }

    /// The declared name in the statement.
    fn name_of(&self, statement: &[Token<'_>]) -> String {
        let mut names = self.bindings.names();
        let found = names.find(|name| statement.iter().any(|token| token.is(name)));
        found.unwrap_or(&self.header).to_owned()
    }
}

/// `// ./demo.h:7: int f(void);`
fn line(text: &str) -> Option<Line> {
    let mut parts = text.strip_prefix(LINE)?.splitn(3, ':');
    let (file, number, text) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Line {
        file: file.to_owned(),
        number: number.parse().ok()?,
        text: text.to_owned(),
    })
}

/// Whether the tokens are the same, no matter how an attribute is spelled.
fn same(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

fn words(text: &str) -> Vec<(Kind, &str)> {
    let (mut depth, mut attribute) = (0, None);
    let mut words = Vec::new();
    for token in c_tokens(text, 1) {
        if token.is("__attribute__") && attribute.is_none() {
            attribute = Some(depth);
        }
        // `__packed__` is `packed`. The kernel uses both, one after the other, in the same macro.
        let plain = token.text.trim_start_matches("__").trim_end_matches("__");
        let is_name = attribute.is_some_and(|outside| depth > outside) && token.is_word();
        words.push((token.kind, if is_name { plain } else { token.text }));
        depth += token.nesting();
        if token.nesting() < 0 && attribute == Some(depth) {
            attribute = None;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(rust: &[(usize, &str)], c: &[(usize, &str)]) -> Option<String> {
        let contract = Contract {
            header: "a.h".to_owned(),
            layout: "a_layout.h".to_owned(),
            files: Vec::new(),
            bindings: Bindings::new("pub struct s { pub a: u8, } extern \"C\" { pub fn f(); }"),
            lines: rust
                .iter()
                .map(|(number, text)| Line {
                    file: "a.h".to_owned(),
                    number: *number,
                    text: (*text).to_owned(),
                })
                .collect(),
        };
        let seen = c
            .iter()
            .map(|(number, text)| ((PathBuf::from("a.h"), *number), vec![(*text).to_owned()]))
            .collect();
        let problem = contract.compare_file("a.c", "a.h", &seen);
        problem.map(|problem| problem.to_string())
    }

    #[test]
    fn same_lines() {
        let rust = [
            (1, "int f(u8 a,"),
            (2, "u8 b);"),
            (3, "struct s {"),
            (4, "u8 a;"),
            (5, "};"),
        ];
        assert_eq!(compare(&rust, &rust), None);
        let mut more = rust.to_vec();
        more[0].1 = "int  f( u8 a,";
        more.extend([(7, "int g(void);"), (8, "#pragma pack(1)")]);
        assert_eq!(compare(&rust, &more), None);
    }

    #[test]
    fn spellings_of_attributes() {
        let plain = "static __attribute__((unused, section(\"a\"))) int packed;";
        assert!(same(
            plain,
            "static __attribute__((__unused__, __section__(\"a\"))) int packed;"
        ));
        assert!(!same(
            plain,
            "static __attribute__((unused, section(\"a\"))) int __packed__;"
        ));
        assert!(!same(
            plain,
            "static __attribute__((used, section(\"a\"))) int packed;"
        ));
        assert!(!same(
            plain,
            "static __attribute__((unused, section(\"__a__\"))) int packed;"
        ));
    }

    #[test]
    fn different_lines() {
        let rust = [
            (1, "int f(void);"),
            (3, "struct s {"),
            (5, "u8 a;"),
            (6, "};"),
        ];
        let with = |number: usize, text: &'static str| {
            let mut c = rust.to_vec();
            c.retain(|(other, _)| *other != number);
            c.push((number, text));
            compare(&rust, &c).expect("a difference")
        };
        let problem = with(1, "int f(int);");
        assert!(
            problem.contains("error: f differs between Rust and C"),
            "{problem}"
        );
        assert!(
            problem.contains("note: a.h:1: Rust sees `int f(void);`"),
            "{problem}"
        );
        assert!(
            problem.contains("note: a.h:1: a.c sees `int f(int);`"),
            "{problem}"
        );
        assert!(with(4, "u32 more;").contains("error: s differs"));
        assert!(with(5, "").contains("a.c sees nothing"));
    }
}
