// SPDX-License-Identifier: GPL-2.0

//! What a Rust object says of crossings by itself: it may define what the contract declares, and
//! may declare nothing. Read from the crate as rustc compiles it, with its macros expanded and
//! without what is configured out.

use crate::probes::PROBE;
use crate::tokens::{tokens, Kind, Token};

/// What `keeps_contract!` of border.rs leaves in an object for each function that it has checked.
const CHECKED: &str = "__border_checked_";

/// What Rust gives a symbol, or says to have checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// For the linker.
    pub(crate) symbol: String,
    /// In the source.
    item: String,
    /// The modules around it.
    module: Vec<String>,
}

/// What was found in a crate, by names for the linker.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// What `extern` blocks declare.
    pub(crate) declared: Vec<String>,
    /// What the generated bindings declare: each has its probe.
    pub(crate) probes: Vec<String>,
    /// What has a symbol: `#[no_mangle]` and `#[export_name]`.
    pub(crate) given: Vec<Given>,
    /// Functions and statics, whatever their symbols.
    pub(crate) defined: Vec<String>,
}

impl Expanded {
    /// Reads what `rustc -Zunpretty=expanded` printed.
    pub(crate) fn new(source: &str) -> Self {
        let tokens = tokens(source, 1);
        let mut found = Expanded::default();
        let (mut at, mut modules) = (0, Modules::default());
        while at < tokens.len() {
            let rest = &tokens[at..];
            modules.step(rest);
            at += match rest[0].text {
                _ if !rest[0].is_word() => 1,
                // A macro's body is no code, unless it was called.
                "macro_rules" if rest.get(1).is_some_and(|token| token.is("!")) => {
                    let open = rest.iter().position(is_open);
                    open.map_or(rest.len(), |open| open + whole(&rest[open..]))
                }
                "extern" => match opens_block(rest) {
                    Some(open) => {
                        let length = whole(&rest[open..]);
                        found.block(&rest[open..open + length]);
                        open + length
                    }
                    None => 1,
                },
                "no_mangle" if in_attribute(&tokens, at) => {
                    let item = next_item(rest);
                    found.given.extend(item.map(|item| Given {
                        symbol: item.clone(),
                        item,
                        module: modules.path(),
                    }));
                    1
                }
                "export_name" if in_attribute(&tokens, at) => {
                    let text = rest.get(2).filter(|token| token.kind == Kind::Text);
                    found.given.extend(text.and_then(|text| {
                        Some(Given {
                            symbol: text.text.to_owned(),
                            item: next_item(rest)?,
                            module: modules.path(),
                        })
                    }));
                    1
                }
                "fn" | "static" => {
                    found.item(next_item(rest));
                    1
                }
                _ => 1,
            };
        }
        found
    }

