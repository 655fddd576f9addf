//! The symbols that a module imports from the kernel.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use object::{Object, ObjectSection, ObjectSymbol};

use super::references::{uses_of, References};
use crate::elf::demangle;
use crate::input::object::{name_of, ObjectFile};
use crate::model::{Import, Language};

/// Symbols that modpost adds to each module.
const FROM_MODPOST: &[&str] = &["__this_module"];

/// The size of `struct modversion_info` in `__versions`: 8 bytes for the CRC, 56 for the name.
const VERSION_SIZE: usize = 64;

/// An entry of `Module.symvers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    crc: Option<u32>,
    gpl_only: bool,
}

/// Reads a `Module.symvers`.
pub fn symvers(path: &Path) -> Result<HashMap<String, Export>> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    exports(&text).map_err(|line| {
        Diagnostic::new(format!("{} is not a Module.symvers", path.display()))
            .note(format!(
                "line {line} is not `CRC name module EXPORT_SYMBOL…`"
            ))
            .help("pass the Module.symvers beside the kernel's vmlinux")
            .into()
    })
}

/// The error is the number of an invalid line.
fn exports(symvers: &str) -> Result<HashMap<String, Export>, usize> {
    let mut exports = HashMap::new();
    for (number, line) in symvers.lines().enumerate() {
        let words: Vec<&str> = line.split('\t').collect();
        let (Some(crc), Some(name), Some(kind)) = (words.first(), words.get(1), words.get(3))
        else {
            return Err(number + 1);
        };
        let crc = crc.strip_prefix("0x").ok_or(number + 1)?;
        let crc = u32::from_str_radix(crc, 16).map_err(|_| number + 1)?;
        let export = Export {
            crc: real(crc),
            gpl_only: kind.starts_with("EXPORT_SYMBOL_GPL"),
        };
        exports.insert((*name).to_owned(), export);
    }
    Ok(exports)
}

/// Without `CONFIG_MODVERSIONS`, all CRCs are zero.
fn real(crc: u32) -> Option<u32> {
    (crc != 0).then_some(crc)
}

/// The symbols that the linked module, or else none of its objects, defines; sorted by name.
pub fn imports(
    objects: &[ObjectFile<'_>],
    references: &[References],
    linked: Option<&ObjectFile<'_>>,
    symvers: &HashMap<String, Export>,
) -> Vec<Import> {
    let crcs = linked.map(versions).unwrap_or_default();
    names(objects, references, linked)
        .into_iter()
        .map(|symbol| {
            let export = symvers.get(&symbol);
            let uses = uses_of(&symbol, objects.iter().zip(references));
            Import {
                demangled: demangle::demangled(&symbol),
                language: if symbol.starts_with("_R") {
                    Language::Rust
                } else {
                    Language::C
                },
                gpl_only: export.map(|export| export.gpl_only),
                crc: crcs
                    .get(&symbol)
                    .copied()
                    .or_else(|| export.and_then(|export| export.crc)),
                uses,
                symbol,
            }
        })
        .collect()
}

fn names(
    objects: &[ObjectFile<'_>],
    references: &[References],
    linked: Option<&ObjectFile<'_>>,
) -> BTreeSet<String> {
    if let Some(linked) = linked {
        let undefined = linked.file.symbols().filter(|symbol| symbol.is_undefined());
        let mut names: BTreeSet<String> = undefined.map(|symbol| name_of(&symbol)).collect();
        names.remove("");
        return names;
    }
    let mut names: BTreeSet<String> = references
        .iter()
        .flat_map(|references| references.sites.keys().cloned())
        .collect();
    let defined = objects.iter().flat_map(ObjectFile::globals);
    let defined: HashSet<String> = defined.map(|symbol| name_of(&symbol)).collect();
    names.retain(|name| !defined.contains(name) && !FROM_MODPOST.contains(&name.as_str()));
    names
}

/// The CRCs that a module expects, by symbol: from `__versions`, or, for names that are too long, from
/// `__version_ext_crcs` and `__version_ext_names`.
fn versions(linked: &ObjectFile<'_>) -> HashMap<String, u32> {
    let data = |name| {
        let section = linked.file.section_by_name(name);
        section.and_then(|section| section.data().ok())
    };
    let mut versions = HashMap::new();
    for entry in data("__versions")
        .unwrap_or_default()
        .chunks_exact(VERSION_SIZE)
    {
        let (crc, name) = entry.split_at(8);
        if let (Some(crc), Some(name)) = (word(crc), name.split(|&byte| byte == 0).next()) {
            versions.insert(String::from_utf8_lossy(name).into_owned(), crc);
        }
    }
    let crcs = data("__version_ext_crcs")
        .unwrap_or_default()
        .chunks_exact(4);
    let names = data("__version_ext_names").unwrap_or_default();
    for (crc, name) in crcs.zip(names.split(|&byte| byte == 0)) {
        if let Some(crc) = word(crc) {
            versions.insert(String::from_utf8_lossy(name).into_owned(), crc);
        }
    }
    versions
}

fn word(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_symvers() {
        let found = exports(
            "0x12345678\tone\tvmlinux\tEXPORT_SYMBOL\t\n\
             0x00000000\ttwo\tvmlinux\tEXPORT_SYMBOL_GPL\tNAMESPACE\n",
        )
        .unwrap_or_default();
        let export = |crc, gpl_only| Some(Export { crc, gpl_only });
        assert_eq!(found.get("one").copied(), export(Some(0x1234_5678), false));
        assert_eq!(found.get("two").copied(), export(None, true));
        assert_eq!(exports("0x1\ta\tb\tEXPORT_SYMBOL\nnonsense\n"), Err(2));
    }
}
