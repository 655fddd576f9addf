//! Compares values: what is passed, returned or stored.

use super::comparison::{describe, number, Comparison, Level, Pointees, Side, Ty, DEEPEST};
use crate::model::Language;
use crate::types::graph::{Enumeration, Kind};

impl<'c> Comparison<'c> {
    /// Compares two values.
    pub(super) fn values(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, depth: usize) {
        if depth > DEEPEST {
            let text = "nested too deeply to be compared";
            return self.add(Level::Unknown, what, text);
        }
        let (left, right) = (self.resolved(left, true), self.resolved(right, false));
        match (left.kind(), right.kind()) {
            (Kind::Opaque { name, why }, _) => self.unknown(what, name, *why, true),
            (_, Kind::Opaque { name, why }) => self.unknown(what, name, *why, false),
            (Kind::Pointer { .. }, Kind::Pointer { .. }) => self.pointers(what, left, right),
            (Kind::Tagged { .. }, _) | (_, Kind::Tagged { .. }) => self.tagged(what, left, right),
            (Kind::Aggregate(l), Kind::Aggregate(r)) => {
                self.aggregates(what, (left, l), (right, r), depth);
            }
            (Kind::Aggregate(_), _) | (_, Kind::Aggregate(_)) => {
                self.wrapped(what, left, right, depth);
            }
            (Kind::Pointer { .. }, Kind::Integer { bytes: 8, .. })
            | (Kind::Integer { bytes: 8, .. }, Kind::Pointer { .. }) => {
                self.differs(Level::Language, what, describe(left), describe(right));
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
                        self.differs(Level::Machine, what, elements(lc), elements(rc));
                    }
                }
                let what = format!("an element of {what}");
                self.values(&what, left.to(*l), right.to(*r), depth + 1);
            }
            (Kind::Array { vector: false, .. }, other)
            | (other, Kind::Array { vector: false, .. })
                if left.size() == right.size() && *other != Kind::Void =>
            {
                self.array_and_other(what, left, right, depth);
            }
            _ => self.scalars(what, left, right),
        }
    }

    fn pointers(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        let pointer = |ty: Ty<'c>, side: &Side| {
            let &Kind::Pointer {
                to,
                constant,
                never_null,
            } = ty.kind()
            else {
                return (ty, None, false);
            };
            let to = ty.to(to);
            let constant = match to.kind() {
                Kind::Function(_) => None,
                _ if side.language == Language::C => Some(to.types.is_constant(to.id)),
                _ => constant,
            };
            (to, constant, never_null)
        };
        let (l, l_constant, l_never_null) = pointer(left, &self.left);
        let (r, r_constant, r_never_null) = pointer(right, &self.right);
        self.nulls(what, l_never_null, r_never_null);
        let behind = format!("what {what} points to");
        self.constants(&behind, l_constant, r_constant);
        if self.seen.insert((l.key(), r.key())) {
            self.waiting.push_back(Pointees {
                what: behind,
                left: l,
                right: r,
            });
        }
    }

    /// An enum with data, and anything.
    fn tagged(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        let (l, r) = (describe(left), describe(right));
        match (left.size(), right.size()) {
            (Some(one), Some(other)) if one != other => self.differs(Level::Machine, what, l, r),
            _ => {
                let text = format!("{l} and {r} cannot be compared: C has no enums with data");
                self.add(Level::Unknown, what, &text);
            }
        }
    }

    /// An array, and something else of the same size.
    fn array_and_other(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, depth: usize) {
        let (element, other, is_left) = match (left.kind(), right.kind()) {
            (Kind::Array { of, .. }, _) => (left.to(*of), right, true),
            (_, Kind::Array { of, .. }) => (right.to(*of), left, false),
            _ => return,
        };
        // Bytes may stand for anything; an array of one element is that element.
        let bytes = matches!(
            element.kind(),
            Kind::Integer {
                bytes: 1,
                signed: false,
                ..
            }
        );
        let one = element.size() == other.size();
        let is_pointer = matches!(other.kind(), Kind::Pointer { .. });
        let level = if one || (bytes && !is_pointer) {
            Level::Language
        } else {
            Level::Machine
        };
        self.differs(level, what, describe(left), describe(right));
        if one && is_left {
            self.values(what, element, right, depth + 1);
        } else if one {
            self.values(what, left, element, depth + 1);
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
                    self.differs(Level::Language, what, describe(left), describe(right));
                }
                _ => {}
            },
            (None, None) if is_same(left.kind(), right.kind()) => {}
            _ => self.differs(Level::Machine, what, describe(left), describe(right)),
        }
    }

    pub(super) fn spell(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>) {
        let (l, r) = (self.spelled(left, true), self.spelled(right, false));
        self.differs(Level::Language, what, l, r);
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
                [] => "no others".to_owned(),
                _ => only.join(", "),
            }
        };
        let (lo, ro) = (text(&l, &r), text(&r, &l));
        if lo != ro {
            let what = format!("the values of {what}");
            self.differs(Level::Language, &what, lo, ro);
        }
    }

    fn nulls(&mut self, what: &str, left: bool, right: bool) {
        if left != right {
            let word = |never| if never { "never NULL" } else { "may be NULL" };
            self.differs(Level::Language, what, word(left), word(right));
        }
    }
}

/// Whether two types that are no integers are the same, whatever their names.
fn is_same(left: &Kind, right: &Kind) -> bool {
    let format = |kind: &Kind| match kind {
        Kind::Float { bytes, x87, .. } => Some((*bytes, *x87)),
        _ => None,
    };
    left == right || format(left).is_some_and(|left| Some(left) == format(right))
}

/// Whether some bit patterns are invalid.
fn is_special(kind: &Kind) -> bool {
    matches!(kind, Kind::Bool | Kind::Character)
}

fn elements(count: u64) -> String {
    match count {
        1 => "1 element".to_owned(),
        _ => format!("{count} elements"),
    }
}
