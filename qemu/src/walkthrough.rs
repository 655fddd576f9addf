//! The walkthrough with the toolchain's compilers, which are the same on every host.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use trouble::Trouble;

use crate::cache::Cache;
use crate::exit::Exit;
use crate::toolchain::Toolchain;

/// `make docs/walkthrough.md`: its page, on standard output.
pub fn page() -> Result<()> {
    let toolchain = Toolchain::provide(&Cache::open()?)?;
    let status = command(&toolchain)?
        .args(["--cc", "gcc", "--markdown"])
        .status()
        .context("cannot start the walkthrough")?;
    if !status.success() {
        return Err(Trouble::new("not all claims of the walkthrough are shown")
            .mend("see which: make walkthrough")
            .exit(Exit::Failed)
            .into());
    }
    Ok(())
}

/// The walkthrough's program in the toolchain, with stitch at hand; without words yet.
pub fn command(toolchain: &Toolchain) -> Result<Command> {
    let mut walkthrough = toolchain.command(beside("walkthrough")?);
    walkthrough.arg("--stitch").arg(beside("stitch")?);
    Ok(walkthrough)
}

/// A program that the Makefile has built beside this one.
fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("where is the lab?")?;
    let program = own.with_file_name(name);
    if !program.is_file() {
        return Err(Trouble::new(format!("{name} is not built"))
            .seen(program.display().to_string())
            .mend(format!("make {name}"))
            .into());
    }
    Ok(program)
}
