//! Which compiler produced an object, from which language.

use object::read::elf::ElfFile64;
use object::{Object, ObjectSection, ObjectSymbol};

use crate::dwarf::load::DebugInfo;
use crate::dwarf::unit::{to_language, CompileUnit};
use crate::model::Language;

/// The language of an object, by its first compile unit, `.comment`, or its symbol names.
pub fn language(file: &ElfFile64<'_>, debug: &DebugInfo<'_>) -> Language {
    debug
        .compile_unit()
        .language
        .and_then(to_language)
        .or_else(|| by_comments(&comments(file)))
        .unwrap_or_else(|| by_symbols(file))
}

/// The compiler of an object, as it names itself.
pub fn compiler(file: &ElfFile64<'_>, unit: &CompileUnit) -> Option<String> {
    unit.producer
        .as_deref()
        .map(shortened)
        .or_else(|| comments(file).into_iter().next())
}

/// Whether it contains any Rust: a linked module has several objects.
pub fn has_rust(file: &ElfFile64<'_>) -> bool {
    by_comments(&comments(file)) == Some(Language::Rust) || by_symbols(file) == Language::Rust
}

/// Whether it was linked from Rust and C, so that crossings within it cannot be seen.
pub fn is_mixed(debug: &DebugInfo<'_>) -> bool {
    let languages = debug.languages();
    languages.contains(&Language::Rust) && languages.contains(&Language::C)
}

/// Whether it has no machine code, but GIMPLE for the linker (`gcc -flto`).
pub fn is_intermediate(file: &ElfFile64<'_>) -> bool {
    let mut symbols = file.symbols();
    symbols.any(|symbol| symbol.name_bytes() == Ok(b"__gnu_lto_slim"))
}

/// rustc comes first: clang compiles the kernel's C helpers into Rust objects.
fn by_comments(comments: &[String]) -> Option<Language> {
    let any = |mark: &str| comments.iter().any(|comment| comment.contains(mark));
    if any("rustc") {
        Some(Language::Rust)
    } else if any("clang") || any("GCC") {
        Some(Language::C)
    } else {
        None
    }
}

/// Only Rust's names are mangled; the rest may be C, assembly, or stripped.
fn by_symbols(file: &ElfFile64<'_>) -> Language {
    let mut defined = file.symbols().filter(|symbol| symbol.is_definition());
    if defined.any(|one| one.name_bytes().is_ok_and(|name| name.starts_with(b"_R"))) {
        Language::Rust
    } else {
        Language::Unknown
    }
}

/// The strings in `.comment`, without duplicates.
fn comments(file: &ElfFile64<'_>) -> Vec<String> {
    const LONGEST: usize = 4096;
    let data = file
        .section_by_name(".comment")
        .and_then(|section| section.data().ok())
        .unwrap_or_default();
    let data = data.get(..LONGEST).unwrap_or(data);
    let mut comments: Vec<String> = Vec::new();
    for comment in data
        .split(|&byte| byte == 0)
        .filter(|text| !text.is_empty())
    {
        let comment = String::from_utf8_lossy(comment).into_owned();
        if !comments.contains(&comment) {
            comments.push(comment);
        }
    }
    comments
}

/// The producer without `clang LLVM (…)` around rustc's version, and without GCC's options.
fn shortened(producer: &str) -> String {
    if let Some(rustc) = producer.strip_prefix("clang LLVM (") {
        return rustc.strip_suffix(')').unwrap_or(rustc).to_owned();
    }
    match producer.find(" -") {
        Some(options) if producer.starts_with("GNU ") => {
            producer.get(..options).unwrap_or(producer).to_owned()
        }
        _ => producer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn producers() {
        assert_eq!(
            shortened("clang LLVM (rustc version 1.85.1 (4eb161250 2025-03-15))"),
            "rustc version 1.85.1 (4eb161250 2025-03-15)"
        );
        assert_eq!(
            shortened("GNU C11 14.2.0 -mno-sse -std=gnu11"),
            "GNU C11 14.2.0"
        );
        assert_eq!(
            shortened("Debian clang version 19.1.7 (3+b1)"),
            "Debian clang version 19.1.7 (3+b1)"
        );
    }

    #[test]
    fn marks_of_compilers() {
        let marks = |marks: &[&str]| {
            let marks: Vec<String> = marks.iter().map(|&mark| mark.to_owned()).collect();
            by_comments(&marks)
        };
        assert_eq!(
            marks(&["clang version 19", "rustc version 1.85"]),
            Some(Language::Rust)
        );
        assert_eq!(marks(&["GCC: (Debian) 14"]), Some(Language::C));
        assert_eq!(marks(&["Linker: LLD"]), None);
    }
}
