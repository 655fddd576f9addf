//! Which source line each byte of code comes from.

use std::collections::{HashMap, HashSet};

use object::SectionIndex;

use super::load::{address, text, units, DebugInfo, Dwarf, Reader, Unit, SECTION_BITS};
use crate::model::Place;

impl DebugInfo<'_> {
    /// The line tables of all units.
    pub fn lines(&self) -> Lines {
        let dwarf = self.dwarf();
        let (mut lines, mut seen) = (Lines::default(), HashSet::new());
        for unit in units(&dwarf) {
            let Some(program) = unit.line_program.clone() else {
                continue;
            };
            if seen.insert(program.header().offset().0) {
                // Rows before a damaged one are still valid.
                let _ = lines.read(&dwarf, &unit, program);
            }
        }
        lines.rows.sort_by_key(|row| row.address);
        lines
    }
}

/// The path of a file in a line table, relative to the directory in which the compiler ran.
pub fn path(
    dwarf: &Dwarf<'_>,
    unit: &Unit<'_>,
    header: &gimli::LineProgramHeader<Reader<'_>>,
    index: u64,
) -> Option<String> {
    let file = header.file(index)?;
    let string = |value| dwarf.attr_string(unit, value).ok().and_then(|s| text(&s));
    let name = string(file.path_name())?;
    if name.starts_with('/') || file.directory_index() == 0 {
        return Some(name);
    }
    match file.directory(header).and_then(string) {
        Some(folder) if !folder.is_empty() => Some(format!("{folder}/{name}")),
        _ => Some(name),
    }
}

/// Whether a file belongs to the module: it is in or below the directory of the unit's source.
pub fn is_in_module(unit: &Unit<'_>, file: &str) -> bool {
    let source = unit.name.as_ref().and_then(text).unwrap_or_default();
    let source = source.split_once("/@/").map_or(&*source, |(path, _)| path);
    let folder = source.rsplit_once('/').map_or("", |(folder, _)| folder);
    match folder {
        "" => !file.starts_with('/'),
        folder => file
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/')),
    }
}

/// The source line of each byte of code.
#[derive(Debug, Default)]
pub struct Lines {
    /// (path, whether it belongs to the module)
    files: Vec<(String, bool)>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    address: u64,
    file: usize,
    /// 0 at the end of a sequence, and for code without a line.
    line: u64,
}

impl Lines {
    fn read<'a>(
        &mut self,
        dwarf: &Dwarf<'a>,
        unit: &Unit<'a>,
        program: gimli::IncompleteLineProgram<Reader<'a>>,
    ) -> gimli::Result<()> {
        let mut known = HashMap::new();
        let mut rows = program.rows();
        while let Some((header, row)) = rows.next_row()? {
            let line = match row.line() {
                Some(line) if !row.end_sequence() => line.get(),
                _ => 0,
            };
            let file = *known.entry(row.file_index()).or_insert_with(|| {
                let name = path(dwarf, unit, header, row.file_index()).unwrap_or_default();
                let in_module = is_in_module(unit, &name);
                self.files.push((name, in_module));
                self.files.len() - 1
            });
            self.rows.push(Row {
                address: row.address(),
                file,
                line,
            });
        }
        Ok(())
    }

    /// The line of a byte of a section, and whether its file belongs to the module.
    pub fn at(&self, section: SectionIndex, offset: u64) -> Option<(Place, bool)> {
        let address = address(section, offset);
        let behind = self.rows.partition_point(|row| row.address <= address);
        let row = self.rows.get(behind.checked_sub(1)?)?;
        let same_section = row.address >> SECTION_BITS == section.0 as u64;
        let (file, in_module) = self.files.get(row.file)?;
        (same_section && row.line != 0 && !file.is_empty()).then(|| {
            let place = Place {
                file: file.clone(),
                line: row.line,
            };
            (place, *in_module)
        })
    }
}
