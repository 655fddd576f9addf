// SPDX-License-Identifier: GPL-2.0

//! A contract as C sees it: what the preprocessor left of the header itself, without what it
//! includes.

use crate::tokens::{c_tokens, Kind, Token};

/// A `#define` of the header's own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Macro<'a> {
    pub(crate) name: &'a str,
    /// As it stands after `#define`.
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// What ends with `;`, or with the `}` of a function.
pub(crate) type Statement<'t, 'a> = &'t [Token<'a>];

/// The header's own text.
pub(crate) struct Header<'a> {
    pub(crate) file: &'a str,
    pub(crate) macros: Vec<Macro<'a>>,
    pub(crate) tokens: Vec<Token<'a>>,
}

impl<'a> Header<'a> {
    /// Takes it out of what `cc -E -dD FILE` printed.
    pub(crate) fn new(file: &'a str, preprocessed: &'a str) -> Self {
        let (mut macros, mut own_tokens) = (Vec::<Macro<'_>>::new(), Vec::new());
        let (mut own, mut line) = (false, 0);

        for text in preprocessed.lines() {
            if let Some((number, name)) = line_marker(text) {
                (own, line) = (name == file, number);
                continue;
            }
            if own {
                if let Some(defined) = text.strip_prefix("#define ") {
                    macros.push(Macro {
                        name: name_of(defined),
                        text: defined.trim_end(),
                        line,
                    });
                } else if let Some(name) = text.strip_prefix("#undef ") {
                    macros.retain(|defined| defined.name != name);
                } else if !text.starts_with('#') {
                    own_tokens.extend(c_tokens(text, line));
                }
            }
            line += 1;
        }
        Header {
            file,
            macros,
            tokens: own_tokens,
        }
    }

    /// Where a line of it is.
    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }

    pub(crate) fn statements(&self) -> Vec<Statement<'_, 'a>> {
        statements(&self.tokens)
    }
}

/// `# 12 "c_helper.h" 2`
fn line_marker(text: &str) -> Option<(usize, &str)> {
    let (number, rest) = text.strip_prefix("# ")?.split_once(' ')?;
    let name = rest.strip_prefix('"')?.split('"').next()?;
    Some((number.parse().ok()?, name))
}

fn name_of(defined: &str) -> &str {
    let end = defined.find(|c: char| c != '_' && !c.is_alphanumeric());
    &defined[..end.unwrap_or(defined.len())]
}

/// Splits tokens into statements; the `;` is left out.
pub(crate) fn statements<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<Statement<'t, 'a>> {
    let mut statements = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Sign {
            continue;
        }
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        let over = match token.text {
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
    statements
}

/// `… ) { … }`
fn is_function_body(tokens: &[Token<'_>]) -> bool {
    let open = tokens.iter().position(|token| token.is("{"));
    open.is_some_and(|open| open > 0 && tokens[open - 1].is(")"))
}

/// The tokens without `__attribute__((…))`.
pub(crate) fn without_attributes<'a>(statement: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < statement.len() {
        if statement[at].is("__attribute__") {
            at = after_brackets(statement, at + 1);
        } else {
            kept.push(statement[at]);
            at += 1;
        }
    }
    kept
}

/// Where the tokens go on behind the brackets that open at `open`.
pub(crate) fn after_brackets(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.kind == Kind::Sign {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth -= 1,
                _ => {}
            }
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The tokens as a person would write them in one line.
pub(crate) fn text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut before: Option<&Token<'_>> = None;
    for token in tokens {
        if before.is_some_and(|before| apart(before, token)) {
            text.push(' ');
        }
        match token.kind {
            Kind::Text => text.extend(["\"", token.text, "\""]),
            _ => text.push_str(token.text),
        }
        before = Some(token);
    }
    text
}

fn apart(left: &Token<'_>, right: &Token<'_>) -> bool {
    let word = |token: &Token<'_>| token.kind != Kind::Sign;
    match (word(left), word(right)) {
        (true, true) => true,
        (true, false) => matches!(right.text, "*" | "=" | "{" | "}"),
        (false, true) => matches!(left.text, "," | ")" | "=" | "{" | "}" | ";"),
        (false, false) => {
            matches!(left.text, "," | "=" | "{" | ";") || matches!(right.text, "=" | "{" | "}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREPROCESSED: &str = "# 1 \"a.h\"\n# 1 \"<built-in>\" 1\n#define __x86_64__ 1\n\
        # 1 \"a.h\" 2\n\
        #define A_H\n\
        # 3 \"./b.h\" 1\n\
        int other(void);\n\
        #define B 2\n\
        # 4 \"a.h\" 2\n\
        #define MAX 63\n\
        #define GONE 1\n\
        #undef GONE\n\
        #define TWICE(x) ((x) * 2)\n\
        int f(const char *name,\n\
        \x20     void (*call)(int));\n\
        static inline int g(void) { return 1; }\n\
        struct s { int a; struct { int b[4]; } c; };\n";

    #[test]
    fn only_what_is_its_own() {
        let header = Header::new("a.h", PREPROCESSED);
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
        let texts: Vec<_> = header
            .statements()
            .iter()
            .map(|s| (s[0].line, text(s)))
            .collect();
        assert_eq!(
            texts,
            [
                (8, "int f(const char *name, void(*call)(int))".to_owned()),
                (10, "static inline int g(void) { return 1; }".to_owned()),
                (11, "struct s { int a; struct { int b[4]; } c; }".to_owned()),
            ]
        );
    }

    #[test]
    fn attributes() {
        let source = "int f(void) __attribute__((__section__(\"x\"))), g";
        let tokens = c_tokens(source, 1);
        assert_eq!(text(&without_attributes(&tokens)), "int f(void), g");
    }
}
