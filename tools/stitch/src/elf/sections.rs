//! Sections of an ELF file.

use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS};
use object::SectionFlags;

/// The kind of a section: `text`, `rodata`, `data`, `bss`, `debug` or `other`.
///
/// By what the kernel's loader does with it: permissions are all that it looks at. What begins
/// with `.discard` is marked as loaded, but the linker script of modules drops it.
pub fn section_kind(name: &str, kind: u32, flags: u64) -> &'static str {
    let has = |flag: u32| flags & u64::from(flag) != 0;
    match () {
        () if !has(SHF_ALLOC) && is_debug(name) => "debug",
        () if !has(SHF_ALLOC) || name.starts_with(".discard") => "other",
        () if has(SHF_EXECINSTR) => "text",
        () if kind == SHT_NOBITS => "bss",
        () if has(SHF_WRITE) => "data",
        () => "rodata",
    }
}

/// Whether a section is for debuggers only.
pub fn is_debug(name: &str) -> bool {
    name.starts_with(".debug_") || name.starts_with(".zdebug_")
}

/// `sh_flags`
pub fn flags_of(flags: SectionFlags) -> u64 {
    match flags {
        SectionFlags::Elf { sh_flags } => sh_flags,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_sections() {
        assert_eq!(section_kind(".text", 1, 6), "text");
        assert_eq!(section_kind(".init.text", 1, 6), "text");
        assert_eq!(section_kind(".rodata.str1.1", 1, 0x32), "rodata");
        assert_eq!(section_kind(".data", 1, 3), "data");
        assert_eq!(section_kind(".bss", 8, 3), "bss");
        assert_eq!(section_kind(".debug_info", 1, 0), "debug");
        assert_eq!(section_kind(".discard.border", 1, 2), "other");
        assert_eq!(section_kind(".comment", 1, 0x30), "other");
    }
}
