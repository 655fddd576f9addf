// SPDX-License-Identifier: GPL-2.0

//! The `extern` blocks and global symbols of a crate, from its source as rustc compiles it: with
//! macros expanded, and without what is configured out.

use crate::probes::PROBE;
use crate::tokens::{tokens, Kind, Token};

/// What `keeps_contract!` of border.rs defines for each symbol that it has checked.
const CHECKED: &str = "__border_checked_";

/// An item with `#[no_mangle]` or `#[export_name]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) symbol: String,
    /// Its name in Rust.
    item: String,
    /// The path of the module that it is in.
    module: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// The symbols that `extern` blocks declare.
    pub(crate) declared: Vec<String>,
    /// The symbols that the generated bindings declare: there is a probe for each.
    pub(crate) probes: Vec<String>,
    pub(crate) exports: Vec<Export>,
    /// All functions and statics, by their names in Rust.
    pub(crate) defined: Vec<String>,
}

impl Expanded {
    /// Parses the output of `rustc -Zunpretty=expanded`.
    pub(crate) fn new(source: &str) -> Self {
        let tokens = tokens(source, 1);
        let mut found = Expanded::default();
        let (mut at, mut modules) = (0, Modules::default());
        while at < tokens.len() {
            let rest = &tokens[at..];
            modules.step(rest);
            at += match rest[0].text {
                _ if !rest[0].is_word() => 1,
                // The body of a macro is code only where the macro is called.
                "macro_rules" if rest.get(1).is_some_and(|token| token.is("!")) => {
                    let open = rest.iter().position(|token| token.nesting() == 1);
                    open.map_or(rest.len(), |open| open + group_len(&rest[open..]))
                }
                "extern" => match block_start(rest) {
                    Some(open) => {
                        let length = group_len(&rest[open..]);
                        found.extern_block(&rest[open..open + length]);
                        open + length
                    }
                    None => 1,
                },
                "no_mangle" if in_attribute(&tokens, at) => {
                    let item = next_item(rest);
                    found.export(item.clone(), item, &modules);
                    1
                }
                "export_name" if in_attribute(&tokens, at) => {
                    let name = rest.get(2).filter(|token| token.kind == Kind::Quoted);
                    let symbol = name.map(|token| token.text.to_owned());
                    found.export(symbol, next_item(rest), &modules);
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

    fn export(&mut self, symbol: Option<String>, item: Option<String>, modules: &Modules) {
        if let (Some(symbol), Some(item)) = (symbol, item) {
            self.exports.push(Export {
                symbol,
                item,
                module: modules.path(),
            });
        }
    }

    fn extern_block(&mut self, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            // At a greater depth, `fn` is the type of a parameter.
            let depth = || tokens[..at].iter().map(Token::nesting).sum::<i32>();
            if token.is_any(&["fn", "static"]) && depth() == 1 {
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

    /// Whether `keeps_contract!` names the symbol in the module that defines it. In another module
    /// the name could be that of the binding, from a glob import.
    pub(crate) fn is_checked(&self, symbol: &str) -> bool {
        let checked = format!("{CHECKED}{symbol}");
        let mut checks = self.exports.iter().filter(|one| one.symbol == checked);
        checks.any(|check| {
            let mut exports = self.exports.iter().filter(|one| one.symbol == symbol);
            exports.any(|one| one.item == symbol && one.module == check.module)
        })
    }

    /// The symbols that are declared more often than by the bindings.
    pub(crate) fn handwritten(&self) -> Vec<&String> {
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
    depth: i32,
    /// (depth, name)
    open: Vec<(i32, String)>,
}

impl Modules {
    fn step(&mut self, rest: &[Token<'_>]) {
        if let [word, name, open, ..] = rest {
            if word.is("mod") && name.is_word() && open.is("{") {
                self.open.push((self.depth, name.text.to_owned()));
            }
        }
        self.depth += rest[0].nesting();
        if rest[0].nesting() < 0 {
            self.open.retain(|(depth, _)| *depth < self.depth);
        }
    }

    fn path(&self) -> Vec<String> {
        self.open.iter().map(|(_, name)| name.clone()).collect()
    }
}

/// The index of the bracket in `extern {` or `extern "C" {`.
fn block_start(tokens: &[Token<'_>]) -> Option<usize> {
    match tokens {
        [_, open, ..] if open.is("{") => Some(1),
        [_, abi, open, ..] if abi.kind == Kind::Quoted && open.is("{") => Some(2),
        _ => None,
    }
}

/// The number of tokens from an opening bracket to the matching one.
fn group_len(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        depth += token.nesting();
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The `#[link_name = "x"]` of the item after these tokens.
fn link_name(before: &[Token<'_>]) -> Option<String> {
    let item = before
        .iter()
        .rposition(|token| token.is_any(&[";", "{"]))
        .map_or(0, |end| end + 1);
    let at = before[item..]
        .iter()
        .position(|token| token.is("link_name"))?;
    let text = before[item..].get(at + 2)?;
    Some(text.text.trim_start_matches("\\u{1}").to_owned())
}

/// Whether a token is in an attribute, as in `#[no_mangle]` or `#[unsafe(no_mangle)]`.
fn in_attribute(tokens: &[Token<'_>], at: usize) -> bool {
    let before = tokens[..at].iter().rposition(|token| token.is("["));
    before.is_some_and(|open| {
        open > 0 && tokens[open - 1].is("#") && !tokens[open..at].iter().any(|token| token.is("]"))
    })
}

/// The name after the next `fn` or `static`.
fn next_item(tokens: &[Token<'_>]) -> Option<String> {
    let at = tokens
        .iter()
        .position(|token| token.is_any(&["fn", "static"]))?;
    let name = tokens[at + 1..].iter().find(|token| !token.is("mut"))?;
    name.is_word().then(|| name.text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports() {
        let source = "#[no_mangle]\npub unsafe extern \"C\" fn f(a: u32) {}\n\
                      #[unsafe(no_mangle)] pub static mut T: u8 = 0;\n\
                      #[export_name = \"g\"] fn h() {}\n\
                      #[export_name = concat!(\"a\", \"b\")] fn joined() {}\n\
                      // #[no_mangle] fn not_this() {}\n\
                      let no_mangle = 1; fn i() {}";
        let found = Expanded::new(source);
        let symbols: Vec<&str> = found.exports.iter().map(|one| &*one.symbol).collect();
        assert_eq!(symbols, ["f", "T", "g"]);
        assert_eq!(found.defined, ["f", "T", "h", "joined", "i"]);
    }

    #[test]
    fn checks() {
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
    fn declarations() {
        let source = "mod a_h { extern \"C\" { #[link_name = \"\\u{1}match\"] pub fn match_(); }\n\
                      extern \"C\" { pub fn f(call: Option<unsafe extern \"C\" fn()>); pub static mut n: u32; }\n\
                      static __probe_of_match: Option<fn()> = None; static __probe_of_f: u8 = 0; }\n\
                      unsafe extern { fn f() -> u64; }\n\
                      macro_rules! m { () => { extern \"C\" { fn never(); } } }\n\
                      extern \"C\" fn g() {} extern crate core; type F = extern \"C\" fn();\n\
                      /* extern \"C\" { */ let s = \"extern {\";";
        let found = Expanded::new(source);
        assert_eq!(found.declared, ["match", "f", "n", "f"]);
        assert_eq!(found.handwritten(), ["f", "n"]);
    }
}
