//! Where an object needs what others define: each relocation, with its function and line.

use std::collections::{BTreeMap, HashMap};

use object::elf::{STT_FUNC, STT_OBJECT};
use object::read::elf::SectionHeader;
use object::{Object, ObjectSection, ObjectSymbol, SectionIndex, SymbolIndex, SymbolSection};

use crate::dwarf::inlined::Callers;
use crate::dwarf::lines::Lines;
use crate::dwarf::load::address;
use crate::elf::{demangle, relocations, sections};
use crate::input::object::{name_of, ObjectFile};
use crate::model::Site;
use crate::probes::read::is_probe_section;

/// An object's needs by symbol, and each place where it has one.
pub struct References {
    /// A symbol without a site is needed by name only.
    pub sites: BTreeMap<String, Vec<Site>>,
    /// All lines of the object.
    pub lines: Lines,
}

/// Reads all relocations against symbols that the object does not define, but for those in its
/// debug information: a debugger's needs are not the module's.
pub fn references(loaded: &ObjectFile<'_>) -> References {
    let (file, endian) = (&loaded.file, loaded.file.endian());
    let debug = &loaded.debug;
    let lines = debug.lines();
    // Those whose line is another crate's, or a header's, by what was inlined there.
    let mut foreign: Vec<u64> = Vec::new();
    let mut undefined: HashMap<SymbolIndex, (String, Vec<(u64, Site)>)> = file
        .symbols()
        .filter(|symbol| symbol.is_undefined())
        .map(|symbol| (symbol.index(), (name_of(&symbol), Vec::new())))
        .filter(|(_, (name, _))| !name.is_empty())
        .collect();
    let holders = SymbolRanges::of(loaded);

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
                function: holders.at(target, offset),
                place: line.map(|(place, _)| place),
                relocation: relocations::relocation_name(rela.r_type(endian, false)),
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

/// The functions and data of an object, by where they are.
struct SymbolRanges(HashMap<SectionIndex, Vec<SymbolRange>>);

struct SymbolRange {
    start: u64,
    end: u64,
    name: String,
}

impl SymbolRanges {
    fn of(loaded: &ObjectFile<'_>) -> Self {
        let mut sections: HashMap<SectionIndex, Vec<SymbolRange>> = HashMap::new();
        for symbol in loaded.file.symbols() {
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
        for holders in sections.values_mut() {
            holders.sort_by_key(|holder| holder.start);
        }
        SymbolRanges(sections)
    }

    /// The last that begins before this offset, if it reaches that far.
    fn at(&self, section: SectionIndex, offset: u64) -> Option<String> {
        let holders = self.0.get(&section)?;
        let behind = holders.partition_point(|holder| holder.start <= offset);
        let holder = holders.get(behind.checked_sub(1)?)?;
        (offset < holder.end).then(|| holder.name.clone())
    }
}
