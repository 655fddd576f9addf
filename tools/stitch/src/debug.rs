//! The debug information of an object: who made it, its lines, and where it defines its symbols.
//!
//! In an object nothing has an address yet, and half of all numbers in the debug information wait
//! for a relocation. Here they are relocated as they are read, with each section at an address of
//! its own, so that an address says both section and offset.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use gimli::{AttributeValue, EndianSlice, LittleEndian, RelocateReader, SectionId};
use object::elf::{
    Rela64, Sym64, R_X86_64_32, R_X86_64_32S, R_X86_64_64, R_X86_64_DTPOFF32, R_X86_64_DTPOFF64,
};
use object::read::elf::{ElfFile64, SectionHeader, Sym};
use object::{Endianness, Object, ObjectSection, SectionIndex};

use crate::maker;
use crate::model::{Language, Place};

/// No section of an object is as large.
const SECTION_BITS: u32 = 40;

/// Decompressed debug information beyond this is nothing that a compiler made of a module.
const LARGEST: u64 = 1 << 30;

/// No path is longer: `PATH_MAX`.
const LONGEST_PATH: usize = 4096;

/// The address of an offset in a section.
pub fn address(section: SectionIndex, offset: u64) -> u64 {
    ((section.0 as u64) << SECTION_BITS) | (offset & ((1 << SECTION_BITS) - 1))
}

/// A section of the debug information with the relocations that wait there.
#[derive(Default)]
struct Section<'d> {
    data: Cow<'d, [u8]>,
    relocations: Relocations<'d>,
}

/// The relocations of each section, by offset.
type Waiting<'d> = HashMap<SectionIndex, Cow<'d, [Rela64<Endianness>]>>;

impl<'d> Section<'d> {
    fn of(section: &impl ObjectSection<'d>, waiting: &mut Waiting<'d>) -> Self {
        Section {
            data: contents(section),
            relocations: Relocations {
                sorted: waiting.remove(&section.index()).unwrap_or_default(),
                ..Relocations::default()
            },
        }
    }

    fn append(&mut self, other: Section<'d>) {
        let endian = Endianness::Little;
        let start = self.data.len() as u64;
        self.data.to_mut().extend_from_slice(&other.data);
        let moved = other.relocations.sorted.iter().map(|rela| {
            let mut rela = *rela;
            let offset = rela.r_offset.get(endian).saturating_add(start);
            rela.r_offset.set(endian, offset);
            rela
        });
        self.relocations.sorted.to_mut().extend(moved);
    }
}

/// Reads and relocates.
pub type Reader<'a> = RelocateReader<EndianSlice<'a, LittleEndian>, &'a Relocations<'a>>;
/// A unit of it.
pub type Unit<'a> = gimli::Unit<Reader<'a>>;
/// All of it.
pub type Dwarf<'a> = gimli::Dwarf<Reader<'a>>;

/// What to write where, looked up when it is read: nothing is copied.
#[derive(Default)]
pub struct Relocations<'d> {
    /// By offset.
    sorted: Cow<'d, [Rela64<Endianness>]>,
    symbols: &'d [Sym64<Endianness>],
    /// Which sections have addresses: those that take room in memory.
    loaded: Vec<bool>,
}

impl std::fmt::Debug for Relocations<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} relocations", self.sorted.len())
    }
}

impl Relocations<'_> {
    fn apply(&self, offset: u64, value: u64) -> u64 {
        let endian = Endianness::Little;
        let found = self
            .sorted
            .binary_search_by_key(&offset, |rela| rela.r_offset.get(endian));
        let Some(rela) = found.ok().and_then(|at| self.sorted.get(at)) else {
            return value;
        };
        let symbol = self.symbols.get(rela.r_sym(endian, false) as usize);
        let target = symbol.map_or(0, |symbol| {
            let section = usize::from(symbol.st_shndx(endian));
            let value = symbol.st_value(endian);
            match self.loaded.get(section) {
                Some(true) => address(SectionIndex(section), value),
                _ => value,
            }
        });
        let addend = rela.r_addend.get(endian);
        match rela.r_type(endian, false) {
            R_X86_64_64 | R_X86_64_32 | R_X86_64_32S => target.wrapping_add_signed(addend),
            R_X86_64_DTPOFF32 | R_X86_64_DTPOFF64 => addend as u64,
            _ => value,
        }
    }
}

