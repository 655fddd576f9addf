// SPDX-License-Identifier: GPL-2.0

//! A contract after the C preprocessor, with the headers in the module's folder that it includes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::tokens::{c_tokens, is_word_char, text, Kind, Token};

/// A `#define` in the contract itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Macro<'a> {
    pub(crate) name: &'a str,
    /// All that follows `#define`.
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

#[derive(Debug, Default)]
pub(crate) struct File<'a> {
    /// The path as the compiler prints it.
    pub(crate) name: &'a str,
    pub(crate) tokens: Vec<Token<'a>>,
    /// (number, text) of each line with a token in it.
    pub(crate) lines: Vec<(usize, &'a str)>,
}

impl<'a> File<'a> {
    fn add(&mut self, line: &Line<'a>) {
        let before = self.tokens.len();
        self.tokens.extend(c_tokens(line.text, line.number));
        if self.tokens.len() > before {
            self.lines.push((line.number, line.text));
        }
    }
}

/// A declaration or definition, without its `;`.
#[derive(Clone, Copy)]
pub(crate) struct Statement<'t, 'a> {
    pub(crate) file: &'t File<'a>,
    pub(crate) tokens: &'t [Token<'a>],
}

/// A declaration, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declaration {
    /// `c_helper.h:7`
    pub(crate) place: String,
    pub(crate) text: String,
}

pub(crate) struct Header<'a> {
    pub(crate) macros: Vec<Macro<'a>>,
    /// The operands of `#undef`.
    pub(crate) undefined: Vec<&'a str>,
    /// The contract first, then the other headers in the module's folder.
    pub(crate) files: Vec<File<'a>>,
    pub(crate) char_is_signed: bool,
    preprocessed: &'a str,
}

impl<'a> Header<'a> {
    /// Parses the output of `cc -E -dD FILE`. `is_own` says whether a file is in the module's
    /// folder.
    pub(crate) fn new(
        file: &'a str,
        preprocessed: &'a str,
        mut is_own: impl FnMut(&str) -> bool,
    ) -> Self {
        let mut header = Header {
            macros: Vec::new(),
            undefined: Vec::new(),
            files: vec![File {
                name: file,
                ..File::default()
            }],
            char_is_signed: true,
            preprocessed,
        };
        let mut own = HashMap::new();
        for line in lines(preprocessed) {
            if line.text.starts_with("#define __CHAR_UNSIGNED__") {
                header.char_is_signed = false;
            }
            if *own
                .entry(line.file)
                .or_insert_with(|| line.file == file || is_own(line.file))
            {
                header.own_line(file, &line);
            }
        }
        header
    }

    #[cfg(test)]
    pub(crate) fn of_text(text: &'a str) -> Self {
        let mut header = Header::new("a.h", text, |_| false);
        header.files[0].tokens = c_tokens(text, 1);
        header
    }

    fn own_line(&mut self, contract: &str, line: &Line<'a>) {
        if let Some(defined) = line.text.strip_prefix("#define ") {
            if line.file == contract {
                self.macros.push(Macro {
                    name: name_of(defined),
                    text: defined.trim_end(),
                    line: line.number,
                });
            }
        } else if let Some(name) = line.text.strip_prefix("#undef ") {
            self.undefined.push(name);
            self.macros.retain(|defined| defined.name != name);
        } else if !line.text.starts_with('#') {
            let at = self.files.iter().position(|file| file.name == line.file);
            let at = at.unwrap_or_else(|| {
                self.files.push(File {
                    name: line.file,
                    ..File::default()
                });
                self.files.len() - 1
            });
            self.files[at].add(line);
        }
    }

