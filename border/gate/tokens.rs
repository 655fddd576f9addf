// SPDX-License-Identifier: GPL-2.0

//! Words and signs of a source, with their lines. Good for Rust, and for C that the preprocessor
//! has been through: both have the same words, numbers, strings and brackets.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword.
    Word,
    /// A number.
    Number,
    /// A string, without its quotes; characters and lifetimes too.
    Text,
    /// One character of anything else.
    Sign,
}

/// A token and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Token<'_> {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }
}

/// Splits a source of Rust; comments are left out. The first line has the number `line`.
pub(crate) fn tokens(source: &str, line: usize) -> Vec<Token<'_>> {
    all(Reader {
        source,
        at: 0,
        line,
        comment: nested_comment,
    })
}

/// The same of C, where comments have no others in them.
pub(crate) fn c_tokens(source: &str, line: usize) -> Vec<Token<'_>> {
    all(Reader {
        source,
        at: 0,
        line,
        comment: flat_comment,
    })
}

fn all(mut reader: Reader<'_>) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    while let Some(token) = reader.next() {
        tokens.push(token);
    }
    tokens
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    line: usize,
    /// The length of the comment that a text begins with.
    comment: fn(&str) -> usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_blank();
        let line = self.line;
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (kind, text) = if let Some(text) = self.raw_text() {
            (Kind::Text, text)
        } else if is_word(first) && !first.is_ascii_digit() {
            (Kind::Word, self.take(length_while(rest, is_word)))
        } else if first.is_ascii_digit() {
            (Kind::Number, self.take(length_while(rest, is_word)))
        } else if first == '"' {
            (Kind::Text, self.quoted('"'))
        } else if first == '\'' {
            (Kind::Text, self.character())
        } else {
            (Kind::Sign, self.take(first.len_utf8()))
        };
        Some(Token { kind, text, line })
    }

    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    fn take(&mut self, length: usize) -> &'a str {
        let text = &self.rest()[..length];
        self.line += text.matches('\n').count();
        self.at += length;
        text
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = length_while(rest, char::is_whitespace);
            let length = if blank > 0 {
                blank
            } else if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                (self.comment)(rest)
            } else {
                return;
            };
            self.take(length);
        }
    }

    /// `"…"`, with `\"` in it; without the quotes.
    fn quoted(&mut self, quote: char) -> &'a str {
        self.take(1);
        let mut escaped = false;
        let length = length_while(self.rest(), |c| {
            let inside = escaped || c != quote;
            escaped = c == '\\' && !escaped;
            inside
        });
        let text = self.take(length);
        self.take(usize::from(!self.rest().is_empty()));
        text
    }

    /// `'x'` and `'\n'` have an end, the lifetime `'a` has none.
    fn character(&mut self) -> &'a str {
        let mut next = self.rest()[1..].chars();
        match (next.next(), next.next()) {
            (Some('\\'), _) | (_, Some('\'')) => self.quoted('\''),
            _ => {
                self.take(1);
                self.take(length_while(self.rest(), is_word))
            }
        }
    }

    /// `r"…"`, `br#"…"#` and the like.
    fn raw_text(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let prefix = ["br", "cr", "r"]
            .into_iter()
            .find(|prefix| rest.starts_with(prefix))?;
        let hashes = length_while(&rest[prefix.len()..], |c| c == '#');
        let start = prefix.len() + hashes + 1;
        if !rest[prefix.len() + hashes..].starts_with('"') {
            return None;
        }
        let end = format!("\"{}", "#".repeat(hashes));
        let length = rest[start..].find(&end).unwrap_or(rest.len() - start);
        self.take(start);
        let text = self.take(length);
        self.take(end.len().min(self.rest().len()));
        Some(text)
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn length_while(text: &str, mut wanted: impl FnMut(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

fn flat_comment(text: &str) -> usize {
    let end = text[2..].find("*/");
    end.map_or(text.len(), |end| end + 4)
}

/// It may have others in it.
fn nested_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        let step = rest.chars().next().map_or(1, char::len_utf8);
        at += match (rest.starts_with("/*"), rest.starts_with("*/")) {
            (true, _) => {
                depth += 1;
                2
            }
            (_, true) => {
                depth -= 1;
                2
            }
            _ => step,
        };
        if depth == 0 {
            break;
        }
    }
    at
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

    fn texts(source: &str) -> Vec<&str> {
        tokens(source, 1).iter().map(|token| token.text).collect()
    }

    #[test]
    fn rust() {
        assert_eq!(
            texts("fn f<'a>(x: &'a u8) -> u32 { 0x1f_u32 } // fn g\n/* a /* b */ c */ 'x' '\\'' b"),
            [
                "fn", "f", "<", "a", ">", "(", "x", ":", "&", "a", "u8", ")", "-", ">", "u32", "{",
                "0x1f_u32", "}", "x", "\\'", "b"
            ]
        );
    }

    #[test]
    fn what_stands_in_a_string_is_no_code() {
        let source = "let s = r#\"extern \"C\" { \"#; let t = \"a \\\" extern {\"; extern";
        assert_eq!(
            texts(source),
            [
                "let",
                "s",
                "=",
                "extern \"C\" { ",
                ";",
                "let",
                "t",
                "=",
                "a \\\" extern {",
                ";",
                "extern"
            ]
        );
        let externs = tokens(source, 1);
        assert_eq!(externs.iter().filter(|token| token.is("extern")).count(), 1);
    }

    #[test]
    fn lines() {
        let source = "a\n\"b\nc\" d /* e\n f */ g";
        let lines: Vec<_> = tokens(source, 7).iter().map(|t| (t.text, t.line)).collect();
        assert_eq!(lines, [("a", 7), ("b\nc", 8), ("d", 9), ("g", 10)]);
    }

    #[test]
    fn what_never_ends() {
        for source in ["\"a", "r#\"a", "/* a", "'", "'\\", "b'"] {
            tokens(source, 1);
        }
    }
}
