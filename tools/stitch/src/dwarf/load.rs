//! Loads the sections of debug information.
//!
//! An object has no addresses yet, and half of the numbers in its debug information need a relocation.
//! They are relocated when they are read, as if each section had an address of its own; so an address
//! has both section and offset.

use std::borrow::Cow;
use std::collections::HashMap;

use gimli::{EndianSlice, LittleEndian, RelocateReader, SectionId};
use object::elf::{Rela64, Sym64};
use object::read::elf::{ElfFile64, SectionHeader, Sym};
use object::{Endianness, Object, ObjectSection, SectionIndex};

use crate::arch::{Arch, Stored};
use crate::elf::compression::Budget;

/// The bits of an address that are the offset.
pub const SECTION_BITS: u32 = 40;

/// The longest string that is read: `PATH_MAX`.
const LONGEST_PATH: usize = 4096;

pub fn address(section: SectionIndex, offset: u64) -> u64 {
    ((section.0 as u64) << SECTION_BITS) | (offset & ((1 << SECTION_BITS) - 1))
}

/// A section of debug information and its relocations.
struct Section<'d> {
    data: Cow<'d, [u8]>,
    relocations: Relocations<'d>,
}

/// The relocations of each section, by offset.
type BySection<'d> = HashMap<SectionIndex, Cow<'d, [Rela64<Endianness>]>>;

impl<'d> Section<'d> {
    fn of(
        section: Option<impl ObjectSection<'d>>,
        all: &mut BySection<'d>,
        budget: &mut Budget,
        arch: &'static Arch,
    ) -> Self {
        let index = section.as_ref().map(ObjectSection::index);
        Section {
            data: section
                .as_ref()
                .map(|section| budget.contents(section))
                .unwrap_or_default(),
            relocations: Relocations {
                arch,
                sorted: index
                    .and_then(|index| all.remove(&index))
                    .unwrap_or_default(),
                symbols: &[],
                loaded: Vec::new(),
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
pub type Unit<'a> = gimli::Unit<Reader<'a>>;
/// All sections.
pub type Dwarf<'a> = gimli::Dwarf<Reader<'a>>;
/// An entry (DIE) of a unit.
pub type Die<'a, 'u> = gimli::DebuggingInformationEntry<'u, 'u, Reader<'a>>;

/// The relocations of a section, looked up on each read: nothing is copied.
pub struct Relocations<'d> {
    arch: &'static Arch,
    sorted: Cow<'d, [Rela64<Endianness>]>,
    symbols: &'d [Sym64<Endianness>],
    /// By section: whether it is loaded, and so has an address.
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
        match self.arch.relocations.stored(rela.r_type(endian, false)) {
            Stored::Address => target.wrapping_add_signed(addend),
            Stored::ThreadOffset => addend as u64,
            Stored::Other => value,
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

/// The debug information of an object.
pub struct DebugInfo<'d> {
    pub arch: &'static Arch,
    sections: gimli::DwarfSections<Section<'d>>,
}

impl<'d> DebugInfo<'d> {
    /// Loads the sections; missing ones are empty.
    pub fn of(file: &ElfFile64<'d>, arch: &'static Arch) -> Self {
        let loaded: Vec<bool> = file
            .elf_section_table()
            .iter()
            .map(|section| section.sh_flags(file.endian()) & u64::from(object::elf::SHF_ALLOC) != 0)
            .collect();
        let mut relocations = relocations(file);
        let mut budget = Budget::of(file.data().len());
        let load = |id: SectionId| {
            // A type in a group (COMDAT) has a section of its own.
            let mut named = file
                .sections()
                .filter(|section| section.name_bytes() == Ok(id.name().as_bytes()));
            let mut all = Section::of(named.next(), &mut relocations, &mut budget, arch);
            for more in named {
                all.append(Section::of(Some(more), &mut relocations, &mut budget, arch));
            }
            all.relocations.symbols = file.elf_symbol_table().symbols();
            all.relocations.loaded = loaded.clone();
            Ok::<_, std::convert::Infallible>(all)
        };
        match gimli::DwarfSections::load(load) {
            Ok(sections) => DebugInfo { arch, sections },
            Err(never) => match never {},
        }
    }

    /// Parses the sections.
    pub fn dwarf(&self) -> Dwarf<'_> {
        let mut dwarf = self.sections.borrow(|section| {
            RelocateReader::new(
                EndianSlice::new(&section.data, LittleEndian),
                &section.relocations,
            )
        });
        // Without a cache, abbreviations that units share are parsed again for each unit.
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        dwarf
    }
}

fn relocations<'d>(file: &ElfFile64<'d>) -> BySection<'d> {
    let endian = file.endian();
    let mut relocations = HashMap::new();
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
        relocations.entry(target).or_insert(relas);
    }
    relocations
}

/// The units, up to the first that cannot be parsed.
pub fn units<'a: 'u, 'u>(dwarf: &'u Dwarf<'a>) -> impl Iterator<Item = Unit<'a>> + use<'a, 'u> {
    let mut headers = dwarf.units();
    std::iter::from_fn(move || headers.next().ok().flatten())
        .filter_map(|header| dwarf.unit(header).ok())
}

/// A string, cut at [`LONGEST_PATH`].
pub fn text(reader: &Reader<'_>) -> Option<String> {
    let bytes = gimli::Reader::to_slice(reader).ok()?;
    let bytes = bytes.get(..LONGEST_PATH).unwrap_or(&bytes);
    Some(String::from_utf8_lossy(bytes).into_owned())
}
