//! Two views of a symbol, held against each other.

use std::collections::HashSet;
use std::sync::Arc;

use super::bindings::is_unit_of_bits;
use super::spell;
use super::types::{Aggregate, Field, Kind, Opinion, Parameter, Shape, Signature, Type, Why};
use crate::model::Language;

/// Who would see a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A reader of the sources only.
    Language,
    /// Nobody knows.
    Unknown,
    /// The machine.
    Abi,
}

/// A difference, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Who would see it.
    pub level: Level,
    /// `parameter 2 `nth`: 4 bytes unsigned in C, 8 bytes unsigned in Rust`
    pub text: String,
}

/// More differences than a person will read.
pub(super) const MOST: usize = 30;

/// All differences of two views.
pub fn differences(left: &Opinion, right: &Opinion) -> Vec<Difference> {
    let side = |opinion: &Opinion| Side {
        language: opinion.language,
        label: match opinion.language {
            _ if left.language == right.language => format!("in {}", opinion.part),
            Language::C => "in C".to_owned(),
            Language::Rust => "in Rust".to_owned(),
            _ => format!("in {}", opinion.part),
        },
    };
    let mut comparison = Comparison {
        left: side(left),
        right: side(right),
        found: Vec::new(),
        seen: HashSet::new(),
    };
    match (&left.shape, &right.shape) {
        (Shape::Function(left), Shape::Function(right)) => comparison.signatures("", left, right),
        (Shape::Data(left), Shape::Data(right)) => comparison.data(left, right),
        (left, right) => comparison.say(Level::Abi, "it", kind(left), kind(right)),
    }
    comparison.found
}

pub(super) fn kind(shape: &Shape) -> &'static str {
    match shape {
        Shape::Function(_) => "a function",
        Shape::Data(_) => "data",
    }
}

struct Side {
    language: Language,
    label: String,
}

struct Comparison {
    left: Side,
    right: Side,
    found: Vec<Difference>,
    /// Structs that were compared already, by where they are.
    seen: HashSet<(usize, usize)>,
}

impl Comparison {
    fn note(&mut self, level: Level, text: String) {
        let difference = Difference { level, text };
        if self.found.len() >= MOST || self.found.contains(&difference) {
            // The worst is never left out.
            if self.found.iter().all(|found| found.level < level) {
                self.found.push(difference);
            }
            return;
        }
        self.found.push(difference);
    }

    fn say(&mut self, level: Level, what: &str, left: impl AsRef<str>, right: impl AsRef<str>) {
        let text = format!(
            "{what}: {} {}, {} {}",
            left.as_ref(),
            self.left.label,
            right.as_ref(),
            self.right.label
        );
        self.note(level, text);
    }

    fn data(&mut self, left: &Type, right: &Type) {
        self.constants("it", left, right);
        self.values("it", left, right);
    }

    fn constants(&mut self, what: &str, left: &Type, right: &Type) {
        if let (Some(l), Some(r)) = (left.constant, right.constant) {
            if l != r {
                let word = |constant| match constant {
                    true => "const",
                    false => "may be written to",
                };
                self.say(Level::Language, what, word(l), word(r));
            }
        }
    }

    /// `of` is empty for the symbol itself, else ` of what … calls`.
    fn signatures(&mut self, of: &str, left: &Signature, right: &Signature) {
        let untold = match (left.prototyped, right.prototyped) {
            (true, true) => None,
            (false, _) => Some(&self.left),
            (true, false) => Some(&self.right),
        };
        if let Some(side) = untold {
            let label = &side.label;
            let text = format!("the parameters{of} are not told {label}: it has no prototype");
            return self.note(Level::Unknown, text);
        }
        self.values(&format!("the result{of}"), &left.returns, &right.returns);
        if left.variadic != right.variadic {
            let word = |variadic| match variadic {
                true => "any more (`...`)",
                false => "no more",
            };
            let what = format!("arguments{of} behind the parameters");
            self.say(Level::Abi, &what, word(left.variadic), word(right.variadic));
        }
        let (l, r) = (&left.parameters, &right.parameters);
        if l.len() != r.len() {
            let what = format!("the number of parameters{of}");
            return self.say(Level::Abi, &what, list(l), list(r));
        }
        for (at, (left, right)) in l.iter().zip(r).enumerate() {
            let name = left.name.as_ref().or(right.name.as_ref());
            let name = name.map(|name| format!(" `{name}`")).unwrap_or_default();
            let what = format!("parameter {}{name}{of}", at + 1);
            self.values(&what, &left.ty, &right.ty);
        }
        self.order(of, l, r);
    }

