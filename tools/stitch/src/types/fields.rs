//! Where the fields of a struct or union lie, in bits; those of a struct without a name in it are
//! its own, as in C.

use std::sync::Arc;

use super::graph::{Aggregate, Field, Id, Kind, Types};

/// A field, where it lies in all of it.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// None for bits that only fill a gap.
    pub name: Option<Arc<str>>,
    /// Its first bit.
    pub start: u64,
    /// How many it has; an array without an end has none.
    pub bits: u64,
    /// Whether it is a bit-field.
    pub is_bits: bool,
    /// Whether others may lie in the same place.
    pub in_union: bool,
    /// Of its value.
    pub ty: Id,
}

impl Leaf {
    /// The bit behind it.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.bits)
    }

    /// Whether it has a bit of another.
    pub fn overlaps(&self, other: &Leaf) -> bool {
        self.start < other.end() && other.start < self.end()
    }

    /// As a message calls it.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or("{unnamed}")
    }

    /// Where it begins, in bytes, or in bits where it begins within one.
    pub fn place(&self) -> String {
        match (self.start / 8, self.start % 8) {
            (byte, 0) => format!("at {byte}"),
            (byte, bit) => format!("at bit {bit} of {byte}"),
        }
    }
}

/// No struct is nested deeper without names.
const DEEPEST: u32 = 32;

/// The fields of a struct or union.
#[derive(Debug, Default)]
pub struct Fields {
    /// By their first bit. What has no bytes is left out, unless it is an array: its elements may
    /// follow.
    pub leaves: Vec<Leaf>,
    /// First bits and bits of the structs and unions without a name, in which they are looked for.
    pub nameless: Vec<(u64, u64)>,
}

/// Of one type by itself.
pub fn fields(types: &Types, aggregate: &Aggregate) -> Fields {
    fields_beside(types, aggregate, &Fields::default())
}

/// Of one type, as another has them: what has a name here, and none there, is looked into as well.
pub fn fields_beside(types: &Types, aggregate: &Aggregate, other: &Fields) -> Fields {
    let mut open = Opened {
        types,
        other,
        fields: Fields::default(),
    };
    open.all(aggregate, 0, aggregate.union, 0);
    open.fields.leaves.sort_by_key(|leaf| leaf.start);
    open.fields
}

struct Opened<'o> {
    types: &'o Types,
    other: &'o Fields,
    fields: Fields,
}

impl Opened<'_> {
    fn all(&mut self, aggregate: &Aggregate, base: u64, in_union: bool, depth: u32) {
        for field in &aggregate.fields {
            let start = base.saturating_add(field.start);
            let bytes = self.types.size(field.ty);
            let bits = field.bits.or(bytes.map(|bytes| bytes.saturating_mul(8)));
            let place = (start, bits.unwrap_or(0));
            if let (Kind::Aggregate(inner), true) = (self.types.kind(field.ty), depth < DEEPEST) {
                let anonymous = is_anonymous(field);
                if anonymous || self.is_nameless_there(field, place) {
                    if anonymous {
                        self.fields.nameless.push(place);
                    }
                    self.all(inner, start, in_union || inner.union, depth + 1);
                    continue;
                }
            }
            let endless = endless(self.types, field.ty);
            if bits == Some(0) && endless.is_none() {
                continue;
            }
            self.fields.leaves.push(Leaf {
                name: field.name.clone(),
                start,
                bits: place.1,
                is_bits: field.bits.is_some(),
                in_union,
                ty: endless.unwrap_or(field.ty),
            });
        }
    }
}

impl Opened<'_> {
    fn is_nameless_there(&self, field: &Field, place: (u64, u64)) -> bool {
        let mut named = self.other.leaves.iter();
        self.other.nameless.contains(&place)
            && !named.any(|leaf| leaf.start == place.0 && leaf.name == field.name)
    }
}

/// bindgen gives a name to what C leaves without one.
fn is_anonymous(field: &Field) -> bool {
    let name = field.name.as_deref();
    name.is_none_or(|name| name.starts_with("__bindgen_anon_"))
}

/// An array without an end: bindgen writes `[T; 0]`, by itself or within `__IncompleteArrayField`.
fn endless(types: &Types, id: Id) -> Option<Id> {
    match types.kind(id) {
        Kind::Array {
            count: None | Some(0),
            ..
        } => Some(id),
        Kind::Aggregate(aggregate) if aggregate.size == 0 => {
            let mut inside = aggregate.fields.iter();
            inside.find_map(|field| endless(types, field.ty))
        }
        _ => None,
    }
}

/// How the names begin of fields that bindgen has put in: no source has them.
const BINDGENS: &[&str] = &[
    OPAQUE,
    "__bindgen_padding_",
    "_bindgen_align",
    "_bitfield_align_",
    "bindgen_union_field",
];

/// All bytes of a struct that bindgen cannot express.
const OPAQUE: &str = "_bindgen_opaque_blob";

/// Whether bindgen has put it in.
pub fn is_bindgens(leaf: &Leaf) -> bool {
    let name = leaf.name.as_deref().unwrap_or_default();
    BINDGENS.iter().any(|begin| name.starts_with(begin))
}

/// Whether bindgen leaves a struct's fields to those who know them.
pub fn is_opaque(leaves: &[Leaf]) -> bool {
    leaves
        .iter()
        .any(|leaf| leaf.name.as_deref() == Some(OPAQUE))
}

/// Bytes of which nothing else is said.
pub fn is_blob(types: &Types, leaf: &Leaf) -> bool {
    is_bindgens(leaf)
        || match types.kind(leaf.ty) {
            Kind::Array {
                of,
                count: Some(1..),
                ..
            } => matches!(
                types.kind(*of),
                Kind::Integer {
                    bytes: 1,
                    signed: false,
                    ..
                }
            ),
            _ => false,
        }
}

/// bindgen's unit of bit-fields, which it reads and writes by methods.
pub fn is_unit_of_bits(types: &Types, leaf: &Leaf) -> bool {
    let name = types.name(leaf.ty);
    name.is_some_and(|name| name.starts_with("__BindgenBitfieldUnit<"))
}