impl gimli::Relocate for &Relocations<'_> {
    fn relocate_address(&self, offset: usize, value: u64) -> gimli::Result<u64> {
        Ok(self.apply(offset as u64, value))
    }

    fn relocate_offset(&self, offset: usize, value: usize) -> gimli::Result<usize> {
        usize::try_from(self.apply(offset as u64, value as u64))
            .map_err(|_| gimli::Error::UnsupportedOffset)
    }
}

/// See the module.
pub struct Debug<'d> {
    sections: gimli::DwarfSections<Section<'d>>,
}

/// What an object's debug information says of its making.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Making {
    /// `DW_AT_producer`
    pub producer: Option<String>,
    /// `DW_AT_name`
    pub source: Option<String>,
    /// `DW_AT_language`
    pub language: Option<gimli::DwLang>,
    /// `DW_AT_comp_dir`: where the compiler ran.
    pub folder: Option<String>,
}

impl<'d> Debug<'d> {
    /// Finds the sections; an object without them has an empty one.
    pub fn of(file: &ElfFile64<'d>) -> Self {
        let loaded: Vec<bool> = file
            .elf_section_table()
            .iter()
            .map(|section| section.sh_flags(file.endian()) & u64::from(object::elf::SHF_ALLOC) != 0)
            .collect();
        let mut waiting = waiting(file);
        let load = |id: SectionId| {
            // What is in a group of its own, such as a type, has a section of its own.
            let mut named = file
                .sections()
                .filter(|section| section.name_bytes() == Ok(id.name().as_bytes()));
            let mut all = match named.next() {
                Some(first) => Section::of(&first, &mut waiting),
                None => Section::default(),
            };
            for more in named {
                all.append(Section::of(&more, &mut waiting));
            }
            all.relocations.symbols = file.elf_symbol_table().symbols();
            all.relocations.loaded = loaded.clone();
            Ok::<_, std::convert::Infallible>(all)
        };
        match gimli::DwarfSections::load(load) {
            Ok(sections) => Debug { sections },
            Err(never) => match never {},
        }
    }

    /// Ready to be read.
    pub fn dwarf(&self) -> Dwarf<'_> {
        let mut dwarf = self.sections.borrow(|section| {
            RelocateReader::new(
                EndianSlice::new(&section.data, LittleEndian),
                &section.relocations,
            )
        });
        // Else a thousand units that share their abbreviations have them read a thousand times.
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        dwarf
    }

    /// Of the first unit: what is linked into it as bitcode comes behind.
    pub fn making(&self) -> Making {
        let dwarf = self.dwarf();
        let Some(unit) = units(&dwarf).next() else {
            return Making::default();
        };
        let mut making = Making {
            source: unit.name.clone().and_then(|name| text(&name)),
            folder: unit.comp_dir.clone().and_then(|folder| text(&folder)),
            ..Making::default()
        };
        let mut entries = unit.entries();
        if let Ok(Some((_, root))) = entries.next_dfs() {
            if let Ok(Some(value)) = root.attr_value(gimli::DW_AT_producer) {
                making.producer = dwarf
                    .attr_string(&unit, value)
                    .ok()
                    .and_then(|producer| text(&producer));
            }
            if let Ok(Some(AttributeValue::Language(language))) =
                root.attr_value(gimli::DW_AT_language)
            {
                making.language = Some(language);
            }
        }
        making
    }

    /// Of all units, each once.
    pub fn languages(&self) -> Vec<Language> {
        let dwarf = self.dwarf();
        let mut languages = Vec::new();
        for unit in units(&dwarf) {
            let mut entries = unit.entries();
            let root = entries.next_dfs().ok().flatten();
            let value = root.and_then(|(_, root)| root.attr_value(gimli::DW_AT_language).ok()?);
            if let Some(AttributeValue::Language(language)) = value {
                languages.extend(maker::of_unit(language).filter(|one| !languages.contains(one)));
            }
        }
        languages
    }

    /// All lines of all units.
    pub fn lines(&self) -> Lines {
        let dwarf = self.dwarf();
        let (mut lines, mut seen) = (Lines::default(), HashSet::new());
        for unit in units(&dwarf) {
            let Some(program) = unit.line_program.clone() else {
                continue;
            };
            if seen.insert(program.header().offset().0) {
                // What can be read of a damaged table is still right.
                let _ = lines.read(&dwarf, &unit, program);
            }
        }
        lines.rows.sort_by_key(|row| row.address);
        lines
    }

    /// Where these symbols are defined in the source.
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

