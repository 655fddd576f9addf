//! Who compiled a unit, from what, and in which language.

use gimli::{AttributeValue, DwAt, DwLang};

use super::load::{text, units, DebugInfo, Dwarf, Reader, Unit};
use crate::model::Language;

/// What the root entry of a unit says of its compilation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompileUnit {
    /// `DW_AT_producer`
    pub producer: Option<String>,
    /// `DW_AT_name`
    pub source: Option<String>,
    /// `DW_AT_language`
    pub language: Option<DwLang>,
    /// `DW_AT_comp_dir`: where the compiler ran.
    pub folder: Option<String>,
}

impl DebugInfo<'_> {
    /// The first unit: bitcode that was linked into the object comes after it.
    pub fn compile_unit(&self) -> CompileUnit {
        let dwarf = self.dwarf();
        let Some(unit) = units(&dwarf).next() else {
            return CompileUnit::default();
        };
        CompileUnit {
            producer: producer(&dwarf, &unit),
            source: unit.name.as_ref().and_then(text),
            language: language(&unit).unwrap_or_default(),
            folder: unit.comp_dir.as_ref().and_then(text),
        }
    }

    /// The languages of all units, without duplicates.
    pub fn languages(&self) -> Vec<Language> {
        let dwarf = self.dwarf();
        let mut languages = Vec::new();
        for unit in units(&dwarf) {
            let language = language(&unit).ok().flatten().and_then(to_language);
            languages.extend(language.filter(|one| !languages.contains(one)));
        }
        languages
    }
}

/// `DW_AT_language`
pub fn to_language(language: DwLang) -> Option<Language> {
    Some(match language {
        gimli::DW_LANG_Rust => Language::Rust,
        gimli::DW_LANG_Mips_Assembler => Language::Assembly,
        gimli::DW_LANG_C
        | gimli::DW_LANG_C89
        | gimli::DW_LANG_C99
        | gimli::DW_LANG_C11
        | gimli::DW_LANG_C17 => Language::C,
        _ => return None,
    })
}

/// Whether rustc compiled a unit.
pub fn is_rust(unit: &Unit<'_>) -> gimli::Result<bool> {
    Ok(language(unit)? == Some(gimli::DW_LANG_Rust))
}

/// The compiler of a unit, with its version and perhaps its options.
pub fn producer(dwarf: &Dwarf<'_>, unit: &Unit<'_>) -> Option<String> {
    let value = of_root(unit, gimli::DW_AT_producer).ok()??;
    text(&dwarf.attr_string(unit, value).ok()?)
}

fn language(unit: &Unit<'_>) -> gimli::Result<Option<DwLang>> {
    Ok(match of_root(unit, gimli::DW_AT_language)? {
        Some(AttributeValue::Language(language)) => Some(language),
        _ => None,
    })
}

fn of_root<'a>(unit: &Unit<'a>, name: DwAt) -> gimli::Result<Option<AttributeValue<Reader<'a>>>> {
    match unit.entries().next_dfs()? {
        Some((_, root)) => root.attr_value(name),
        None => Ok(None),
    }
}
