//! stitch shows how a kernel module was linked from Rust and C, and checks that both agree on every
//! symbol that crosses.
//!
//! From the bottom up: `arch` is what differs between machines; `elf`, `dwarf` and `btf` read objects,
//! `types` is what they say; `input` finds
//! the objects, `probes` asks the compilers; `contents` lists what a module consists of, `verdict`
//! judges it with `compare`; `report` and `picture` show the result, which is in `model`.

mod analysis;
mod arch;
mod btf;
mod cli;
mod compare;
mod contents;
mod dwarf;
mod elf;
mod input;
mod model;
mod picture;
mod probes;
mod report;
mod types;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::commands::{self, Outputs, Tolerance};
use crate::cli::options::{Action, Options};

/// The program: reads the command line, prints, and returns the exit status.
pub fn main() -> ExitCode {
    let outcome = match &Options::parse().action {
        Action::Report {
            input,
            json,
            svg,
            html,
        } => {
            let forms = Outputs {
                json: *json,
                svg: svg.as_deref(),
                html: html.as_deref(),
            };
            commands::report(input, &forms)
        }
        Action::Check {
            input,
            allow_unknown,
            strict,
        } => commands::check(
            input,
            Tolerance {
                unknown: *allow_unknown,
                language: !*strict,
            },
        ),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("stitch: error: {}", diagnostic::render(&error));
        ExitCode::from(commands::UNREADABLE)
    })
}

/// A report in all its forms, of the modules that these files make: text, JSON, the page, and the picture if
/// there can be one. `kernel` is a vmlinux.
///
/// # Errors
///
/// When a file cannot be read, or is not what its place asks for.
pub fn all_forms(
    paths: &[PathBuf],
    symvers: Option<&Path>,
    kernel: Option<&Path>,
) -> Result<Vec<String>> {
    commands::all_forms(paths, symvers, kernel)
}
