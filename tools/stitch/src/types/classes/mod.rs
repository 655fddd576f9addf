//! In which registers values are passed: one file for each calling convention.

pub mod aapcs64;
pub mod system_v;

use super::graph::{Aggregate, Id, Kind, Types};

/// Where a part of a value is passed: in System V eight bytes, in AAPCS64 what one register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Padding.
    None,
    /// A general register.
    Integer,
    /// A general register that stays unused, so that the next one has an even number.
    Skipped,
    /// A vector register.
    Sse,
    /// The upper half of the preceding vector register.
    SseUp,
    /// As many bytes of a vector register.
    Vector(u64),
    X87,
    Memory,
    /// A copy in memory, whose address is passed.
    Reference,
    /// The compilers do not agree.
    Unclear,
}

/// The rules of a calling convention: see [`crate::arch`].
pub trait Calls: Sync {
    /// The classes of a value, as a result or as the first parameter; `None` if it has a type that is not
    /// known.
    fn of_value(&self, types: &Types, id: Id) -> Option<Vec<Class>>;

    /// The classes of each parameter of a function.
    fn of_parameters(&self, types: &Types, ids: &[Id]) -> Vec<Option<Vec<Class>>> {
        ids.iter().map(|id| self.of_value(types, *id)).collect()
    }
}

/// A limit for nesting.
const DEEPEST: u32 = 64;

pub fn describe(classes: &[Class]) -> String {
    if let Some((Class::Skipped, rest)) = classes.split_first() {
        return format!("{}, the first with an even number", describe(rest));
    }
    let words: Vec<&str> = classes
        .iter()
        .filter_map(|class| match class {
            Class::None | Class::SseUp | Class::Skipped => None,
            Class::Integer => Some("a general register"),
            Class::Sse | Class::Vector(_) => Some("a vector register"),
            Class::X87 => Some("an x87 register"),
            Class::Memory => Some("memory"),
            Class::Reference => Some("memory, by reference"),
            Class::Unclear => Some("an unclear place"),
        })
        .collect();
    let number = |count| ["two", "three", "four"].get(count - 2).copied();
    match words[..] {
        [] => "not passed".to_owned(),
        [word] => format!("in {word}"),
        [one, ..] if words.iter().all(|word| *word == one) => {
            let number = number(words.len()).unwrap_or("several");
            format!("in {number} {}s", one.trim_start_matches("a "))
        }
        _ => format!("in {}", words.join(" and ")),
    }
}

/// The alignment in bytes, deduced from the offsets of fields if it is not recorded, as in C.
fn align(types: &Types, id: Id, depth: u32) -> Option<u64> {
    if depth > DEEPEST {
        return None;
    }
    Some(match types.kind(id) {
        Kind::Array { vector: true, .. } => types.size(id)?.max(1),
        Kind::Array { of, .. } => align(types, *of, depth + 1)?,
        Kind::Aggregate(Aggregate {
            align: Some(recorded),
            ..
        }) => (*recorded).max(1),
        Kind::Aggregate(aggregate) => align_of_fields(types, aggregate, depth)?,
        Kind::Tagged { size, .. } => 1 << size.trailing_zeros().min(3),
        _ => types.size(id)?.clamp(1, 16),
    })
}

/// The alignment of a struct or union by that of its fields; those that are packed do not count.
fn align_of_fields(types: &Types, aggregate: &Aggregate, depth: u32) -> Option<u64> {
    let mut most = 1;
    for field in aggregate.fields.iter().filter(|field| field.bits.is_none()) {
        let wants = match field.align {
            Some(recorded) => recorded.max(1),
            None => align(types, field.ty, depth + 1)?,
        };
        let place = field.start / 8;
        if place % wants == 0 && aggregate.size % wants == 0 {
            most = most.max(wants);
        }
    }
    Some(most)
}

/// Types for the tests of the conventions.
#[cfg(test)]
mod examples {
    use super::*;
    use crate::types::graph::Field;

    pub fn number(types: &mut Types, bytes: u64) -> Id {
        types.add(Kind::Integer {
            bytes,
            signed: false,
            name: "u".into(),
        })
    }

    pub fn float(types: &mut Types, bytes: u64, x87: bool) -> Id {
        let name = "f".into();
        types.add(Kind::Float { bytes, x87, name })
    }

    pub fn array(types: &mut Types, of: Id, count: u64, vector: bool) -> Id {
        let count = Some(count);
        types.add(Kind::Array { of, count, vector })
    }

    pub fn structure(types: &mut Types, size: u64, fields: &[(u64, Id)]) -> Id {
        types.add(Kind::Aggregate(aggregate(size, fields)))
    }

    pub fn aggregate(size: u64, fields: &[(u64, Id)]) -> Aggregate {
        let fields = fields.iter().map(|(at, ty)| Field {
            name: None,
            start: at * 8,
            bits: None,
            align: None,
            ty: *ty,
        });
        Aggregate {
            name: None,
            krate: None,
            union: false,
            size,
            align: None,
            fields: fields.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        use Class::{Integer, Memory, Reference, Skipped, Sse, SseUp, Vector};
        for (classes, expected) in [
            (&[Integer][..], "in a general register"),
            (&[Integer, Integer], "in two general registers"),
            (
                &[Skipped, Integer, Integer],
                "in two general registers, the first with an even number",
            ),
            (&[Sse, SseUp], "in a vector register"),
            (
                &[Sse, Integer],
                "in a vector register and a general register",
            ),
            (&[Vector(4); 3], "in three vector registers"),
            (&[Memory], "in memory"),
            (&[Reference], "in memory, by reference"),
        ] {
            assert_eq!(describe(classes), expected);
        }
    }
}
