//! Inlined calls: the line in the module's sources that led to a byte of code.
//!
//! The line table has the innermost line, which is often in the core library or a kernel header. The
//! inlined calls around it are in the debug information.

use std::collections::HashMap;

use gimli::AttributeValue;

use super::lines::{is_in_module, path};
use super::load::{units, DebugInfo, Dwarf, Unit};
use crate::model::Place;

/// A limit for damaged debug information, far above what any module needs.
pub const MOST_STEPS: usize = 20_000_000;

/// For each address, the innermost inlined call in the module's sources.
pub struct Callers<'w> {
    /// Sorted.
    wanted: &'w [u64],
    found: HashMap<u64, (isize, Place)>,
    steps: usize,
}

impl<'w> Callers<'w> {
    /// Looks up these addresses, which must be sorted, in all units.
    pub fn of(debug: &DebugInfo<'_>, wanted: &'w [u64]) -> Self {
        let mut callers = Callers {
            wanted,
            found: HashMap::new(),
            steps: 0,
        };
        if !wanted.is_empty() {
            let dwarf = debug.dwarf();
            for unit in units(&dwarf) {
                // Entries before a damaged one are still valid.
                let _ = callers.read(&dwarf, &unit);
            }
        }
        callers
    }

    /// The call that leads to an address.
    pub fn at(&self, address: u64) -> Option<Place> {
        self.found.get(&address).map(|(_, place)| place.clone())
    }

    fn read(&mut self, dwarf: &Dwarf<'_>, unit: &Unit<'_>) -> gimli::Result<()> {
        let mut files: HashMap<u64, Option<String>> = HashMap::new();
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() && self.steps < MOST_STEPS {
            self.steps += 1;
            let depth = entries.next_depth();
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            if abbreviation.tag() != gimli::DW_TAG_inlined_subroutine {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let (mut low, mut high, mut ranges) = (None, None, None);
            let (mut file, mut line) = (None, None);
            for &specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(specification)?;
                match attribute.name() {
                    gimli::DW_AT_low_pc => low = dwarf.attr_address(unit, attribute.value())?,
                    gimli::DW_AT_high_pc => high = Some(attribute.value()),
                    gimli::DW_AT_ranges => ranges = Some(attribute.value()),
                    gimli::DW_AT_call_file => file = attribute.udata_value(),
                    gimli::DW_AT_call_line => line = attribute.udata_value(),
                    _ => {}
                }
            }
            let (Some(file), Some(line)) = (file, line) else {
                continue;
            };
            let known = files.entry(file).or_insert_with(|| {
                let header = unit.line_program.as_ref()?.header();
                path(dwarf, unit, header, file).filter(|file| is_in_module(unit, file))
            });
            let Some(file) = known else {
                continue;
            };
            let place = Place {
                file: file.clone(),
                line,
            };
            if let (Some(low), Some(high)) = (low, high) {
                let high = match high {
                    AttributeValue::Udata(length) => Some(low.saturating_add(length)),
                    address => dwarf.attr_address(unit, address)?,
                };
                self.record(low, high.unwrap_or(low), depth, &place);
            }
            if let Some(ranges) = ranges {
                if let Some(mut ranges) = dwarf.attr_ranges(unit, ranges)? {
                    while let Some(range) = ranges.next()? {
                        self.record(range.begin, range.end, depth, &place);
                        if self.steps >= MOST_STEPS {
                            break;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Records a call for all addresses in a range, unless a deeper one is known.
    fn record(&mut self, begin: u64, end: u64, depth: isize, place: &Place) {
        self.steps += 1;
        let first = self.wanted.partition_point(|&address| address < begin);
        let inside = self.wanted.iter().skip(first);
        for &address in inside.take_while(|&&address| address < end) {
            self.steps += 1;
            let known = self.found.get(&address);
            if known.is_none_or(|(deepest, _)| *deepest < depth) {
                self.found.insert(address, (depth, place.clone()));
            }
        }
    }
}
