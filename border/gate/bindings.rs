// SPDX-License-Identifier: GPL-2.0

//! A contract as Rust sees it: a parser for the output of bindgen.

use crate::rust_type::{Signature, Type};
use crate::tokens::{is_word_char, tokens, Kind, Token};

/// The beginning of the comment that the gate adds to each item: see [`declarations`].
pub(crate) const DECLARED: &str = "/// Declared in ";

/// A part of the name of each type that has no name in C.
pub(crate) const NAMELESS: &str = "__bindgen_ty_";

/// A function or variable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Symbol {
    /// The name of the symbol, which is the name in C.
    pub(crate) name: String,
    /// The name in Rust.
    pub(crate) rust_name: String,
    /// `None` if the parser does not understand the type.
    pub(crate) kind: Option<SymbolKind>,
    /// The type of its address in Rust.
    pub(crate) pointer: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SymbolKind {
    Function(Signature),
    Data { ty: Type, mutable: bool },
}

/// A struct or union.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) size: Option<u64>,
    pub(crate) align: Option<u64>,
    pub(crate) packed: bool,
    pub(crate) aligned: bool,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) ty: Option<Type>,
    pub(crate) offset: Option<u64>,
}

/// The value of a constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// `-1`: the same in C and in Rust.
    Number(String),
    /// What is inside the quotes of `b"…\0"`.
    Text(String),
    /// Anything else, which C cannot compare.
    Other,
}

#[derive(Debug, Default)]
pub(crate) struct Bindings {
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) records: Vec<Record>,
    pub(crate) constants: Vec<(String, Value)>,
    /// (name, target)
    pub(crate) aliases: Vec<(String, Option<Type>)>,
}

impl Bindings {
    pub(crate) fn new(source: &str) -> Self {
        let tokens = tokens(source, 1);
        let mut bindings = Bindings::default();
        for at in 0..tokens.len() {
            if tokens[at].is("pub") {
                bindings.item(source, &tokens, at);
            }
        }
        bindings.layouts(&tokens);
        bindings
    }

