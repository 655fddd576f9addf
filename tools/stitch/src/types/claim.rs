//! What an object says of a symbol.

use std::sync::Arc;

use super::graph::{Id, Signature, Types};
use crate::model::{Language, Place};

/// What a symbol stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Something to call.
    Function(Signature),
    /// Something to read.
    Data {
        /// What is there.
        ty: Id,
        /// Whether it may not be written to, where that is said.
        constant: Option<bool>,
    },
}

/// Where a claim comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// What the compiler recorded of what it compiled.
    Definition,
    /// What it recorded of what it was told.
    Declaration,
    /// What pahole took over of it for the kernel's own use.
    Btf,
    /// How it is defined, as a static of that very type shows.
    ProbedDefinition,
    /// How it is declared, as a static of that very type shows.
    ProbedDeclaration,
}

impl Source {
    /// For people.
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
    /// Whose words these are.
    pub language: Language,
    /// Whether the compiler trusts the caller to have extended small numbers: GCC does not.
    pub trusts_caller: bool,
    /// Whether bodies of structs were left out (CONFIG_DEBUG_INFO_REDUCED, by GCC).
    pub reduced: bool,
    /// Where they come from.
    pub source: Source,
    /// Where they stand.
    pub place: Option<Place>,
    /// What they say.
    pub shape: Shape,
    /// The types that they speak of.
    pub types: Arc<Types>,
}

impl Claim {
    /// Whether it tells what is passed: with line tables only, and of C's `f()`, nothing does.
    pub fn is_complete(&self) -> bool {
        match &self.shape {
            Shape::Function(signature) => signature.prototyped,
            Shape::Data { .. } => true,
        }
    }
}
