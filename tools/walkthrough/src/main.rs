//! Runs the parts of the walkthrough and reports which claims hold.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use diagnostic::Diagnostic;
use walkthrough::host::Host;
use walkthrough::options::Options;
use walkthrough::render::shown;
use walkthrough::renderer;
use walkthrough::tools::{which, Tools};
use walkthrough::{parts, runner};

/// At least one claim is not shown.
const NOT_SHOWN: u8 = 1;

fn main() -> ExitCode {
    run(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("walkthrough: error: {}", diagnostic::render(&error));
        ExitCode::from(diagnostic::exit_of(&error))
    })
}

fn run(options: &Options) -> Result<ExitCode> {
    let parts = parts::select(parts::USER_SPACE, &options.parts)?;
    let tools = Tools::find(
        non_empty(&options.cc),
        non_empty(&options.rustc).unwrap_or("rustc"),
    )?;
    let stitch = non_empty(&options.stitch).map(stitch_folder).transpose()?;
    let mut host = Host::new(stitch, Duration::from_secs(options.timeout))?;
    let mut renderer = renderer(options.markdown);
    let claims = runner::run_parts(&parts, &mut host, &tools, &mut *renderer, &mut write)?;
    Ok(if shown(&claims) == claims.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_SHOWN)
    })
}

/// An empty environment variable counts as unset.
fn non_empty(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

/// The steps run `stitch` by name, so the file must have that name.
fn stitch_folder(stitch: &str) -> Result<PathBuf> {
    let found = which(stitch).filter(|file| file.ends_with("stitch"));
    let file = found.ok_or_else(|| {
        Diagnostic::new(format!("{stitch} is not the program stitch"))
            .help("build it with make stitch, or leave out STITCH and --stitch")
    })?;
    let file = file.canonicalize().context("cannot find stitch")?;
    Ok(file.parent().unwrap_or(Path::new("/")).to_owned())
}

/// A reader that closes the pipe early, as `head` does, is not an error.
fn write(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
