//! Inlined copies: the places into which the compiler inlined a function.

use std::collections::HashMap;

use gimli::AttributeValue;

use super::inlined::MOST_STEPS;
use super::load::{units, DebugInfo, Dwarf, Reader, Unit};

/// The maximum number of entries from an inlined copy to the one that has the function's name.
const MOST_ORIGINS: usize = 8;

/// An offset in `.debug_info`.
type Offset = usize;

/// What the debug information says of functions and their copies.
#[derive(Default)]
struct Copies<'w> {
    /// The index of each name.
    wanted: HashMap<&'w [u8], usize>,
    /// Functions with one of these names, by the index of the name.
    named: HashMap<Offset, usize>,
    /// Other functions, and the entries that they complete.
    origins: HashMap<Offset, Offset>,
    /// The number of copies of a function.
    copies: HashMap<Offset, usize>,
    steps: usize,
}

impl DebugInfo<'_> {
    /// The number of inlined copies of each of these functions.
    pub fn copies(&self, wanted: &[&str]) -> Vec<usize> {
        let dwarf = self.dwarf();
        let names = wanted.iter().map(|name| name.as_bytes());
        let mut copies = Copies {
            wanted: names.zip(0..).collect(),
            ..Copies::default()
        };
        for unit in units(&dwarf) {
            // Entries before a damaged one are still valid.
            let _ = copies.read(&dwarf, &unit);
        }
        copies.counts()
    }
}

impl Copies<'_> {
    fn read(&mut self, dwarf: &Dwarf<'_>, unit: &Unit<'_>) -> gimli::Result<()> {
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() && self.steps < MOST_STEPS {
            self.steps += 1;
            let at = entries.next_offset().to_debug_info_offset(&unit.header);
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            let tag = abbreviation.tag();
            let copy = tag == gimli::DW_TAG_inlined_subroutine;
            if !copy && tag != gimli::DW_TAG_subprogram {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let (mut name, mut linkage, mut origin) = (None, None, None);
            let mut external = false;
            for &specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(specification)?;
                match attribute.name() {
                    gimli::DW_AT_name => name = Some(attribute.value()),
                    gimli::DW_AT_linkage_name => linkage = Some(attribute.value()),
                    gimli::DW_AT_external => external = true,
                    gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => {
                        origin = target(unit, attribute.value());
                    }
                    _ => {}
                }
            }
            // A local function may have the name of a global one.
            let name = linkage.or(name).filter(|_| external);
            let name = name.and_then(|name| dwarf.attr_string(unit, name).ok());
            match (at, origin, name) {
                (_, Some(origin), _) if copy => *self.copies.entry(origin).or_default() += 1,
                (Some(at), _, Some(name)) => self.name(at.0, &name),
                (Some(at), Some(origin), None) => drop(self.origins.insert(at.0, origin)),
                _ => {}
            }
        }
        Ok(())
    }

    fn name(&mut self, at: Offset, name: &Reader<'_>) {
        let Ok(name) = gimli::Reader::to_slice(name) else {
            return;
        };
        if let Some(&index) = self.wanted.get(&*name) {
            self.named.insert(at, index);
        }
    }

    fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.wanted.len()];
        for (&function, copies) in &self.copies {
            let next = |at: &Offset| self.origins.get(at).copied();
            let mut origins = std::iter::successors(Some(function), next).take(MOST_ORIGINS);
            let index = origins.find_map(|at| self.named.get(&at));
            if let Some(count) = index.and_then(|&index| counts.get_mut(index)) {
                *count += copies;
            }
        }
        counts
    }
}

/// The entry that an attribute refers to, which may be in another unit.
fn target(unit: &Unit<'_>, value: AttributeValue<Reader<'_>>) -> Option<Offset> {
    match value {
        AttributeValue::UnitRef(at) => at.to_debug_info_offset(&unit.header).map(|at| at.0),
        AttributeValue::DebugInfoRef(at) => Some(at.0),
        _ => None,
    }
}
