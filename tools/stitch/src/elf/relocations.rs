//! Names of relocations.

/// The relocation types of the x86-64 psABI, by number.
const RELOCATIONS: [&str; 43] = [
    "R_X86_64_NONE",
    "R_X86_64_64",
    "R_X86_64_PC32",
    "R_X86_64_GOT32",
    "R_X86_64_PLT32",
    "R_X86_64_COPY",
    "R_X86_64_GLOB_DAT",
    "R_X86_64_JUMP_SLOT",
    "R_X86_64_RELATIVE",
    "R_X86_64_GOTPCREL",
    "R_X86_64_32",
    "R_X86_64_32S",
    "R_X86_64_16",
    "R_X86_64_PC16",
    "R_X86_64_8",
    "R_X86_64_PC8",
    "R_X86_64_DTPMOD64",
    "R_X86_64_DTPOFF64",
    "R_X86_64_TPOFF64",
    "R_X86_64_TLSGD",
    "R_X86_64_TLSLD",
    "R_X86_64_DTPOFF32",
    "R_X86_64_GOTTPOFF",
    "R_X86_64_TPOFF32",
    "R_X86_64_PC64",
    "R_X86_64_GOTOFF64",
    "R_X86_64_GOTPC32",
    "R_X86_64_GOT64",
    "R_X86_64_GOTPCREL64",
    "R_X86_64_GOTPC64",
    "R_X86_64_GOTPLT64",
    "R_X86_64_PLTOFF64",
    "R_X86_64_SIZE32",
    "R_X86_64_SIZE64",
    "R_X86_64_GOTPC32_TLSDESC",
    "R_X86_64_TLSDESC_CALL",
    "R_X86_64_TLSDESC",
    "R_X86_64_IRELATIVE",
    "R_X86_64_RELATIVE64",
    "R_X86_64_PC32_BND",
    "R_X86_64_PLT32_BND",
    "R_X86_64_GOTPCRELX",
    "R_X86_64_REX_GOTPCRELX",
];

/// The name of a relocation type.
pub fn relocation_name(number: u32) -> String {
    match RELOCATIONS.get(number as usize) {
        Some(name) => (*name).to_owned(),
        None => format!("R_X86_64_{number}?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_relocations() {
        assert_eq!(relocation_name(4), "R_X86_64_PLT32");
        assert_eq!(relocation_name(24), "R_X86_64_PC64");
        assert_eq!(relocation_name(42), "R_X86_64_REX_GOTPCRELX");
        assert_eq!(relocation_name(250), "R_X86_64_250?");
    }
}
