//! Object files, in memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use memmap2::Mmap;
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Object, ObjectKind, ObjectSection, ObjectSymbol};

use super::paths::file_name;
use super::producer;
use crate::dwarf::load::DebugInfo;
use crate::elf::header::{self, Sort};
use crate::model::Language;

/// An object in memory, known to be a relocatable ELF file for x86-64.
pub struct ObjectFile<'d> {
    /// `c_helper.o`
    pub name: String,
    /// Where it was read.
    pub path: PathBuf,
    /// All of it, mapped.
    pub data: &'d [u8],
    /// Its headers, parsed.
    pub file: ElfFile64<'d>,
    /// Its debug information, unpacked.
    pub debug: DebugInfo<'d>,
    /// Who made it.
    pub language: Language,
}

impl<'d> ObjectFile<'d> {
    /// Whether it is a kernel, in which symbols have their final addresses.
    pub fn is_linked(&self) -> bool {
        self.file.kind() != ObjectKind::Relocatable
    }

    /// What a kernel has for its own use, where it has no DWARF.
    pub fn btf(&self) -> Option<&'d [u8]> {
        let is_shipped = self.is_linked() && self.file.section_by_name(".debug_info").is_none();
        let section = self.file.section_by_name(".BTF").filter(|_| is_shipped);
        section?.data().ok()
    }

    /// Of a kernel, by the configuration that lies beside it.
    pub fn was_built_by_gcc(&self) -> bool {
        let config = self.path.with_file_name("include/config/auto.conf");
        fs::read_to_string(config)
            .is_ok_and(|text| text.lines().any(|line| line == "CONFIG_CC_IS_GCC=y"))
    }
}

/// A file in memory.
pub struct MappedFile {
    path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    /// Maps a regular file that is not empty.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        // Asked first: to open a pipe would wait for its other end.
        let about = fs::metadata(path).with_context(cannot)?;
        if !about.is_file() {
            return Err(Diagnostic::new(format!("{} is no file", path.display()))
                .help("give a .ko, .o files, or a module's build folder")
                .into());
        }
        if about.len() == 0 {
            return Err(Diagnostic::new(format!("{} is empty", path.display()))
                .help("build the module again: a compiler was interrupted there")
                .into());
        }
        let file = File::open(path).with_context(cannot)?;
        // SAFETY: the map is only read. A build that cuts the file short meanwhile would end this
        // program by a signal, as it would any other that maps what the linker is writing.
        let map = unsafe { Mmap::map(&file) }.with_context(cannot)?;
        Ok(MappedFile {
            path: path.to_owned(),
            map,
        })
    }

    /// Whether clang or rustc has left the rest to the linker (`CONFIG_LTO_CLANG`).
    pub fn is_bitcode(&self) -> bool {
        header::is_bitcode(&self.map)
    }

    /// Why it is not read.
    pub fn as_bitcode(&self) -> String {
        format!(
            "{} is LLVM bitcode: what it defines and needs is known when it is linked\n  help: \
             build it without CONFIG_LTO_CLANG",
            file_name(&self.path)
        )
    }

    /// Reads it as an object.
    pub fn load(&self) -> Result<ObjectFile<'_>> {
        self.load_as(Sort::Object)
    }

    /// Reads it as a kernel's `vmlinux`.
    pub fn load_kernel(&self) -> Result<ObjectFile<'_>> {
        self.load_as(Sort::Kernel)
    }

    fn load_as(&self, sort: Sort) -> Result<ObjectFile<'_>> {
        let data: &[u8] = &self.map;
        let file = header::parse(&self.path, data, sort)?;
        let debug = DebugInfo::of(&file);
        Ok(ObjectFile {
            name: file_name(&self.path),
            path: self.path.clone(),
            data,
            language: producer::language(&file, &debug),
            file,
            debug,
        })
    }
}

/// An object's symbol, as `object` reads it.
pub type ElfSymbol<'d, 'f> = object::read::elf::ElfSymbol64<'d, 'f>;

/// A symbol's name; what is no UTF-8 in it is marked as such.
pub fn name_of(symbol: &ElfSymbol<'_, '_>) -> String {
    String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned()
}

/// `sh_type`
pub fn kind_of(loaded: &ObjectFile<'_>, section: &object::read::elf::ElfSection64<'_, '_>) -> u32 {
    section.elf_section_header().sh_type(loaded.file.endian())
}
