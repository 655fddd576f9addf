//! The supported architectures. Everything in which they differ is in their tables; the rest of stitch
//! only looks it up.

mod aarch64;
mod x86_64;

use gimli::DwCc;

use crate::types::classes::Calls;

/// An architecture. All are 64-bit, little-endian, and have relocations with addends.
pub struct Arch {
    /// `x86-64`
    pub name: &'static str,
    /// `e_machine`
    pub machine: u16,
    pub relocations: Relocations,
    pub convention: Convention,
    /// Whether C's `long double` has the format of the x87; otherwise it is a quad-precision number.
    pub x87_long_double: bool,
    /// Symbols that only mark code and data, for disassemblers; a `.` and more may follow.
    pub marks: &'static [&'static str],
}

/// The relocations of an architecture, by `r_type`.
pub struct Relocations {
    prefix: &'static str,
    /// Names without the prefix: (number of the first, the names from there).
    names: &'static [(u32, &'static str)],
    /// Those by which debug information has an address, of 32 or 64 bits.
    addresses: &'static [u32],
    /// Those by which it has an offset within the data of a thread.
    thread_offsets: &'static [u32],
}

/// What a relocation in debug information stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Address,
    ThreadOffset,
    Other,
}

/// The calling convention of C, and how compilers record it.
pub struct Convention {
    /// `System V`
    pub name: &'static str,
    /// Where values are passed.
    pub calls: &'static dyn Calls,
    /// Whether clang and rustc rely on the caller to extend integers of less than 32 bits.
    pub caller_extends: bool,
    /// Its number in DWARF, besides `DW_CC_normal`.
    pub recorded: Option<DwCc>,
    /// Its names in Rust: `adjust_abi` in rustc_target/src/spec/mod.rs of 1.85, later abi_map.rs beside it.
    pub in_rust: &'static [&'static str],
    /// GCC's attribute for it, if GCC has an attribute for that of Windows, too.
    pub attribute: Option<&'static str>,
}

/// All supported architectures.
static ALL: &[&Arch] = &[&x86_64::X86_64, &aarch64::AARCH64];

impl std::fmt::Debug for Arch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Arch {
    /// The architecture with this `e_machine`.
    pub fn of(machine: u16) -> Option<&'static Arch> {
        ALL.iter().copied().find(|arch| arch.machine == machine)
    }

    /// Whether a symbol only marks code or data.
    pub fn is_mark(&self, symbol: &str) -> bool {
        let (mark, _) = symbol.split_once('.').unwrap_or((symbol, ""));
        self.marks.contains(&mark)
    }
}

/// `x86-64 and arm64`
pub fn names() -> String {
    let names: Vec<&str> = ALL.iter().map(|arch| arch.name).collect();
    names.join(" and ")
}

impl Relocations {
    /// The name of a relocation type: `R_X86_64_PLT32`.
    pub fn name(&self, number: u32) -> String {
        let named = self.names.iter().find_map(|(first, names)| {
            let index = number.checked_sub(*first)?;
            names.split(' ').nth(index as usize)
        });
        match named {
            Some(name) => format!("{}{name}", self.prefix),
            None => format!("{}{number}?", self.prefix),
        }
    }

    /// What a relocation in debug information stands for.
    pub fn stored(&self, number: u32) -> Stored {
        if self.addresses.contains(&number) {
            Stored::Address
        } else if self.thread_offsets.contains(&number) {
            Stored::ThreadOffset
        } else {
            Stored::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::elf::*;

    #[test]
    fn names_of_relocations() {
        for (machine, number, name) in [
            (EM_X86_64, R_X86_64_PLT32, "R_X86_64_PLT32"),
            (EM_X86_64, R_X86_64_PC64, "R_X86_64_PC64"),
            (EM_X86_64, R_X86_64_REX_GOTPCRELX, "R_X86_64_REX_GOTPCRELX"),
            (EM_X86_64, 250, "R_X86_64_250?"),
            (EM_AARCH64, R_AARCH64_NONE, "R_AARCH64_NONE"),
            (EM_AARCH64, 256, "R_AARCH64_NONE"),
            (EM_AARCH64, R_AARCH64_ABS64, "R_AARCH64_ABS64"),
            (EM_AARCH64, R_AARCH64_PREL32, "R_AARCH64_PREL32"),
            (
                EM_AARCH64,
                R_AARCH64_ADR_PREL_PG_HI21,
                "R_AARCH64_ADR_PREL_PG_HI21",
            ),
            (
                EM_AARCH64,
                R_AARCH64_ADD_ABS_LO12_NC,
                "R_AARCH64_ADD_ABS_LO12_NC",
            ),
            (EM_AARCH64, R_AARCH64_CONDBR19, "R_AARCH64_CONDBR19"),
            (EM_AARCH64, 281, "R_AARCH64_281?"),
            (EM_AARCH64, R_AARCH64_CALL26, "R_AARCH64_CALL26"),
            (EM_AARCH64, R_AARCH64_MOVW_PREL_G3, "R_AARCH64_MOVW_PREL_G3"),
            (
                EM_AARCH64,
                R_AARCH64_LDST128_ABS_LO12_NC,
                "R_AARCH64_LDST128_ABS_LO12_NC",
            ),
            (
                EM_AARCH64,
                R_AARCH64_LD64_GOTPAGE_LO15,
                "R_AARCH64_LD64_GOTPAGE_LO15",
            ),
            (
                EM_AARCH64,
                R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC,
                "R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC",
            ),
            (EM_AARCH64, R_AARCH64_TLSDESC_CALL, "R_AARCH64_TLSDESC_CALL"),
            (
                EM_AARCH64,
                R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC,
                "R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC",
            ),
            (EM_AARCH64, R_AARCH64_IRELATIVE, "R_AARCH64_IRELATIVE"),
        ] {
            let arch = Arch::of(machine).expect("a supported machine");
            assert_eq!(arch.relocations.name(number), name);
        }
    }

    #[test]
    fn symbols_that_are_marks() {
        let [x86, arm] = [EM_X86_64, EM_AARCH64].map(|it| Arch::of(it).expect("supported"));
        assert!(["$x", "$d", "$d.17"].iter().all(|name| arm.is_mark(name)));
        assert!(!["x", "$", "$xx", "a.$x", ""]
            .iter()
            .any(|name| arm.is_mark(name)));
        assert!(!x86.is_mark("$x"));
    }
}
