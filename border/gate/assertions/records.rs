// SPDX-License-Identifier: GPL-2.0

//! The layouts of structs and unions.

use std::collections::HashSet;

use super::Assertions;
use crate::bindings::{Record, NAMELESS};
use crate::c_type;
use crate::problem::Layer;
use crate::rust_type::Type;

impl Assertions<'_, '_> {
    pub(super) fn record(&mut self, record: &Record) {
        let Some(c) = c_type::name(self.header, &record.name) else {
            // A struct without a name is asserted as a field of another.
            if !record.name.contains(NAMELESS) && record.size != Some(0) {
                let problem = Layer::Contract.error(format!("{} has no name in C", record.name));
                self.problems.push(problem.help("name the type"));
            }
            return;
        };
        // A type that is only declared has no layout.
        if record.fields.iter().all(|field| field.name == "_unused") {
            return;
        }
        let place = self.header.place_of(&record.name);
        let size = format!("sizeof({c})");
        self.number(&size, record.size, &place, &format!("size of {c}"));
        let align = format!("_Alignof({c})");
        self.number(&align, record.align, &place, &format!("alignment of {c}"));
        self.fields(&c, record, "", 0, &mut HashSet::new());
    }

    /// Asserts offsets and types. `path` (`u.`, `list[0].`) leads from the outermost struct to
    /// `record`, which is at the offset `base` there. A struct without a name is asserted once, though
    /// several fields can have it: `struct { int x; } a, b;`
    fn fields(
        &mut self,
        top: &str,
        record: &Record,
        path: &str,
        base: u64,
        seen: &mut HashSet<String>,
    ) {
        for field in &record.fields {
            let inner = match field.ty.as_ref().map(Type::element) {
                Some(Type::Name(name)) => self.bindings.record(name),
                _ => None,
            };
            let nameless = inner
                .filter(|inner| inner.name.contains(NAMELESS) && seen.insert(inner.name.clone()));
            let offset = field.offset.and_then(|offset| base.checked_add(offset));
            // In C, the members of an anonymous struct belong to the outer one.
            if field.name.starts_with("__bindgen_anon_") {
                if let (Some(inner), Some(offset)) = (nameless, offset) {
                    self.fields(top, inner, path, offset, seen);
                }
                continue;
            }
            let here = format!("{path}{}", field.name);
            let place = self.header.place_of(&field.name);
            let c = format!("__builtin_offsetof({top}, {here})");
            self.number(&c, offset, &place, &format!("offset of {here} in {top}"));
            match (nameless, offset, &field.ty) {
                (Some(inner), Some(offset), Some(ty)) => {
                    let zeros = "[0]".repeat(dimensions(ty));
                    self.fields(top, inner, &format!("{here}{zeros}."), offset, seen);
                }
                (_, _, Some(ty)) => self.field_type(top, &here, ty, &place),
                (_, _, None) => self.no_c_type(&format!("{here} in {top}"), place),
            }
        }
    }

    fn field_type(&mut self, top: &str, path: &str, ty: &Type, place: &str) {
        let name = top.rsplit(' ').next().unwrap_or(top);
        let field = format!("(({top} *)0)->{path}");
        let what = format!("{path} in {top}");
        match c_type::of(self.header, &self.expanded(ty)) {
            Some(rust) if self.is_comparable(name, ty) => {
                self.type_of(&field, &rust, place, &what);
            }
            Some(_) => {}
            // An enum without a name.
            None => self.integer(&format!("(__typeof__({field}))"), &what, ty, place),
        }
    }
}

fn dimensions(ty: &Type) -> usize {
    match ty {
        Type::Array { of, .. } => 1 + dimensions(of),
        _ => 0,
    }
}
