//! References: the relocations against undefined symbols, with their functions and lines.

use std::collections::{BTreeMap, HashMap};

use object::elf::{STT_FUNC, STT_OBJECT};
use object::read::elf::SectionHeader;
use object::{Object, ObjectSection, ObjectSymbol, SectionIndex, SymbolIndex, SymbolSection};

use crate::dwarf::inlined::Callers;
use crate::dwarf::lines::Lines;
use crate::dwarf::load::address;
use crate::elf::{demangle, sections};
use crate::input::object::{name_of, ObjectFile};
use crate::model::{Site, Use};
use crate::probes::read::is_probe_section;

/// What an object references.
pub struct References {
    /// The relocations, by symbol; none for a symbol that is only named.
    pub sites: BTreeMap<String, Vec<Site>>,
    /// The line table of the object.
    pub lines: Lines,
}

/// The references of an object, except those in its debug information and probes, which are not part
/// of the module.
pub fn references(object: &ObjectFile<'_>) -> References {
    let (file, endian) = (&object.file, object.file.endian());
    let debug = &object.debug;
    let lines = debug.lines();
    // Addresses whose line is outside the module: something was inlined there.
    let mut foreign: Vec<u64> = Vec::new();
    let mut undefined: HashMap<SymbolIndex, (String, Vec<(u64, Site)>)> = file
        .symbols()
        .filter(|symbol| symbol.is_undefined())
        .map(|symbol| (symbol.index(), (name_of(&symbol), Vec::new())))
        .filter(|(_, (name, _))| !name.is_empty())
        .collect();
    let ranges = SymbolRanges::of(object);

    for section in file.elf_section_table().iter() {
        let Ok(Some((relas, _))) = section.rela(endian, file.data()) else {
            continue;
        };
        let target = SectionIndex(section.sh_info(endian) as usize);
        let Ok(place) = file.section_by_index(target) else {
            continue;
        };
        let name = String::from_utf8_lossy(place.name_bytes().unwrap_or_default());
        if sections::is_debug(&name) || is_probe_section(&name) {
            continue;
        }
        for rela in relas {
            let symbol = SymbolIndex(rela.r_sym(endian, false) as usize);
            let Some((_, sites)) = undefined.get_mut(&symbol) else {
                continue;
            };
            let offset = rela.r_offset.get(endian);
            let line = lines.at(target, offset);
            let address = address(target, offset);
            if matches!(line, Some((_, false))) {
                foreign.push(address);
            }
            let site = Site {
                section: name.clone().into_owned(),
                offset,
                function: ranges.at(target, offset),
                place: line.map(|(place, _)| place),
                relocation: object.arch.relocations.name(rela.r_type(endian, false)),
                addend: rela.r_addend.get(endian),
            };
            sites.push((address, site));
        }
    }

    foreign.sort_unstable();
    let callers = Callers::of(debug, &foreign);

    let mut sites: BTreeMap<String, Vec<Site>> = BTreeMap::new();
    for (name, found) in undefined.into_values() {
        let found = found.into_iter().map(|(address, site)| Site {
            place: callers.at(address).or(site.place),
            ..site
        });
        sites.entry(name).or_default().extend(found);
    }
    for found in sites.values_mut() {
        found.sort_by(|one, other| (&one.section, one.offset).cmp(&(&other.section, other.offset)));
    }
    References { sites, lines }
}

/// The uses of a symbol by these objects.
pub fn uses_of<'o, 'd: 'o>(
    symbol: &str,
    objects: impl Iterator<Item = (&'o ObjectFile<'d>, &'o References)>,
) -> Vec<Use> {
    let uses = objects.filter_map(|(user, references)| {
        Some(Use {
            part: user.name.clone(),
            sites: references.sites.get(symbol)?.clone(),
        })
    });
    uses.collect()
}

/// The functions and data of an object, by address.
struct SymbolRanges(HashMap<SectionIndex, Vec<SymbolRange>>);

struct SymbolRange {
    start: u64,
    end: u64,
    name: String,
}

impl SymbolRanges {
    fn of(object: &ObjectFile<'_>) -> Self {
        let mut sections: HashMap<SectionIndex, Vec<SymbolRange>> = HashMap::new();
        for symbol in object.file.symbols() {
            let kind = symbol.elf_symbol().st_type();
            let SymbolSection::Section(section) = symbol.section() else {
                continue;
            };
            if symbol.size() > 0 && (kind == STT_FUNC || kind == STT_OBJECT) {
                let start = symbol.address();
                sections.entry(section).or_default().push(SymbolRange {
                    start,
                    end: start.saturating_add(symbol.size()),
                    name: demangle::readable(&name_of(&symbol)),
                });
            }
        }
        for ranges in sections.values_mut() {
            ranges.sort_by_key(|range| range.start);
        }
        SymbolRanges(sections)
    }

    /// The name of the function or data at this offset.
    fn at(&self, section: SectionIndex, offset: u64) -> Option<String> {
        let ranges = self.0.get(&section)?;
        let after = ranges.partition_point(|range| range.start <= offset);
        let range = ranges.get(after.checked_sub(1)?)?;
        (offset < range.end).then(|| range.name.clone())
    }
}