    /// The same names in another order: one side has swapped its arguments.
    fn order(&mut self, of: &str, left: &[Parameter], right: &[Parameter]) {
        let names = |parameters: &[Parameter]| -> Option<Vec<Arc<str>>> {
            parameters.iter().map(|p| p.name.clone()).collect()
        };
        let (Some(l), Some(r)) = (names(left), names(right)) else {
            return;
        };
        let plain = |names: &[Arc<str>]| -> Vec<String> {
            let trimmed = names.iter().map(|name| name.trim_matches('_').to_owned());
            trimmed.collect()
        };
        let (l, r) = (plain(&l), plain(&r));
        let moved = l
            .iter()
            .zip(&r)
            .any(|(name, other)| name != other && r.contains(name) && l.contains(other));
        if moved {
            let what = format!("the order of the parameters{of}");
            self.say(Level::Language, &what, l.join(", "), r.join(", "));
        }
    }

    /// What is passed, returned, or kept in a field.
    fn values(&mut self, what: &str, left: &Type, right: &Type) {
        match (&left.kind, &right.kind) {
            (Kind::Opaque { name, why }, _) => self.unknown(what, name, *why, true),
            (_, Kind::Opaque { name, why }) => self.unknown(what, name, *why, false),
            (Kind::Aggregate(l), Kind::Aggregate(r)) => self.aggregates(what, l, r),
            (Kind::Aggregate(wrapper), scalar) | (scalar, Kind::Aggregate(wrapper)) => {
                match only_field(wrapper) {
                    Some(field) if right.size() == left.size() && *scalar != Kind::Void => {
                        let text = (describe(left), describe(right));
                        self.say(Level::Language, what, text.0, text.1);
                        match left.kind {
                            Kind::Aggregate(_) => self.values(what, &field.ty, right),
                            _ => self.values(what, left, &field.ty),
                        }
                    }
                    _ => self.say(Level::Abi, what, describe(left), describe(right)),
                }
            }
            (
                Kind::Pointer {
                    to: l,
                    never_null: ln,
                },
                Kind::Pointer {
                    to: r,
                    never_null: rn,
                },
            ) => {
                self.nulls(what, *ln, *rn);
                let behind = format!("what {what} points to");
                self.constants(&behind, l, r);
                self.pointees(&behind, l, r);
            }
            (
                Kind::Function {
                    signature: l,
                    never_null: ln,
                    extern_c: lc,
                },
                Kind::Function {
                    signature: r,
                    never_null: rn,
                    extern_c: rc,
                },
            ) => {
                self.nulls(what, *ln, *rn);
                if lc != rc {
                    let word = |extern_c: &bool| match extern_c {
                        true => "called as C calls",
                        false => "called as Rust calls",
                    };
                    self.say(Level::Abi, what, word(lc), word(rc));
                }
                self.signatures(&format!(" of what {what} calls"), l, r);
            }
            (Kind::Pointer { to, .. }, Kind::Function { .. })
            | (Kind::Function { .. }, Kind::Pointer { to, .. }) => {
                let level = match to.kind {
                    Kind::Void => Level::Language,
                    _ => Level::Abi,
                };
                self.say(level, what, describe(left), describe(right));
            }
            (Kind::Array { of: l, count: lc }, Kind::Array { of: r, count: rc }) => {
                if let (Some(l), Some(r)) = (lc, rc) {
                    if l != r {
                        self.say(Level::Abi, what, elements(*l), elements(*r));
                    }
                }
                self.values(&format!("an element of {what}"), l, r);
            }
            _ => self.scalars(what, left, right),
        }
    }

    fn scalars(&mut self, what: &str, left: &Type, right: &Type) {
        if let (Some((lb, ls)), Some((rb, rs))) = (number(&left.kind), number(&right.kind)) {
            if (lb, ls) != (rb, rs) {
                return self.say(Level::Abi, what, describe(left), describe(right));
            }
            return self.words(what, left, right);
        }
        if left.kind != right.kind {
            self.say(Level::Abi, what, describe(left), describe(right));
        }
    }

