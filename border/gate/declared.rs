// SPDX-License-Identifier: GPL-2.0

//! Finds what a contract declares: a function, a struct, a field, and the line where it stands.

use crate::header::{after_brackets, statements, text, without_attributes, Header, Statement};
use crate::tokens::Token;

/// A declaration and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Declaration {
    fn of(statement: &[Token<'_>]) -> Self {
        Declaration {
            line: statement.first().map_or(0, |token| token.line),
            text: text(statement),
        }
    }
}

/// A struct, a union or an enum with its body.
pub(crate) struct Body<'t, 'a> {
    /// How C calls it: `struct s`, or `s` for a typedef.
    pub(crate) c_name: String,
    pub(crate) line: usize,
    pub(crate) tokens: &'t [Token<'a>],
}

/// A field, or several of one type: `int a, b;`.
pub(crate) struct Field<'t, 'a> {
    pub(crate) statement: Statement<'t, 'a>,
    /// What is between its own braces, if it has some.
    pub(crate) body: Option<&'t [Token<'a>]>,
}

impl Field<'_, '_> {
    /// Whether there is nothing behind its braces: its members are the outer struct's.
    pub(crate) fn is_unnamed(&self) -> bool {
        let plain = without_attributes(self.statement);
        self.body.is_some() && plain.last().is_some_and(|token| token.is("}"))
    }

    /// Whether it declares this name, behind its braces if it has some.
    pub(crate) fn declares(&self, name: &str) -> bool {
        let start = match self.body {
            Some(_) => self
                .statement
                .iter()
                .position(|token| token.is("{"))
                .map_or(0, |open| after_brackets(self.statement, open)),
            None => 1,
        };
        self.statement[start.min(self.statement.len())..]
            .iter()
            .any(|token| token.is(name))
    }
}

/// Each declaration of this function: there should be one.
pub(crate) fn functions(header: &Header<'_>, name: &str) -> Vec<Declaration> {
    outside(header)
        .into_iter()
        .filter(|statement| {
            let plain = without_attributes(statement);
            plain
                .windows(2)
                .any(|pair| pair[0].is(name) && pair[1].is("("))
        })
        .map(Declaration::of)
        .collect()
}

/// A variable.
pub(crate) fn variable(header: &Header<'_>, name: &str) -> Option<Declaration> {
    outside(header)
        .into_iter()
        .find(|statement| statement[0].is("extern") && statement.iter().any(|t| t.is(name)))
        .map(Declaration::of)
}

/// A typedef without a body.
pub(crate) fn typedef(header: &Header<'_>, name: &str) -> Option<Declaration> {
    outside(header)
        .into_iter()
        .find(|statement| statement[0].is("typedef") && statement.iter().any(|t| t.is(name)))
        .map(Declaration::of)
}

/// A constant: a macro, or one of an enum's.
pub(crate) fn constant(header: &Header<'_>, name: &str) -> Option<usize> {
    let defined = header.macros.iter().find(|defined| defined.name == name);
    let token = header.tokens.iter().find(|token| token.is(name));
    defined
        .map(|defined| defined.line)
        .or(token.map(|token| token.line))
}

/// Where this is declared, whatever it is.
pub(crate) fn anything(header: &Header<'_>, name: &str) -> Option<Declaration> {
    functions(header, name)
        .into_iter()
        .next()
        .or_else(|| variable(header, name))
        .or_else(|| typedef(header, name))
        .or_else(|| {
            body(header, name).map(|body| Declaration {
                line: body.line,
                text: body.c_name,
            })
        })
}

/// Statements without those that have a body of their own: no field is taken for a variable.
fn outside<'t, 'a>(header: &'t Header<'a>) -> Vec<Statement<'t, 'a>> {
    let mut all = header.statements();
    all.retain(|statement| !statement.iter().any(|token| token.is("{")));
    all
}

/// The struct, union or enum of this name, by its tag or by a typedef.
pub(crate) fn body<'t, 'a>(header: &'t Header<'a>, name: &str) -> Option<Body<'t, 'a>> {
    let tokens = &header.tokens;
    let open = |at: usize| (at..tokens.len()).find(|&at| tokens[at].is("{"));
    let body = |c_name: String, at: usize| {
        let open = open(at)?;
        Some(Body {
            c_name,
            line: tokens[at].line,
            tokens: &tokens[open + 1..after_brackets(tokens, open) - 1],
        })
    };
    for at in 0..tokens.len().saturating_sub(1) {
        let tagged = is_tag(&tokens[at]) && tokens[at + 1].is(name);
        // Behind the name there may be attributes, but nothing that ends a declaration.
        let behind = tokens[at + 2..]
            .iter()
            .find(|t| t.is("{") || t.is(";") || t.is("*") || t.is(","));
        if tagged && behind.is_some_and(|token| token.is("{")) {
            return body(format!("{} {name}", tokens[at].text), at);
        }
    }
    header.statements().into_iter().find_map(|statement| {
        let has_body = statement.iter().any(|token| token.is("{"));
        let last = without_attributes(statement)
            .last()
            .is_some_and(|token| token.is(name));
        (statement[0].is("typedef") && has_body && last).then_some(())?;
        let at = tokens
            .iter()
            .position(|token| std::ptr::eq(token, &statement[0]))?;
        body(name.to_owned(), at)
    })
}

fn is_tag(token: &Token<'_>) -> bool {
    ["struct", "union", "enum"].iter().any(|tag| token.is(tag))
}

/// The fields of a body.
pub(crate) fn fields<'t, 'a>(body: &'t [Token<'a>]) -> Vec<Field<'t, 'a>> {
    statements(body)
        .into_iter()
        .map(|statement| {
            let open = statement.iter().position(|token| token.is("{"));
            Field {
                statement,
                body: open.map(|open| &statement[open + 1..after_brackets(statement, open) - 1]),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "# 1 \"a.h\"\n\
        enum colour { RED, GREEN = 5 };\n\
        struct s { int a, b; union { u8 raw[4]; u32 whole; } u; struct t *next; };\n\
        typedef struct { int x; } point __attribute__((aligned(8)));\n\
        typedef int (*call_fn)(void *context, u32 nth);\n\
        extern const u32 table[4];\n\
        struct s *make(struct t *a) __attribute__((malloc));\n";

    #[test]
    fn finds() {
        let header = Header::new("a.h", SOURCE);
        assert_eq!(functions(&header, "make")[0].line, 6);
        assert!(functions(&header, "a").is_empty());
        assert_eq!(
            variable(&header, "table").expect("it is there").text,
            "extern const u32 table[4]"
        );
        assert!(variable(&header, "a").is_none());
        assert_eq!(typedef(&header, "call_fn").expect("it is there").line, 4);
        assert_eq!(constant(&header, "GREEN"), Some(1));
        assert_eq!(
            anything(&header, "colour").expect("it is there").text,
            "enum colour"
        );
        assert!(anything(&header, "nothing").is_none());
    }

    #[test]
    fn bodies() {
        let header = Header::new("a.h", SOURCE);
        let s = body(&header, "s").expect("it is there");
        assert_eq!((s.c_name.as_str(), s.line), ("struct s", 2));
        let fields = fields(s.tokens);
        assert!(fields[0].declares("b") && !fields[0].declares("u"));
        assert!(fields[1].declares("u") && !fields[1].declares("raw") && fields[1].body.is_some());
        assert!(fields[2].declares("next"));
        assert_eq!(body(&header, "point").expect("it is there").c_name, "point");
        assert!(body(&header, "t").is_none());
    }
}
