//! Reads the probes in an object.

use std::collections::BTreeSet;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolSection};

use crate::dwarf::find::Probed;
use crate::dwarf::load::address;
use crate::input::object::{ElfSymbol, ObjectFile};
use crate::model::Language;

/// The sections of stitch's own probes.
const SECTIONS: &[(&str, Probed)] = &[
    (DECLARATIONS, Probed::Declaration),
    (DEFINITIONS, Probed::Definition),
];
pub const DECLARATIONS: &str = ".discard.stitch.declaration";
pub const DEFINITIONS: &str = ".discard.stitch.definition";

/// The section of the probes that the border generates; see border/gate/probes.rs.
const BORDER: &str = ".discard.border.probe";

/// Part of the name of the function that uses symbols by their paths.
const MENTIONED: &str = "__STITCH_NAMED";

/// The prefix by which the border marks definitions in Rust that it checked against the contract.
const CHECKED: &str = "__border_checked_";

/// Whether relocations in this section are not real references.
pub fn is_probe_section(name: &str) -> bool {
    SECTIONS.iter().any(|(section, _)| name == *section)
}

/// The probes in a Rust object: their addresses, symbols, and which type they have.
pub fn of(object: &ObjectFile<'_>) -> Vec<(u64, String, Probed)> {
    let mut probes = Vec::new();
    if object.language != Language::Rust {
        return probes;
    }
    for section in object.file.sections() {
        let name = section.name().unwrap_or_default();
        let Some((_, of)) = SECTIONS.iter().find(|(section, _)| name == *section) else {
            continue;
        };
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(index) = relocation.target() else {
                continue;
            };
            let symbol = object.file.symbol_by_index(index);
            if let Some(name) = symbol
                .ok()
                .and_then(|symbol| symbol_name(object, &symbol, relocation.addend()))
            {
                probes.push((address(section.index(), offset), name, *of));
            }
        }
    }
    probes
}

/// If an object has probes that are named after their symbols: the symbols whose definition has the
/// declared type. In C all probes are named: a compiler may merge symbols of the same address.
pub fn named(object: &ObjectFile<'_>) -> Option<BTreeSet<String>> {
    let has = |section| object.file.section_by_name(section).is_some();
    let mentioned = || {
        object
            .file
            .symbols()
            .any(|one| one.name().is_ok_and(|name| name.contains(MENTIONED)))
    };
    let any = match object.language {
        Language::Rust => has(BORDER) || mentioned(),
        _ => has(BORDER) || has(DECLARATIONS),
    };
    if !any {
        return None;
    }
    let symbols = object.file.symbols();
    let names = symbols.filter_map(|one| Some(one.name().ok()?.strip_prefix(CHECKED)?.to_owned()));
    Some(names.collect())
}

/// Whether all symbols of this name are local.
pub fn is_local(object: &ObjectFile<'_>, name: &str) -> bool {
    let mut named = object
        .file
        .symbols()
        .filter(|one| one.name() == Ok(name))
        .peekable();
    named.peek().is_some() && named.all(|one| one.is_local())
}

/// The symbol of a relocation, which may be against a section and an offset.
fn symbol_name(object: &ObjectFile<'_>, symbol: &ElfSymbol<'_, '_>, addend: i64) -> Option<String> {
    let name = symbol.name().ok().filter(|name| !name.is_empty());
    if symbol.kind() != object::SymbolKind::Section {
        return name.map(str::to_owned);
    }
    let SymbolSection::Section(section) = symbol.section() else {
        return None;
    };
    let mut all = object.file.symbols().filter(|one| {
        one.section_index() == Some(section)
            && one.address() as i64 == addend
            && one.kind() != object::SymbolKind::Section
            && !one.is_local()
    });
    all.find_map(|one| Some(one.name().ok()?.to_owned()))
}
