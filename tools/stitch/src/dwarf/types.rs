//! Reads the types of symbols from DWARF. Each type is read once, as a node of a graph.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gimli::{AttributeValue, DwAt};

use super::convention::recorded;
use super::find::{find, Crates, EntryRef, Hit, Hits, Probed, Query, Role, Units, PROBE_PREFIX};
use super::lines::path;
use super::load::{DebugInfo, Die, Dwarf, Unit};
use super::unit::{is_rust, producer};
use crate::arch::Arch;
use crate::model::{Language, Place};
use crate::types::claim::{by_symbol, Claim, Shape, Source};
use crate::types::graph::{Convention, Id, Kind, Parameter, Signature, Types, Why};

/// More types than any module has.
const MOST: usize = 400_000;

/// The longest list of fields, parameters, enumerators or bounds.
pub(super) const LONGEST: usize = 20_000;

/// What an object says about symbols.
#[derive(Debug, Default)]
pub struct Found {
    /// The claims, by symbol.
    pub claims: BTreeMap<String, Vec<Claim>>,
    /// Complete structs and unions, by tag.
    pub bodies: BTreeMap<String, Vec<Id>>,
    /// The types that both refer to.
    pub types: Arc<Types>,
    /// Why something is missing.
    pub reason: Option<String>,
}

/// Reads the debug information of the object named `part`.
pub fn read(part: &str, debug: &DebugInfo<'_>, query: &Query<'_>) -> Found {
    let dwarf = debug.dwarf();
    let (units, mut broken) = Units::of(&dwarf);
    if units.all.is_empty() && broken.is_none() {
        let reason = format!("{part} has no debug information");
        return Found {
            reason: Some(reason),
            ..Found::default()
        };
    }
    let (hits, error) = find(&dwarf, &units, query);
    broken = broken.or(error);
    let mut builder = Builder {
        arch: debug.arch,
        dwarf: &dwarf,
        units: &units,
        crates: &hits.crates,
        typed: &hits.typed,
        producer: units
            .all
            .iter()
            .map(|unit| Producer::of(&dwarf, unit))
            .collect(),
        known: HashMap::new(),
        resolved: 0,
        waiting: Vec::new(),
        types: Types::default(),
    };
    let part: Arc<str> = part.into();
    let mut claims = Vec::new();
    for hit in &hits.symbols {
        match builder.claim(hit, &part) {
            Ok(claim) => claims.extend(claim.map(|claim| (hit.symbol, claim))),
            Err(error) => broken = Some(error),
        }
    }
    let bodies = builder.bodies(&hits);
    broken = builder.finish().err().or(broken);
    let reason = match broken {
        Some(error) => Some(format!(
            "the debug information of {part} is damaged: {error}"
        )),
        None if units.split => Some(format!(
            "the debug information of {part} is split: the types are in a .dwo file"
        )),
        None => None,
    };
    let types = Arc::new(builder.types);
    Found {
        claims: by_symbol(claims, &types),
        bodies,
        types,
        reason,
    }
}

/// The compiler of a unit.
#[derive(Clone, Copy, Default)]
struct Producer {
    rust: bool,
    gcc: bool,
    /// It omits the bodies of structs that headers define.
    reduced: bool,
}

impl Producer {
    fn of(dwarf: &Dwarf<'_>, unit: &Unit<'_>) -> Self {
        let producer = producer(dwarf, unit).unwrap_or_default();
        Producer {
            rust: is_rust(unit).unwrap_or(false),
            gcc: producer.starts_with("GNU "),
            reduced: producer.contains(" -femit-struct-debug-"),
        }
    }
}

pub(super) struct Builder<'u, 'a> {
    pub(super) arch: &'static Arch,
    pub(super) dwarf: &'u Dwarf<'a>,
    units: &'u Units<'a>,
    pub(super) crates: &'u [Crates],
    typed: &'u [bool],
    producer: Vec<Producer>,
    known: HashMap<EntryRef, Id>,
    /// The number of types in which `Option`s were resolved.
    resolved: usize,
    /// Types that have a node, but are not read yet.
    waiting: Vec<(EntryRef, Id)>,
    pub(super) types: Types,
}

impl<'u, 'a> Builder<'u, 'a> {
    pub(super) fn unit(&self, index: usize) -> gimli::Result<&'u Unit<'a>> {
        let unit = self.units.all.get(index);
        unit.ok_or(gimli::Error::MissingUnitDie)
    }

    pub(super) fn entry(&self, (unit, at): EntryRef) -> gimli::Result<Die<'a, 'u>> {
        self.unit(unit)?.entry(at)
    }

    pub(super) fn is_rust(&self, unit: usize) -> bool {
        self.producer
            .get(unit)
            .is_some_and(|producer| producer.rust)
    }