    fn block(&mut self, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            let item = token.is("fn") || token.is("static");
            // Not the `fn` of a parameter's type.
            if item && depth(&tokens[..at]) == 1 {
                let link_name = link_name(&tokens[..at]);
                self.declared
                    .extend(link_name.or_else(|| next_item(&tokens[at..])));
            }
        }
    }

    fn item(&mut self, name: Option<String>) {
        let Some(name) = name else {
            return;
        };
        match name.strip_prefix(PROBE) {
            Some(symbol) => self.probes.push(symbol.to_owned()),
            None => self.defined.push(name),
        }
    }

    /// Whether a check of a symbol stands where its definition does. By its name alone it could be
    /// the contract's own, out of a glob import.
    pub(crate) fn is_checked(&self, symbol: &str) -> bool {
        let checked = format!("{CHECKED}{symbol}");
        let mut checks = self.given.iter().filter(|one| one.symbol == checked);
        checks.any(|check| {
            let mut given = self.given.iter().filter(|one| one.symbol == symbol);
            given.any(|given| given.item == symbol && given.module == check.module)
        })
    }

    /// What `extern` blocks declare that no contract did.
    pub(crate) fn by_hand(&self) -> Vec<&String> {
        let count = |names: &[String], name: &str| names.iter().filter(|n| *n == name).count();
        let mut names: Vec<&String> = self
            .declared
            .iter()
            .filter(|name| count(&self.declared, name) > count(&self.probes, name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The modules around a token.
#[derive(Default)]
struct Modules {
    /// Brackets that are open.
    depth: usize,
    /// (how many brackets are around it, its name)
    open: Vec<(usize, String)>,
}

impl Modules {
    fn step(&mut self, rest: &[Token<'_>]) {
        if let [word, name, open, ..] = rest {
            if word.is("mod") && name.is_word() && open.is("{") {
                self.open.push((self.depth, name.text.to_owned()));
            }
        }
        if is_open(&rest[0]) {
            self.depth += 1;
        } else if [")", "]", "}"].iter().any(|close| rest[0].is(close)) {
            self.depth = self.depth.saturating_sub(1);
            self.open.retain(|(depth, _)| *depth < self.depth);
        }
    }

    fn path(&self) -> Vec<String> {
        self.open.iter().map(|(_, name)| name.clone()).collect()
    }
}

/// Where the body of `extern {` or `extern "C" {` begins.
fn opens_block(tokens: &[Token<'_>]) -> Option<usize> {
    match tokens {
        [_, open, ..] if open.is("{") => Some(1),
        [_, abi, open, ..] if abi.kind == Kind::Text && open.is("{") => Some(2),
        _ => None,
    }
}

fn is_open(token: &Token<'_>) -> bool {
    ["(", "[", "{"].iter().any(|open| token.is(open))
}

fn depth(tokens: &[Token<'_>]) -> i32 {
    tokens.iter().fold(0, |depth, token| {
        let closes = [")", "]", "}"].iter().any(|close| token.is(close));
        depth + i32::from(is_open(token)) - i32::from(closes)
    })
}

/// How many tokens there are from an opening bracket to its closing one.
fn whole(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(is_open(token));
        depth -= i32::from([")", "]", "}"].iter().any(|close| token.is(close)));
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// `#[link_name = "x"]`, of the item that these tokens lead to.
fn link_name(before: &[Token<'_>]) -> Option<String> {
    let item = before
        .iter()
        .rposition(|token| token.is(";") || token.is("{"))
        .map_or(0, |end| end + 1);
    let at = before[item..]
        .iter()
        .position(|token| token.is("link_name"))?;
    let text = before[item..].get(at + 2)?;
    Some(text.text.trim_start_matches("\\u{1}").to_owned())
}

/// `#[no_mangle]`, `#[unsafe(no_mangle)]`: an attribute is being read.
fn in_attribute(tokens: &[Token<'_>], at: usize) -> bool {
    let before = tokens[..at].iter().rposition(|token| token.is("["));
    before.is_some_and(|open| {
        open > 0 && tokens[open - 1].is("#") && !tokens[open..at].iter().any(|token| token.is("]"))
    })
}

/// The name behind the next `fn` or `static`.
fn next_item(tokens: &[Token<'_>]) -> Option<String> {
    let at = tokens
        .iter()
        .position(|token| token.is("fn") || token.is("static"))?;
    let name = tokens[at + 1..].iter().find(|token| !token.is("mut"))?;
    name.is_word().then(|| name.text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given() {
        let source = "#[no_mangle]\npub unsafe extern \"C\" fn f(a: u32) {}\n\
                      #[unsafe(no_mangle)] pub static mut T: u8 = 0;\n\
                      #[export_name = \"g\"] fn h() {}\n\
                      #[export_name = concat!(\"a\", \"b\")] fn joined() {}\n\
                      // #[no_mangle] fn not_this() {}\n\
                      let no_mangle = 1; fn i() {}";
        let found = Expanded::new(source);
        let given: Vec<&str> = found.given.iter().map(|one| &*one.symbol).collect();
        assert_eq!(given, ["f", "T", "g"]);
        assert_eq!(found.defined, ["f", "T", "h", "joined", "i"]);
    }

    #[test]
    fn what_is_checked() {
        let check = |name: &str| {
            format!(
                "const _: () = {{ #[export_name = \"{CHECKED}{name}\"] static CHECKED: u8 = 0; }};"
            )
        };
        let source = format!(
            "#[no_mangle] fn f() {{}} {} mod a {{ #[no_mangle] fn g() {{}} mod b {{ {} }} }} {} \
             #[export_name = \"i\"] fn h() {{}} {} mod c {{ #[no_mangle] fn j() {{}} {} }}",
            check("f"),
            check("g"),
            check("g"),
            check("i"),
            check("j")
        );
        let found = Expanded::new(&source);
        assert!(found.is_checked("f") && found.is_checked("j"));
        assert!(!found.is_checked("g") && !found.is_checked("i"));
    }

    #[test]
    fn what_is_declared() {
        let source = "mod a_h { extern \"C\" { #[link_name = \"\\u{1}match\"] pub fn match_(); }\n\
                      extern \"C\" { pub fn f(call: Option<unsafe extern \"C\" fn()>); pub static mut n: u32; }\n\
                      static __probe_of_match: Option<fn()> = None; static __probe_of_f: u8 = 0; }\n\
                      unsafe extern { fn f() -> u64; }\n\
                      macro_rules! m { () => { extern \"C\" { fn never(); } } }\n\
                      extern \"C\" fn g() {} extern crate core; type F = extern \"C\" fn();\n\
                      /* extern \"C\" { */ let s = \"extern {\";";
        let found = Expanded::new(source);
        assert_eq!(found.declared, ["match", "f", "n", "f"]);
        assert_eq!(found.by_hand(), ["f", "n"]);
    }
}
