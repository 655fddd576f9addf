//! stitch: how a kernel module was stitched from Rust and C, and whether both mean the same.

mod apart;
mod commands;
mod debug;
mod elf;
mod inlined;
mod input;
mod maker;
mod model;
mod names;
mod nm;
mod options;
mod parts;
mod report;
mod shore;
mod sites;
mod sizes;
mod stitches;
mod trouble;
mod verdict;
mod views;

use std::process::ExitCode;

use clap::Parser;

use crate::options::{Action, Options};

fn main() -> ExitCode {
    let outcome = match &Options::parse().action {
        Action::Report { input, json } => commands::report(input, *json),
        Action::Check {
            input,
            allow_unknown,
        } => commands::check(input, *allow_unknown),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("stitch: error: {}", trouble::told(&error));
        ExitCode::from(commands::UNREADABLE)
    })
}
