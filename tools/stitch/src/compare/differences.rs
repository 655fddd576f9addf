//! Two claims about a symbol, held against each other to the end of all that can be reached.
//!
//! Types are compared as values first. What pointers point to waits in a queue, and each pair of
//! types is compared once, so that types may contain themselves.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use super::signatures::Passing;
use super::subject;
use super::values::describe;
use crate::model::Language;
use crate::types::claim::{Claim, Shape};
use crate::types::graph::{Aggregate, Id, Kind, Types, Why};
use crate::types::spell;

/// Who would see a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A reader of the sources only.
    Language,
    /// Something is missing.
    Unknown,
    /// The machine.
    Machine,
}

/// A difference, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Who would see it.
    pub level: Level,
    /// `parameter 2 `nth`: 4 bytes unsigned in C, 8 bytes unsigned in Rust`
    pub text: String,
    /// The same without the way there, so that other crossings may have it too.
    pub cause: String,
}

/// Structs and unions with a body, by their tag: what one object only declares, another may define.
pub type Bodies = BTreeMap<String, Vec<(Arc<Types>, Id)>>;

/// More differences than a person will read.
const MOST: usize = 12;

/// More pairs of types than any kernel has.
const MOST_PAIRS: usize = 200_000;

/// No value is nested deeper in another.
pub(super) const DEEPEST: usize = 64;

/// All differences between a definition and another view of it; and the tags of structs that are
/// only declared.
pub fn differences(
    definition: &Claim,
    other: &Claim,
    bodies: &Bodies,
) -> (Vec<Difference>, BTreeSet<String>) {
    let one_part = definition.part == other.part;
    let side = |claim: &Claim, role: &str| Side {
        language: claim.language,
        trusts_caller: claim.trusts_caller,
        reduced: claim.reduced,
        label: match claim.language {
            _ if one_part => format!("where it is {role}"),
            _ if definition.language == other.language => format!("in {}", claim.part),
            Language::C => "in C".to_owned(),
            Language::Rust => "in Rust".to_owned(),
            _ => format!("in {}", claim.part),
        },
    };
    let mut comparison = Comparison {
        left: side(definition, "defined"),
        right: side(other, "declared"),
        bodies,
        found: Vec::new(),
        seen: HashSet::new(),
        waiting: VecDeque::new(),
        incomplete: BTreeSet::new(),
    };
    comparison.shapes(definition, other);
    (comparison.found, comparison.incomplete)
}

#[derive(Clone)]
pub(super) struct Side {
    pub(super) language: Language,
    pub(super) trusts_caller: bool,
    reduced: bool,
    pub(super) label: String,
}

/// A type of one of the sides.
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

    fn name(self) -> Option<&'c Arc<str>> {
        self.types.name(self.id)
    }

    pub(super) fn key(self) -> (usize, Id) {
        let types: *const Types = self.types;
        (types as usize, self.types.bare(self.id))
    }
}

/// What a pair of pointers points to.
pub(super) struct Pointed<'c> {
    pub(super) what: String,
    pub(super) left: Ty<'c>,
    pub(super) right: Ty<'c>,
}

pub(super) struct Comparison<'c> {
    pub(super) left: Side,
    pub(super) right: Side,
    bodies: &'c Bodies,
    found: Vec<Difference>,
    pub(super) seen: HashSet<((usize, Id), (usize, Id))>,
    pub(super) waiting: VecDeque<Pointed<'c>>,
    incomplete: BTreeSet<String>,
}

