//! The letters by which GNU nm shows the type of a symbol.

use object::elf::{
    SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHN_ABS, SHN_COMMON, SHN_UNDEF, SHT_NOBITS, STB_GLOBAL,
    STB_GNU_UNIQUE, STB_LOCAL, STB_WEAK, STT_FILE, STT_GNU_IFUNC, STT_OBJECT, STT_SECTION,
};

/// The properties of a symbol that determine its letter.
#[derive(Debug, Clone, Copy)]
pub struct NmSymbol<'a> {
    /// `STB_*`
    pub binding: u8,
    /// `STT_*`
    pub kind: u8,
    /// `st_shndx`
    pub index: u16,
    /// Its section: name, `sh_type`, `sh_flags`.
    pub section: Option<(&'a str, u32, u64)>,
}

impl NmSymbol<'_> {
    /// Whether nm omits it: file and section symbols.
    pub fn hidden(&self) -> bool {
        matches!(self.kind, STT_FILE | STT_SECTION)
    }

    /// The letter, as in nm(1): `T` for a global function, `t` for a local one, `U` for an undefined
    /// symbol, and so on.
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
        if has(SHF_EXECINSTR) {
            't'
        } else if kind == SHT_NOBITS {
            'b'
        } else if has(SHF_ALLOC) {
            if has(SHF_WRITE) {
                'd'
            } else {
                'r'
            }
        } else if debug.iter().any(|begin| name.starts_with(begin)) {
            'N'
        } else if !has(SHF_WRITE) {
            'n'
        } else {
            '?'
        }
    }
}

/// What the letters mean: (letter, meaning).
pub const MEANINGS: &[(char, &str)] = &[
    ('T', "a function"),
    ('D', "initialised data"),
    ('B', "zero-initialised data"),
    ('R', "read-only data"),
    ('V', "weak data"),
    ('W', "a weak function"),
    (
        'C',
        "common data: the linker merges symbols of the same name",
    ),
    ('A', "an absolute value"),
    ('N', "in a section that is not loaded"),
    ('I', "an indirect function"),
    ('U', "undefined: another object has to define it"),
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
