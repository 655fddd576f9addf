//! Reduces a compiler command to what affects the meaning of the sources.

use std::path::Path;

/// How to match a flag that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// The exact word.
    Alone,
    /// The exact word, and the next.
    WithNext,
    /// Words with this prefix.
    Beginning,
}

use Keep::{Alone, Beginning, WithNext};

/// Flags of rustc. All others affect the generated code, or write files.
const RUSTC: &[(&str, Keep)] = &[
    ("--edition", WithNext),
    ("--edition=", Beginning),
    ("--cfg", WithNext),
    ("--cfg=", Beginning),
    ("--check-cfg", WithNext),
    ("--check-cfg=", Beginning),
    ("--crate-name", WithNext),
    ("--crate-name=", Beginning),
    ("--extern", WithNext),
    ("--extern=", Beginning),
    ("-L", WithNext),
    ("-L", Beginning),
    ("--target", WithNext),
    ("--target=", Beginning),
    ("--sysroot", WithNext),
    ("--sysroot=", Beginning),
    ("@", Beginning),
    ("-Zcrate-attr=", Beginning),
    ("-Zallow-features=", Beginning),
    ("-Zunstable-options", Alone),
    ("-Ctarget-cpu=", Beginning),
    ("-Ctarget-feature=", Beginning),
    ("-Cpanic=", Beginning),
    ("-Cdebug-assertions", Beginning),
    ("-Coverflow-checks", Beginning),
];

/// Flags of clang and GCC.
const C: &[(&str, Keep)] = &[
    ("-D", WithNext),
    ("-D", Beginning),
    ("-U", WithNext),
    ("-U", Beginning),
    ("-I", WithNext),
    ("-I", Beginning),
    ("-include", WithNext),
    ("-imacros", WithNext),
    ("-isystem", WithNext),
    ("-iquote", WithNext),
    ("-idirafter", WithNext),
    ("-nostdinc", Alone),
    ("-undef", Alone),
    ("-ansi", Alone),
    ("-std=", Beginning),
    ("-O", Beginning),
    ("-m", Beginning),
    ("-target", WithNext),
    ("--target=", Beginning),
    ("--sysroot=", Beginning),
    ("-fsigned-char", Alone),
    ("-funsigned-char", Alone),
    ("-fno-signed-char", Alone),
    ("-fno-unsigned-char", Alone),
    ("-fsigned-bitfields", Alone),
    ("-funsigned-bitfields", Alone),
    ("-fshort-enums", Alone),
    ("-fno-short-enums", Alone),
    ("-fshort-wchar", Alone),
    ("-fno-short-wchar", Alone),
    ("-fpack-struct", Beginning),
    ("-fms-", Beginning),
    ("-fplan9-extensions", Alone),
    ("-fgnu89-inline", Alone),
    ("-ffreestanding", Alone),
    ("-fhosted", Alone),
    ("-fno-builtin", Beginning),
    ("-fsanitize=", Beginning),
    ("-fcf-protection", Beginning),
    ("-fPIC", Alone),
    ("-fpic", Alone),
    ("-fno-PIE", Alone),
    ("-fno-pie", Alone),
    ("-fno-pic", Alone),
];

/// Variables that the sources or rustc may read.
const ENVIRONMENT: &[&str] = &["OBJTREE", "RUST_MODFILE"];

/// A reduced command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Flags.
    pub flags: Vec<String>,
    /// Whether it optimises (`-Copt-level`), which disables `cfg(debug_assertions)`.
    pub optimised: bool,
}

/// Reduces a command of rustc for this source.
pub fn rustc(words: &[String], source: &str) -> Invocation {
    let mut invocation = of(words, source, RUSTC, &["rustc", "clippy-driver"]);
    let mut level = words
        .iter()
        .filter_map(|word| word.strip_prefix("-Copt-level="));
    invocation.optimised = level.next_back().is_some_and(|level| level != "0")
        || words.iter().any(|word| word == "-O");
    invocation
}

/// Reduces a command of clang or GCC for this source.
pub fn c(words: &[String], source: &str) -> Invocation {
    of(words, source, C, &["clang", "gcc", "cc"])
}

fn of(words: &[String], source: &str, table: &[(&str, Keep)], programs: &[&str]) -> Invocation {
    let mut invocation = Invocation::default();
    let is_program = |word: &String| {
        let name = Path::new(word)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        // `x86_64-linux-gnu-gcc-14`, `clang-19`
        let mut parts = name
            .split('-')
            .filter(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
        programs.contains(&&*name)
            || parts
                .next_back()
                .is_some_and(|last| programs.contains(&last))
    };
    let source_at = words
        .iter()
        .position(|word| word == source || word.ends_with(&format!("/{source}")));
    let end = source_at.unwrap_or(words.len());
    // Wrappers may come first: ccache, env.
    let start = words
        .iter()
        .take(end)
        .rposition(is_program)
        .map_or(0, |at| at + 1);
    for word in words.iter().take(start) {
        if let Some((name, value)) = word.split_once('=') {
            if ENVIRONMENT.contains(&name) {
                invocation
                    .environment
                    .push((name.to_owned(), value.to_owned()));
            }
        }
    }
    let mut rest = words
        .iter()
        .skip(start)
        .take_while(|word| !word.starts_with(';') && *word != "&&");
    while let Some(word) = rest.next() {
        let ends = word.ends_with(';');
        let word = word.trim_end_matches(';');
        let found = table.iter().find(|(flag, keep)| match keep {
            Alone | WithNext => word == *flag,
            Beginning => word.starts_with(flag),
        });
        if let Some((_, keep)) = found {
            invocation.flags.push(word.to_owned());
            if *keep == WithNext {
                invocation.flags.extend(rest.next().cloned());
            }
        }
        if ends {
            break;
        }
    }
    invocation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn of_rustc() {
        let command = "A=1 RUST_MODFILE=./m ccache rustc --edition=2021 \
                       -Wmissing_docs -Copt-level=2 --cfg MODULE @x/rustc_cfg --extern kernel -L \
                       k/rust --out-dir . --emit=llvm-bc=m.bc m.rs ;llvm-link --cfg no";
        let invocation = rustc(&words(command), "m.rs");
        let environment = [("RUST_MODFILE".to_owned(), "./m".to_owned())];
        assert_eq!(invocation.environment, environment);
        let flags = "--edition=2021 --cfg MODULE @x/rustc_cfg --extern kernel -L k/rust";
        assert_eq!(invocation.flags, words(flags));
        assert!(invocation.optimised);
    }

    #[test]
    fn of_c() {
        let command = "ccache x86_64-linux-gnu-gcc-14 -Wp,-MMD,.a.d -nostdinc -I k/include \
                       -include k/kconfig.h -DX=1 -fplugin=evil.so -fdump-tree-all -g -O2 -c -o \
                       a.o sub/a.c ; ./objtool -DNO a.o";
        let invocation = c(&words(command), "a.c");
        let flags = "-nostdinc -I k/include -include k/kconfig.h -DX=1 -O2";
        assert_eq!(invocation.flags, words(flags));
    }
}
