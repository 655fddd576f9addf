//! What became of the crossings of a fused module, whose objects are joined as bitcode: inlined, local, or
//! gone. Told from the linked module, whose debug information names each inlined copy.

use std::collections::HashMap;

use gimli::AttributeValue;
use object::elf::STB_LOCAL;
use object::{Object, ObjectSymbol};

use crate::dwarf::load::{text, units, Dwarf, Reader, Unit};
use crate::input::object::ObjectFile;
use crate::model::{Crossing, Joined};

/// A limit for damaged debug information, far above what any module needs.
const MOST_STEPS: usize = 20_000_000;

/// Sets what became of each crossing. If the linked module has all of their symbols, or no trace of any,
/// it is not known to be fused, and nothing is set.
pub fn find_joined(crossings: &mut [Crossing], linked: &ObjectFile<'_>) {
    let mut global: HashMap<&str, bool> = HashMap::new();
    for symbol in linked.file.symbols().filter(|one| !one.is_undefined()) {
        let is_global = symbol.elf_symbol().st_bind() != STB_LOCAL;
        if let Ok(name) = symbol.name() {
            *global.entry(name).or_default() |= is_global;
        }
    }
    let is_gone = |crossing: &Crossing| global.get(crossing.symbol.as_str()) != Some(&true);
    let mut copies: HashMap<String, usize> = crossings
        .iter()
        .filter(|crossing| is_gone(crossing))
        .map(|crossing| (crossing.symbol.clone(), 0))
        .collect();
    if copies.is_empty() {
        return;
    }
    let dwarf = linked.debug.dwarf();
    let all: Vec<Unit<'_>> = units(&dwarf).collect();
    count(&dwarf, &all, &mut copies);
    let traces = copies
        .iter()
        .any(|(name, inlined)| *inlined > 0 || global.contains_key(name.as_str()));
    for crossing in crossings.iter_mut().filter(|_| traces) {
        crossing.joined = copies.get(&crossing.symbol).map(|inlined| Joined {
            local: global.contains_key(crossing.symbol.as_str()),
            inlined: *inlined,
        });
    }
}

/// Counts the inlined copies of these functions. A copy names its function by the place of its entry, which
/// may be in another unit.
fn count(dwarf: &Dwarf<'_>, units: &[Unit<'_>], copies: &mut HashMap<String, usize>) {
    let (mut functions, mut origins) = (HashMap::new(), Vec::new());
    let mut steps = 0;
    for unit in units {
        // Entries before a damaged one are still valid.
        let _ = read(unit, &mut steps, |place, tag, attribute| {
            let name = matches!(
                attribute.name(),
                gimli::DW_AT_name | gimli::DW_AT_linkage_name
            );
            if tag == gimli::DW_TAG_subprogram && name {
                let name = dwarf.attr_string(unit, attribute.value());
                let name = name.ok().and_then(|name| text(&name)).unwrap_or_default();
                if copies.contains_key(&name) {
                    functions.insert(place, name);
                }
            } else if tag == gimli::DW_TAG_inlined_subroutine
                && attribute.name() == gimli::DW_AT_abstract_origin
            {
                origins.extend(target(unit, attribute.value()));
            }
        });
    }
    for origin in origins {
        let copies = functions.get(&origin).and_then(|name| copies.get_mut(name));
        copies.into_iter().for_each(|count| *count += 1);
    }
}

/// Calls `found` with each attribute of each entry, its place in the section, and its tag.
fn read<'a>(
    unit: &Unit<'a>,
    steps: &mut usize,
    mut found: impl FnMut(usize, gimli::DwTag, gimli::Attribute<Reader<'a>>),
) -> gimli::Result<()> {
    let mut entries = unit.entries_raw(None)?;
    while !entries.is_empty() && *steps < MOST_STEPS {
        *steps += 1;
        let offset = entries.next_offset();
        let Some(abbreviation) = entries.read_abbreviation()? else {
            continue;
        };
        let tag = abbreviation.tag();
        if !matches!(
            tag,
            gimli::DW_TAG_subprogram | gimli::DW_TAG_inlined_subroutine
        ) {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let place = in_section(unit, offset);
        for &specification in abbreviation.attributes() {
            found(place, tag, entries.read_attribute(specification)?);
        }
    }
    Ok(())
}

fn in_section(unit: &Unit<'_>, offset: gimli::UnitOffset) -> usize {
    let place = offset.to_debug_info_offset(&unit.header);
    place.map_or(usize::MAX, |place| place.0)
}

/// Where an entry is that another one refers to.
fn target<'a>(unit: &Unit<'a>, value: AttributeValue<Reader<'a>>) -> Option<usize> {
    match value {
        AttributeValue::UnitRef(offset) => Some(in_section(unit, offset)),
        AttributeValue::DebugInfoRef(offset) => Some(offset.0),
        _ => None,
    }
}
