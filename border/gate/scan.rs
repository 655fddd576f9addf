// SPDX-License-Identifier: GPL-2.0

//! What a Rust source says of crossings by itself: it may define what the contract declares, and
//! may declare nothing.

use crate::problem::{Layer, Problem};
use crate::tokens::{tokens, Kind, Token};

/// Something that a source gives a symbol of its own name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// What was found in one source.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// `#[no_mangle]` and `#[export_name]`.
    pub(crate) given: Vec<Given>,
    /// Functions and statics, whatever their symbols.
    pub(crate) defined: Vec<Given>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads a source; `file` is for messages.
pub(crate) fn rust(file: &str, source: &str) -> Scan {
    let tokens = tokens(source, 1);
    let mut scan = Scan::default();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "extern" if token.is_word() && opens_block(&tokens[at + 1..]) => {
                scan.problems.push(hand_written(file, token.line));
            }
            "no_mangle" if token.is_word() && in_attribute(&tokens, at) => {
                scan.given.extend(next_item(&tokens[at..]));
            }
            "export_name" if token.is_word() && in_attribute(&tokens, at) => {
                let text = tokens[at..].iter().find(|token| token.kind == Kind::Text);
                scan.given.extend(text.map(|text| Given {
                    name: text.text.to_owned(),
                    line: text.line,
                }));
            }
            "fn" | "static" if token.is_word() => scan.defined.extend(next_item(&tokens[at..])),
            _ => {}
        }
    }
    scan
}

/// `extern {`, `extern "C" {`
fn opens_block(behind: &[Token<'_>]) -> bool {
    match behind {
        [open, ..] if open.is("{") => true,
        [abi, open, ..] => abi.kind == Kind::Text && open.is("{"),
        _ => false,
    }
}

fn hand_written(file: &str, line: usize) -> Problem {
    Problem::new(
        Layer::Rust,
        "an `extern` block written by hand: nothing checks it",
    )
    .seen(format!("{file}:{line}"))
    .mend("declare it in the contract, and use what is generated from that")
}

/// `#[no_mangle]`, `#[unsafe(no_mangle)]`, `#[cfg_attr(…, no_mangle)]`: an attribute is being read.
fn in_attribute(tokens: &[Token<'_>], at: usize) -> bool {
    let before = tokens[..at].iter().rposition(|token| token.is("["));
    before.is_some_and(|open| {
        open > 0 && tokens[open - 1].is("#") && !tokens[open..at].iter().any(|token| token.is("]"))
    })
}

/// The name behind the next `fn` or `static`.
fn next_item(tokens: &[Token<'_>]) -> Option<Given> {
    let at = tokens
        .iter()
        .position(|token| token.is_word() && ["fn", "static"].contains(&token.text))?;
    let name = tokens[at + 1..].iter().find(|token| !token.is("mut"))?;
    name.is_word().then(|| Given {
        name: name.text.to_owned(),
        line: name.line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(source: &str) -> Vec<(String, usize)> {
        rust("a.rs", source)
            .given
            .into_iter()
            .map(|given| (given.name, given.line))
            .collect()
    }

    #[test]
    fn what_is_given() {
        let source = "#[no_mangle]\npub unsafe extern \"C\" fn f(a: u32) {}\n\
                      #[unsafe(no_mangle)] pub static mut T: u8 = 0;\n\
                      #[export_name = \"g\"] fn h() {}\n\
                      // #[no_mangle] fn not_this() {}\n\
                      let no_mangle = 1; fn i() {}";
        assert_eq!(
            given(source),
            [
                ("f".to_owned(), 2),
                ("T".to_owned(), 3),
                ("g".to_owned(), 4)
            ]
        );
    }

    #[test]
    fn hand_written_blocks() {
        let count = |source| rust("a.rs", source).problems.len();
        assert_eq!(count("extern \"C\" { fn f(); }"), 1);
        assert_eq!(count("unsafe extern { fn f(); }"), 1);
        assert_eq!(
            count("macro_rules! m { () => { extern \"C\" { fn f(); } } }"),
            1
        );
        assert_eq!(count("extern \"C\" fn f() {}"), 0);
        assert_eq!(count("extern crate core; type F = extern \"C\" fn();"), 0);
        assert_eq!(count("/* extern \"C\" { */ let s = \"extern {\";"), 0);
    }
}
