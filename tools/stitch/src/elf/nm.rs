//! The letters of nm, as GNU nm chooses them for an ELF file.

use object::elf::{
    SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHN_ABS, SHN_COMMON, SHN_UNDEF, SHT_NOBITS, STB_GLOBAL,
    STB_GNU_UNIQUE, STB_LOCAL, STB_WEAK, STT_FILE, STT_GNU_IFUNC, STT_OBJECT, STT_SECTION,
};

/// What nm looks at.
#[derive(Debug, Clone, Copy)]
pub struct NmSymbol<'a> {
    /// `STB_*`
    pub binding: u8,
    /// `STT_*`
    pub kind: u8,
    /// `st_shndx`
    pub index: u16,
    /// Of the section that defines it: name, `sh_type`, `sh_flags`.
    pub section: Option<(&'a str, u32, u64)>,
}

impl NmSymbol<'_> {
    /// Whether nm leaves it out: names of files and sections.
    pub fn hidden(&self) -> bool {
        matches!(self.kind, STT_FILE | STT_SECTION)
    }

    /// As the manual of nm has it: `T` for a function that others may use, `t` for one that they
    /// may not, `U` for a symbol that others have to define, and so on.
    pub fn letter(&self) -> char {
        let object = self.kind == STT_OBJECT;
        match (self.index, self.binding) {
            (SHN_COMMON, _) => return 'C',
            (SHN_UNDEF, STB_WEAK) => return if object { 'v' } else { 'w' },
            (SHN_UNDEF, _) => return 'U',
            _ => {}
        }
        if self.kind == STT_GNU_IFUNC {
            return 'i';
        }
        let small = match self.binding {
            STB_WEAK => return if object { 'V' } else { 'W' },
            STB_GNU_UNIQUE => return 'u',
            STB_LOCAL | STB_GLOBAL => self.of_section(),
            _ => return '?',
        };
        match self.binding {
            STB_GLOBAL => small.to_ascii_uppercase(),
            _ => small,
        }
    }

    fn of_section(&self) -> char {
        if self.index == SHN_ABS {
            return 'a';
        }
        let Some((name, kind, flags)) = self.section else {
            return '?';
        };
        let has = |flag: u32| flags & u64::from(flag) != 0;
        let debug = [".debug", ".zdebug", ".line", ".stab", ".gdb_index"];
        match () {
            () if has(SHF_EXECINSTR) => 't',
            () if has(SHF_ALLOC) && kind != SHT_NOBITS && has(SHF_WRITE) => 'd',
            () if has(SHF_ALLOC) && kind != SHT_NOBITS => 'r',
            () if kind == SHT_NOBITS => 'b',
            () if debug.iter().any(|begin| name.starts_with(begin)) => 'N',
            () if !has(SHF_WRITE) => 'n',
            () => '?',
        }
    }
}

/// What the letters mean, for those who have not met them: (letter, meaning).
pub const MEANINGS: &[(char, &str)] = &[
    ('T', "a function"),
    ('D', "data with a value"),
    ('B', "data that begins as zeros"),
    ('R', "a constant"),
    ('V', "data that another definition may replace"),
    ('W', "a function that another definition may replace"),
    ('C', "data that the linker merges with its namesakes"),
    ('A', "a number, no place in memory"),
    ('N', "in a section for debuggers or tools"),
    ('I', "a function that is chosen when it is first called"),
    ('U', "needed: others have to define it"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters() {
        let letter = |binding, index, kind, flags| {
            NmSymbol {
                binding,
                kind: STT_OBJECT,
                index,
                section: Some((".x", kind, flags)),
            }
            .letter()
        };
        assert_eq!(letter(STB_GLOBAL, 1, 1, 6), 'T');
        assert_eq!(letter(STB_LOCAL, 1, 1, 6), 't');
        assert_eq!(letter(STB_GLOBAL, 1, 1, 2), 'R');
        assert_eq!(letter(STB_LOCAL, 1, 1, 3), 'd');
        assert_eq!(letter(STB_LOCAL, 1, SHT_NOBITS, 3), 'b');
        assert_eq!(letter(STB_WEAK, 1, 1, 3), 'V');
        assert_eq!(letter(STB_WEAK, SHN_UNDEF, 1, 3), 'v');
        assert_eq!(letter(STB_GLOBAL, SHN_UNDEF, 1, 3), 'U');
        assert_eq!(letter(STB_LOCAL, SHN_ABS, 1, 3), 'a');
        assert_eq!(letter(STB_LOCAL, 1, 1, 0), 'n');
        assert_eq!(letter(7, 1, 1, 0), '?');
    }
}
