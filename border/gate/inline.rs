// SPDX-License-Identifier: GPL-2.0

//! Inline functions in a contract. They have no symbol, so Rust calls an external definition of each:
//! a C function that calls it. Where rustc and clang share one LLVM, it is inlined into Rust.

use crate::bindings::{Bindings, Symbol, SymbolKind};
use crate::c_type;
use crate::header::{depth_of, head_of_function, without_attributes, Header};
use crate::problem::{Layer, Problem};
use crate::rust_type::{Signature, Type};
use crate::tokens::{text, Token};

/// What bindgen adds to the name of an inline function, for the symbol that Rust calls.
pub(crate) const EXTERN: &str = "__extern";

/// The spellings of `inline` after the preprocessor.
const INLINE: &[&str] = &["inline", "__inline", "__inline__"];

impl Symbol {
    /// Whether this is the external definition of an inline function.
    pub(crate) fn is_inline(&self) -> bool {
        self.name.strip_suffix(EXTERN) == Some(&self.rust_name)
    }

    /// The name of what C declares.
    pub(crate) fn c_name(&self) -> &str {
        if self.is_inline() {
            &self.rust_name
        } else {
            &self.name
        }
    }

    pub(crate) fn has_another_name(&self) -> bool {
        self.c_name() != self.rust_name
    }
}

/// Checks a statement of the contract with `static` or `inline` in it.
pub(crate) fn problem(
    header: &Header<'_>,
    bindings: &Bindings,
    statement: &[Token<'_>],
) -> Option<Problem> {
    let head = head_of_function(statement);
    let before_body = head.unwrap_or_else(|| {
        let open = statement.iter().position(|token| token.is("{"));
        &statement[..open.unwrap_or(statement.len())]
    });
    let inline = outer_word(before_body, INLINE);
    let unbound = outer_word(before_body, &["static"]);
    let word = inline.or(unbound)?;
    let note = || {
        let place = header.place(word.line);
        format!("{place}: {}", text(&without_attributes(before_body)))
    };
    let error = |what: &str, help: &str| Some(Layer::Contract.error(what).note(note()).help(help));
    match (inline, unbound, head) {
        (Some(_), Some(_), _) if is_bound(header, bindings, before_body) => None,
        (Some(_), Some(_), _) => error(
            "Rust cannot call this inline function",
            "give it fixed parameters and a body, and begin its line with `static inline`, not with a macro",
        ),
        (_, _, Some(_)) => error(
            &format!("{} functions have no symbol to link", word.text),
            "write static inline, or declare the function here, and define it in a .c file",
        ),
        _ => error(
            &format!("{} functions and data have no symbol to link", word.text),
            "declare a function here, and define it in a .c file with a call to this one",
        ),
    }
}

/// The first of these words outside of brackets: inside, as in `u32 v[static 4]`, it is about a
/// parameter.
fn outer_word<'t, 'a>(tokens: &'t [Token<'a>], words: &[&str]) -> Option<&'t Token<'a>> {
    let mut depth = 0;
    tokens.iter().find(|token| {
        depth += token.nesting();
        depth == 0 && token.is_any(words)
    })
}

/// Whether the bindings have the function that is defined here.
fn is_bound(header: &Header<'_>, bindings: &Bindings, head: &[Token<'_>]) -> bool {
    bindings.symbols.iter().any(|symbol| {
        let least = header
            .statements()
            .filter_map(|it| depth_of(it.tokens, symbol.c_name()));
        depth_of(head, symbol.c_name()).is_some_and(|depth| Some(depth) == least.min())
    })
}

/// Whether the contract declares an inline function of this name.
pub(crate) fn is_declared(header: &Header<'_>, name: &str) -> bool {
    header.statement_of_symbol(name).is_some_and(|statement| {
        let head = head_of_function(statement.tokens).unwrap_or(statement.tokens);
        outer_word(head, INLINE).is_some()
    })
}

/// The external definitions, in C. The contract has to be included before them.
pub(crate) fn definitions(header: &Header<'_>, bindings: &Bindings) -> String {
    let definition = |symbol: &Symbol| {
        let Some(SymbolKind::Function(signature)) = &symbol.kind else {
            return None;
        };
        let signature = signature.with(&|name| bindings.function_type(name));
        definition(symbol, &signature, |ty| {
            c_type::of(header, ty).map(|c| c.trim().to_owned())
        })
    };
    let symbols = bindings.symbols.iter().filter(|symbol| symbol.is_inline());
    symbols.filter_map(definition).collect()
}

fn definition(
    symbol: &Symbol,
    signature: &Signature,
    c_type: impl Fn(&Type) -> Option<String>,
) -> Option<String> {
    let mut parameters = Vec::new();
    for (nth, ty) in signature.parameters.iter().enumerate() {
        parameters.push(format!("__typeof__({}) a{nth}", c_type(ty)?));
    }
    let arguments: Vec<_> = (0..parameters.len()).map(|nth| format!("a{nth}")).collect();
    if parameters.is_empty() {
        parameters.push("void".to_owned());
    }
    let (result, give) = match &signature.result {
        Type::Unit | Type::Never => ("void".to_owned(), ""),
        ty => (c_type(ty)?, "return "),
    };
    let (name, of) = (&symbol.name, symbol.c_name());
    let declared = format!("__typeof__({result}) {name}({})", parameters.join(", "));
    let arguments = arguments.join(", ");
    Some(format!(
        "{declared};\n{declared}\n{{\n\t{give}{of}({arguments});\n}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: &str = "struct s { int a; }; typedef unsigned char u8;\n\
        static inline struct s *first(struct s *p, const u8 v[4]) { int second = 1; return p; }\n\
        static inline void second(int (*call)(void *)) { first(0, 0); }\n\
        static inline int third(int n, ...) { return n; }\n\
        static int fourth(int first) { return first; }\n\
        static const int fifth = 5;\n";
    const RUST: &str = "extern \"C\" { #[link_name = \"first__extern\"] pub fn first(p: *mut s, \
        v: *const u8_) -> *mut s; #[link_name = \"second__extern\"] pub fn second(call: Option<unsafe \
        extern \"C\" fn(a: *mut c_void) -> c_int>); #[link_name = \"fourth__extern\"] pub fn fourth(first: \
        c_int) -> c_int; }";

    #[test]
    fn what_rust_can_call() {
        let (header, bindings) = (Header::of_text(C), Bindings::new(RUST));
        let tokens = &header.contract().tokens;
        let found: Vec<_> = crate::header::statements(tokens)
            .into_iter()
            .map(|it| problem(&header, &bindings, it).map(|problem| problem.to_string()))
            .collect();
        assert!(found[..4].iter().all(Option::is_none), "{found:?}");
        for (nth, words) in [
            (4, "Rust cannot call this inline function"),
            (5, "static functions have no symbol"),
            (6, "static functions and data have no symbol"),
        ] {
            let found = found[nth].as_deref().unwrap_or_default();
            assert!(found.contains(words), "{words}: {found}");
        }
        assert!(is_declared(&header, "first") && !is_declared(&header, "fourth"));
    }

    #[test]
    fn external_definitions() {
        let text = definitions(&Header::of_text(C), &Bindings::new(RUST));
        for part in [
            "__typeof__(struct s *) first__extern(__typeof__(struct s *) a0, __typeof__(const u8 *) a1);\n",
            "{\n\treturn first(a0, a1);\n}\n",
            "__typeof__(void) second__extern(__typeof__(int (*)(void *)) a0)\n{\n\tsecond(a0);\n}\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
