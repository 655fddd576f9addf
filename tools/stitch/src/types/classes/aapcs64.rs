//! In which registers a value is passed: Procedure Call Standard for the Arm 64-bit Architecture
//! (AAPCS64), section 6.8.2.

use super::{align, align_of_fields, Calls, Class, DEEPEST};
use crate::types::graph::{Id, Kind, Types};

/// The base convention of AAPCS64.
pub struct Aapcs64;

/// General registers for parameters; further ones are on the stack.
const GENERAL: usize = 8;

/// The most members of a homogeneous aggregate.
const MOST_MEMBERS: u64 = 4;

impl Calls for Aapcs64 {
    fn of_value(&self, types: &Types, id: Id) -> Option<Vec<Class>> {
        classes(types, id)
    }

    /// A value with a natural alignment of 16 starts at an even register, or at 16 bytes of the stack.
    fn of_parameters(&self, types: &Types, ids: &[Id]) -> Vec<Option<Vec<Class>>> {
        let mut taken = 0;
        let place = |id: &Id| {
            let mut classes = classes(types, *id)?;
            let mut general = classes.iter().filter(|class| is_general(**class)).count();
            // A value is never split between registers and the stack.
            if taken < GENERAL && taken + general > GENERAL {
                taken = GENERAL;
            }
            if general > 1 && taken % 2 == 1 && natural_align(types, *id) == Some(16) {
                classes.insert(0, Class::Skipped);
                general += 1;
            }
            taken += general;
            Some(classes)
        };
        ids.iter().map(place).collect()
    }
}

fn is_general(class: Class) -> bool {
    matches!(class, Class::Integer | Class::Reference)
}

fn classes(types: &Types, id: Id) -> Option<Vec<Class>> {
    let size = types.size(id)?;
    let Some(Members {
        count,
        bytes,
        vector,
    }) = members(types, id, 0).filter(|members| members.count <= MOST_MEMBERS)
    else {
        return Some(match size {
            0..=16 => vec![Class::Integer; size.div_ceil(8) as usize],
            _ => vec![Class::Reference],
        });
    };
    // Short vectors have 8 or 16 bytes; others are not specified. And rustc 1.85 passes several vectors
    // of more than 16 bytes by reference: rustc_target/src/callconv/aarch64.rs
    let is_clear = !vector || (matches!(bytes, 8 | 16) && (count == 1 || size <= 16));
    Some(if is_clear {
        vec![Class::Vector(bytes); count as usize]
    } else {
        vec![Class::Unclear]
    })
}

/// The members of a homogeneous aggregate (section 5.9.5), or a single floating-point number or vector.
struct Members {
    count: u64,
    /// The size of each.
    bytes: u64,
    vector: bool,
}

/// The members, if all are of the same type, without padding.
fn members(types: &Types, id: Id, depth: u32) -> Option<Members> {
    if depth > DEEPEST {
        return None;
    }
    let size = types.size(id)?;
    let one = |vector| Members {
        count: 1,
        bytes: size,
        vector,
    };
    let found = match types.kind(id) {
        Kind::Float { .. } => one(false),
        Kind::Array { vector: true, .. } => one(true),
        Kind::Array { of, count, .. } => {
            let element = members(types, *of, depth + 1)?;
            Members {
                count: element.count.checked_mul((*count)?)?,
                ..element
            }
        }
        Kind::Aggregate(aggregate) => {
            let mut sum: Option<Members> = None;
            for field in &aggregate.fields {
                if types.size(field.ty) == Some(0) {
                    continue;
                }
                let next = members(types, field.ty, depth + 1).filter(|_| field.bits.is_none())?;
                let Some(sum) = &mut sum else {
                    sum = Some(next);
                    continue;
                };
                if (sum.bytes, sum.vector) != (next.bytes, next.vector) {
                    return None;
                }
                sum.count = if aggregate.union {
                    sum.count.max(next.count)
                } else {
                    sum.count.checked_add(next.count)?
                };
            }
            sum?
        }
        _ => return None,
    };
    (found.count > 0 && found.count.checked_mul(found.bytes) == Some(size)).then_some(found)
}

