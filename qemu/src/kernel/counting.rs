//! Modules that count how often each of their lines runs, for `make coverage`.
//!
//! rustc and clang both have LLVM count, in the same format: the finished module has the counters of its
//! Rust and of its C, and what says which line each of them is for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::arch::Arch;
use host::cache;
use host::toolchain::Toolchain;

use super::flavour::{Compiler, Flavour};
use super::sources::{Files, Sources};

/// The linker script, and its name in the module's build folder.
const SECTIONS: (&str, &str) = (
    "lab.coverage.lds",
    include_str!("../../guest/coverage/sections.lds"),
);

/// A hook for LLVM's runtime, which rustc mentions if its target has no operating system, as on arm64. The
/// linker script defines it; this has modpost know that.
const HOOK: (&str, &str) = (
    "lab.coverage.symbols",
    "0x00000000\t__llvm_profile_runtime\tvmlinux\tEXPORT_SYMBOL\t\n",
);

/// clang would call a function of its own runtime for each count.
const ON_ARM64: &str = "-mno-outline-atomics";

/// For the C half. Counters of several tasks at once must not lose anything: LLVM calculates others from
/// them.
const C: &str = "-fprofile-instr-generate -fcoverage-mapping -fprofile-update=atomic";

/// The same for the Rust half; there is no runtime in the kernel that would write a file.
const RUST: &str = "-Cinstrument-coverage -Zno-profiler-runtime \
                    -Cllvm-args=-instrprof-atomic-counter-update-all";

/// What llvm-strip removes for a guest: debug information, and which line each counter is for, with a symbol
/// for each inline function of the kernel's headers.
pub const STRIP: &[&str] = &[
    "--strip-debug",
    "--remove-section=__llvm_covfun",
    "--remove-section=__llvm_covmap",
    "--remove-section=.llvm_addrsig",
];

/// The module that reads the counters in the guest.
pub const RECORDER: Sources = Sources {
    name: "lab_coverage",
    files: Files::Listed(&[
        ("qemu/guest/coverage/Kbuild", "Kbuild"),
        ("qemu/guest/coverage/lab_coverage.c", "lab_coverage.c"),
        ("qemu/guest/coverage/llvm_profile.h", "llvm_profile.h"),
    ]),
    fused: false,
};

/// Writes what the build needs into the module's build folder; returns more words for its make.
pub fn words(dir: &Path, arch: Arch) -> Result<Vec<String>> {
    let write = |(name, text): (&str, &str)| -> Result<PathBuf> {
        let file = dir.join(name);
        if !cache::holds(&file, text) {
            cache::write_whole(&file, text.as_bytes())?;
        }
        Ok(file)
    };
    let script = write(SECTIONS)?;
    let mut words = vec![
        format!("KRUSTFLAGS={RUST}"),
        format!("LDFLAGS_MODULE=-T {}", script.display()),
    ];
    match arch {
        Arch::X86 => words.push(format!("KCFLAGS={C}")),
        Arch::Arm64 => {
            words.push(format!("KCFLAGS={C} {ON_ARM64}"));
            words.push(format!("KBUILD_EXTRA_SYMBOLS={}", write(HOOK)?.display()));
        }
    }
    Ok(words)
}

/// # Errors
///
/// When modules for this kernel cannot count in both halves.
pub fn must_be_possible(flavour: &Flavour) -> Result<()> {
    if flavour.compiler == Compiler::Clang {
        return Ok(());
    }
    Err(Diagnostic::new("coverage needs a kernel built by clang")
        .note(format!(
            "{} is built by gcc, which counts in a format of its own; rustc and clang share LLVM's",
            flavour.name()
        ))
        .help("make coverage, without CC=gcc, and with KERNEL=7.3 instead of a stock kernel")
        .into())
}

/// # Errors
///
/// When the halves count in different formats, which change with LLVM's major version.
pub fn must_be_one_llvm(toolchain: &Toolchain) -> Result<()> {
    let rustc = said(toolchain, "rustc", "-vV")?;
    let clang = said(toolchain, "clang", "--version")?;
    match (
        major(&rustc, "LLVM version: "),
        major(&clang, "clang version "),
    ) {
        (Some(of_rustc), Some(of_clang)) if of_rustc == of_clang => Ok(()),
        (of_rustc, of_clang) => {
            let name = |major: Option<u32>| {
                major.map_or("an unknown version".to_owned(), |it| it.to_string())
            };
            Err(Diagnostic::new(
                "rustc and clang do not have the same LLVM, so they count in different formats",
            )
            .note(format!(
                "rustc has LLVM {}, clang {}",
                name(of_rustc),
                name(of_clang)
            ))
            .help(toolchain.renewal())
            .into())
        }
    }
}

fn said(toolchain: &Toolchain, program: &str, option: &str) -> Result<String> {
    let output = toolchain.command(program).arg(option).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first number after these words.
fn major(text: &str, before: &str) -> Option<u32> {
    let (_, version) = text.split_once(before)?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_llvm() {
        let rustc = "rustc 1.85.1 (4eb161250 2025-03-15)\nhost: x86_64-unknown-linux-gnu\n\
                     release: 1.85.1\nLLVM version: 19.1.7\n";
        assert_eq!(major(rustc, "LLVM version: "), Some(19));
        let clang = "Debian clang version 20.1.2 (3+b1)\nTarget: x86_64-pc-linux-gnu\n";
        assert_eq!(major(clang, "clang version "), Some(20));
        assert_eq!(
            major("gcc (Debian 14.2.0-19) 14.2.0\n", "clang version "),
            None
        );
    }
}
