//! The fields of a struct or union, with their offsets in bits. Members of an anonymous struct are
//! fields of the struct around it, as in C.

use std::sync::Arc;

use super::graph::{Aggregate, Field, Id, Kind, Types};

/// A field, at its offset in the outermost struct.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// `None` for unnamed bit-fields.
    pub name: Option<Arc<str>>,
    /// Its first bit.
    pub start: u64,
    /// Its width; 0 for a flexible array.
    pub bits: u64,
    /// Whether it is a bit-field.
    pub is_bits: bool,
    /// Whether other fields may overlap it.
    pub in_union: bool,
    pub ty: Id,
}

impl Leaf {
    /// The bit after its last.
    pub fn end(&self) -> u64 {
        self.start.saturating_add(self.bits)
    }

    /// Whether it shares a bit with another field.
    pub fn overlaps(&self, other: &Leaf) -> bool {
        self.start < other.end() && other.start < self.end()
    }

    /// Its name in messages.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or("{unnamed}")
    }

    /// Its offset: in bytes, or with a bit within a byte.
    pub fn place(&self) -> String {
        match (self.start / 8, self.start % 8) {
            (byte, 0) => format!("at {byte}"),
            (byte, bit) => format!("at bit {bit} of {byte}"),
        }
    }
}

/// A limit for the nesting of anonymous structs.
const DEEPEST: u32 = 32;

/// The fields of a struct or union.
#[derive(Debug, Default)]
pub struct Fields {
    /// By offset. Fields without a size are omitted, except flexible arrays.
    pub leaves: Vec<Leaf>,
    /// Offset and width of the anonymous structs and unions around them.
    pub nameless: Vec<(u64, u64)>,
}

pub fn fields(types: &Types, aggregate: &Aggregate) -> Fields {
    fields_beside(types, aggregate, &Fields::default())
}

/// The fields of a type, compared with another: a struct that is named here, but anonymous there, is
/// flattened, too.
pub fn fields_beside(types: &Types, aggregate: &Aggregate, other: &Fields) -> Fields {
    let mut flattener = Flattener {
        types,
        other,
        fields: Fields::default(),
    };
    flattener.all(aggregate, 0, aggregate.union, 0);
    flattener.fields.leaves.sort_by_key(|leaf| leaf.start);
    flattener.fields
}

struct Flattener<'o> {
    types: &'o Types,
    other: &'o Fields,
    fields: Fields,
}

impl Flattener<'_> {
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
            let flexible = flexible(self.types, field.ty);
            if bits == Some(0) && flexible.is_none() {
                continue;
            }
            self.fields.leaves.push(Leaf {
                name: field.name.clone(),
                start,
                bits: place.1,
                is_bits: field.bits.is_some(),
                in_union,
                ty: flexible.unwrap_or(field.ty),
            });
        }
    }

    fn is_nameless_there(&self, field: &Field, place: (u64, u64)) -> bool {
        let mut named = self.other.leaves.iter();
        self.other.nameless.contains(&place)
            && !named.any(|leaf| leaf.start == place.0 && leaf.name == field.name)
    }
}

/// bindgen names anonymous members.
fn is_anonymous(field: &Field) -> bool {
    let name = field.name.as_deref();
    name.is_none_or(|name| name.starts_with("__bindgen_anon_"))
}

/// A flexible array; bindgen writes `[T; 0]`, perhaps within `__IncompleteArrayField`.
fn flexible(types: &Types, id: Id) -> Option<Id> {
    match types.kind(id) {
        Kind::Array {
            count: None | Some(0),
            ..
        } => Some(id),
        Kind::Aggregate(aggregate) if aggregate.size == 0 => {
            let mut inside = aggregate.fields.iter();
            inside.find_map(|field| flexible(types, field.ty))
        }
        _ => None,
    }
}

/// Prefixes of fields that bindgen adds.
const BINDGENS: &[&str] = &[
    OPAQUE,
    "__bindgen_padding_",
    "_bindgen_align",
    "_bitfield_align_",
    "bindgen_union_field",
];

/// The bytes of a struct that bindgen cannot express.
const OPAQUE: &str = "_bindgen_opaque_blob";

/// Whether bindgen added it.
pub fn is_from_bindgen(leaf: &Leaf) -> bool {
    let name = leaf.name.as_deref().unwrap_or_default();
    BINDGENS.iter().any(|begin| name.starts_with(begin))
}

/// Whether bindgen could not express a struct.
pub fn is_opaque(leaves: &[Leaf]) -> bool {
    leaves
        .iter()
        .any(|leaf| leaf.name.as_deref() == Some(OPAQUE))
}

/// Whether it is just bytes.
pub fn is_blob(types: &Types, leaf: &Leaf) -> bool {
    is_from_bindgen(leaf)
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

/// Whether it is bindgen's storage for bit-fields, which has accessor methods.
pub fn is_unit_of_bits(types: &Types, leaf: &Leaf) -> bool {
    let name = types.name(leaf.ty);
    name.is_some_and(|name| name.starts_with("__BindgenBitfieldUnit<"))
}
