//! In which registers a value is passed: System V psABI for x86-64, section 3.2.3.

use super::{align, Calls, Class, DEEPEST};
use crate::types::graph::{Id, Kind, Types};

/// The convention of System V.
pub struct SystemV;

impl Calls for SystemV {
    fn of_value(&self, types: &Types, id: Id) -> Option<Vec<Class>> {
        classes(types, id)
    }
}

/// The classes of a value, one for each eight bytes, or a single `Memory`; `None` if it has a type that
/// is not known.
fn classes(types: &Types, id: Id) -> Option<Vec<Class>> {
    let size = types.size(id)?;
    let vector = matches!(
        types.kind(types.unwrapped(id)),
        Kind::Array { vector: true, .. }
    );
    if size > 16 && !vector {
        return Some(vec![Class::Memory]);
    }
    let mut classes = vec![Class::None; size.div_ceil(8).min(8) as usize];
    classify(types, id, 0, &mut classes, 0)?;
    if classes.contains(&Class::Memory) || classes.contains(&Class::X87) {
        return Some(vec![Class::Memory]);
    }
    for at in 0..classes.len() {
        let before = at.checked_sub(1).and_then(|before| classes.get(before));
        if classes[at] == Class::SseUp && !matches!(before, Some(Class::Sse | Class::SseUp)) {
            classes[at] = Class::Sse;
        }
    }
    Some(classes)
}

fn classify(types: &Types, id: Id, at: u64, into: &mut [Class], depth: u32) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    let size = types.size(id)?;
    if size == 0 {
        return Some(());
    }
    match types.kind(id) {
        Kind::Float { x87: true, .. } => fill(into, at, size, Class::X87, Class::X87),
        Kind::Float { .. } | Kind::Array { vector: true, .. } => {
            fill(into, at, size, Class::Sse, Class::SseUp);
        }
        Kind::Array { of, count, .. } => {
            let one = types.size(*of)?;
            for index in 0..(*count)?.min(64) {
                classify(types, *of, at.saturating_add(index * one), into, depth + 1)?;
            }
        }
        Kind::Aggregate(aggregate) => {
            for field in &aggregate.fields {
                let (start, end) = (field.start, field.start + field.bits.unwrap_or(0));
                match field.bits {
                    Some(0) => {}
                    Some(_) => {
                        fill(
                            into,
                            at + start / 8,
                            (end - 1) / 8 - start / 8 + 1,
                            Class::Integer,
                            Class::Integer,
                        );
                    }
                    None => {
                        let place = at.saturating_add(start / 8);
                        if place % align(types, field.ty, 0)? != 0 {
                            fill(into, 0, 1, Class::Memory, Class::Memory);
                        }
                        classify(types, field.ty, place, into, depth + 1)?;
                    }
                }
            }
        }
        _ => fill(into, at, size, Class::Integer, Class::Integer),
    }
    Some(())
}

/// Merges a class into each eight bytes that a value occupies.
fn fill(into: &mut [Class], at: u64, size: u64, first: Class, rest: Class) {
    let (start, end) = (at / 8, at.saturating_add(size).div_ceil(8));
    for index in start..end.min(into.len() as u64) {
        let new = if index == start { first } else { rest };
        let old = &mut into[index as usize];
        *old = match (*old, new) {
            (old, new) if old == new => old,
            (Class::None, other) | (other, Class::None) => other,
            (Class::Memory, _) | (_, Class::Memory) => Class::Memory,
            (Class::Integer, _) | (_, Class::Integer) => Class::Integer,
            (Class::X87, _) | (_, Class::X87) => Class::Memory,
            _ => Class::Sse,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::classes::examples::{array, float, number, structure};

    #[test]
    fn as_the_psabi_has_it() {
        use Class::{Integer, Memory, Sse, SseUp};
        let mut types = Types::default();
        let (u8, u32, u64) = (
            number(&mut types, 1),
            number(&mut types, 4),
            number(&mut types, 8),
        );
        let (f32, f64) = (float(&mut types, 4, false), float(&mut types, 8, false));
        let (x87, f128) = (float(&mut types, 16, true), float(&mut types, 16, false));
        let vector = array(&mut types, u32, 4, true);
        let array = array(&mut types, u32, 4, false);
        for (id, expected) in [
            (u8, vec![Integer]),
            (f32, vec![Sse]),
            (f128, vec![Sse, SseUp]),
            (x87, vec![Memory]),
            (vector, vec![Sse, SseUp]),
            (array, vec![Integer, Integer]),
            (structure(&mut types, 8, &[(0, f32), (4, f32)]), vec![Sse]),
            (
                structure(&mut types, 8, &[(0, f32), (4, u32)]),
                vec![Integer],
            ),
            (
                structure(&mut types, 16, &[(0, f64), (8, u64)]),
                vec![Sse, Integer],
            ),
            (
                structure(&mut types, 24, &[(0, u64), (8, u64), (16, u64)]),
                vec![Memory],
            ),
            (structure(&mut types, 5, &[(0, u8), (1, u32)]), vec![Memory]),
        ] {
            assert_eq!(classes(&types, id), Some(expected), "{:?}", types.kind(id));
        }
    }
}
