//! What an object says of a symbol.

use std::sync::Arc;

use super::graph::{Id, Signature, Types};
use crate::model::{Language, Place};

/// A function or data.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A function.
    Function(Signature),
    /// Data.
    Data {
        /// Its type.
        ty: Id,
        /// Whether it is const, if Rust says so.
        constant: Option<bool>,
    },
}

/// The source of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// DWARF of a definition.
    Definition,
    /// DWARF of a declaration.
    Declaration,
    /// BTF of a kernel.
    Btf,
    /// A probe that has the type of a definition.
    ProbedDefinition,
    /// A probe that has the type of a declaration.
    ProbedDeclaration,
}

impl Source {
    /// As the report shows it.
    pub fn label(self) -> &'static str {
        match self {
            Source::Definition => "DWARF, definition",
            Source::Declaration => "DWARF, declaration",
            Source::Btf => "BTF, definition",
            Source::ProbedDefinition => "probe, definition",
            Source::ProbedDeclaration => "probe, declaration",
        }
    }
}

/// What an object says of a symbol.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The object.
    pub part: Arc<str>,
    /// Its language.
    pub language: Language,
    /// Whether the compiler relies on the caller to extend small integers: GCC does not.
    pub trusts_caller: bool,
    /// Whether struct bodies are omitted (CONFIG_DEBUG_INFO_REDUCED, by GCC).
    pub reduced: bool,
    /// Where it comes from.
    pub source: Source,
    /// Its source line.
    pub place: Option<Place>,
    /// What the symbol is.
    pub shape: Shape,
    /// The types that the shape refers to.
    pub types: Arc<Types>,
}

impl Claim {
    /// Whether it says what is passed; C's `f()` does not.
    pub fn is_complete(&self) -> bool {
        match &self.shape {
            Shape::Function(signature) => signature.prototyped,
            Shape::Data { .. } => true,
        }
    }
}
