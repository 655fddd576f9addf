//! Finds the entries that define or declare given symbols.
//!
//! Each entry is visited once; the attributes of unrelated entries are skipped.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use gimli::{AttributeValue, DebugTypeSignature, DwAt, Operation, UnitOffset, UnitSectionOffset};

use super::load::{Dwarf, Reader, Unit};
use super::unit::is_rust;

/// What to look up in an object.
#[derive(Debug, Default)]
pub struct Query<'w> {
    /// Symbols that it defines, with their addresses; see [`super::load::address`].
    pub defined: BTreeMap<&'w str, u64>,
    /// Symbols that it references.
    pub needed: BTreeSet<&'w str>,
    /// Probes, by address: the symbol, and which of its declarations the probe has.
    pub probes: HashMap<u64, (&'w str, Probed)>,
    /// If it has probes that are named after their symbols: the symbols for which the border checked
    /// that the definition has the declared type.
    pub named: Option<BTreeSet<String>>,
    /// Tags of structs and unions.
    pub tags: BTreeSet<String>,
}

/// The prefix of probes that are named after their symbols: those in C, and those that
/// border/gate/probes.rs writes.
pub const PROBE_PREFIX: &str = "__probe_of_";

pub type EntryRef = (usize, UnitOffset);

/// An entry about a symbol.
#[derive(Debug)]
pub struct Hit<'w> {
    pub at: EntryRef,
    /// The entry that has its remaining attributes.
    pub origin: Option<EntryRef>,
    pub symbol: &'w str,
    pub role: Role,
}

/// What an entry about a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Definition,
    Declaration,
    /// A static that holds its address.
    Probe(Probed),
}

/// What the type of a probe is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probed {
    /// The declared type.
    Declaration,
    /// The type of the definition.
    Definition,
}

/// The units of an object, and references between them.
pub struct Units<'a> {
    pub all: Vec<Unit<'a>>,
    /// Type units (`.debug_types`).
    types: HashMap<DebugTypeSignature, EntryRef>,
    /// Whether some types are in a .dwo file.
    pub split: bool,
}

impl<'a> Units<'a> {
    /// Reads all headers, up to the first that is damaged.
    pub fn of(dwarf: &Dwarf<'a>) -> (Self, Option<gimli::Error>) {
        let (mut all, mut types, mut broken) = (Vec::new(), HashMap::new(), None);
        let mut split = false;
        let (mut headers, mut more) = (dwarf.units(), dwarf.type_units());
        loop {
            let next = match headers.next() {
                Ok(None) => more.next(),
                next => next,
            };
            let unit = match next {
                Ok(Some(header)) => dwarf.unit(header),
                Ok(None) => break,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            };
            match unit {
                Ok(unit) => {
                    if let gimli::UnitType::Type {
                        type_signature,
                        type_offset,
                    } = unit.header.type_()
                    {
                        types.insert(type_signature, (all.len(), type_offset));
                    }
                    split |= unit.dwo_id.is_some();
                    all.push(unit);
                }
                Err(error) => broken = Some(error),
            }
        }
        let units = Units { all, types, split };
        (units, broken)
    }

    /// The entry that a reference refers to.
    pub fn target(&self, unit: usize, value: AttributeValue<Reader<'a>>) -> Option<EntryRef> {
        match value {
            AttributeValue::UnitRef(at) => Some((unit, at)),
            AttributeValue::DebugInfoRef(at) => {
                let found = self.all.iter().enumerate().rev().find(|(_, unit)| {
                    matches!(unit.header.offset(), UnitSectionOffset::DebugInfoOffset(start) if start.0 <= at.0)
                });
                let (index, unit) = found?;
                Some((index, at.to_unit_offset(&unit.header)?))
            }
            AttributeValue::DebugTypesRef(signature) => self.types.get(&signature).copied(),
            _ => None,
        }
    }
}

/// The crates of a unit, each with its first entry.
pub type Crates = Vec<(UnitOffset, Option<Arc<str>>)>;