    pub(crate) fn record(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name == name)
    }

    pub(crate) fn alias(&self, name: &str) -> Option<&Type> {
        let (_, ty) = self.aliases.iter().find(|(alias, _)| alias == name)?;
        ty.as_ref()
    }

    /// The name of a type behind all aliases, each seen through `as_seen`; `None` if it is no name, or an
    /// alias of itself.
    pub(crate) fn resolved<'t>(
        &'t self,
        ty: &'t Type,
        as_seen: impl Fn(&'t Type) -> &'t Type,
    ) -> Option<&'t str> {
        let mut ty = as_seen(ty);
        for _ in 0..=self.aliases.len() {
            let Type::Name(name) = ty else {
                return None;
            };
            match self.alias(name) {
                Some(target) => ty = as_seen(target),
                None => return Some(name),
            }
        }
        None
    }

    /// The target of C's `typedef int f(void)`: bindgen uses that name for a pointer.
    pub(crate) fn function_type(&self, name: &str) -> Option<Type> {
        let alias = self.alias(name)?;
        matches!(alias, Type::Function(_)).then(|| alias.clone())
    }

    /// The names of everything that the contract declares.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let symbols = self.symbols.iter().map(Symbol::c_name);
        let records = self.records.iter().map(|record| record.name.as_str());
        let aliases = self.aliases.iter().map(|(name, _)| name.as_str());
        let constants = self.constants.iter().map(|(name, _)| name.as_str());
        symbols.chain(records).chain(aliases).chain(constants)
    }

    /// Calls `found` with each type that is used, and whether it is behind a pointer.
    pub(crate) fn used_types(&self, found: &mut impl FnMut(&str, bool)) {
        for symbol in &self.symbols {
            match &symbol.kind {
                Some(SymbolKind::Function(signature)) => signature.names(found),
                Some(SymbolKind::Data { ty, .. }) => ty.names(false, found),
                None => {}
            }
        }
        let fields = self.records.iter().flat_map(|record| &record.fields);
        let types = fields.filter_map(|field| field.ty.as_ref());
        for ty in types.chain(self.aliases.iter().filter_map(|(_, ty)| ty.as_ref())) {
            ty.names(false, found);
        }
    }

    fn item(&mut self, source: &str, tokens: &[Token<'_>], at: usize) {
        let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text);
        match (word(1), word(2)) {
            // The accessors of bit-fields have a body: `pub fn a(&self) -> u32 {`.
            ("fn", name) if end_of_item(tokens, at).1 => self.function(source, tokens, at, name),
            ("static", "mut") => self.data(source, tokens, at, word(3), true),
            ("static", name) => self.data(source, tokens, at, name, false),
            ("const", name) if word(3) == ":" => {
                self.constants.push((name.to_owned(), value(tokens, at)))
            }
            ("type", name) => {
                let ty = Type::read(after_equals(tokens, at));
                self.aliases.push((name.to_owned(), ty));
            }
            ("struct" | "union", name) if word(3) == "{" => {
                let has = |word| attributes(tokens, at).iter().any(|token| token.is(word));
                self.records.push(Record {
                    name: name.to_owned(),
                    size: None,
                    align: None,
                    packed: has("packed"),
                    aligned: has("align"),
                    fields: fields(tokens, at + 3),
                });
            }
            _ => {}
        }
    }

    fn function(&mut self, source: &str, tokens: &[Token<'_>], at: usize, name: &str) {
        let after_name = between(tokens, at + 3, end_of_item(tokens, at).0);
        let abi = abi(&tokens[..at]);
        self.symbols.push(Symbol {
            name: link_name(tokens, at).unwrap_or(name).to_owned(),
            rust_name: name.to_owned(),
            kind: Signature::read(abi, after_name).map(SymbolKind::Function),
            pointer: format!(
                "unsafe extern \"{abi}\" fn{}",
                source_of(source, after_name)
            ),
        });
    }

    fn data(&mut self, source: &str, tokens: &[Token<'_>], at: usize, name: &str, mutable: bool) {
        let start = at + 4 + usize::from(mutable);
        let after_name = between(tokens, start, end_of_item(tokens, at).0);
        let pointer = if mutable { "*mut" } else { "*const" };
        self.symbols.push(Symbol {
            name: link_name(tokens, at).unwrap_or(name).to_owned(),
            rust_name: name.to_owned(),
            kind: Type::read(after_name).map(|ty| SymbolKind::Data { ty, mutable }),
            pointer: format!("{pointer} {}", source_of(source, after_name)),
        });
    }

    /// Reads assertions such as
    /// `["Offset of field: s::a"][::core::mem::offset_of!(s, a) - 4usize];`.
    fn layouts(&mut self, tokens: &[Token<'_>]) {
        for (at, token) in tokens.iter().enumerate() {
            let Some((what, name)) = token
                .text
                .split_once(" of ")
                .filter(|_| token.kind == Kind::Quoted)
            else {
                continue;
            };
            let number = tokens[at..].iter().find(|token| token.kind == Kind::Number);
            let number = number.and_then(|token| token.text.strip_suffix("usize")?.parse().ok());
            let field = name
                .strip_prefix("field: ")
                .and_then(|name| name.split_once("::"));
            let Some(record) = self
                .records
                .iter_mut()
                .find(|record| record.name == field.map_or(name, |(name, _)| name))
            else {
                continue;
            };
            match (what, field) {
                ("Size", None) => record.size = number,
                ("Alignment", None) => record.align = number,
                ("Offset", Some((_, field))) => {
                    for known in record.fields.iter_mut().filter(|known| known.name == field) {
                        known.offset = number;
                    }
                }
                _ => {}
            }
        }
    }
}

/// The source of these tokens, in one line. The first and the last of them must not be quoted.
fn source_of(source: &str, tokens: &[Token<'_>]) -> String {
    let place = |token: &Token<'_>| token.text.as_ptr() as usize - source.as_ptr() as usize;
    match tokens {
        [] => String::new(),
        [first, ..] => {
            let last = tokens.last().unwrap_or(first);
            let text = &source[place(first)..place(last) + last.text.len()];
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        }
    }
}

/// The ABI of the last `extern "C" {`.
fn abi<'a>(tokens: &[Token<'a>]) -> &'a str {
    let block = tokens
        .windows(2)
        .rfind(|pair| pair[0].is("extern") && pair[1].kind == Kind::Quoted);
    block.map_or("C", |pair| pair[1].text)
}