    /// Two numbers that the machine takes for the same.
    fn words(&mut self, what: &str, left: &Type, right: &Type) {
        match (&left.kind, &right.kind) {
            (Kind::Enum { name: l, .. }, Kind::Enum { name: r, .. }) if l == r => {}
            (Kind::Enum { .. }, Kind::Enum { .. }) => {
                self.say(
                    Level::Language,
                    what,
                    self.spelled(left, true),
                    self.spelled(right, false),
                );
            }
            (Kind::Enum { name, .. }, _) if right.alias.as_ref() != Some(name) => {
                self.say(
                    Level::Language,
                    what,
                    self.spelled(left, true),
                    self.spelled(right, false),
                );
            }
            (_, Kind::Enum { name, .. }) if left.alias.as_ref() != Some(name) => {
                self.say(
                    Level::Language,
                    what,
                    self.spelled(left, true),
                    self.spelled(right, false),
                );
            }
            (
                Kind::Integer {
                    bytes: 8, name: l, ..
                },
                Kind::Integer { name: r, .. },
            ) if of_address_width(l) != of_address_width(r) => {
                let word = |name: &str| match of_address_width(name) {
                    true => "as wide as an address",
                    false => "64 bits on every machine",
                };
                self.say(Level::Language, what, word(l), word(r));
            }
            _ => {}
        }
    }

    fn spelled(&self, ty: &Type, left: bool) -> String {
        let side = if left { &self.left } else { &self.right };
        format!("`{}`", spell::in_language(ty, side.language))
    }

    fn nulls(&mut self, what: &str, left: bool, right: bool) {
        if left != right {
            let word = |never| match never {
                true => "never NULL",
                false => "NULL or not",
            };
            self.say(Level::Language, what, word(left), word(right));
        }
    }

    fn unknown(&mut self, what: &str, name: &str, why: Why, left: bool) {
        let label = match left {
            true => &self.left.label,
            false => &self.right.label,
        };
        let text = match why {
            Why::Cut => format!("{what}: `{name}` {label} is nested too deeply to be compared"),
            _ => format!("{what}: nothing at hand tells what `{name}` is {label}"),
        };
        self.note(Level::Unknown, text);
    }

    /// What pointers point to: both sides read or write it.
    fn pointees(&mut self, what: &str, left: &Type, right: &Type) {
        match (&left.kind, &right.kind) {
            (Kind::Void, Kind::Void) => {}
            (Kind::Void, _) | (_, Kind::Void) => {
                let word = |side: &Comparison, ty: &Type, left| match ty.kind {
                    Kind::Void => "anything".to_owned(),
                    _ => side.spelled(ty, left),
                };
                let (l, r) = (word(self, left, true), word(self, right, false));
                self.say(Level::Language, what, l, r);
            }
            (Kind::Opaque { .. }, _) | (_, Kind::Opaque { .. }) => {
                self.by_name(what, left, right);
            }
            // The first of several, or one.
            (Kind::Array { of, .. }, other) | (other, Kind::Array { of, .. })
                if !matches!(other, Kind::Array { .. }) =>
            {
                let (l, r) = (self.spelled(left, true), self.spelled(right, false));
                self.say(Level::Language, what, l, r);
                match left.kind {
                    Kind::Array { .. } => self.values(what, of, right),
                    _ => self.values(what, left, of),
                }
            }
            _ => self.values(what, left, right),
        }
    }

    /// Of at least one of the two, nothing but the name is known.
    fn by_name(&mut self, what: &str, left: &Type, right: &Type) {
        let why = [left, right].map(|ty| match ty.kind {
            Kind::Opaque { why, .. } => Some(why),
            _ => None,
        });
        if why.contains(&Some(Why::Cut)) {
            let text = format!("{what}: nested too deeply to be compared");
            return self.note(Level::Unknown, text);
        }
        let (l, r) = (self.spelled(left, true), self.spelled(right, false));
        if !same_name(left, right) {
            return self.say(Level::Language, what, l, r);
        }
        if why.contains(&Some(Why::Missing)) {
            let text = format!("{what}: `{r}` by name; its layout could not be compared");
            self.note(Level::Language, text.replace("``", "`"));
        }
    }

