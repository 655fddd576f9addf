//! stitch: how a kernel module was stitched from Rust and C, and whether both mean the same.

mod apart;
mod causes;
mod commands;
mod debug;
mod elf;
mod inlined;
mod input;
mod kbuild;
mod maker;
mod model;
mod names;
mod nm;
mod options;
mod own;
mod parallel;
mod parts;
mod picture;
mod probes;
mod report;
mod rows;
mod shore;
mod sites;
mod sizes;
mod stitches;
mod types;
mod verdict;
mod witness;
mod words;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::{Forms, Tolerance};
use crate::options::{Action, Options};

fn main() -> ExitCode {
    let outcome = match &Options::parse().action {
        Action::Report {
            input,
            json,
            svg,
            html,
        } => {
            let forms = Forms {
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
