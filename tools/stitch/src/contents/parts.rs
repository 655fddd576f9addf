//! One object: its compiler, its sections and its symbols.

use object::read::elf::{SectionHeader, Sym};
use object::{Object, ObjectSection, ObjectSymbol, SymbolSection};

use crate::dwarf::unit::CompileUnit;
use crate::elf::nm::NmSymbol;
use crate::elf::{demangle, sections};
use crate::input::cmd_file::CmdFile;
use crate::input::object::{kind_of, name_of, ElfSymbol, ObjectFile};
use crate::input::producer;
use crate::model::{Part, Section, Symbol};

pub fn part(object: &ObjectFile<'_>) -> Part {
    let unit = object.debug.compile_unit();
    let (needed, defined) = symbols(object)
        .into_iter()
        .partition(|symbol| matches!(symbol.letter, 'U' | 'v' | 'w'));
    Part {
        name: object.name.clone(),
        path: object.path.display().to_string(),
        language: object.language,
        compiler: producer::compiler(&object.file, &unit),
        source: source(object, &unit),
        sections: sections(object),
        defined,
        needed,
    }
}

/// Its source, from the .cmd file or the debug information.
fn source(object: &ObjectFile<'_>, unit: &CompileUnit) -> Option<String> {
    CmdFile::of(&object.path)
        .and_then(|cmd| cmd.source())
        .or_else(|| unit.source.as_deref().map(without_unit))
}

/// The path in the name that rustc gives to a unit:
/// `hello_rust.rs/@/hello_rust.bf665632cc9f1e5f-cgu.0`.
fn without_unit(name: &str) -> String {
    let source = name.split_once("/@/").map_or(name, |(source, _)| source);
    source.to_owned()
}

/// Its symbols, sorted by name, as nm does.
fn symbols(object: &ObjectFile<'_>) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = object
        .file
        .symbols()
        .filter_map(|symbol| {
            let nm_symbol = nm_symbol(object, &symbol);
            let name = name_of(&symbol);
            let hidden = nm_symbol.hidden() || object.arch.is_mark(&name) || name.is_empty();
            (!hidden).then(|| Symbol {
                demangled: demangle::demangled(&name),
                letter: nm_symbol.letter(),
                size: symbol.size(),
                name,
            })
        })
        .collect();
    symbols.sort_by(|one, other| one.name.cmp(&other.name));
    symbols
}

fn nm_symbol<'a>(object: &'a ObjectFile<'_>, symbol: &ElfSymbol<'a, '_>) -> NmSymbol<'a> {
    let (raw, endian) = (symbol.elf_symbol(), object.file.endian());
    let section = match symbol.section() {
        SymbolSection::Section(index) => object.file.section_by_index(index).ok(),
        _ => None,
    };
    NmSymbol {
        binding: raw.st_bind(),
        kind: raw.st_type(),
        index: raw.st_shndx(endian),
        section: section.map(|section| {
            (
                section
                    .name_bytes()
                    .ok()
                    .and_then(|name| std::str::from_utf8(name).ok())
                    .unwrap_or_default(),
                section.elf_section_header().sh_type(endian),
                sections::flags_of(section.flags()),
            )
        }),
    }
}

/// The sections that are loaded, then the sum of the debug sections.
fn sections(object: &ObjectFile<'_>) -> Vec<Section> {
    let (mut sections, mut debug) = (Vec::new(), 0_u64);
    for section in object.file.sections() {
        let flags = sections::flags_of(section.flags());
        let name = String::from_utf8_lossy(section.name_bytes().unwrap_or_default());
        let kind = sections::section_kind(&name, kind_of(object, &section), flags);
        let size = section.size();
        if kind == "debug" {
            debug = debug.saturating_add(size);
        } else if size > 0 && flags & u64::from(object::elf::SHF_ALLOC) != 0 {
            sections.push(Section {
                name: name.into_owned(),
                kind,
                size,
            });
        }
    }
    if debug > 0 {
        sections.push(Section {
            name: ".debug_*".to_owned(),
            kind: "debug",
            size: debug,
        });
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_units() {
        assert_eq!(
            without_unit("/x/hello_rust.rs/@/hello_rust.bf665632cc9f1e5f-cgu.0"),
            "/x/hello_rust.rs"
        );
        assert_eq!(without_unit("c_helper.c"), "c_helper.c");
    }
}