/// What was found in an object.
#[derive(Default)]
pub struct Hits<'w> {
    /// Entries about symbols.
    pub symbols: Vec<Hit<'w>>,
    /// Complete structs and unions, with their tags.
    pub bodies: Vec<(String, EntryRef)>,
    /// By unit: whether it has any types. With `-Cdebuginfo=1`, functions have names but no types.
    pub typed: Vec<bool>,
    pub crates: Vec<Crates>,
}

/// Searches all units.
pub fn find<'a, 'w>(
    dwarf: &Dwarf<'a>,
    units: &Units<'a>,
    query: &Query<'w>,
) -> (Hits<'w>, Option<gimli::Error>) {
    let (mut hits, mut broken) = (Hits::default(), None);
    for (index, unit) in units.all.iter().enumerate() {
        let mut walk = Walk {
            dwarf,
            units,
            index,
            unit,
            query,
            names: HashMap::new(),
            crates: Vec::new(),
            typed: false,
        };
        if let Err(error) = walk.all(&mut hits) {
            broken = Some(error);
        }
        hits.crates.push(walk.crates);
        hits.typed.push(walk.typed);
    }
    (hits, broken)
}

struct Walk<'u, 'a, 'w> {
    dwarf: &'u Dwarf<'a>,
    units: &'u Units<'a>,
    index: usize,
    unit: &'u Unit<'a>,
    query: &'u Query<'w>,
    /// Symbols of entries, which other entries may refer to.
    names: HashMap<UnitOffset, &'w str>,
    crates: Crates,
    typed: bool,
}

/// The attributes of an entry that matter here.
#[derive(Default)]
struct Head<'a> {
    name: Option<Reader<'a>>,
    linkage: Option<Reader<'a>>,
    declaration: bool,
    origin: Option<EntryRef>,
    address: Option<u64>,
}

