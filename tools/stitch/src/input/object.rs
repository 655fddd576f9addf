//! Object files, mapped into memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use memmap2::Mmap;
use object::elf::STB_LOCAL;
use object::read::elf::{ElfFile64, SectionHeader};
use object::{Object, ObjectKind, ObjectSection, ObjectSymbol};

use super::paths::file_name;
use super::producer;
use crate::arch::Arch;
use crate::dwarf::load::DebugInfo;
use crate::elf::header::{self, Sort};
use crate::model::Language;

/// An object, or a kernel: a valid ELF file for a supported machine.
pub struct ObjectFile<'d> {
    /// `c_helper.o`
    pub name: String,
    /// Where it was read from.
    pub path: PathBuf,
    pub data: &'d [u8],
    pub arch: &'static Arch,
    pub file: ElfFile64<'d>,
    /// The debug information, uncompressed.
    pub debug: DebugInfo<'d>,
    pub language: Language,
}

impl<'d> ObjectFile<'d> {
    /// The symbols that it defines for other objects.
    pub fn globals(&self) -> impl Iterator<Item = ElfSymbol<'d, '_>> {
        let symbols = self.file.symbols();
        symbols.filter(|one| !one.is_undefined() && one.elf_symbol().st_bind() != STB_LOCAL)
    }

    /// Whether it is a kernel, whose symbols have their final addresses.
    pub fn is_linked(&self) -> bool {
        self.file.kind() != ObjectKind::Relocatable
    }

    /// The BTF of a kernel without DWARF.
    pub fn btf(&self) -> Option<&'d [u8]> {
        let without_dwarf = self.is_linked() && self.file.section_by_name(".debug_info").is_none();
        let section = self.file.section_by_name(".BTF").filter(|_| without_dwarf);
        section?.data().ok()
    }

    /// Whether gcc compiled a kernel, by the configuration in its build directory.
    pub fn was_built_by_gcc(&self) -> bool {
        let config = self.path.with_file_name("include/config/auto.conf");
        fs::read_to_string(config)
            .is_ok_and(|text| text.lines().any(|line| line == "CONFIG_CC_IS_GCC=y"))
    }
}

/// A file, mapped into memory.
pub struct MappedFile {
    path: PathBuf,
    map: Mmap,
}

impl MappedFile {
    /// Maps a regular, non-empty file.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        // Checked before opening: open() blocks on a pipe without a writer.
        let about = fs::metadata(path).with_context(cannot)?;
        if !about.is_file() {
            return Err(
                Diagnostic::new(format!("{} is not a regular file", path.display()))
                    .help("pass a .ko, .o files, or a module's build directory")
                    .into(),
            );
        }
        if about.len() == 0 {
            return Err(Diagnostic::new(format!("{} is empty", path.display()))
                .help("build the module again: the compiler was probably interrupted")
                .into());
        }
        let file = File::open(path).with_context(cannot)?;
        // SAFETY: the map is only read. If a build truncates the file meanwhile, this program gets
        // SIGBUS, as any other that maps a file which the linker is writing.
        let map = unsafe { Mmap::map(&file) }.with_context(cannot)?;
        Ok(MappedFile {
            path: path.to_owned(),
            map,
        })
    }

    /// Whether it is LLVM bitcode (`CONFIG_LTO_CLANG`).
    pub fn is_bitcode(&self) -> bool {
        header::is_bitcode(&self.map)
    }

    /// Why bitcode is not read.
    pub fn as_bitcode(&self) -> String {
        format!(
            "{} is LLVM bitcode: its symbols are only known once it is linked\n  help: build it \
             without CONFIG_LTO_CLANG",
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
        let (file, arch) = header::parse(&self.path, data, sort)?;
        let debug = DebugInfo::of(&file, arch);
        Ok(ObjectFile {
            name: file_name(&self.path),
            path: self.path.clone(),
            data,
            arch,
            language: producer::language(&file, &debug),
            file,
            debug,
        })
    }
}

pub type ElfSymbol<'d, 'f> = object::read::elf::ElfSymbol64<'d, 'f>;

/// The name of a symbol, with U+FFFD for bytes that are not UTF-8.
pub fn name_of(symbol: &ElfSymbol<'_, '_>) -> String {
    String::from_utf8_lossy(symbol.name_bytes().unwrap_or_default()).into_owned()
}

/// `sh_type`
pub fn kind_of(object: &ObjectFile<'_>, section: &object::read::elf::ElfSection64<'_, '_>) -> u32 {
    section.elf_section_header().sh_type(object.file.endian())
}
