//! A comparison in progress: both sides, what was found, and what still has to be compared.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use super::subject;
use crate::arch;
use crate::model::Language;
use crate::types::graph::{Id, Kind, Types, Why};
use crate::types::spell;

/// How severe a difference is, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The machine does not see it; the language does.
    Language,
    /// Something is missing, so it may be anything.
    Unknown,
    /// The machine sees it.
    Machine,
}

/// A difference, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How severe it is.
    pub level: Level,
    /// `parameter 2 `nth`: 4 bytes unsigned in C, 8 bytes unsigned in Rust`
    pub text: String,
    /// The same without the path from the symbol, so that other crossings can share it.
    pub cause: String,
}

/// Complete structs and unions, by tag: a struct that is incomplete in one object may be complete in
/// another.
pub type Bodies = BTreeMap<String, Vec<(Arc<Types>, Id)>>;

/// The maximum number of differences to report.
const MOST: usize = 12;

/// A limit for the nesting of values.
pub(super) const DEEPEST: usize = 64;

/// In which direction arguments are passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    ToLeft,
    ToRight,
    Either,
}

#[derive(Clone)]
pub(super) struct Side {
    pub(super) language: Language,
    /// Whether it relies on the caller to extend integers of less than 32 bits.
    pub(super) trusts_caller: bool,
    pub(super) reduced: bool,
    pub(super) label: String,
}

/// A type of one side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ty<'c> {
    pub(super) types: &'c Types,
    pub(super) id: Id,
}

impl<'c> Ty<'c> {
    pub(super) fn kind(self) -> &'c Kind {
        self.types.kind(self.id)
    }

    pub(super) fn size(self) -> Option<u64> {
        self.types.size(self.id)
    }

    pub(super) fn to(self, id: Id) -> Self {
        Ty { id, ..self }
    }

    pub(super) fn name(self) -> Option<&'c Arc<str>> {
        self.types.name(self.id)
    }

    pub(super) fn key(self) -> (usize, Id) {
        let types: *const Types = self.types;
        (types as usize, self.types.bare(self.id))
    }
}

/// The pointees of two pointers, to be compared later.
pub(super) struct Pointees<'c> {
    pub(super) what: String,
    pub(super) left: Ty<'c>,
    pub(super) right: Ty<'c>,
}

pub(super) struct Comparison<'c> {
    pub(super) left: Side,
    pub(super) right: Side,
    pub(super) convention: &'c arch::Convention,
    pub(super) bodies: &'c Bodies,
    pub(super) found: Vec<Difference>,
    pub(super) seen: HashSet<((usize, Id), (usize, Id))>,
    pub(super) waiting: VecDeque<Pointees<'c>>,
    pub(super) incomplete: BTreeSet<String>,
}

impl<'c> Comparison<'c> {
    pub(super) fn add(&mut self, level: Level, what: &str, sentence: &str) {
        let about = subject::of(what);
        let difference = Difference {
            level,
            text: format!("{what}: {sentence}"),
            cause: if about.is_empty() {
                sentence.to_owned()
            } else {
                format!("{about}: {sentence}")
            },
        };
        if self.found.len() >= MOST || self.found.contains(&difference) {
            // The worst is never omitted.
            if self.found.iter().all(|found| found.level < level) {
                self.found.push(difference);
            }
            return;
        }
        self.found.push(difference);
    }

    pub(super) fn differs(
        &mut self,
        level: Level,
        what: &str,
        left: impl AsRef<str>,
        right: impl AsRef<str>,
    ) {
        let text = format!(
            "{} {}, {} {}",
            left.as_ref(),
            self.left.label,
            right.as_ref(),
            self.right.label
        );
        self.add(level, what, &text);
    }

    pub(super) fn constants(&mut self, what: &str, left: Option<bool>, right: Option<bool>) {
        if let (Some(l), Some(r)) = (left, right) {
            if l != r {
                let word = |constant| {
                    if constant {
                        "const"
                    } else {
                        "not const"
                    }
                };
                self.differs(Level::Language, what, word(l), word(r));
            }
        }
    }

    pub(super) fn spelled(&self, ty: Ty<'_>, left: bool) -> String {
        let side = if left { &self.left } else { &self.right };
        format!("`{}`", spell::in_language(ty.types, ty.id, side.language))
    }

    pub(super) fn unknown(&mut self, what: &str, name: &str, why: Why, left: bool) {
        let side = if left { &self.left } else { &self.right };
        let text = match why {
            Why::Declared => {
                self.incomplete.insert(name.to_owned());
                if side.reduced {
                    format!(
                        "the body of `{name}` is omitted {} (CONFIG_DEBUG_INFO_REDUCED)",
                        side.label
                    )
                } else {
                    format!("`{name}` is only declared {}, not defined", side.label)
                }
            }
            Why::Missing => format!(
                "the debug information does not describe `{name}` {}",
                side.label
            ),
        };
        self.add(Level::Unknown, what, &text);
    }

    /// Completes a struct that is incomplete in this C object, if another one defines it.
    pub(super) fn resolved(&self, ty: Ty<'c>, left: bool) -> Ty<'c> {
        let side = if left { &self.left } else { &self.right };
        let Kind::Opaque {
            name,
            why: Why::Declared,
        } = ty.kind()
        else {
            return ty;
        };
        match self.bodies.get(&**name) {
            Some(bodies) if side.language == Language::C => match &bodies[..] {
                [(types, id)] => Ty { types, id: *id },
                _ => ty,
            },
            _ => ty,
        }
    }
}

pub(super) fn number(ty: Ty<'_>) -> Option<(u64, bool)> {
    match ty.kind() {
        Kind::Integer { bytes, signed, .. } => Some((*bytes, *signed)),
        Kind::Enum(one) => Some((one.bytes, one.signed)),
        Kind::Bool => Some((1, false)),
        Kind::Character => Some((4, false)),
        _ => None,
    }
}

/// A type as the machine sees it.
pub(super) fn describe(ty: Ty<'_>) -> String {
    let bytes = |count: u64| match count {
        1 => "1 byte".to_owned(),
        _ => format!("{count} bytes"),
    };
    match ty.kind() {
        Kind::Void => "nothing".to_owned(),
        Kind::Bool => "a byte of 0 or 1".to_owned(),
        Kind::Character => "a Unicode character in 4 bytes".to_owned(),
        Kind::Float { bytes: size, .. } => format!("a floating-point number of {}", bytes(*size)),
        Kind::Pointer { to, .. } => match ty.types.kind(*to) {
            Kind::Pointer { .. } => "a pointer to a pointer".to_owned(),
            Kind::Function(_) => "a function pointer".to_owned(),
            _ => "a pointer".to_owned(),
        },
        Kind::Function(_) => "a function".to_owned(),
        Kind::Array { vector, .. } => {
            let word = if *vector { "a vector" } else { "an array" };
            match ty.size() {
                Some(size) => format!("{word} of {}", bytes(size)),
                None => word.to_owned(),
            }
        }
        Kind::Aggregate(aggregate) => {
            let word = if aggregate.union { "union" } else { "struct" };
            format!("a {word} of {}", bytes(aggregate.size))
        }
        Kind::Tagged { name, size, .. } => format!("the enum `{name}` of {}", bytes(*size)),
        Kind::Opaque { name, .. } => format!("`{name}`"),
        _ => {
            let (size, signed) = number(ty).unwrap_or_default();
            let sign = if signed { "signed" } else { "unsigned" };
            format!("{} {sign}", bytes(size))
        }
    }
}
