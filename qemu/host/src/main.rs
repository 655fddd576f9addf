//! Makes the toolchain while a command runs that does not need it. tools/cargo.sh starts it with cargo,
//! which builds the lab meanwhile.

use std::ffi::OsString;
use std::process::{Command, ExitCode};
use std::thread;

use anyhow::{anyhow, Context, Result};
use host::cache::Cache;
use host::toolchain::Toolchain;

fn main() -> ExitCode {
    match make_during(std::env::args_os().skip(1).collect()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: error: {}", diagnostic::render(&error));
            ExitCode::from(diagnostic::exit_of(&error))
        }
    }
}

/// If the command fails, the toolchain is no longer of use: it is not waited for, and ends with this
/// process.
fn make_during(words: Vec<OsString>) -> Result<ExitCode> {
    let [program, words @ ..] = &words[..] else {
        anyhow::bail!("a command is missing");
    };
    let mut command = Command::new(program)
        .args(words)
        .spawn()
        .with_context(|| format!("cannot start {}", program.to_string_lossy()))?;
    let making = thread::spawn(|| Toolchain::provide(&Cache::open()?));
    let status = command.wait().context("cannot wait for a command")?;
    if !status.success() {
        return Ok(ExitCode::FAILURE);
    }
    making
        .join()
        .map_err(|_| anyhow!("the toolchain was not made"))??;
    Ok(ExitCode::SUCCESS)
}
