//! stitch: how a kernel module was stitched from Rust and C, and whether both mean the same.

mod analysis;
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

use std::process::ExitCode;

use clap::Parser;

use crate::cli::commands::{self, Outputs, Tolerance};
use crate::cli::options::{Action, Options};

fn main() -> ExitCode {
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
