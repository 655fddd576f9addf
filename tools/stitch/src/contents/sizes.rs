//! The bytes of a module, by language and crate.
//!
//! Each loaded byte is counted once. In a Rust object it belongs to the crate that defines its symbol,
//! see [`demangle::crate_of`]; bytes without a symbol (strings, tables, padding, `.modinfo`) and those
//! of C belong to no crate.

use std::collections::{BTreeMap, HashMap};

use object::elf::{STB_LOCAL, STT_FUNC, STT_OBJECT};
use object::{Object, ObjectSection, ObjectSymbol, SectionIndex, SymbolSection};

use crate::elf::{demangle, sections};
use crate::input::object::{kind_of, name_of, ElfSymbol, ObjectFile};
use crate::model::{Language, Size};

/// The sizes, by language and crate.
pub fn sizes(objects: &[ObjectFile<'_>]) -> Vec<Size> {
    let mut sizes: BTreeMap<(Language, String), Size> = BTreeMap::new();
    for object in objects {
        let mut owned = owned(object);
        for section in object.file.sections() {
            let name = String::from_utf8_lossy(section.name_bytes().unwrap_or_default());
            let flags = sections::flags_of(section.flags());
            let kind = sections::section_kind(&name, kind_of(object, &section), flags);
            let owned = owned.remove(&section.index()).unwrap_or_default();
            for (owner, bytes) in shares(section.size(), owned) {
                let size = sizes
                    .entry((object.language, owner.clone()))
                    .or_insert(Size {
                        language: object.language,
                        owner,
                        text: 0,
                        rodata: 0,
                        data: 0,
                        bss: 0,
                    });
                let sum = match kind {
                    "text" => &mut size.text,
                    "rodata" => &mut size.rodata,
                    "data" => &mut size.data,
                    "bss" => &mut size.bss,
                    _ => continue,
                };
                *sum = sum.saturating_add(bytes);
            }
        }
    }
    let mut sizes: Vec<Size> = sizes.into_values().collect();
    sizes.retain(|size| [size.text, size.rodata, size.data, size.bss] != [0; 4]);
    sizes
}

/// A part of a section that belongs to a crate.
struct Piece {
    start: u64,
    end: u64,
    owner: String,
}

/// The parts of each section, sorted.
fn owned(object: &ObjectFile<'_>) -> HashMap<SectionIndex, Vec<Piece>> {
    let mut sections: HashMap<SectionIndex, Vec<Piece>> = HashMap::new();
    if object.language != Language::Rust {
        return sections;
    }
    let own = own_crate(object);
    for symbol in object.file.symbols() {
        let SymbolSection::Section(section) = symbol.section() else {
            continue;
        };
        if let Some(owner) = owner(&symbol, own.as_deref()) {
            sections.entry(section).or_default().push(Piece {
                start: symbol.address(),
                end: symbol.address().saturating_add(symbol.size()),
                owner,
            });
        }
    }
    for pieces in sections.values_mut() {
        pieces.sort_by_key(|piece| piece.start);
    }
    sections
}

/// The crate of a symbol. An unmangled global name is a `#[no_mangle]` of the object's own crate; a
/// local one may come from the compiler, or from a C helper of the kernel that was inlined.
fn owner(symbol: &ElfSymbol<'_, '_>, own: Option<&str>) -> Option<String> {
    let raw = symbol.elf_symbol();
    if !matches!(raw.st_type(), STT_FUNC | STT_OBJECT) || symbol.size() == 0 {
        return None;
    }
    let name = name_of(symbol);
    match demangle::demangled(&name) {
        Some(_) => demangle::crate_of(&name),
        None if raw.st_bind() != STB_LOCAL => own.map(str::to_owned),
        None => None,
    }
}

/// The crate in the name that rustc gives to a unit: `hello_rust.rs/@/hello_rust.bf665632cc9f1e5f-cgu.0`;
/// without debug information, the crate that most of the mangled names belong to.
fn own_crate(object: &ObjectFile<'_>) -> Option<String> {
    let unit = object.debug.compile_unit().source;
    let named = unit.as_deref().and_then(|unit| unit.split_once("/@/"));
    if let Some((name, _)) = named.and_then(|(_, unit)| unit.split_once('.')) {
        return Some(name.to_owned());
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for symbol in object
        .file
        .symbols()
        .filter(|symbol| symbol.is_definition())
    {
        if let Some(name) = demangle::crate_of(&name_of(&symbol)) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(name, _)| name)
}

/// The bytes of a section by crate; the rest has no symbol. Parts that overlap are counted once.
fn shares(size: u64, pieces: Vec<Piece>) -> BTreeMap<String, u64> {
    let (mut shares, mut reached) = (BTreeMap::new(), 0);
    let mut rest = size;
    for piece in pieces {
        let (start, end) = (piece.start.max(reached), piece.end.min(size));
        if start < end {
            *shares.entry(piece.owner).or_insert(0) += end - start;
            rest -= end - start;
            reached = end;
        }
    }
    shares.insert(String::new(), rest);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_once() {
        let piece = |start, end, owner: &str| Piece {
            start,
            end,
            owner: owner.to_owned(),
        };
        let found = shares(
            100,
            vec![
                piece(0, 10, "core"),
                piece(0, 10, "alias"),
                piece(5, 20, "core"),
                piece(30, 500, "kernel"),
                piece(600, 700, "beyond"),
            ],
        );
        let expected = [("", 10), ("core", 20), ("kernel", 70)];
        assert_eq!(found.len(), expected.len());
        for (owner, bytes) in expected {
            assert_eq!(found.get(owner), Some(&bytes), "{owner}");
        }
    }
}
