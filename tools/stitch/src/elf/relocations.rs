//! Names of relocations.

/// The relocation types of the x86-64 psABI, by number.
const RELOCATIONS: &str = "\
    NONE 64 PC32 GOT32 PLT32 COPY GLOB_DAT JUMP_SLOT RELATIVE GOTPCREL 32 32S 16 PC16 8 PC8 DTPMOD64 \
    DTPOFF64 TPOFF64 TLSGD TLSLD DTPOFF32 GOTTPOFF TPOFF32 PC64 GOTOFF64 GOTPC32 GOT64 GOTPCREL64 \
    GOTPC64 GOTPLT64 PLTOFF64 SIZE32 SIZE64 GOTPC32_TLSDESC TLSDESC_CALL TLSDESC IRELATIVE RELATIVE64 \
    PC32_BND PLT32_BND GOTPCRELX REX_GOTPCRELX";

/// The name of a relocation type.
pub fn relocation_name(number: u32) -> String {
    match RELOCATIONS.split(' ').nth(number as usize) {
        Some(name) => format!("R_X86_64_{name}"),
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
