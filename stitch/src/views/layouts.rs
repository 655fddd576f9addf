//! The structs and unions that a symbol passes, as one side has them.

use super::types::{Aggregate, Kind, Opinion, Shape, Signature, Type};
use crate::model::{Layout, Member};

/// Those that it passes by value, by pointer, or through a callback; what is in them is told as
/// their fields.
pub fn of(opinion: &Opinion) -> Vec<Layout> {
    let mut layouts = Vec::new();
    match &opinion.shape {
        Shape::Function(signature) => passed(signature, &mut layouts),
        Shape::Data(ty) => reached(ty, &mut layouts),
    }
    layouts
}

fn passed(signature: &Signature, layouts: &mut Vec<Layout>) {
    for parameter in &signature.parameters {
        reached(&parameter.ty, layouts);
    }
    reached(&signature.returns, layouts);
}

fn reached(ty: &Type, layouts: &mut Vec<Layout>) {
    match &ty.kind {
        Kind::Pointer { to, .. } => reached(to, layouts),
        Kind::Array { of, .. } => reached(of, layouts),
        Kind::Function { signature, .. } => passed(signature, layouts),
        Kind::Aggregate(aggregate) => {
            let layout = layout(aggregate);
            if !layouts.contains(&layout) {
                layouts.push(layout);
            }
        }
        _ => {}
    }
}

fn layout(aggregate: &Aggregate) -> Layout {
    let mut fields = Vec::new();
    members(aggregate, 0, &mut fields);
    Layout {
        name: aggregate.name.as_deref().unwrap_or("{unnamed}").to_owned(),
        union: aggregate.union,
        size: aggregate.size,
        align: aggregate.align.filter(|_| aggregate.align_told),
        fields,
    }
}

fn members(aggregate: &Aggregate, start: u64, fields: &mut Vec<Member>) {
    for field in &aggregate.fields {
        let offset = start.saturating_add(field.offset);
        match (&field.name, &field.ty.kind) {
            (None, Kind::Aggregate(inner)) => members(inner, offset, fields),
            (name, _) => fields.push(Member {
                name: name.as_deref().map(str::to_owned),
                offset,
                size: field.ty.size(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Language;
    use crate::views::types::{Field, Parameter};

    fn aggregate(name: Option<&str>, fields: Vec<Field>) -> Type {
        Type::new(Kind::Aggregate(
            Aggregate {
                name: name.map(Into::into),
                union: false,
                size: 16,
                align: Some(8),
                align_told: false,
                fields,
            }
            .into(),
        ))
    }

    fn field(name: Option<&str>, offset: u64, ty: Type) -> Field {
        Field {
            name: name.map(Into::into),
            offset,
            bits: false,
            ty,
        }
    }

    #[test]
    fn what_is_passed() {
        let long = || Type::integer(8, true, "long");
        let unnamed = aggregate(None, vec![field(Some("inner"), 0, long())]);
        let outer = aggregate(
            Some("outer"),
            vec![field(Some("first"), 0, long()), field(None, 8, unnamed)],
        );
        let parameter = |ty| Parameter { name: None, ty };
        let opinion = Opinion {
            part: "a.o".to_owned(),
            language: Language::C,
            definition: true,
            source: "DWARF, definition",
            place: None,
            shape: Shape::Function(Signature {
                parameters: vec![parameter(outer.clone().pointer()), parameter(long())],
                returns: outer.pointer(),
                variadic: false,
                prototyped: true,
            }),
        };
        let layouts = of(&opinion);
        assert_eq!(layouts.len(), 1, "{layouts:?}");
        let fields = layouts[0].fields.iter();
        let fields: Vec<_> = fields.map(|f| (f.name.as_deref(), f.offset)).collect();
        assert_eq!(fields, [(Some("first"), 0), (Some("inner"), 8)]);
        assert_eq!(layouts[0].align, None);
    }
}
