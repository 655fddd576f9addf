//! Checks that a file is a valid ELF object for a supported machine, and says what it is otherwise.

use std::path::Path;

use diagnostic::Diagnostic;
use object::elf::{ELFCLASS64, ELFDATA2LSB, ET_DYN, ET_EXEC, ET_REL};
use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::{Endianness, Object, ObjectSymbol};

use crate::arch::{self, Arch};

const BITCODE: &str = "LLVM bitcode";

/// Files that are often given instead of an object: (first bytes, what it is, help).
const OTHERS: &[(&[u8], &str, &str)] = &[
    (
        b"!<arch>\n",
        "an archive of objects",
        "unpack it by `ar x FILE` in an empty directory, and pass the .o files",
    ),
    (
        b"!<thin>\n",
        "a thin archive, which has only the names of its objects",
        "pass the .o files that `ar t FILE` lists",
    ),
    (
        b"\xfd7zXZ\0",
        "compressed by xz",
        "xz --decompress --keep FILE",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "compressed by zstd",
        "zstd --decompress FILE",
    ),
    (
        b"\x1f\x8b",
        "compressed by gzip",
        "gzip --decompress --keep FILE",
    ),
    (
        b"BC\xc0\xde",
        BITCODE,
        "compile it to an object: llc -filetype=obj FILE",
    ),
    (
        b"\xde\xc0\x17\x0b",
        BITCODE,
        "compile it to an object: llc -filetype=obj FILE",
    ),
];

/// Other machines: (`e_machine`, name).
const MACHINES: &[(u16, &str)] = &[
    (3, "x86, 32 bits"),
    (8, "MIPS"),
    (20, "PowerPC"),
    (21, "PowerPC, 64 bits"),
    (22, "s390"),
    (40, "ARM"),
    (243, "RISC-V"),
    (258, "LoongArch"),
];

/// ELF files that are not objects: (`e_type`, what it is).
const TYPES: &[(u16, &str)] = &[
    (2, "an executable"),
    (3, "a shared library or an executable"),
    (4, "a core dump"),
];

/// Longer than any real name: the kernel's limit is 512.
const LONGEST_NAME: usize = 16 * 1024;

/// The expected sort of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Relocatable.
    Object,
    /// A linked kernel.
    Kernel,
}

/// Parses the headers of an object, and checks all that later code relies on.
pub fn parse<'d>(
    path: &Path,
    data: &'d [u8],
    sort: Sort,
) -> Result<(ElfFile64<'d>, &'static Arch), Diagnostic> {
    let file = path.display();
    let is = |what: &str| Diagnostic::new(format!("{file} is {what}"));
    let damaged = |why: String| {
        Diagnostic::new(format!("{file} is damaged or cut short"))
            .note(why)
            .help("build the module again")
    };

    if let Some((_, what, help)) = OTHERS.iter().find(|(begin, ..)| data.starts_with(begin)) {
        return Err(is(what).help(help.replace("FILE", &file.to_string())));
    }
    let byte = |at: usize| data.get(at).copied();
    let half = |at: usize| Some(u16::from_le_bytes([byte(at)?, byte(at + 1)?]));
    if !data.starts_with(b"\x7fELF") {
        return Err(
            is("not an ELF file").help("pass a .ko, .o files, or a module's build directory")
        );
    }
    let supported = || format!("stitch supports modules for {} only", arch::names());
    match byte(4) {
        Some(ELFCLASS64) => {}
        Some(1) => return Err(is("a 32-bit ELF file").help(supported())),
        _ => return Err(damaged("its class is neither 32-bit nor 64-bit".to_owned())),
    }
    match byte(5) {
        Some(ELFDATA2LSB) => {}
        Some(2) => return Err(is("a big-endian ELF file").help(supported())),
        _ => return Err(damaged("its byte order is invalid".to_owned())),
    }
    let Some(machine) = half(18) else {
        return Err(damaged("it ends within its header".to_owned()));
    };
    let Some(arch) = Arch::of(machine) else {
        let name = named(MACHINES, machine).map_or(format!("machine {machine}"), String::from);
        return Err(is(&format!("for {name}")).help(supported()));
    };
    match half(16) {
        Some(ET_REL) if sort == Sort::Object => {}
        Some(ET_EXEC | ET_DYN) if sort == Sort::Kernel => {}
        Some(ET_REL) => {
            return Err(is("an object, not a kernel")
                .help("pass the vmlinux of the kernel's build directory"))
        }
        Some(kind) => {
            let name = named(TYPES, kind).unwrap_or("of an unknown ELF type");
            return Err(is(&format!("{name}, not an object"))
                .help("pass the .o files that it was linked from, or a .ko"));
        }
        None => return Err(damaged("it ends within its header".to_owned())),
    }

    let parsed = ElfFile64::<Endianness>::parse(data).map_err(|why| damaged(why.to_string()))?;
    check(&parsed, data).map_err(damaged)?;
    Ok((parsed, arch))
}

