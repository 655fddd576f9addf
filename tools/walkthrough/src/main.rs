//! walkthrough: runs the parts and tells what came of them.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use diagnostic::Diagnostic;
use walkthrough::host::Host;
use walkthrough::options::Options;
use walkthrough::page::Page;
use walkthrough::paper::{shown, Paper};
use walkthrough::terminal::{colours, Terminal};
use walkthrough::tools::{which, Tools};
use walkthrough::{parts, runner};

/// A claim is not shown.
const NOT_SHOWN: u8 = 1;

fn main() -> ExitCode {
    run(&Options::parse()).unwrap_or_else(|error| {
        eprintln!("walkthrough: error: {}", diagnostic::render(&error));
        ExitCode::from(diagnostic::exit_of(&error))
    })
}

fn run(options: &Options) -> Result<ExitCode> {
    let chosen = parts::chosen(parts::PARTS, &options.parts)?;
    let tools = Tools::find(given(&options.cc), given(&options.rustc).unwrap_or("rustc"))?;
    let stitch = given(&options.stitch).map(folder_of_stitch).transpose()?;
    let mut host = Host::new(stitch, Duration::from_secs(options.timeout))?;
    let mut paper: Box<dyn Paper> = if options.markdown {
        Box::<Page>::default()
    } else {
        Box::new(Terminal::new(colours()))
    };

    let mut claims = Vec::new();
    say(&paper.opening())?;
    for part in chosen {
        say(&paper.part(part))?;
        let mut tell = |done: &runner::Done| say(&paper.step(done));
        claims.extend(runner::run(part, &mut host, &tools, &mut tell)?);
    }
    say(&paper.claims(&claims))?;
    Ok(if shown(&claims) == claims.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_SHOWN)
    })
}

/// What a person set; a variable that is empty is as none.
fn given(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

/// The steps call it by its name, as a person would; so it has to have that name.
fn folder_of_stitch(stitch: &str) -> Result<PathBuf> {
    let found = which(stitch).filter(|file| file.ends_with("stitch"));
    let file = found.ok_or_else(|| {
        Diagnostic::new(format!("{stitch} is not the program stitch"))
            .help("make stitch builds it, or leave STITCH and --stitch out")
    })?;
    let file = file.canonicalize().context("cannot find stitch")?;
    Ok(file.parent().unwrap_or(Path::new("/")).to_owned())
}

/// Whoever stops listening, as `head` does, has heard enough.
fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