/// The end of an item, and whether that is a `;`, not a body.
fn end_of_item(tokens: &[Token<'_>], at: usize) -> (usize, bool) {
    let mut depth = 0;
    for (end, token) in tokens.iter().enumerate().skip(at) {
        if token.kind == Kind::Punct {
            match token.text {
                "(" | "[" => depth += 1,
                ")" | "]" => depth -= 1,
                ";" if depth == 0 => return (end, true),
                "{" if depth == 0 => return (end, false),
                _ => {}
            }
        }
    }
    (tokens.len(), false)
}

/// These tokens; none if the item ends before them.
fn between<'t, 'a>(tokens: &'t [Token<'a>], start: usize, end: usize) -> &'t [Token<'a>] {
    tokens.get(start..end).unwrap_or_default()
}

/// The tokens after the `=` of an item.
fn after_equals<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> &'t [Token<'a>] {
    let item = &tokens[at..end_of_item(tokens, at).0];
    let equals = item.iter().position(|token| token.is("="));
    &item[equals.map_or(item.len(), |equals| equals + 1)..]
}

fn value(tokens: &[Token<'_>], at: usize) -> Value {
    match after_equals(tokens, at) {
        [.., text] if text.kind == Kind::Quoted => Value::Text(text.text.to_owned()),
        [minus, number] if minus.is("-") && number.kind == Kind::Number => {
            Value::Number(format!("-{}", without_type(number.text)))
        }
        [number] if number.kind == Kind::Number => {
            Value::Number(without_type(number.text).to_owned())
        }
        _ => Value::Other,
    }
}

/// `100` of `100u8`, which bindgen writes for a character.
fn without_type(number: &str) -> &str {
    number.split(['u', 'i']).next().unwrap_or(number)
}

/// The attributes of an item: all tokens since the end of the previous one.
fn attributes<'t, 'a>(tokens: &'t [Token<'a>], at: usize) -> &'t [Token<'a>] {
    let end = tokens[..at]
        .iter()
        .rposition(|token| token.is_any(&["}", ";"]));
    &tokens[end.map_or(0, |end| end + 1)..at]
}

/// `match` of `#[link_name = "\u{1}match"]` before an item.
fn link_name<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    let [.., name, equals, text, end] = tokens.get(..at)? else {
        return None;
    };
    let attribute = name.is("link_name") && equals.is("=") && end.is("]");
    attribute.then(|| text.text.trim_start_matches("\\u{1}"))
}

fn is_padding(name: Option<&Token<'_>>) -> bool {
    name.is_some_and(|name| name.text.starts_with("__bindgen_padding_"))
}

/// `{ pub a : u32 , pub b : [ u8 ; 4usize ] , }`
fn fields(tokens: &[Token<'_>], open: usize) -> Vec<Field> {
    let mut fields = Vec::new();
    let (mut depth, mut at) = (0, open);
    while at < tokens.len() {
        match tokens[at].text {
            "{" | "(" | "[" | "<" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            ">" if !tokens[at - 1].is("-") => depth -= 1,
            // bindgen's padding is public or private.
            "pub" if depth == 1 && !is_padding(tokens.get(at + 1)) => fields.push(Field {
                name: tokens.get(at + 1).map_or("", |token| token.text).to_owned(),
                ty: Type::read(tokens.get(at + 3..).unwrap_or_default()),
                offset: None,
            }),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        at += 1;
    }
    fields
}

/// Whether an item is a function or static: `pub fn f(…`
pub(crate) fn is_symbol(item: &str) -> bool {
    ["pub fn ", "pub static "]
        .iter()
        .any(|start| item.starts_with(start))
}

/// (name, `c_helper.h:7: int f(int a)`) for each symbol, from the comments that the gate adds.
pub(crate) fn declarations(source: &str) -> Vec<(&str, String)> {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    lines
        .windows(2)
        .filter_map(|pair| {
            let declared = pair[0].strip_prefix(DECLARED)?;
            if !is_symbol(pair[1]) {
                return None;
            }
            Some((item_name(pair[1])?, declared.replace('`', "")))
        })
        .collect()
}

/// `f` of `pub fn f(…`
pub(crate) fn item_name(item: &str) -> Option<&str> {
    let rest = [
        "fn ",
        "static mut ",
        "static ",
        "struct ",
        "union ",
        "type ",
    ]
    .into_iter()
    .find_map(|kind| item.strip_prefix("pub ")?.strip_prefix(kind))?;
    rest.split(|c| !is_word_char(c)).next()
}

#[cfg(test)]
mod tests;
