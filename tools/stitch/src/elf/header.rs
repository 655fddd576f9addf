//! Is this file an object that stitch can read? And how ELF's numbers are called.

use std::path::Path;

use diagnostic::Diagnostic;
use object::elf::{ELFCLASS64, ELFDATA2LSB, EM_X86_64, ET_DYN, ET_EXEC, ET_REL};
use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::{Endianness, Object, ObjectSymbol};

const BITCODE: &str = "LLVM bitcode";

/// The files that people give instead of an object: (how they begin, what they are, what to do).
const OTHERS: &[(&[u8], &str, &str)] = &[
    (
        b"!<arch>\n",
        "an archive of objects",
        "ar x FILE in an empty folder, and give the .o files that it leaves",
    ),
    (
        b"!<thin>\n",
        "a thin archive, which only names its objects",
        "give the .o files that `ar t FILE` lists",
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
        "give the object that the compiler made of it: llc -filetype=obj FILE",
    ),
    (
        b"\xde\xc0\x17\x0b",
        BITCODE,
        "give the object that the compiler made of it: llc -filetype=obj FILE",
    ),
];

/// What else ELF files are for: (`e_machine`, its name).
const MACHINES: &[(u16, &str)] = &[
    (3, "x86, 32 bits"),
    (8, "MIPS"),
    (20, "PowerPC"),
    (21, "PowerPC, 64 bits"),
    (22, "s390"),
    (40, "ARM"),
    (183, "AArch64"),
    (243, "RISC-V"),
    (258, "LoongArch"),
];

/// The types of an ELF file that are no object's: (`e_type`, what it is).
const TYPES: &[(u16, &str)] = &[
    (2, "an executable"),
    (3, "a shared library or an executable"),
    (4, "a core dump"),
];

/// Longer than any compiler's; the kernel itself gives up at 512.
const LONGEST_NAME: usize = 16 * 1024;

/// What a file has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Not linked yet.
    Object,
    /// The kernel, linked.
    Kernel,
}

/// Reads an object's headers; what is no object for x86-64, or half of one, is told as such.
pub fn parse<'d>(path: &Path, data: &'d [u8], sort: Sort) -> Result<ElfFile64<'d>, Diagnostic> {
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
        return Err(is("no ELF file").help("give a .ko, .o files, or a module's build folder"));
    }
    let x86 = "stitch reads modules for x86-64; give it one of those";
    match byte(4) {
        Some(ELFCLASS64) => {}
        Some(1) => return Err(is("an ELF file of 32 bits").help(x86)),
        _ => return Err(damaged("its class is neither 32 nor 64 bits".to_owned())),
    }
    match byte(5) {
        Some(ELFDATA2LSB) => {}
        Some(2) => return Err(is("an ELF file of a big-endian machine").help(x86)),
        _ => return Err(damaged("its byte order is none".to_owned())),
    }
    match half(18) {
        Some(EM_X86_64) => {}
        Some(machine) => {
            let name = named(MACHINES, machine).map_or(format!("machine {machine}"), String::from);
            return Err(is(&format!("for {name}")).help(x86));
        }
        None => return Err(damaged("it ends in its header".to_owned())),
    }
    match half(16) {
        Some(ET_REL) if sort == Sort::Object => {}
        Some(ET_EXEC | ET_DYN) if sort == Sort::Kernel => {}
        Some(ET_REL) => {
            return Err(is("an object, not a kernel").help("give the vmlinux of the kernel's build"))
        }
        Some(kind) => {
            let name = named(TYPES, kind).unwrap_or("of a type that ELF does not know");
            return Err(is(&format!("{name}, not an object"))
                .help("give the .o files that it was linked from, or a .ko"));
        }
        None => return Err(damaged("it ends in its header".to_owned())),
    }

    let parsed = ElfFile64::<Endianness>::parse(data).map_err(|why| damaged(why.to_string()))?;
    whole(&parsed, data).map_err(damaged)?;
    Ok(parsed)
}

/// Whether it is LLVM bitcode, by itself or in a wrapper.
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

/// Whether all that the headers promise is there, so that nothing else has to doubt it.
fn whole(file: &ElfFile64<'_>, data: &[u8]) -> Result<(), String> {
    let endian = file.endian();
    if file.elf_header().e_shoff(endian) == 0 || file.elf_section_table().is_empty() {
        return Err("it has no sections".to_owned());
    }
    // Sections that overlap could have the same bytes read a thousand times.
    let mut bytes = (data.len() as u64).saturating_mul(2);
    for (index, section) in file.elf_section_table().enumerate() {
        if let Some((from, size)) = section.file_range(endian) {
            let end = from.checked_add(size);
            if end.is_none_or(|end| end > data.len() as u64) {
                return Err(format!(
                    "section {index} ends behind byte {}, where the file ends",
                    data.len()
                ));
            }
            bytes = bytes
                .checked_sub(size)
                .ok_or("its sections are larger than all of it")?;
        }
        let name = file.elf_section_table().section_name(endian, section);
        if name.is_ok_and(|name| name.len() > LONGEST_NAME) {
            return Err(format!("the name of section {index} has no end"));
        }
    }
    // Overlapping names could make a small file's report a huge one.
    let mut names = data.len().saturating_mul(4);
    for symbol in file.symbols() {
        let length = symbol.name_bytes().map_or(0, <[u8]>::len);
        if length > LONGEST_NAME {
            return Err(format!("a symbol's name is {length} bytes long"));
        }
        names = names
            .checked_sub(length)
            .ok_or("its symbols' names are longer than all of it")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(data: &[u8]) -> String {
        match parse(Path::new("x.o"), data, Sort::Object) {
            Ok(_) => "an object".to_owned(),
            Err(reason) => reason.to_string(),
        }
    }

    #[test]
    fn what_is_no_object() {
        assert!(told(b"!<arch>\nabc").contains("an archive"));
        assert!(told(b"\xfd7zXZ\0abc").contains("help: xz --decompress --keep x.o"));
        assert!(told(b"\x28\xb5\x2f\xfdabc").contains("zstd"));
        assert!(told(b"hello").contains("no ELF file"));
        assert!(told(b"\x7fELF\x01\x01").contains("32 bits"));
        assert!(told(b"\x7fELF\x02\x02").contains("big-endian"));
        assert!(told(b"\x7fELF\x02\x01").contains("it ends in its header"));
        let mut header = [0; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (header[16], header[18]) = (1, 183);
        assert!(told(&header).contains("AArch64"));
        (header[16], header[18]) = (2, 62);
        assert!(told(&header).contains("an executable"));
        header[16] = 1;
        assert!(told(&header).contains("damaged"));
    }
}