fn waiting<'d>(file: &ElfFile64<'d>) -> Waiting<'d> {
    let endian = file.endian();
    let mut waiting = HashMap::new();
    for section in file.elf_section_table().iter() {
        let Ok(Some((relas, _))) = section.rela(endian, file.data()) else {
            continue;
        };
        let offset = |rela: &Rela64<Endianness>| rela.r_offset.get(endian);
        let relas = if relas.is_sorted_by_key(offset) {
            Cow::Borrowed(relas)
        } else {
            let mut relas = relas.to_vec();
            relas.sort_by_key(offset);
            Cow::Owned(relas)
        };
        let target = SectionIndex(section.sh_info(endian) as usize);
        waiting.entry(target).or_insert(relas);
    }
    waiting
}

/// A section's bytes, decompressed; none where that cannot be done.
fn contents<'d>(section: &impl ObjectSection<'d>) -> Cow<'d, [u8]> {
    match section.compressed_data() {
        Ok(compressed) if compressed.uncompressed_size <= LARGEST => {
            compressed.decompress().unwrap_or_default()
        }
        _ => Cow::default(),
    }
}

/// The units, up to the first that cannot be read.
pub fn units<'a: 'u, 'u>(dwarf: &'u Dwarf<'a>) -> impl Iterator<Item = Unit<'a>> + use<'a, 'u> {
    let mut headers = dwarf.units();
    std::iter::from_fn(move || headers.next().ok().flatten())
        .filter_map(|header| dwarf.unit(header).ok())
}

fn text(reader: &Reader<'_>) -> Option<String> {
    let bytes = gimli::Reader::to_slice(reader).ok()?;
    let bytes = bytes.get(..LONGEST_PATH).unwrap_or(&bytes);
    Some(String::from_utf8_lossy(bytes).into_owned())
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
        // GCC gives a definition no name of its own where a header has declared it.
        if let (None, Some(AttributeValue::UnitRef(offset))) = (name.as_ref(), declared) {
            let declared = unit.entry(offset)?;
            name = declared.attr_value(gimli::DW_AT_name)?;
            linkage = linkage.or(declared.attr_value(gimli::DW_AT_linkage_name)?);
            external |= declared.attr(gimli::DW_AT_external)?.is_some();
            // rustc gives a method no line of its own, either.
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

/// A file of a line table, in its folder unless that is the one in which the compiler ran.
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

/// Whether a file is one of those that a unit's own source is among: in its folder, or below.
pub fn is_own(unit: &Unit<'_>, file: &str) -> bool {
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

/// Which line of which file each byte of an object's code comes from.
#[derive(Debug, Default)]
pub struct Lines {
    /// And whether each is the unit's own.
    files: Vec<(String, bool)>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    address: u64,
    file: usize,
    /// 0 where code ends, and where the compiler knows no line.
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
                let own = is_own(unit, &name);
                self.files.push((name, own));
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

    /// The line of a byte of a section, and whether it is in the unit's own source.
    pub fn at(&self, section: SectionIndex, offset: u64) -> Option<(Place, bool)> {
        let address = address(section, offset);
        let behind = self.rows.partition_point(|row| row.address <= address);
        let row = self.rows.get(behind.checked_sub(1)?)?;
        let same_section = row.address >> SECTION_BITS == section.0 as u64;
        let (file, own) = self.files.get(row.file)?;
        (same_section && row.line != 0 && !file.is_empty()).then(|| {
            let place = Place {
                file: file.clone(),
                line: row.line,
            };
            (place, *own)
        })
    }
}
