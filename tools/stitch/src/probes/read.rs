//! The probes that an object has.

use std::collections::BTreeSet;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolSection};

use crate::dwarf::find::Probed;
use crate::dwarf::load::address;
use crate::input::object::ObjectFile;
use crate::model::Language;

/// The sections of stitch's own probes.
const SECTIONS: &[(&str, Probed)] = &[
    (DECLARATIONS, Probed::Declaration),
    (DEFINITIONS, Probed::Definition),
];
pub const DECLARATIONS: &str = ".discard.stitch.declaration";
pub const DEFINITIONS: &str = ".discard.stitch.definition";

/// The section of those that the border has in each object, see border/gate/probes.rs.
const BORDER: &str = ".discard.border.probe";

/// In the name of the function that mentions symbols by their path.
const MENTIONED: &str = "__STITCH_NAMED";

/// Where the border says that what Rust defines is what the contract declares.
const CHECKED: &str = "__border_checked_";

/// Whether relocations in this section are no use of a symbol.
pub fn is_probe_section(name: &str) -> bool {
    SECTIONS.iter().any(|(section, _)| name == *section)
}

/// The probes of a Rust object: the address of each, the symbol that it holds, and what it tells of it.
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

/// If an object has probes with the name of their symbol: which of them tell how that is defined as
/// well. In C all are such: a compiler may put one symbol for another of the same address.
pub fn named(object: &ObjectFile<'_>) -> Option<BTreeSet<String>> {
    let has = |section| object.file.section_by_name(section).is_some();
    let crossings = || {
        object
            .file
            .symbols()
            .any(|one| one.name().is_ok_and(|name| name.contains(MENTIONED)))
    };
    let any = match object.language {
        Language::Rust => has(BORDER) || crossings(),
        _ => has(BORDER) || has(DECLARATIONS),
    };
    if !any {
        return None;
    }
    let names = object.file.symbols().filter_map(|symbol| {
        let name = symbol.name().ok()?.strip_prefix(CHECKED)?.to_owned();
        Some(name)
    });
    Some(names.collect())
}

/// Whether an object keeps a symbol of this name to itself.
pub fn is_local(object: &ObjectFile<'_>, name: &str) -> bool {
    let mut named = object
        .file
        .symbols()
        .filter(|one| one.name() == Ok(name))
        .peekable();
    named.peek().is_some() && named.all(|one| one.is_local())
}

/// A relocation may name a section, and say where in it.
fn symbol_name(
    object: &ObjectFile<'_>,
    symbol: &object::read::elf::ElfSymbol64<'_, '_>,
    addend: i64,
) -> Option<String> {
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