/// Whether it is LLVM bitcode, raw or wrapped.
pub fn is_bitcode(data: &[u8]) -> bool {
    let mut bitcode = OTHERS.iter().filter(|(_, what, _)| *what == BITCODE);
    bitcode.any(|(begin, ..)| data.starts_with(begin))
}

fn named(table: &[(u16, &'static str)], number: u16) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == number)
        .map(|(_, name)| *name)
}

/// Checks that all sections and names are within the file, and not absurdly large.
fn check(file: &ElfFile64<'_>, data: &[u8]) -> Result<(), String> {
    let endian = file.endian();
    if file.elf_header().e_shoff(endian) == 0 || file.elf_section_table().is_empty() {
        return Err("it has no sections".to_owned());
    }
    // Overlapping sections could have the same bytes read thousands of times.
    let mut bytes = (data.len() as u64).saturating_mul(2);
    for (index, section) in file.elf_section_table().enumerate() {
        if let Some((from, size)) = section.file_range(endian) {
            let end = from.checked_add(size);
            if end.is_none_or(|end| end > data.len() as u64) {
                return Err(format!(
                    "section {index} extends past the end of the file at byte {}",
                    data.len()
                ));
            }
            bytes = bytes
                .checked_sub(size)
                .ok_or("its sections are larger than the file")?;
        }
        let name = file.elf_section_table().section_name(endian, section);
        if name.is_ok_and(|name| name.len() > LONGEST_NAME) {
            return Err(format!("the name of section {index} is too long"));
        }
    }
    // Overlapping names could make the report of a small file huge.
    let mut names = data.len().saturating_mul(4);
    for symbol in file.symbols() {
        let length = symbol.name_bytes().map_or(0, <[u8]>::len);
        if length > LONGEST_NAME {
            return Err(format!("a symbol name has {length} bytes"));
        }
        names = names
            .checked_sub(length)
            .ok_or("its symbol names are larger than the file")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(data: &[u8]) -> String {
        match parse(Path::new("x.o"), data, Sort::Object) {
            Ok(_) => "an object".to_owned(),
            Err(reason) => reason.to_string(),
        }
    }

    #[test]
    fn rejects_other_files() {
        assert!(error(b"!<arch>\nabc").contains("an archive"));
        assert!(error(b"\xfd7zXZ\0abc").contains("help: xz --decompress --keep x.o"));
        assert!(error(b"\x28\xb5\x2f\xfdabc").contains("zstd"));
        assert!(error(b"hello").contains("not an ELF file"));
        assert!(error(b"\x7fELF\x01\x01").contains("32-bit"));
        assert!(error(b"\x7fELF\x02\x02").contains("big-endian"));
        assert!(error(b"\x7fELF\x02\x01").contains("it ends within its header"));
        let mut header = [0; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (header[16], header[18]) = (1, 243);
        assert!(error(&header).contains("for RISC-V"));
        assert!(error(&header).contains("for x86-64 and arm64 only"));
        for machine in [62, 183] {
            (header[16], header[18]) = (2, machine);
            assert!(error(&header).contains("an executable"));
            header[16] = 1;
            assert!(error(&header).contains("damaged"));
        }
    }
}
