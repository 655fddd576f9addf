//! Kinds of sections.

use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS};
use object::SectionFlags;

/// The kind of a section: `text`, `rodata`, `data`, `bss`, `debug` or `other`.
///
/// As for the kernel's module loader, only the flags count. Sections named `.discard…` are allocated,
/// but the linker script of modules discards them.
pub fn section_kind(name: &str, kind: u32, flags: u64) -> &'static str {
    let has = |flag: u32| flags & u64::from(flag) != 0;
    if !has(SHF_ALLOC) && is_debug(name) {
        "debug"
    } else if !has(SHF_ALLOC) || name.starts_with(".discard") {
        "other"
    } else if has(SHF_EXECINSTR) {
        "text"
    } else if kind == SHT_NOBITS {
        "bss"
    } else if has(SHF_WRITE) {
        "data"
    } else {
        "rodata"
    }
}

/// Whether it has debug information.
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
