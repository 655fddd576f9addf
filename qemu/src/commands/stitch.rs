//! `make stitch`: what crosses between the objects of a module.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use super::lab::Lab;
use crate::kernel::load::built_in;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// Asks the compilers what the objects do not record.
const PROBE: &str = "--probe";

/// Builds the module and reports on it, in the toolchain: only there are the compilers that built it.
pub fn stitch(settings: &Settings, words: &[String]) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    let lab = Lab::provide(settings, settings.flavour())?;
    let module = lab.module(&sources)?;

    let own = env::current_exe().context("cannot find the lab's own program")?;
    let programs = own.parent().unwrap_or(Path::new("/"));
    // Pictures and pages are written to where the user is, or to /tmp.
    let here = env::current_dir().context("cannot find the current folder")?;
    let folders = [programs, &here, Path::new("/tmp")];
    let status = lab
        .toolchain
        .command_in(&here, &folders, programs.join("stitch"))
        .arg("report")
        .args(lists_in(module.dir()))
        .arg("--symvers")
        .arg(lab.kernel.dir.join("Module.symvers"))
        .args((!words.iter().any(|word| word == PROBE)).then_some(PROBE))
        .args(words)
        .status()
        .context("cannot start bwrap")?;
    if status.success() {
        return Ok(());
    }
    Err(Diagnostic::new(format!("stitch failed: {status}"))
        .note("its message is above")
        .into())
}

/// Kbuild's lists of the objects of each module, which may be in a subfolder.
fn lists_in(folder: &Path) -> Vec<PathBuf> {
    let modules = built_in(folder).into_iter();
    modules.map(|ko| ko.with_extension("mod")).collect()
}
