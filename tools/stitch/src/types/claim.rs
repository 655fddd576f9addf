//! What an object says of a symbol.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::graph::{Id, Signature, Types};
use crate::arch::Arch;
use crate::model::{Language, Place};

/// A function or data.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Function(Signature),
    Data {
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
    pub part: Arc<str>,
    pub language: Language,
    pub arch: &'static Arch,
    /// Whether GCC compiled it.
    pub by_gcc: bool,
    /// Whether struct bodies are omitted (CONFIG_DEBUG_INFO_REDUCED, by GCC).
    pub reduced: bool,
    pub source: Source,
    pub place: Option<Place>,
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

/// Sorts claims by symbol, and gives them their types.
pub fn by_symbol(claims: Vec<(&str, Claim)>, types: &Arc<Types>) -> BTreeMap<String, Vec<Claim>> {
    let mut sorted: BTreeMap<String, Vec<Claim>> = BTreeMap::new();
    for (symbol, mut claim) in claims {
        claim.types = types.clone();
        sorted.entry(symbol.to_owned()).or_default().push(claim);
    }
    sorted
}
