//! Turns the addresses in a splat into lines of source.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use host::cache;
use host::toolchain::Toolchain;

use super::callers;
use crate::kernel::build::Kernel;
use crate::kernel::load::{built_in, name_of};

/// A report with its addresses turned into lines of source, as far as the kernel's own
/// `scripts/decode_stacktrace.sh` can. The report itself, if that fails.
pub fn decode(toolchain: &Toolchain, kernel: &Kernel, built: &Path, report: &str) -> String {
    try_decode(toolchain, kernel, built, report).unwrap_or_else(|_| report.to_owned())
}

fn try_decode(
    toolchain: &Toolchain,
    kernel: &Kernel,
    built: &Path,
    report: &str,
) -> Result<String> {
    let modules = linked(toolchain, built)?;
    let vmlinux = kernel.dir.join("vmlinux");
    let report = callers::named(report, &vmlinux, modules.path());
    let input = tempfile::NamedTempFile::new()?;
    for line in report.lines().filter(|line| !line.starts_with("Code: ")) {
        // The disassembly would be longer than everything else.
        writeln!(input.as_file(), "{line}")?;
    }
    let output = toolchain
        .command_in(&kernel.source.dir, &[&kernel.source.dir], "env")
        // LLVM's tools read the objects of both compilers.
        .args(["LLVM=1", "bash", "scripts/decode_stacktrace.sh"])
        .arg(vmlinux)
        .arg("auto")
        .arg(modules.path())
        .stdin(std::fs::File::open(input.path())?)
        .output()?;
    anyhow::ensure!(output.status.success() && !output.stdout.is_empty());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A folder with a linked copy of each .ko, in which the sections do not overlap. In a .ko they all
/// start at address 0, so `.init.text` would be mistaken for `.text`.
fn linked(toolchain: &Toolchain, built: &Path) -> Result<tempfile::TempDir> {
    let folder = cache::scratch_in(&toolchain.cache().join(cache::RUNS))?;
    for ko in built_in(built) {
        toolchain
            .command("ld.lld")
            .args(["--entry=0", "--unresolved-symbols=ignore-all", "-o"])
            .arg(folder.path().join(format!("{}.ko", name_of(&ko))))
            .arg(ko)
            .output()?;
    }
    Ok(folder)
}
