//! Source lines of definitions.

use std::collections::{HashMap, HashSet};

use gimli::AttributeValue;

use super::lines::path;
use super::load::{units, DebugInfo, Dwarf, Unit};
use crate::model::Place;

impl DebugInfo<'_> {
    /// The source lines that define these symbols.
    pub fn definitions(&self, wanted: &HashSet<&str>) -> HashMap<String, Place> {
        let mut found = HashMap::new();
        if wanted.is_empty() {
            return found;
        }
        let dwarf = self.dwarf();
        for unit in units(&dwarf) {
            let _ = definitions_in(&dwarf, &unit, wanted, &mut found);
            if found.len() == wanted.len() {
                break;
            }
        }
        found
    }
}

fn definitions_in(
    dwarf: &Dwarf<'_>,
    unit: &Unit<'_>,
    wanted: &HashSet<&str>,
    found: &mut HashMap<String, Place>,
) -> gimli::Result<()> {
    let mut entries = unit.entries_raw(None)?;
    while !entries.is_empty() {
        let Some(abbreviation) = entries.read_abbreviation()? else {
            continue;
        };
        let tag = abbreviation.tag();
        if tag != gimli::DW_TAG_subprogram && tag != gimli::DW_TAG_variable {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let (mut name, mut linkage, mut declared) = (None, None, None);
        let (mut file, mut line) = (None, None);
        let (mut external, mut declaration) = (false, false);
        for &specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(specification)?;
            match attribute.name() {
                gimli::DW_AT_name => name = Some(attribute.value()),
                gimli::DW_AT_linkage_name => linkage = Some(attribute.value()),
                gimli::DW_AT_decl_file => file = attribute.udata_value(),
                gimli::DW_AT_decl_line => line = attribute.udata_value(),
                gimli::DW_AT_external => external = true,
                gimli::DW_AT_declaration => declaration = true,
                gimli::DW_AT_specification => declared = Some(attribute.value()),
                _ => {}
            }
        }
        // GCC omits the name of a definition if a header declares it.
        if let (None, Some(AttributeValue::UnitRef(offset))) = (name.as_ref(), declared) {
            let declared = unit.entry(offset)?;
            name = declared.attr_value(gimli::DW_AT_name)?;
            linkage = linkage.or(declared.attr_value(gimli::DW_AT_linkage_name)?);
            external |= declared.attr(gimli::DW_AT_external)?.is_some();
            // rustc omits the line of a method.
            let number =
                |name| Ok::<_, gimli::Error>(declared.attr(name)?.and_then(|a| a.udata_value()));
            if line.is_none() {
                (file, line) = (
                    number(gimli::DW_AT_decl_file)?,
                    number(gimli::DW_AT_decl_line)?,
                );
            }
        }
        let (Some(name), Some(line)) = (linkage.or(name), line) else {
            continue;
        };
        if declaration || !external {
            continue;
        }
        let name = dwarf.attr_string(unit, name)?;
        let name = gimli::Reader::to_slice(&name)?;
        let Some(name) = std::str::from_utf8(&name)
            .ok()
            .filter(|name| wanted.contains(name))
        else {
            continue;
        };
        let path = unit
            .line_program
            .as_ref()
            .and_then(|program| path(dwarf, unit, program.header(), file?));
        if let Some(file) = path {
            found.entry(name.to_owned()).or_insert(Place { file, line });
        }
    }
    Ok(())
}