    fn aggregates(&mut self, what: &str, left: &Arc<Aggregate>, right: &Arc<Aggregate>) {
        let pair = (Arc::as_ptr(left) as usize, Arc::as_ptr(right) as usize);
        if !self.seen.insert(pair) {
            return;
        }
        let named = [left, right].map(|one| {
            let name = one.name.as_deref();
            name.filter(|name| !name.contains("__bindgen_ty_"))
        });
        if let [Some(l), Some(r)] = named {
            if l != r {
                self.say(Level::Language, what, format!("`{l}`"), format!("`{r}`"));
            }
        }
        // Of some types bindgen keeps the bytes only: there is no field that could be elsewhere.
        let bytes_only = bytes_only(left) || bytes_only(right);
        if left.union != right.union && !bytes_only {
            let word = |one: &Aggregate| if one.union { "a union" } else { "a struct" };
            return self.say(Level::Unknown, what, word(left), word(right));
        }
        let whole = match named {
            [Some(name), _] | [_, Some(name)] => format!("{what}, `{name}`"),
            _ => what.to_owned(),
        };
        if left.size != right.size {
            let word = |size| format!("{size} bytes large");
            self.say(Level::Abi, &whole, word(left.size), word(right.size));
        }
        if let (Some(l), Some(r)) = (left.align, right.align) {
            let less_than =
                |most: &Aggregate, other| most.align_told || other > most.align.unwrap_or(0);
            if l != r && less_than(left, r) && less_than(right, l) {
                let word = |align| format!("aligned to {align}");
                self.say(Level::Abi, &whole, word(l), word(r));
            }
        }
        if !bytes_only {
            self.fields(&whole, left, right);
        }
    }

    fn fields(&mut self, whole: &str, left: &Aggregate, right: &Aggregate) {
        let l = comparable(left);
        let mut rest = comparable(right);
        let mut lonely = Vec::new();
        for field in l {
            let same = rest.iter().position(|other| {
                plain(&field.name).is_some() && plain(&other.name) == plain(&field.name)
            });
            match same {
                Some(at) => {
                    let other = rest.remove(at);
                    self.field(whole, field, other);
                }
                None => lonely.push(field),
            }
        }
        for field in lonely {
            let at = rest.iter().position(|other| other.offset == field.offset);
            match at {
                Some(at) if !left.union || field.ty.size() == rest[at].ty.size() => {
                    let other = rest.remove(at);
                    self.field(whole, field, other);
                }
                _ if in_bits(right, field) => {}
                _ => self.missing(whole, field, left.union, true),
            }
        }
        for field in rest {
            if !in_bits(left, field) {
                self.missing(whole, field, right.union, false);
            }
        }
    }

    fn missing(&mut self, whole: &str, field: &Field, union: bool, in_left: bool) {
        let name = field.name.as_deref().unwrap_or("{unnamed}");
        let (has, lacks) = match in_left {
            true => (&self.left.label, &self.right.label),
            false => (&self.right.label, &self.left.label),
        };
        let text = format!(
            "field `{name}` of {whole}: at {} {has}, nowhere {lacks}",
            field.offset
        );
        // A union needs no room for one more.
        self.note(if union { Level::Language } else { Level::Abi }, text);
    }

    fn field(&mut self, whole: &str, left: &Field, right: &Field) {
        let name = left.name.as_ref().or(right.name.as_ref());
        let name = name.map_or("{unnamed}", |name| name);
        let what = format!("field `{name}` of {whole}");
        if left.offset != right.offset {
            let word = |offset| format!("at {offset}");
            self.say(Level::Abi, &what, word(left.offset), word(right.offset));
        }
        if let (Some(l), Some(r)) = (plain(&left.name), plain(&right.name)) {
            if l != r && !l.starts_with("__bindgen_anon") && !r.starts_with("__bindgen_anon") {
                self.say(Level::Language, &what, format!("`{l}`"), format!("`{r}`"));
            }
        }
        self.values(&what, &left.ty, &right.ty);
    }
}

/// Fields that both languages can have: no bits, and nothing without bytes.
fn comparable(aggregate: &Aggregate) -> Vec<&Field> {
    let all = aggregate.fields.iter();
    all.filter(|field| {
        let unit = field.name.as_deref().is_some_and(is_unit_of_bits);
        let endless = matches!(field.ty.kind, Kind::Array { count: None, .. });
        !field.bits && !unit && !endless && field.ty.size() != Some(0)
    })
    .collect()
}

