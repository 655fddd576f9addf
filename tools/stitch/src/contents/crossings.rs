//! Crossings: symbols that one language defines and the other references.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use object::elf::{STB_LOCAL, STB_WEAK, STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolSection};

use super::references::{uses_of, References};
use crate::input::object::{name_of, ElfSymbol, ObjectFile};
use crate::model::{Crossing, Language, Place, Use, NOTHING};

/// A global definition.
struct Definition {
    /// The index of its object.
    part: usize,
    weak: bool,
    function: bool,
    /// From the line table, if it has it.
    line: Option<Place>,
}

/// The crossings of a module, by name, without verdicts.
pub fn crossings(
    objects: &[ObjectFile<'_>],
    references: &[References],
    linked: Option<&ObjectFile<'_>>,
) -> Vec<Crossing> {
    let wanted: BTreeSet<&str> = references
        .iter()
        .flat_map(|references| references.sites.keys().map(String::as_str))
        .collect();
    let definitions = definitions(objects, references, &wanted);

    let mut crossings = Vec::new();
    for (&name, definition) in &definitions {
        let Some(definer) = objects.get(definition.part) else {
            continue;
        };
        let users = objects.iter().zip(references);
        let users = users.filter(|(user, _)| crosses(definer.language, user.language));
        let uses = uses_of(name, users);
        if !uses.is_empty() {
            let function = definition.function;
            let mut crossing = Crossing::new(name, function, &definer.name, definer.language);
            crossing.place = definition.line.clone();
            crossing.uses = uses;
            crossings.push(crossing);
        }
    }
    place(&mut crossings, objects, &definitions);
    if let Some(linked) = linked {
        find_in(&mut crossings, linked);
    }
    crossings
}

/// The crossings to the kernel: unmangled symbols that Rust references and the module does not define;
/// without verdicts.
pub fn to_kernel(objects: &[ObjectFile<'_>], references: &[References]) -> Vec<Crossing> {
    let mut wanted: BTreeMap<String, Crossing> = BTreeMap::new();
    for (user, references) in objects.iter().zip(references) {
        for (name, sites) in &references.sites {
            if user.language != Language::Rust || name.starts_with("_R") {
                continue;
            }
            let crossing = wanted
                .entry(name.clone())
                .or_insert_with(|| Crossing::new(name, true, NOTHING, Language::C));
            crossing.uses.push(Use {
                part: user.name.clone(),
                sites: sites.clone(),
            });
        }
    }
    for symbol in objects.iter().flat_map(ObjectFile::globals) {
        wanted.remove(&name_of(&symbol));
    }
    wanted.into_values().collect()
}

/// Whether one of two languages is Rust. An object of unknown language may be C.
fn crosses(one: Language, other: Language) -> bool {
    one != other && (one == Language::Rust || other == Language::Rust)
}

/// The definitions that the linker uses: the first strong one, or else the first weak one.
fn definitions<'w>(
    objects: &[ObjectFile<'_>],
    references: &[References],
    wanted: &BTreeSet<&'w str>,
) -> BTreeMap<&'w str, Definition> {
    let mut definitions: BTreeMap<&str, Definition> = BTreeMap::new();
    for (part, (object, references)) in objects.iter().zip(references).enumerate() {
        for symbol in object.globals() {
            let name = name_of(&symbol);
            let Some(&name) = wanted.get(name.as_str()) else {
                continue;
            };
            let weak = symbol.elf_symbol().st_bind() == STB_WEAK;
            match definitions.get(name) {
                Some(known) if weak || !known.weak => continue,
                _ => {}
            }
            let function = is_function(object, &symbol);
            let definition = Definition {
                part,
                weak,
                function,
                // The line of an inlined call at its start is not its own.
                line: match symbol.section() {
                    SymbolSection::Section(section) if function => references
                        .lines
                        .at(section, symbol.address())
                        .and_then(|(place, own)| own.then_some(place)),
                    _ => None,
                },
            };
            definitions.insert(name, definition);
        }
    }
    definitions
}

/// Symbols in assembly often have no type: in code they are functions.
fn is_function(object: &ObjectFile<'_>, symbol: &ElfSymbol<'_, '_>) -> bool {
    match symbol.elf_symbol().st_type() {
        STT_FUNC | STT_GNU_IFUNC => true,
        STT_NOTYPE => symbol
            .section_index()
            .and_then(|index| object.file.section_by_index(index).ok())
            .is_some_and(|section| section.kind() == SectionKind::Text),
        _ => false,
    }
}

/// Sets the source lines of definitions: from the entries of the debug information, which also cover
/// data, or else that of the first instruction of a function.
fn place(
    crossings: &mut [Crossing],
    objects: &[ObjectFile<'_>],
    definitions: &BTreeMap<&str, Definition>,
) {
    for (part, object) in objects.iter().enumerate() {
        let is_here = |crossing: &&mut Crossing| {
            let definition = definitions.get(crossing.symbol.as_str());
            definition.is_some_and(|definition| definition.part == part)
        };
        let here: Vec<&mut Crossing> = crossings.iter_mut().filter(is_here).collect();
        let names = here.iter().map(|crossing| crossing.symbol.as_str());
        let mut found = object.debug.definitions(&names.collect());
        for crossing in here {
            crossing.place = found.remove(&crossing.symbol).or(crossing.place.take());
        }
    }
}

/// Sets the offsets in the linked module.
fn find_in(crossings: &mut [Crossing], linked: &ObjectFile<'_>) {
    let mut by_name: HashMap<String, &mut Crossing> = crossings
        .iter_mut()
        .map(|crossing| (crossing.symbol.clone(), crossing))
        .collect();
    let symbols = linked.file.symbols();
    for symbol in symbols.filter(|symbol| symbol.elf_symbol().st_bind() != STB_LOCAL) {
        if let Some(crossing) = by_name.get_mut(&name_of(&symbol)) {
            let section = symbol
                .section_index()
                .and_then(|index| linked.file.section_by_index(index).ok());
            crossing.linked = section.map(|section| {
                let name = String::from_utf8_lossy(section.name_bytes().unwrap_or_default());
                format!("{name}+{:#x}", symbol.address())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings() {
        use Language::{Assembly, Rust, Unknown, C};
        assert!(crosses(Rust, C) && crosses(C, Rust) && crosses(Rust, Assembly));
        assert!(crosses(Rust, Unknown));
        assert!(!crosses(C, Assembly) && !crosses(Rust, Rust) && !crosses(C, Unknown));
    }
}