impl<'a, 'w> Walk<'_, 'a, 'w> {
    fn all(&mut self, hits: &mut Hits<'w>) -> gimli::Result<()> {
        let rust = is_rust(self.unit)?;
        let mut entries = self.unit.entries_raw(None)?;
        while !entries.is_empty() {
            let (at, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            let tag = abbreviation.tag();
            let specifications = abbreviation.attributes();
            let has = |name: DwAt| specifications.iter().any(|s| s.name() == name);
            let top = rust && depth == 1;
            let relevant = match tag {
                gimli::DW_TAG_subprogram => true,
                // Most variables are local.
                gimli::DW_TAG_variable => {
                    has(gimli::DW_AT_external)
                        || has(gimli::DW_AT_specification)
                        || (!self.query.probes.is_empty() && has(gimli::DW_AT_location))
                        || self.query.named.is_some()
                }
                gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type => {
                    !rust && !self.query.tags.is_empty() && !has(gimli::DW_AT_declaration)
                }
                gimli::DW_TAG_namespace => top,
                _ => false,
            };
            self.typed |= tag == gimli::DW_TAG_base_type || tag == gimli::DW_TAG_structure_type;
            if top && tag != gimli::DW_TAG_namespace {
                self.enter(at, None);
            }
            if !relevant {
                entries.skip_attributes(specifications)?;
                continue;
            }
            let mut head = Head::default();
            for specification in specifications {
                let attribute = entries.read_attribute(*specification)?;
                self.note(&mut head, attribute.name(), attribute.value());
            }
            match tag {
                gimli::DW_TAG_namespace => self.enter(at, head.name.and_then(|name| text(&name))),
                gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type => {
                    let name = head.name.and_then(|name| text(&name));
                    let tag = name.filter(|name| self.query.tags.contains(&**name));
                    hits.bodies
                        .extend(tag.map(|tag| (tag.to_string(), (self.index, at))));
                }
                _ => hits.symbols.extend(self.hit(at, head)),
            }
        }
        Ok(())
    }

    fn enter(&mut self, at: UnitOffset, krate: Option<Arc<str>>) {
        if self.crates.last().is_none_or(|(_, last)| *last != krate) {
            self.crates.push((at, krate));
        }
    }

    fn note(&self, head: &mut Head<'a>, name: DwAt, value: AttributeValue<Reader<'a>>) {
        match name {
            gimli::DW_AT_name => head.name = self.dwarf.attr_string(self.unit, value).ok(),
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                head.linkage = self.dwarf.attr_string(self.unit, value).ok();
            }
            gimli::DW_AT_declaration => {
                head.declaration = matches!(value, AttributeValue::Flag(true))
            }
            gimli::DW_AT_specification | gimli::DW_AT_abstract_origin => {
                head.origin = self.units.target(self.index, value);
            }
            gimli::DW_AT_low_pc => {
                head.address = self.dwarf.attr_address(self.unit, value).ok().flatten();
            }
            gimli::DW_AT_location => {
                if let AttributeValue::Exprloc(expression) = value {
                    head.address = self.place(expression);
                }
            }
            _ => {}
        }
    }

    /// The address of a variable, if it has a fixed one.
    fn place(&self, expression: gimli::Expression<Reader<'a>>) -> Option<u64> {
        let mut operations = expression.operations(self.unit.encoding());
        match operations.next().ok()?? {
            Operation::Address { address } => Some(address),
            Operation::AddressIndex { index } => self.dwarf.address(self.unit, index).ok(),
            _ => None,
        }
    }

    /// The symbol of this name, if it is in the query.
    fn known(&self, name: &str) -> Option<&'w str> {
        let defined = self.query.defined.get_key_value(name);
        let needed = || self.query.needed.get(name);
        defined.map(|(name, _)| name).or_else(needed).copied()
    }

    fn of_name(&self, at: UnitOffset, head: &Head<'a>) -> Option<Hit<'w>> {
        let checked = self.query.named.as_ref()?;
        let name = text(head.name.as_ref()?)?;
        let symbol = self.known(name.strip_prefix(PROBE_PREFIX)?)?;
        Some(Hit {
            at: (self.index, at),
            origin: None,
            symbol,
            role: Role::Probe(if checked.contains(symbol) {
                Probed::Definition
            } else {
                Probed::Declaration
            }),
        })
    }

    fn hit(&mut self, at: UnitOffset, head: Head<'a>) -> Option<Hit<'w>> {
        let probed = head.address.and_then(|at| self.query.probes.get(&at));
        if let Some((symbol, of)) = probed {
            return Some(Hit {
                at: (self.index, at),
                origin: None,
                symbol,
                role: Role::Probe(*of),
            });
        }
        if let Some(hit) = self.of_name(at, &head) {
            return Some(hit);
        }
        // The source name of a mangled symbol may be the name of another symbol.
        let named = head.linkage.or(head.name);
        let named = named.and_then(|name| self.known(&text(&name)?));
        let inherited = head
            .origin
            .filter(|(unit, _)| *unit == self.index)
            .and_then(|(_, origin)| self.names.get(&origin).copied());
        let symbol = named.or(inherited)?;
        self.names.insert(at, symbol);

        let linked = self.query.defined.get(symbol);
        let role = match (linked, head.declaration) {
            (_, true) => Role::Declaration,
            // Another entity of the same name, or an inlined copy.
            (None, false) => return None,
            (Some(linked), false) if head.address.is_some_and(|address| address != *linked) => {
                return None
            }
            (Some(_), false) => Role::Definition,
        };
        Some(Hit {
            at: (self.index, at),
            origin: head.origin,
            symbol,
            role,
        })
    }
}

/// A string, if it is UTF-8.
pub fn text(reader: &Reader<'_>) -> Option<Arc<str>> {
    let bytes = gimli::Reader::to_slice(reader).ok()?;
    std::str::from_utf8(&bytes).ok().map(Into::into)
}
