//! The layouts of the structs and unions that a symbol uses.

use super::claim::{Claim, Shape};
use super::graph::{Aggregate, Id, Kind, Signature, Types};
use crate::model::{Layout, Member};

/// A limit for nesting.
const DEEPEST: usize = 12;

/// The structs and unions that are passed by value, by pointer, or through a callback.
pub fn of(claim: &Claim) -> Vec<Layout> {
    let mut layouts = Vec::new();
    match &claim.shape {
        Shape::Function(signature) => passed(&claim.types, signature, 0, &mut layouts),
        Shape::Data { ty, .. } => reached(&claim.types, *ty, 0, &mut layouts),
    }
    layouts
}

fn passed(types: &Types, signature: &Signature, depth: usize, layouts: &mut Vec<Layout>) {
    for parameter in &signature.parameters {
        reached(types, parameter.ty, depth + 1, layouts);
    }
    reached(types, signature.returns, depth + 1, layouts);
}

fn reached(types: &Types, id: Id, depth: usize, layouts: &mut Vec<Layout>) {
    if depth > DEEPEST {
        return;
    }
    match types.kind(id) {
        Kind::Pointer { to, .. } => reached(types, *to, depth + 1, layouts),
        Kind::Array { of, .. } => reached(types, *of, depth + 1, layouts),
        Kind::Function(signature) => passed(types, signature, depth + 1, layouts),
        Kind::Aggregate(aggregate) if aggregate.size > 0 => {
            let layout = layout(types, id, aggregate);
            if !layouts.contains(&layout) {
                layouts.push(layout);
            }
        }
        _ => {}
    }
}

fn layout(types: &Types, id: Id, aggregate: &Aggregate) -> Layout {
    let mut fields = Vec::new();
    members(types, aggregate, 0, 0, &mut fields);
    Layout {
        name: match types.name(id) {
            Some(name) => name.to_string(),
            None => "{unnamed}".to_owned(),
        },
        union: aggregate.union,
        size: aggregate.size,
        align: aggregate.align,
        fields,
    }
}

fn members(
    types: &Types,
    aggregate: &Aggregate,
    start: u64,
    depth: usize,
    fields: &mut Vec<Member>,
) {
    for field in &aggregate.fields {
        let offset = start.saturating_add(field.start / 8);
        match (&field.name, types.kind(field.ty)) {
            (None, Kind::Aggregate(inner)) if depth < DEEPEST => {
                members(types, inner, offset, depth + 1, fields);
            }
            (name, _) => fields.push(Member {
                name: name.as_deref().map(str::to_owned),
                offset,
                size: types.size(field.ty),
            }),
        }
    }
}
