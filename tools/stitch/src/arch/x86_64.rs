//! x86-64.

use gimli::DwCc;
use object::elf::{
    EM_X86_64, R_X86_64_32, R_X86_64_32S, R_X86_64_64, R_X86_64_DTPOFF32, R_X86_64_DTPOFF64,
};

use super::{Arch, Convention, Relocations};
use crate::types::classes::system_v::SystemV;

/// `DW_CC_LLVM_X86_64SysV`: llvm/include/llvm/BinaryFormat/Dwarf.def
const LLVM_SYSTEM_V: DwCc = DwCc(0xc2);

/// By the System V psABI for x86-64.
pub static X86_64: Arch = Arch {
    name: "x86-64",
    machine: EM_X86_64,
    relocations: Relocations {
        prefix: "R_X86_64_",
        // Section 4.4.1.
        names: &[(
            0,
            "NONE 64 PC32 GOT32 PLT32 COPY GLOB_DAT JUMP_SLOT RELATIVE GOTPCREL 32 32S 16 PC16 8 PC8 \
             DTPMOD64 DTPOFF64 TPOFF64 TLSGD TLSLD DTPOFF32 GOTTPOFF TPOFF32 PC64 GOTOFF64 GOTPC32 \
             GOT64 GOTPCREL64 GOTPC64 GOTPLT64 PLTOFF64 SIZE32 SIZE64 GOTPC32_TLSDESC TLSDESC_CALL \
             TLSDESC IRELATIVE RELATIVE64 PC32_BND PLT32_BND GOTPCRELX REX_GOTPCRELX",
        )],
        addresses: &[R_X86_64_64, R_X86_64_32, R_X86_64_32S],
        thread_offsets: &[R_X86_64_DTPOFF32, R_X86_64_DTPOFF64],
    },
    convention: Convention {
        name: "System V",
        calls: &SystemV,
        // The psABI does not say who extends.
        caller_extends: true,
        recorded: Some(LLVM_SYSTEM_V),
        in_rust: &["C", "cdecl", "system", "sysv64"],
        attribute: Some("sysv_abi"),
    },
    x87_long_double: true,
    marks: &[],
};