impl<'c> Comparison<'c> {
    fn shapes(&mut self, left: &'c Claim, right: &'c Claim) {
        let (lt, rt) = (&*left.types, &*right.types);
        match (&left.shape, &right.shape) {
            (Shape::Function(l), Shape::Function(r)) => {
                self.signatures("", (lt, l), (rt, r), Passing::ToLeft);
            }
            (
                Shape::Data {
                    ty: l,
                    constant: lc,
                },
                Shape::Data {
                    ty: r,
                    constant: rc,
                },
            ) => {
                let (l, r) = (Ty { types: lt, id: *l }, Ty { types: rt, id: *r });
                let constant = |told: &Option<bool>, ty: Ty<'_>, side: &Side| match told {
                    None if side.language == Language::C => Some(ty.types.is_constant(ty.id)),
                    told => *told,
                };
                let (lc, rc) = (constant(lc, l, &self.left), constant(rc, r, &self.right));
                self.constants("it", lc, rc);
                self.values("it", l, r, 0);
            }
            (l, r) => self.say(Level::Machine, "it", kind(l), kind(r)),
        }
        while let Some(Pointed { what, left, right }) = self.waiting.pop_front() {
            if self.seen.len() > MOST_PAIRS {
                let text = "leads to more types than stitch compares";
                return self.note(Level::Unknown, "it", text);
            }
            self.pointees(&what, left, right);
        }
    }

    pub(super) fn note(&mut self, level: Level, what: &str, sentence: &str) {
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
            // The worst is never left out.
            if self.found.iter().all(|found| found.level < level) {
                self.found.push(difference);
            }
            return;
        }
        self.found.push(difference);
    }

    pub(super) fn say(
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
        self.note(level, what, &text);
    }

    pub(super) fn constants(&mut self, what: &str, left: Option<bool>, right: Option<bool>) {
        if let (Some(l), Some(r)) = (left, right) {
            if l != r {
                let word = |constant| {
                    if constant {
                        "const"
                    } else {
                        "may be written to"
                    }
                };
                self.say(Level::Language, what, word(l), word(r));
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
                        "the body of `{name}` is left out {} (CONFIG_DEBUG_INFO_REDUCED)",
                        side.label
                    )
                } else {
                    format!("`{name}` is only declared {}", side.label)
                }
            }
            Why::Missing => format!(
                "the debug information does not describe `{name}` {}",
                side.label
            ),
        };
        self.note(Level::Unknown, what, &text);
    }

    /// A struct that this object of C only declares is what another one defines.
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

    /// What pointers point to: both sides read or write it.
    fn pointees(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        let (left, right) = (self.resolved(left, true), self.resolved(right, false));
        let hidden = |ty: Ty<'_>| match ty.kind() {
            Kind::Opaque { .. } => true,
            Kind::Aggregate(aggregate) => aggregate.size == 0 || is_unseen(aggregate),
            _ => false,
        };
        match (left.kind(), right.kind()) {
            (Kind::Void, Kind::Void) => {}
            (Kind::Void, _) | (_, Kind::Void) => {
                let word = |side: &Self, ty: Ty<'_>, left| match ty.kind() {
                    Kind::Void => "anything".to_owned(),
                    _ => side.spelled(ty, left),
                };
                let (l, r) = (word(self, left, true), word(self, right, false));
                self.say(Level::Language, what, l, r);
            }
            (Kind::Function(l), Kind::Function(r)) => {
                let of = what.strip_suffix(" points to");
                let of = of.map_or_else(|| what.to_owned(), |what| format!("{what} calls"));
                let of = format!(" of {of}");
                let passing = Passing::Either;
                self.signatures(&of, (left.types, l), (right.types, r), passing);
            }
            (Kind::Function(_), _) | (_, Kind::Function(_)) => {
                self.say(Level::Machine, what, describe(left), describe(right));
            }
            _ if hidden(left) || hidden(right) => {
                self.by_name(what, left, right, hidden(left), hidden(right))
            }
            // The first of several, or one.
            (Kind::Array { of, .. }, other) | (other, Kind::Array { of, .. })
                if !matches!(other, Kind::Array { .. }) =>
            {
                self.spell(what, left, right);
                match left.kind() {
                    Kind::Array { .. } => self.values(what, left.to(*of), right, 0),
                    _ => self.values(what, left, right.to(*of), 0),
                }
            }
            _ => self.values(what, left, right, 0),
        }
    }

    /// Of at least one of the two, nothing but the name is known, or it has nothing to look into.
    fn by_name(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, lh: bool, rh: bool) {
        for (ty, hidden, other, is_left) in [(left, lh, right, true), (right, rh, left, false)] {
            let side = if is_left { &self.left } else { &self.right };
            let other_hidden = if is_left { rh } else { lh };
            match ty.kind() {
                Kind::Opaque {
                    name,
                    why: Why::Missing,
                } => {
                    let name = name.clone();
                    return self.unknown(what, &name, Why::Missing, is_left);
                }
                // C's other code may look into it, and so does Rust.
                Kind::Opaque { name, .. }
                    if hidden
                        && !other_hidden
                        && side.language == Language::C
                        && !is_bindgens(other) =>
                {
                    let name = name.clone();
                    return self.unknown(what, &name, Why::Declared, is_left);
                }
                _ => {}
            }
        }
        let same = left.name().is_some() && left.name() == right.name();
        if !same {
            self.spell(what, left, right);
        }
    }
}

/// What bindgen makes of a struct that it has not seen.
fn is_unseen(aggregate: &Aggregate) -> bool {
    match &aggregate.fields[..] {
        [field] => aggregate.size == 1 && field.name.as_deref() == Some("_address"),
        _ => false,
    }
}

/// Of the kernel crate's bindings: bindgen made it of the very header that C includes.
fn is_bindgens(ty: Ty<'_>) -> bool {
    match ty.kind() {
        Kind::Aggregate(aggregate) => {
            matches!(aggregate.krate.as_deref(), Some("bindings" | "uapi"))
        }
        _ => false,
    }
}

fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Function(_) => "a function",
        Shape::Data { .. } => "data",
    }
}
