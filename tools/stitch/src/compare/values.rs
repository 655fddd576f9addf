//! Values, compared as they lie in memory.

use super::differences::{Comparison, Level, Pointed, Side, Ty, DEEPEST};
use crate::model::Language;
use crate::types::graph::{Enumeration, Kind};

impl<'c> Comparison<'c> {
    /// What is passed, returned, or kept in memory.
    pub(super) fn values(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, depth: usize) {
        if depth > DEEPEST {
            let text = "nested too deeply to be compared";
            return self.note(Level::Unknown, what, text);
        }
        let (left, right) = (self.resolved(left, true), self.resolved(right, false));
        let (lk, rk) = (left.kind(), right.kind());
        match (lk, rk) {
            (Kind::Opaque { name, why }, _) => self.unknown(what, name, *why, true),
            (_, Kind::Opaque { name, why }) => self.unknown(what, name, *why, false),
            (
                Kind::Pointer {
                    to: l,
                    constant: lc,
                    never_null: ln,
                },
                Kind::Pointer {
                    to: r,
                    constant: rc,
                    never_null: rn,
                },
            ) => {
                self.nulls(what, *ln, *rn);
                let behind = format!("what {what} points to");
                let (l, r) = (left.to(*l), right.to(*r));
                let constant = |told: Option<bool>, ty: Ty<'_>, side: &Side| match ty.kind() {
                    Kind::Function(_) => None,
                    _ if side.language == Language::C => Some(ty.types.is_constant(ty.id)),
                    _ => told,
                };
                let (lc, rc) = (constant(*lc, l, &self.left), constant(*rc, r, &self.right));
                self.constants(&behind, lc, rc);
                if self.seen.insert((l.key(), r.key())) {
                    self.waiting.push_back(Pointed {
                        what: behind,
                        left: l,
                        right: r,
                    });
                }
            }
            (Kind::Tagged { size, .. }, _) | (_, Kind::Tagged { size, .. }) => {
                let other = if matches!(lk, Kind::Tagged { .. }) {
                    right.size()
                } else {
                    left.size()
                };
                match other {
                    Some(other) if other != *size => {
                        self.say(Level::Machine, what, describe(left), describe(right));
                    }
                    _ => {
                        let text = format!(
                            "{}, {}: C has no enum with data",
                            describe(left),
                            describe(right)
                        );
                        self.note(Level::Unknown, what, &text);
                    }
                }
            }
            (Kind::Aggregate(l), Kind::Aggregate(r)) => {
                self.aggregates(what, (left, l), (right, r), depth);
            }
            (Kind::Aggregate(_), _) | (_, Kind::Aggregate(_)) => {
                self.wrapped(what, left, right, depth);
            }
            (Kind::Pointer { .. }, Kind::Integer { bytes: 8, .. })
            | (Kind::Integer { bytes: 8, .. }, Kind::Pointer { .. }) => {
                self.say(Level::Language, what, describe(left), describe(right));
            }
            (
                Kind::Array {
                    of: l, count: lc, ..
                },
                Kind::Array {
                    of: r, count: rc, ..
                },
            ) => {
                let (lc, rc) = (lc.filter(|count| *count > 0), rc.filter(|count| *count > 0));
                if let (Some(lc), Some(rc)) = (lc, rc) {
                    if lc != rc && left.size() != right.size() {
                        self.say(Level::Machine, what, elements(lc), elements(rc));
                    }
                }
                let what = format!("an element of {what}");
                self.values(&what, left.to(*l), right.to(*r), depth + 1);
            }
            (
                Kind::Array {
                    of, vector: false, ..
                },
                other,
            )
            | (
                other,
                Kind::Array {
                    of, vector: false, ..
                },
            ) if left.size() == right.size() && *other != Kind::Void => {
                let is_left = matches!(lk, Kind::Array { .. });
                let array = if is_left { left } else { right };
                let of = array.to(*of);
                // Bytes may be anything; one element is that element.
                let bytes = matches!(
                    of.kind(),
                    Kind::Integer {
                        bytes: 1,
                        signed: false,
                        ..
                    }
                );
                let one = of.size() == array.size();
                let level = if one || (bytes && !matches!(other, Kind::Pointer { .. })) {
                    Level::Language
                } else {
                    Level::Machine
                };
                self.say(level, what, describe(left), describe(right));
                match (one, is_left) {
                    (false, _) => {}
                    (true, true) => self.values(what, of, right, depth + 1),
                    (true, false) => self.values(what, left, of, depth + 1),
                }
            }
            _ => self.scalars(what, left, right),
        }
    }

    fn scalars(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        match (number(left), number(right)) {
            (Some((lb, ls)), Some((rb, rs))) if lb == rb => match (left.kind(), right.kind()) {
                (Kind::Enum(l), Kind::Enum(r)) => self.enums(what, l, r),
                (Kind::Enum(one), _) if right.types.alias(right.id) != Some(&one.name) => {
                    self.spell(what, left, right);
                }
                (_, Kind::Enum(one)) if left.types.alias(left.id) != Some(&one.name) => {
                    self.spell(what, left, right);
                }
                (l, r) if ls != rs || is_special(l) != is_special(r) => {
                    self.say(Level::Language, what, describe(left), describe(right));
                }
                _ => {}
            },
            (None, None) if left.kind() == right.kind() => {}
            _ => self.say(Level::Machine, what, describe(left), describe(right)),
        }
    }

    pub(super) fn spell(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        let (l, r) = (self.spelled(left, true), self.spelled(right, false));
        self.say(Level::Language, what, l, r);
    }

    fn enums(&mut self, what: &str, left: &Enumeration, right: &Enumeration) {
        let bits = left.bytes.min(8) * 8;
        let values = |one: &Enumeration| -> Vec<(String, i128)> {
            let cut = |value: i128| value & ((1 << bits) - 1);
            let all = one.values.iter();
            all.map(|(name, value)| (name.to_string(), cut(*value)))
                .collect()
        };
        let (l, r) = (values(left), values(right));
        let text = |values: &[(String, i128)], other: &[(String, i128)]| {
            let only = values.iter().filter(|value| !other.contains(value));
            let only: Vec<String> = only
                .take(4)
                .map(|(name, value)| format!("{name} = {value}"))
                .collect();
            match only[..] {
                [] => "no more".to_owned(),
                _ => only.join(", "),
            }
        };
        let (lo, ro) = (text(&l, &r), text(&r, &l));
        if lo != ro {
            let what = format!("the values of {what}");
            self.say(Level::Language, &what, lo, ro);
        }
    }

    fn nulls(&mut self, what: &str, left: bool, right: bool) {
        if left != right {
            let word = |never| if never { "never NULL" } else { "NULL or not" };
            self.say(Level::Language, what, word(left), word(right));
        }
    }
}

/// Whether a type has values that its bytes alone do not rule out.
fn is_special(kind: &Kind) -> bool {
    matches!(kind, Kind::Bool | Kind::Character)
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

fn elements(count: u64) -> String {
    match count {
        1 => "1 element".to_owned(),
        _ => format!("{count} elements"),
    }
}

/// A type as the machine has it.
pub(super) fn describe(ty: Ty<'_>) -> String {
    let bytes = |count: u64| match count {
        1 => "1 byte".to_owned(),
        _ => format!("{count} bytes"),
    };
    match ty.kind() {
        Kind::Void => "nothing".to_owned(),
        Kind::Bool => "0 or 1 in a byte".to_owned(),
        Kind::Character => "a Unicode character in 4 bytes".to_owned(),
        Kind::Float { bytes: size, .. } => format!("floating point of {}", bytes(*size)),
        Kind::Pointer { to, .. } => match ty.types.kind(*to) {
            Kind::Pointer { .. } => "a pointer to a pointer".to_owned(),
            Kind::Function(_) => "a function's address".to_owned(),
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
