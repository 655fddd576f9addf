//! Compares two claims about a symbol, and all types that can be reached from them.
//!
//! Values come first; pointees wait in a queue. Each pair of types is compared once, since types may
//! contain themselves.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::comparison::{
    describe, Bodies, Comparison, Difference, Level, Passing, Pointees, Side, Ty,
};
use crate::model::Language;
use crate::types::claim::{Claim, Shape};
use crate::types::graph::{Aggregate, Kind, Why};

/// More pairs of types than any kernel has.
const MOST_PAIRS: usize = 200_000;

/// All differences between a definition and another claim, and the tags of incomplete structs.
pub fn differences(
    definition: &Claim,
    other: &Claim,
    bodies: &Bodies,
) -> (Vec<Difference>, BTreeSet<String>) {
    let one_part = definition.part == other.part;
    let side = |claim: &Claim, role: &str| Side {
        language: claim.language,
        // GCC does not rely on it.
        trusts_caller: claim.arch.convention.caller_extends && !claim.by_gcc,
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
        convention: &definition.arch.convention,
        bodies,
        found: Vec::new(),
        seen: HashSet::new(),
        waiting: VecDeque::new(),
        incomplete: BTreeSet::new(),
    };
    comparison.shapes(definition, other);
    (comparison.found, comparison.incomplete)
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
            (l, r) => self.differs(Level::Machine, "it", kind(l), kind(r)),
        }
        while let Some(Pointees { what, left, right }) = self.waiting.pop_front() {
            if self.seen.len() > MOST_PAIRS {
                let text = "refers to more types than stitch compares";
                return self.add(Level::Unknown, "it", text);
            }
            self.pointees(&what, left, right);
        }
    }

    /// Compares pointees, which both sides may read or write.
    fn pointees(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        let (left, right) = (self.resolved(left, true), self.resolved(right, false));
        let opaque = |ty: Ty<'_>| match ty.kind() {
            Kind::Opaque { .. } => true,
            Kind::Aggregate(aggregate) => aggregate.size == 0 || is_incomplete(aggregate),
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
                self.differs(Level::Language, what, l, r);
            }
            (Kind::Function(l), Kind::Function(r)) => {
                let of = what.strip_suffix(" points to");
                let of = of.map_or_else(|| what.to_owned(), |what| format!("{what} calls"));
                let of = format!(" of {of}");
                let passing = Passing::Either;
                self.signatures(&of, (left.types, l), (right.types, r), passing);
            }
            (Kind::Function(_), _) | (_, Kind::Function(_)) => {
                self.differs(Level::Machine, what, describe(left), describe(right));
            }
            _ if opaque(left) || opaque(right) => {
                self.by_name(what, left, right, opaque(left), opaque(right))
            }
            // A pointer to an array, or to its first element.
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

    /// Compares by name: at least one of the types is opaque.
    fn by_name(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, lh: bool, rh: bool) {
        for (ty, opaque, other, is_left) in [(left, lh, right, true), (right, rh, left, false)] {
            let side = if is_left { &self.left } else { &self.right };
            let other_opaque = if is_left { rh } else { lh };
            match ty.kind() {
                Kind::Opaque {
                    name,
                    why: Why::Missing,
                } => {
                    let name = name.clone();
                    return self.unknown(what, &name, Why::Missing, is_left);
                }
                // Other C code may access its fields, and Rust does.
                Kind::Opaque { name, .. }
                    if opaque
                        && !other_opaque
                        && side.language == Language::C
                        && !is_from_bindgen(other) =>
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

/// Whether it is how bindgen writes an incomplete struct.
fn is_incomplete(aggregate: &Aggregate) -> bool {
    match &aggregate.fields[..] {
        [field] => aggregate.size == 1 && field.name.as_deref() == Some("_address"),
        _ => false,
    }
}

/// Whether it is in the bindings of the kernel crate: bindgen generated it from the header that C includes.
fn is_from_bindgen(ty: Ty<'_>) -> bool {
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