    pub(super) fn target(
        &self,
        unit: usize,
        entry: &Die<'a, 'u>,
        name: DwAt,
    ) -> gimli::Result<Option<EntryRef>> {
        let value = entry.attr_value(name)?;
        Ok(value.and_then(|value| self.units.target(unit, value)))
    }

    pub(super) fn name(&self, unit: usize, entry: &Die<'a, 'u>) -> gimli::Result<Option<Arc<str>>> {
        let Some(value) = entry.attr_value(gimli::DW_AT_name)? else {
            return Ok(None);
        };
        let name = self.dwarf.attr_string(self.unit(unit)?, value)?;
        Ok(gimli::Reader::to_string_lossy(&name)
            .ok()
            .map(|name| name.as_ref().into()))
    }

    /// The node of the type at `at`.
    pub(super) fn ty(&mut self, at: EntryRef) -> Id {
        if let Some(id) = self.known.get(&at) {
            return *id;
        }
        let id = self.types.add(missing("?"));
        self.known.insert(at, id);
        self.waiting.push((at, id));
        id
    }

    /// The type of an entry: void if it has none, missing if the reference is invalid.
    pub(super) fn type_of(&mut self, unit: usize, entry: &Die<'a, 'u>) -> gimli::Result<Id> {
        Ok(match self.target(unit, entry, gimli::DW_AT_type)? {
            Some(target) => self.ty(target),
            None if entry.attr_value(gimli::DW_AT_type)?.is_some() => self.types.add(missing("?")),
            None => self.types.add(Kind::Void),
        })
    }

    /// Reads all types that are referred to.
    fn finish(&mut self) -> gimli::Result<()> {
        let mut broken = Ok(());
        while let Some((at, id)) = self.waiting.pop() {
            if self.types.len() > MOST {
                break;
            }
            match self.describe(at) {
                Ok(kind) => self.types.set(id, kind),
                Err(error) => broken = Err(error),
            }
        }
        self.resolved = self.types.resolve_options(self.resolved);
        broken
    }

    fn bodies(&mut self, hits: &Hits<'_>) -> BTreeMap<String, Vec<Id>> {
        let mut bodies: BTreeMap<String, Vec<Id>> = BTreeMap::new();
        for (tag, at) in &hits.bodies {
            let id = self.ty(*at);
            bodies.entry(tag.clone()).or_default().push(id);
        }
        bodies
    }

    /// A claim, without its types.
    fn claim(&mut self, hit: &Hit<'_>, part: &Arc<str>) -> gimli::Result<Option<Claim>> {
        let unit = hit.at.0;
        let producer = self.producer.get(unit).copied().unwrap_or_default();
        let entry = self.entry(hit.at)?;
        let name = self.name(unit, &entry)?.unwrap_or_default();
        let of_border = producer.rust && name.starts_with(PROBE_PREFIX);
        let mut place = match (self.place(unit, &entry)?, hit.origin) {
            (None, Some(origin)) => self.place(origin.0, &self.entry(origin)?)?,
            (place, _) => place,
        };
        if let (Role::Probe(_), false, Some(place)) = (hit.role, of_border, &mut place) {
            // The name of a probe has the line of the declaration: `__STITCH_1_67`.
            let line = name.rsplit('_').next().and_then(|line| line.parse().ok());
            place.line = line.unwrap_or(place.line);
        }
        let shape = match hit.role {
            Role::Probe(_) => self.probed(unit, &entry, of_border)?,
            _ if entry.tag() == gimli::DW_TAG_subprogram => {
                if producer.rust && !self.typed.get(unit).is_some_and(|typed| *typed) {
                    return Ok(None);
                }
                Some(Shape::Function(self.signature(hit.at, hit.origin)?))
            }
            _ => self.data(unit, &entry, hit.origin)?,
        };
        Ok(shape.map(|shape| Claim {
            part: part.clone(),
            language: if producer.rust {
                Language::Rust
            } else {
                Language::C
            },
            arch: self.arch,
            by_gcc: producer.gcc,
            reduced: producer.reduced,
            source: match hit.role {
                Role::Definition => Source::Definition,
                Role::Declaration => Source::Declaration,
                Role::Probe(Probed::Definition) => Source::ProbedDefinition,
                Role::Probe(Probed::Declaration) => Source::ProbedDeclaration,
            },
            place,
            shape,
            types: Arc::default(),
        }))
    }

    fn data(
        &mut self,
        unit: usize,
        entry: &Die<'a, 'u>,
        origin: Option<EntryRef>,
    ) -> gimli::Result<Option<Shape>> {
        let own = self.target(unit, entry, gimli::DW_AT_type)?;
        let target = match (own, origin) {
            (None, Some(origin)) => {
                let entry = self.entry(origin)?;
                self.target(origin.0, &entry, gimli::DW_AT_type)?
            }
            _ => own,
        };
        Ok(target.map(|target| Shape::Data {
            ty: self.ty(target),
            constant: None,
        }))
    }

