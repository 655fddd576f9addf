//! The debug sections of an object that is not linked yet: unpacked, and relocated as the linker
//! would.

use std::borrow::Cow;

use object::elf;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget};

/// Of a section, unpacked: what is larger is a bomb, not a kernel module's.
const LARGEST: u64 = 1 << 30;

/// The sections that views need.
#[derive(Debug, Default)]
pub struct Sections<'d> {
    abbrev: Cow<'d, [u8]>,
    addr: Cow<'d, [u8]>,
    info: Cow<'d, [u8]>,
    line: Cow<'d, [u8]>,
    line_str: Cow<'d, [u8]>,
    str: Cow<'d, [u8]>,
    str_offsets: Cow<'d, [u8]>,
}

/// How gimli reads them.
pub type Reader<'s> = gimli::EndianSlice<'s, gimli::LittleEndian>;

impl<'d> Sections<'d> {
    /// Takes them out of an object; what cannot be read is said.
    pub fn new(file: &ElfFile64<'d>) -> Result<Self, String> {
        Ok(Sections {
            abbrev: section(file, ".debug_abbrev")?,
            // To open a unit, gimli looks up where its code begins.
            addr: section(file, ".debug_addr")?,
            info: section(file, ".debug_info")?,
            line: section(file, ".debug_line")?,
            line_str: section(file, ".debug_line_str")?,
            str: section(file, ".debug_str")?,
            str_offsets: section(file, ".debug_str_offsets")?,
        })
    }

    /// Whether there is no debug information at all.
    pub fn is_empty(&self) -> bool {
        self.info.is_empty()
    }

    /// As gimli wants them.
    pub fn dwarf(&self) -> gimli::Dwarf<Reader<'_>> {
        gimli::Dwarf {
            debug_abbrev: gimli::DebugAbbrev::new(&self.abbrev, gimli::LittleEndian),
            debug_addr: Reader::new(&self.addr, gimli::LittleEndian).into(),
            debug_info: gimli::DebugInfo::new(&self.info, gimli::LittleEndian),
            debug_line: gimli::DebugLine::new(&self.line, gimli::LittleEndian),
            debug_line_str: gimli::DebugLineStr::new(&self.line_str, gimli::LittleEndian),
            debug_str: gimli::DebugStr::new(&self.str, gimli::LittleEndian),
            debug_str_offsets: Reader::new(&self.str_offsets, gimli::LittleEndian).into(),
            ..gimli::Dwarf::default()
        }
    }
}

fn section<'d>(file: &ElfFile64<'d>, name: &str) -> Result<Cow<'d, [u8]>, String> {
    let Some(section) = file.section_by_name(name) else {
        return Ok(Cow::Borrowed(&[]));
    };
    let compressed = section
        .compressed_data()
        .map_err(|error| format!("its {name} cannot be read: {error}"))?;
    if compressed.uncompressed_size > LARGEST {
        return Err(format!(
            "its {name} is too large: {} bytes",
            compressed.uncompressed_size
        ));
    }
    let mut bytes = section
        .uncompressed_data()
        .map_err(|error| format!("its {name} cannot be read: {error}"))?;
    let mut relocations = section.relocations().peekable();
    if relocations.peek().is_none() {
        return Ok(bytes);
    }
    let owned = bytes.to_mut();
    for (offset, relocation) in relocations {
        let RelocationFlags::Elf { r_type } = relocation.flags() else {
            continue;
        };
        let width = match r_type {
            elf::R_X86_64_64 => 8,
            elf::R_X86_64_32 | elf::R_X86_64_32S => 4,
            _ => continue,
        };
        let base = match relocation.target() {
            RelocationTarget::Symbol(index) => file
                .symbol_by_index(index)
                .map(|symbol| symbol.address())
                .unwrap_or(0),
            _ => 0,
        };
        let value = base.wrapping_add_signed(relocation.addend()).to_le_bytes();
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let place = start
            .checked_add(width)
            .and_then(|end| owned.get_mut(start..end));
        if let (Some(place), Some(value)) = (place, value.get(..width)) {
            place.copy_from_slice(value);
        }
    }
    Ok(bytes)
}
