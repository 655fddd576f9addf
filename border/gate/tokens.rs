// SPDX-License-Identifier: GPL-2.0

//! Splits Rust, or preprocessed C, into tokens. The two have the same identifiers, numbers, strings
//! and brackets.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword.
    Ident,
    Number,
    /// A string or character without its quotes, or a lifetime.
    Quoted,
    /// Any other character.
    Punct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether the token is this identifier or character, and not a string of that content.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Quoted && self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.kind == Kind::Ident
    }

    pub(crate) fn is_any(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.is(text))
    }

    /// 1 for an opening bracket, -1 for a closing one.
    pub(crate) fn nesting(&self) -> i32 {
        match self.text {
            _ if self.kind != Kind::Punct => 0,
            "{" | "(" | "[" => 1,
            "}" | ")" | "]" => -1,
            _ => 0,
        }
    }
}

/// The tokens of Rust source, without comments. `line` is the number of its first line.
pub(crate) fn tokens(source: &str, line: usize) -> Vec<Token<'_>> {
    collect(Reader {
        source,
        at: 0,
        line,
        comment: nested_comment,
    })
}

/// The tokens of C source, where comments do not nest.
pub(crate) fn c_tokens(source: &str, line: usize) -> Vec<Token<'_>> {
    collect(Reader {
        source,
        at: 0,
        line,
        comment: flat_comment,
    })
}

fn collect(mut reader: Reader<'_>) -> Vec<Token<'_>> {
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
    /// The length of the comment at the start of a text.
    comment: fn(&str) -> usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let line = self.line;
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (kind, text) = if let Some(text) = self.raw_string() {
            (Kind::Quoted, text)
        } else if first.is_ascii_digit() {
            (Kind::Number, self.take(length_while(rest, is_word_char)))
        } else if is_word_char(first) {
            (Kind::Ident, self.take(length_while(rest, is_word_char)))
        } else if first == '"' {
            (Kind::Quoted, self.quoted('"'))
        } else if first == '\'' {
            (Kind::Quoted, self.character())
        } else {
            (Kind::Punct, self.take(first.len_utf8()))
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

    fn skip_space(&mut self) {
        loop {
            let rest = self.rest();
            let space = length_while(rest, char::is_whitespace);
            let length = if space > 0 {
                space
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

    /// `"…"`, which may contain `\"`.
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

    /// `'x'`, `'\n'`, or the lifetime `'a`.
    fn character(&mut self) -> &'a str {
        let mut next = self.rest()[1..].chars();
        match (next.next(), next.next()) {
            (Some('\\'), _) | (_, Some('\'')) => self.quoted('\''),
            _ => {
                self.take(1);
                self.take(length_while(self.rest(), is_word_char))
            }
        }
    }

    /// `r"…"`, `br#"…"#`.
    fn raw_string(&mut self) -> Option<&'a str> {
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

pub(crate) fn is_word_char(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn length_while(text: &str, mut wanted: impl FnMut(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

fn flat_comment(text: &str) -> usize {
    let end = text[2..].find("*/");
    end.map_or(text.len(), |end| end + 4)
}

fn nested_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The tokens in one line, spaced as usual.
pub(crate) fn text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut before: Option<&Token<'_>> = None;
    for token in tokens {
        if before.is_some_and(|before| needs_space(before, token)) {
            text.push(' ');
        }
        match token.kind {
            Kind::Quoted => text.extend(["\"", token.text, "\""]),
            _ => text.push_str(token.text),
        }
        before = Some(token);
    }
    text
}

fn needs_space(left: &Token<'_>, right: &Token<'_>) -> bool {
    let is_word = |token: &Token<'_>| token.kind != Kind::Punct;
    match (is_word(left), is_word(right)) {
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
    fn strings_are_not_code() {
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
    fn unterminated() {
        for source in ["\"a", "r#\"a", "/* a", "'", "'\\", "b'"] {
            tokens(source, 1);
        }
    }
}