    pub(crate) fn contract(&self) -> &File<'a> {
        &self.files[0]
    }

    /// A line of the contract, for messages.
    pub(crate) fn place(&self, line: usize) -> String {
        place(self.contract().name, line)
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = Statement<'_, 'a>> {
        self.files.iter().flat_map(|file| {
            statements(&file.tokens)
                .into_iter()
                .map(move |tokens| Statement { file, tokens })
        })
    }

    /// The statement that declares a name: the definition of a type, or else the statement with
    /// the fewest brackets around the name.
    pub(crate) fn statement_of(&self, name: &str) -> Option<Statement<'_, 'a>> {
        let defines = |statement: &Statement<'_, '_>| defines(statement.tokens, name);
        self.statements().find(defines).or_else(|| {
            let depth = |statement: &Statement<'_, '_>| depth_of(statement.tokens, name);
            self.statements()
                .filter(|statement| depth(statement).is_some())
                .min_by_key(depth)
        })
    }

    /// The statement that declares a function or variable: a struct may have the same name.
    pub(crate) fn statement_of_symbol(&self, name: &str) -> Option<Statement<'_, 'a>> {
        let depth = |statement: &Statement<'_, '_>| depth_of(statement.tokens, name);
        self.statements()
            .filter(|statement| depth(statement).is_some())
            .filter(|statement| !defines(statement.tokens, name))
            .min_by_key(depth)
    }

    /// The declaration of a name, without the body of a struct.
    pub(crate) fn declaration(&self, name: &str) -> Option<Declaration> {
        Some(declared(self.statement_of(name)?, name))
    }

    /// The declaration of a function or variable.
    pub(crate) fn symbol(&self, name: &str) -> Option<Declaration> {
        let statement = self.statement_of_symbol(name);
        Some(declared(
            statement.or_else(|| self.statement_of(name))?,
            name,
        ))
    }

    /// The first place of a name, such as that of a constant or a field.
    pub(crate) fn place_of(&self, name: &str) -> String {
        let defined = self.macros.iter().find(|defined| defined.name == name);
        if let Some(defined) = defined {
            return self.place(defined.line);
        }
        let mut all = self.files.iter().flat_map(|file| {
            let token = file.tokens.iter().find(|token| token.is(name))?;
            Some(place(file.name, token.line))
        });
        all.next()
            .unwrap_or_else(|| self.contract().name.to_owned())
    }

    /// Whether C has the type `struct s`; there may be attributes between the two words.
    pub(crate) fn has_tag(&self, tag: &str, name: &str) -> bool {
        let in_own = self.files.iter().any(|file| {
            let plain = without_attributes(&file.tokens);
            plain
                .windows(2)
                .any(|pair| pair[0].is(tag) && pair[1].is(name))
        });
        in_own || has_words(self.preprocessed, &format!("{tag} {name}"))
    }

    /// Whether `struct name` is defined, not only declared.
    pub(crate) fn has_body(&self, ty: &str) -> bool {
        let mut found = self.preprocessed.match_indices(ty);
        found.any(|(at, _)| {
            self.preprocessed[at + ty.len()..]
                .trim_start()
                .starts_with('{')
        })
    }

    /// Whether a word occurs in the contract or in anything that it includes.
    pub(crate) fn has_word(&self, name: &str) -> bool {
        has_words(self.preprocessed, name)
    }
}

fn declared(statement: Statement<'_, '_>, name: &str) -> Declaration {
    let open = statement.tokens.iter().position(|token| token.is("{"));
    let typedef = statement.tokens[0].is("typedef");
    let words = match (head_of_function(statement.tokens), open) {
        // The kernel's `inline` is full of them.
        (Some(head), _) => without_attributes(head),
        (None, Some(open)) if !typedef => statement.tokens[..open].to_vec(),
        _ => statement.tokens.to_vec(),
    };
    let line = statement.tokens.iter().find(|token| token.is(name));
    Declaration {
        place: place(
            statement.file.name,
            line.filter(|_| open.is_some())
                .unwrap_or(&statement.tokens[0])
                .line,
        ),
        text: match (open, typedef) {
            (Some(_), true) => name.to_owned(),
            _ => text(&words),
        },
    }
}

/// A line of preprocessed source, and its origin.
pub(crate) struct Line<'a> {
    pub(crate) file: &'a str,
    pub(crate) number: usize,
    pub(crate) text: &'a str,
}

/// All lines except the line markers.
pub(crate) fn lines(preprocessed: &str) -> impl Iterator<Item = Line<'_>> {
    let (mut file, mut next) = ("", 1);
    preprocessed.lines().filter_map(move |text| {
        if let Some((number, name)) = line_marker(text) {
            (file, next) = (name, number);
            return None;
        }
        next += 1;
        Some(Line {
            file,
            number: next - 1,
            text,
        })
    })
}

/// `# 12 "c_helper.h" 2`
fn line_marker(text: &str) -> Option<(usize, &str)> {
    let (number, rest) = text.strip_prefix("# ")?.split_once(' ')?;
    let name = rest.strip_prefix('"')?.split('"').next()?;
    Some((number.parse::<u32>().ok()? as usize, name))
}

/// The canonical path: a file may have several names.
pub(crate) fn real(file: &str) -> PathBuf {
    std::fs::canonicalize(file).unwrap_or_else(|_| Path::new(file).to_owned())
}

/// `c_helper.h:7`
pub(crate) fn place(file: &str, line: usize) -> String {
    format!("{}:{line}", file.strip_prefix("./").unwrap_or(file))
}

fn name_of(defined: &str) -> &str {
    let end = defined.find(|c| !is_word_char(c));
    &defined[..end.unwrap_or(defined.len())]
}

/// Whether the text has these words, not merely as a part of longer ones.
pub(crate) fn has_words(text: &str, words: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(is_word_char);
    text.match_indices(words).any(|(at, _)| {
        !is_part(text[..at].chars().next_back())
            && !is_part(text[at + words.len()..].chars().next())
    })
}

/// Splits tokens into statements.
pub(crate) fn statements<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut statements = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, token) in tokens.iter().enumerate() {
        depth += token.nesting();
        let over = match token.text {
            _ if token.kind != Kind::Punct => false,
            ";" => depth == 0,
            "}" => depth == 0 && is_function_body(&tokens[start..=at]),
            _ => false,
        };
        if over {
            let end = if token.is(";") { at } else { at + 1 };
            if start < end {
                statements.push(&tokens[start..end]);
            }
            start = at + 1;
        }
    }
    if start < tokens.len() {
        statements.push(&tokens[start..]);
    }
    statements
}