    /// What the type of a probe says of its symbol.
    fn probed(
        &mut self,
        unit: usize,
        entry: &Die<'a, 'u>,
        of_border: bool,
    ) -> gimli::Result<Option<Shape>> {
        let Some(target) = self.target(unit, entry, gimli::DW_AT_type)? else {
            return Ok(None);
        };
        let id = self.ty(target);
        self.finish()?;
        let types = &self.types;
        let &Kind::Pointer { to, constant, .. } = types.kind(id) else {
            return Ok(None);
        };
        Ok(Some(match types.kind(to) {
            // The border writes a pointer to data as the parameter of an `extern "Rust"` function.
            Kind::Function(signature) if of_border && signature.convention == Convention::Rust => {
                let parameter = signature.parameters.first();
                let Some(&Kind::Pointer { to, constant, .. }) =
                    parameter.map(|one| types.kind(one.ty))
                else {
                    return Ok(None);
                };
                Shape::Data { ty: to, constant }
            }
            Kind::Function(signature) => Shape::Function(signature.clone()),
            _ => Shape::Data { ty: to, constant },
        }))
    }

    fn place(&self, unit: usize, entry: &Die<'a, 'u>) -> gimli::Result<Option<Place>> {
        let file = match entry.attr_value(gimli::DW_AT_decl_file)? {
            Some(AttributeValue::FileIndex(index)) => Some(index),
            _ => number(entry, gimli::DW_AT_decl_file)?,
        };
        let line = number(entry, gimli::DW_AT_decl_line)?;
        let unit = self.unit(unit)?;
        let (Some(file), Some(line), Some(program)) = (file, line, &unit.line_program) else {
            return Ok(None);
        };
        let file = path(self.dwarf, unit, program.header(), file);
        Ok(file.map(|file| Place { file, line }))
    }

    pub(super) fn signature(
        &mut self,
        at: EntryRef,
        origin: Option<EntryRef>,
    ) -> gimli::Result<Signature> {
        let (unit, offset) = at;
        let mut tree = self.unit(unit)?.entries_tree(Some(offset))?;
        let root = tree.root()?;
        let entry = root.entry();
        let has_type = entry.attr_value(gimli::DW_AT_type)?.is_some();
        let mut prototyped = entry.attr_value(gimli::DW_AT_prototyped)?.is_some();
        let mut convention = recorded(entry, &self.arch.convention)?;
        let returns = match origin {
            Some(origin) if !has_type => {
                let declared = self.entry(origin)?;
                prototyped |= declared.attr_value(gimli::DW_AT_prototyped)?.is_some();
                if convention == Convention::C {
                    convention = recorded(&declared, &self.arch.convention)?;
                }
                self.type_of(origin.0, &declared)?
            }
            _ => {
                let entry = self.entry(at)?;
                self.type_of(unit, &entry)?
            }
        };
        let mut signature = Signature {
            parameters: Vec::new(),
            returns,
            variadic: false,
            prototyped: true,
            convention,
        };
        let mut children = root.children();
        while let Some(child) = children.next()? {
            let at = child.entry().offset();
            match child.entry().tag() {
                gimli::DW_TAG_formal_parameter if signature.parameters.len() < LONGEST => {
                    signature.parameters.push(self.parameter((unit, at))?);
                }
                gimli::DW_TAG_unspecified_parameters => signature.variadic = true,
                _ => {}
            }
        }
        if self.is_rust(unit) {
            // rustc does not record the calling convention of a definition.
            signature.convention = Convention::Unknown;
        } else if signature.parameters.is_empty() {
            // Compilers record C's `f()` with unspecified parameters, or without parameters.
            signature.prototyped = prototyped;
            signature.variadic &= prototyped;
        }
        Ok(signature)
    }

    fn parameter(&mut self, at: EntryRef) -> gimli::Result<Parameter> {
        let entry = self.entry(at)?;
        let mut name = self.name(at.0, &entry)?;
        let mut target = self.target(at.0, &entry, gimli::DW_AT_type)?;
        if let Some(origin) = self.target(at.0, &entry, gimli::DW_AT_abstract_origin)? {
            let origin_entry = self.entry(origin)?;
            name = name.or(self.name(origin.0, &origin_entry)?);
            target = target.or(self.target(origin.0, &origin_entry, gimli::DW_AT_type)?);
        }
        let ty = match target {
            Some(target) => self.ty(target),
            None => self.types.add(missing("?")),
        };
        Ok(Parameter { name, ty })
    }
}

pub(super) fn missing(name: &str) -> Kind {
    Kind::Opaque {
        name: name.into(),
        why: Why::Missing,
    }
}

pub(super) fn number(entry: &Die<'_, '_>, name: DwAt) -> gimli::Result<Option<u64>> {
    let value = entry.attr_value(name)?;
    Ok(value.and_then(|value| value.udata_value()))
}