/// The alignment without an attribute of the type itself (section 5.9); in Rust, without `repr(align)`.
fn natural_align(types: &Types, id: Id) -> Option<u64> {
    match types.kind(id) {
        Kind::Aggregate(aggregate) => {
            let most = align_of_fields(types, aggregate, 0)?;
            // A recorded alignment that is smaller means that it is packed.
            Some(aggregate.align.map_or(most, |recorded| most.min(recorded)))
        }
        _ => align(types, id, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::classes::examples::{aggregate, array, float, number, structure};
    use crate::types::graph::Aggregate;
    use Class::{Integer, Reference, Skipped, Unclear, Vector};

    /// As clang 19 passes them; the C declaration of each is beside it.
    #[test]
    fn as_clang_does() {
        let types = &mut Types::default();
        let [u8, u32, u64, u128] = [1, 4, 8, 16].map(|bytes| number(types, bytes));
        let [f16, f32, f64, f128] = [2, 4, 8, 16].map(|bytes| float(types, bytes, false));
        let (v8, v16, v32) = (
            array(types, f32, 2, true),
            array(types, f32, 4, true),
            array(types, f32, 8, true),
        );
        let pair = structure(types, 8, &[(0, f32), (4, f32)]);
        let union = |types: &mut Types, size, fields: &[(u64, Id)]| {
            let union = true;
            let fields = aggregate(size, fields);
            types.add(Kind::Aggregate(Aggregate { union, ..fields }))
        };
        let three = array(types, f32, 3, false);
        let bits = {
            let mut bits = aggregate(4, &[(0, f32)]);
            bits.fields
                .iter_mut()
                .for_each(|field| field.bits = Some(3));
            types.add(Kind::Aggregate(bits))
        };
        #[rustfmt::skip] // a table reads best as a table
        let rows = [
            ("unsigned char", u8, vec![Integer]),
            ("__int128", u128, vec![Integer; 2]),
            ("_Float16", f16, vec![Vector(2)]),
            ("long double", f128, vec![Vector(16)]),
            ("struct { float a; }", structure(types, 4, &[(0, f32)]), vec![Vector(4)]),
            ("struct { float a, b; }", pair, vec![Vector(4); 2]),
            ("struct { struct pair p; float a[2]; }", structure(types, 16, &[(0, pair), (8, f32), (12, f32)]), vec![Vector(4); 4]),
            ("struct { double a, b, c, d; }", structure(types, 32, &[(0, f64), (8, f64), (16, f64), (24, f64)]), vec![Vector(8); 4]),
            ("struct { float a[5]; }", array(types, f32, 5, false), vec![Reference]),
            ("struct { float a; unsigned b; }", structure(types, 8, &[(0, f32), (4, u32)]), vec![Integer]),
            ("struct { float a; double b; }", structure(types, 16, &[(0, f32), (8, f64)]), vec![Integer; 2]),
            ("struct { float a; float b __attribute__((aligned(8))); }", structure(types, 16, &[(0, f32), (8, f32)]), vec![Integer; 2]),
            ("struct { float a : 3; }, if C had it", bits, vec![Integer]),
            ("union { float a; float b[3]; }", union(types, 12, &[(0, f32), (0, three)]), vec![Vector(4); 3]),
            ("union { float a; unsigned b; }", union(types, 4, &[(0, f32), (0, u32)]), vec![Integer]),
            ("struct { unsigned char a[3]; }", array(types, u8, 3, false), vec![Integer]),
            ("struct { u64 a, b; }", structure(types, 16, &[(0, u64), (8, u64)]), vec![Integer; 2]),
            ("struct { u64 a, b, c; }", array(types, u64, 3, false), vec![Reference]),
            ("float __attribute__((vector_size(8)))", v8, vec![Vector(8)]),
            ("float __attribute__((vector_size(16)))", v16, vec![Vector(16)]),
            ("float __attribute__((vector_size(32)))", v32, vec![Unclear]),
            ("struct { v8 a, b; }", structure(types, 16, &[(0, v8), (8, v8)]), vec![Vector(8); 2]),
            ("struct { v16 a, b; }", structure(types, 32, &[(0, v16), (16, v16)]), vec![Unclear]),
            ("struct { v8 a; double b; }", structure(types, 16, &[(0, v8), (8, f64)]), vec![Integer; 2]),
            ("struct { }", structure(types, 0, &[]), vec![]),
        ];
        for (c, id, expected) in rows {
            assert_eq!(Aapcs64.of_value(types, id), Some(expected), "{c}");
        }
    }

    /// `void f(unsigned long, T)`, `void f(T)` and so on.
    #[test]
    fn pairs_of_registers() {
        let types = &mut Types::default();
        let [u64, u128] = [8, 16].map(|bytes| number(types, bytes));
        let aligned = |types: &mut Types, whole, member| {
            let mut fields = aggregate(16, &[(0, u64), (8, u64)]);
            fields.align = whole;
            fields.fields[0].align = member;
            types.add(Kind::Aggregate(fields))
        };
        let whole = aligned(types, Some(16), None);
        let member = aligned(types, None, Some(16));
        let holder = structure(types, 16, &[(0, whole)]);
        let big = array(types, u64, 3, false);
        let packed = {
            let mut fields = aggregate(16, &[(0, u128)]);
            fields.align = Some(1);
            types.add(Kind::Aggregate(fields))
        };
        let even = vec![Skipped, Integer, Integer];
        #[rustfmt::skip] // a table reads best as a table
        let rows = [
            (&[u128][..], vec![Integer; 2]),
            (&[u64, u128], even.clone()),
            (&[big, u128], even.clone()),
            (&[u64, u64, u128], vec![Integer; 2]),
            (&[u64, member], even.clone()),
            (&[u64, whole], vec![Integer; 2]),
            (&[u64, holder], even.clone()),
            (&[u64, packed], vec![Integer; 2]),
            // x7 stays unused in any case, and the stack is aligned.
            (&[u64, u64, u64, u64, u64, u64, u64, member], vec![Integer; 2]),
            (&[u64, u64, u64, u64, u64, u64, u64, member, u128], vec![Integer; 2]),
            (&[u64, u64, u64, u64, u64, u64, u64, whole, u128], vec![Integer; 2]),
            (&[u64, u64, u64, u64, u64, u64, u64, u64, u64, u128], even),
        ];
        for (ids, expected) in rows {
            let all = Aapcs64.of_parameters(types, ids);
            assert_eq!(all.last(), Some(&Some(expected)), "{ids:?}");
        }
    }
}
