//! Compares the fields of structs and unions, and their offsets.

use super::comparison::{describe, Comparison, Level, Ty};
use crate::model::Language;
use crate::types::fields::{
    fields, fields_beside, is_blob, is_from_bindgen, is_opaque, is_unit_of_bits, Fields, Leaf,
};
use crate::types::graph::{Aggregate, Kind};

/// Crates whose wrapper structs are compared as their only field.
const WRAPPERS: &[&str] = &["core", "kernel", "pin_init"];

/// A longer path to a struct is not shown.
const LONGEST: usize = 120;

impl<'c> Comparison<'c> {
    pub(super) fn aggregates(
        &mut self,
        what: &str,
        (left, l): (Ty<'c>, &'c Aggregate),
        (right, r): (Ty<'c>, &'c Aggregate),
        depth: usize,
    ) {
        // `UnsafeCell<s>` is an `s`.
        let inner = |ty: Ty<'_>| ty.types.only_field(ty.id).filter(|_| is_wrapper(ty));
        if let (Some(inner), true) = (inner(left), left.size() == right.size()) {
            return self.values(what, left.to(inner), right, depth + 1);
        }
        if let (Some(inner), true) = (inner(right), left.size() == right.size()) {
            return self.values(what, left, right.to(inner), depth + 1);
        }
        let names = |ty: Ty<'_>| -> Vec<String> {
            let all = ty.types.names(ty.id).into_iter();
            let all = all.filter(|name| !name.contains("__bindgen_ty_"));
            all.map(|name| name.to_string()).collect()
        };
        let (ln, rn) = (names(left), names(right));
        let names = (ln.first(), rn.first());
        if let (Some(l), Some(r)) = names {
            if !ln.iter().any(|name| rn.contains(name)) {
                self.differs(Level::Language, what, format!("`{l}`"), format!("`{r}`"));
            }
        }
        // Any struct around an `s` has the layout of an `s`.
        let wrapped = |ty: Ty<'_>, other: Ty<'_>| {
            let inner = ty.types.only_field(ty.id)?;
            let is_struct = matches!(ty.types.kind(inner), Kind::Aggregate(_));
            let is_alike = other.types.only_field(other.id).is_some();
            (is_struct && !is_alike && ty.size() == other.size()).then_some(inner)
        };
        if let Some(inner) = wrapped(left, right) {
            return self.values(what, left.to(inner), right, depth + 1);
        }
        if let Some(inner) = wrapped(right, left) {
            return self.values(what, left, right.to(inner), depth + 1);
        }
        let whole = match names {
            (Some(name), _) | (_, Some(name)) if what.len() > LONGEST => {
                format!("`{name}`, deeply nested")
            }
            (Some(name), _) | (_, Some(name)) => format!("{what}, `{name}`"),
            _ => what.to_owned(),
        };
        if l.size != r.size {
            let word = |size| format!("{size} bytes");
            self.differs(Level::Machine, &whole, word(l.size), word(r.size));
        }
        let (ll, rl) = (fields(left.types, l), fields(right.types, r));
        let (ll, rl) = (
            fields_beside(left.types, l, &rl),
            fields_beside(right.types, r, &ll),
        );
        let hidden = is_opaque(&ll.leaves) || is_opaque(&rl.leaves);
        if ll.nameless != rl.nameless && l.size == r.size && !hidden {
            let word = |fields: &Fields| match fields.nameless.len() {
                0 => "no anonymous members".to_owned(),
                1 => "1 anonymous struct or union".to_owned(),
                count => format!("{count} anonymous structs and unions"),
            };
            self.differs(Level::Language, &whole, word(&ll), word(&rl));
        }
        if !hidden {
            self.fields(&whole, (left, &ll.leaves), (right, &rl.leaves), depth);
        }
    }

    /// Compares a struct with something else.
    pub(super) fn wrapped(&mut self, what: &str, left: Ty<'c>, right: Ty<'c>, depth: usize) {
        let is_left = matches!(left.kind(), Kind::Aggregate(_));
        let (wrapper, other) = if is_left {
            (left, right)
        } else {
            (right, left)
        };
        let inner = wrapper.types.only_field(wrapper.id);
        match inner {
            Some(inner) if wrapper.size() == other.size() => {
                let side = if is_left { &self.left } else { &self.right };
                if side.language != Language::Rust || !is_wrapper(wrapper) {
                    self.differs(Level::Language, what, describe(left), describe(right));
                }
                if is_left {
                    self.values(what, wrapper.to(inner), right, depth + 1)
                } else {
                    self.values(what, left, wrapper.to(inner), depth + 1)
                }
            }
            _ => {
                let Kind::Aggregate(aggregate) = wrapper.kind() else {
                    return;
                };
                let parts = fields(wrapper.types, aggregate).leaves;
                let bits = parts.iter().all(|leaf| leaf.is_bits);
                let bytes = match other.kind() {
                    Kind::Array { of, .. } => {
                        matches!(other.types.kind(*of), Kind::Integer { bytes: 1, .. })
                    }
                    Kind::Integer { .. } => bits && !parts.is_empty(),
                    _ => false,
                };
                let level = if bytes && wrapper.size() == other.size() {
                    Level::Language
                } else {
                    Level::Machine
                };
                self.differs(level, what, describe(left), describe(right));
            }
        }
    }

    fn fields(
        &mut self,
        whole: &str,
        (left, l): (Ty<'c>, &[Leaf]),
        (right, r): (Ty<'c>, &[Leaf]),
        depth: usize,
    ) {
        let mut rest: Vec<&Leaf> = r.iter().collect();
        let mut lonely: Vec<&Leaf> = Vec::new();
        for leaf in l {
            let name = plain(leaf);
            let same = rest
                .iter()
                .position(|other| name.is_some() && plain(other) == name);
            match same {
                Some(at) => {
                    let other = rest.remove(at);
                    self.field(whole, (left, leaf), (right, other), depth);
                }
                None => lonely.push(leaf),
            }
        }
        let mut alone = Vec::new();
        for leaf in lonely {
            let at = rest.iter().position(|other| {
                leaf.start == other.start
                    && (leaf.bits == other.bits || !(leaf.in_union || other.in_union))
                    && !is_blob(left.types, leaf)
                    && !is_blob(right.types, other)
                    && leaf.is_bits == other.is_bits
                    && !is_unit_of_bits(right.types, other)
                    && !is_unit_of_bits(left.types, leaf)
            });
            match at {
                Some(at) => {
                    let other = rest.remove(at);
                    self.field(whole, (left, leaf), (right, other), depth);
                }
                None => alone.push(leaf),
            }
        }
        for leaf in alone {
            self.lonely(whole, (left, leaf), (right, r), true);
        }
        for leaf in rest {
            self.lonely(whole, (right, leaf), (left, l), false);
        }
    }

    /// A field for which the other side has none of that name or offset.
    fn lonely(
        &mut self,
        whole: &str,
        (ty, leaf): (Ty<'c>, &Leaf),
        (other, others): (Ty<'c>, &[Leaf]),
        in_left: bool,
    ) {
        // bindgen's storage for bit-fields has accessor methods.
        if leaf.name.is_none() || is_from_bindgen(leaf) || is_unit_of_bits(ty.types, leaf) {
            return;
        }
        let beside: Vec<&Leaf> = others.iter().filter(|one| one.overlaps(leaf)).collect();
        let in_unit = |one: &&Leaf| is_unit_of_bits(other.types, one);
        if leaf.is_bits && beside.iter().any(in_unit) {
            return;
        }
        let lenient = |types, one: &Leaf| one.is_bits || one.in_union || is_blob(types, one);
        let harmless =
            lenient(ty.types, leaf) || beside.iter().all(|one| lenient(other.types, one));
        let level = if harmless {
            Level::Language
        } else {
            Level::Machine
        };
        let (has, lacks) = if in_left {
            (&self.left.label, &self.right.label)
        } else {
            (&self.right.label, &self.left.label)
        };
        let there = match beside.first() {
            Some(one) if one.name.is_some() => format!("where `{}` is {lacks}", one.shown()),
            _ => format!("missing {lacks}"),
        };
        let what = format!("field `{}` of {whole}", leaf.shown());
        let text = format!("{} {has}, {there}", leaf.place());
        self.add(level, &what, &text);
    }

    fn field(
        &mut self,
        whole: &str,
        (left, l): (Ty<'c>, &Leaf),
        (right, r): (Ty<'c>, &Leaf),
        depth: usize,
    ) {
        let name = l.name.as_ref().or(r.name.as_ref());
        let name = name.map_or("{unnamed}", |name| name);
        let what = format!("field `{name}` of {whole}");
        if l.start != r.start {
            self.differs(Level::Machine, &what, l.place(), r.place());
        }
        if plain(l) != plain(r) {
            let text = (format!("`{}`", l.shown()), format!("`{}`", r.shown()));
            self.differs(Level::Language, &what, text.0, text.1);
        }
        if l.is_bits || r.is_bits {
            if l.bits != r.bits {
                let word = |bits: u64| match bits {
                    1 => "1 bit".to_owned(),
                    _ => format!("{bits} bits"),
                };
                self.differs(Level::Machine, &what, word(l.bits), word(r.bits));
            }
            return;
        }
        self.values(&what, left.to(l.ty), right.to(r.ty), depth + 1);
    }
}

/// The name without the `_` that bindgen appends to keywords: `type_`.
fn plain(leaf: &Leaf) -> Option<&str> {
    let name = leaf.name.as_deref()?;
    Some(name.strip_suffix('_').unwrap_or(name))
}

fn is_wrapper(ty: Ty<'_>) -> bool {
    match ty.kind() {
        Kind::Aggregate(aggregate) => aggregate
            .krate
            .as_deref()
            .is_some_and(|krate| WRAPPERS.contains(&krate)),
        _ => false,
    }
}