/// bindgen's fields for types that it cannot express.
const BYTES: &[&str] = &["_bindgen_opaque_blob", "bindgen_union_field"];

fn bytes_only(aggregate: &Aggregate) -> bool {
    let mut names = aggregate
        .fields
        .iter()
        .filter_map(|field| field.name.as_deref());
    names.any(|name| BYTES.contains(&name))
}

/// Whether the other side has bits there, of which nothing else is known.
fn in_bits(aggregate: &Aggregate, field: &Field) -> bool {
    aggregate.fields.iter().any(|unit| {
        let is_unit = unit.bits || unit.name.as_deref().is_some_and(is_unit_of_bits);
        let end = unit.offset.saturating_add(unit.ty.size().unwrap_or(0));
        is_unit && (unit.offset..end).contains(&field.offset)
    })
}

/// bindgen writes `type_` where `type` is a word of Rust's.
fn plain(name: &Option<Arc<str>>) -> Option<&str> {
    name.as_deref()
        .map(|name| name.strip_suffix('_').unwrap_or(name))
}

/// What a struct is to the machine that has nothing else in it.
fn only_field(aggregate: &Aggregate) -> Option<&Field> {
    let mut fields = comparable(aggregate).into_iter();
    let first = fields.next()?;
    let alone = fields.next().is_none() && first.ty.size() == Some(aggregate.size);
    alone.then_some(first)
}

fn number(kind: &Kind) -> Option<(u64, bool)> {
    match kind {
        Kind::Integer { bytes, signed, .. } | Kind::Enum { bytes, signed, .. } => {
            Some((*bytes, *signed))
        }
        _ => None,
    }
}

/// C's `long` and Rust's `isize`, in any spelling; not `long long`, nor `i64`.
fn of_address_width(name: &str) -> bool {
    match name {
        "usize" | "isize" => true,
        _ => name.matches("long").count() == 1,
    }
}

fn same_name(left: &Type, right: &Type) -> bool {
    let names = |ty: &Type| -> Vec<String> {
        let own = match &ty.kind {
            Kind::Opaque { name, .. } | Kind::Enum { name, .. } | Kind::Integer { name, .. } => {
                Some(name.to_string())
            }
            Kind::Aggregate(aggregate) => aggregate.name.as_ref().map(ToString::to_string),
            _ => None,
        };
        own.into_iter()
            .chain(ty.alias.as_ref().map(ToString::to_string))
            .collect()
    };
    let right = names(right);
    names(left).iter().any(|name| right.contains(name))
}

pub(super) fn list(parameters: &[Parameter]) -> String {
    let names: Option<Vec<&str>> = parameters.iter().map(|p| p.name.as_deref()).collect();
    match names {
        Some(names) if !names.is_empty() => format!("{} ({})", names.len(), names.join(", ")),
        _ => parameters.len().to_string(),
    }
}

fn elements(count: u64) -> String {
    match count {
        1 => "1 element".to_owned(),
        _ => format!("{count} elements"),
    }
}

/// A type as the machine has it.
pub(super) fn describe(ty: &Type) -> String {
    let bytes = |count: u64| match count {
        1 => "1 byte".to_owned(),
        _ => format!("{count} bytes"),
    };
    match &ty.kind {
        Kind::Void => "nothing".to_owned(),
        Kind::Integer { .. } | Kind::Enum { .. } => {
            let (size, signed) = number(&ty.kind).unwrap_or_default();
            let sign = if signed { "signed" } else { "unsigned" };
            format!("{} {sign}", bytes(size))
        }
        Kind::Bool => "0 or 1 in a byte".to_owned(),
        Kind::Float(size) => format!("floating point of {}", bytes(*size)),
        Kind::Pointer { to, .. } => match to.kind {
            Kind::Pointer { .. } => "a pointer to a pointer".to_owned(),
            _ => "a pointer".to_owned(),
        },
        Kind::Function { .. } => "a function's address".to_owned(),
        Kind::Array { .. } => match ty.size() {
            Some(size) => format!("an array of {}", bytes(size)),
            None => "an array".to_owned(),
        },
        Kind::Aggregate(aggregate) => {
            let word = if aggregate.union { "union" } else { "struct" };
            format!("a {word} of {}", bytes(aggregate.size))
        }
        Kind::Opaque { name, .. } => format!("`{name}`"),
    }
}

#[cfg(test)]
mod tests;