/// `… ) { … }`
fn is_function_body(tokens: &[Token<'_>]) -> bool {
    head_of_function(tokens).is_some()
}

/// The definition of a function without its body; `None` for any other statement.
pub(crate) fn head_of_function<'t, 'a>(statement: &'t [Token<'a>]) -> Option<&'t [Token<'a>]> {
    let mut depth = 0;
    let open = statement.iter().rposition(|token| {
        depth += token.nesting();
        depth == 0 && token.is("{")
    })?;
    let head = &statement[..open];
    let is_last = statement.last()?.is("}");
    let plain = without_attributes(head);
    (is_last && plain.last()?.is(")") && !plain[0].is("typedef")).then_some(head)
}

fn is_tag(token: &Token<'_>) -> bool {
    token.is_any(&["struct", "union", "enum"])
}

/// Whether the statement defines a type of this name: a struct with its body, or a typedef.
pub(crate) fn defines(statement: &[Token<'_>], name: &str) -> bool {
    let plain = without_attributes(statement);
    let body = plain
        .windows(3)
        .any(|three| is_tag(&three[0]) && three[1].is(name) && three[2].is("{"));
    let [first, rest @ ..] = &plain[..] else {
        return false;
    };
    body || first.is("typedef") && depth_of(rest, name) == Some(0)
}

/// The smallest number of brackets around an occurrence of the name.
pub(crate) fn depth_of(statement: &[Token<'_>], name: &str) -> Option<i32> {
    let (mut depth, mut least) = (0, None);
    for token in statement {
        depth += token.nesting();
        if token.is(name) {
            least = Some(least.map_or(depth, |least: i32| least.min(depth)));
        }
    }
    least
}

/// The tokens without `__attribute__((…))` and `_Alignas(…)`.
pub(crate) fn without_attributes<'a>(statement: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut tokens = statement.iter();
    while let Some(token) = tokens.next() {
        if !token.is_any(&["__attribute__", "_Alignas"]) {
            kept.push(*token);
            continue;
        }
        let mut depth = 0;
        for token in tokens.by_ref() {
            depth += token.nesting();
            if depth == 0 {
                break;
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREPROCESSED: &str = "# 1 \"./a.h\"\n# 1 \"<built-in>\" 1\n#define __x86_64__ 1\n\
        #define __CHAR_UNSIGNED__ 1\n\
        # 1 \"./a.h\" 2\n\
        #define A_H\n\
        # 3 \"/k/b.h\" 1\n\
        int other(void); struct far { int f; };\n\
        #define B 2\n\
        # 1 \"./own.h\" 1\n\
        struct near { int n; };\n\
        # 4 \"./a.h\" 2\n\
        #define MAX 63\n\
        #define GONE 1\n\
        #undef GONE\n\
        #define TWICE(x) ((x) * 2)\n\
        int f(const char *name,\n\
        \x20     void (*call)(int));\n\
        static inline int g(void) { return 1; }\n\
        struct __attribute__((packed)) s { int a; struct { int b[4]; } c; };\n\
        typedef struct { int x; } point, *point_p;\n\
        u64 (scale)(u64 by);\n\
        int n(struct far *by);\n";

    fn header() -> Header<'static> {
        Header::new("./a.h", PREPROCESSED, |file| file == "./own.h")
    }

    #[test]
    fn only_files_of_the_module() {
        let header = header();
        let macros: Vec<_> = header
            .macros
            .iter()
            .map(|m| (m.name, m.text, m.line))
            .collect();
        assert_eq!(
            macros,
            [
                ("A_H", "A_H", 1),
                ("MAX", "MAX 63", 4),
                ("TWICE", "TWICE(x) ((x) * 2)", 7)
            ]
        );
        assert_eq!(header.undefined, ["GONE"]);
        assert!(!header.char_is_signed);
        let files: Vec<_> = header.files.iter().map(|file| file.name).collect();
        assert_eq!(files, ["./a.h", "./own.h"]);
    }

    #[test]
    fn declarations() {
        let header = header();
        for (name, place, text) in [
            ("f", "a.h:8", "int f(const char *name, void(*call)(int))"),
            ("s", "a.h:11", "struct __attribute__((packed)) s"),
            ("point", "a.h:12", "point"),
            ("scale", "a.h:13", "u64(scale)(u64 by)"),
            ("n", "a.h:14", "int n(struct far *by)"),
            ("near", "own.h:1", "struct near"),
        ] {
            let declared = header.declaration(name).expect(name);
            assert_eq!(
                (declared.place.as_str(), declared.text.as_str()),
                (place, text)
            );
        }
        assert_eq!(header.declaration("nothing"), None);
        assert_eq!(header.place_of("b"), "a.h:11");
    }

    #[test]
    fn names_for_c() {
        let header = header();
        assert!(header.has_tag("struct", "s") && header.has_tag("struct", "far"));
        assert!(!header.has_tag("struct", "fa") && !header.has_tag("struct", "point"));
        assert!(header.has_word("point_p") && !header.has_word("poin"));
    }
}
