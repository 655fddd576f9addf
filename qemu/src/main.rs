//! The lab: provides a Rust-enabled kernel, boots it in QEMU, loads hello_rust.ko, judges the log.

mod accelerator;
mod archive;
mod bench;
mod cache;
mod commands;
mod doctor;
mod exit;
mod host;
mod initramfs;
mod kernel;
mod ktap;
mod machine;
mod module;
mod options;
mod progress;
mod source;
mod stock;
mod tests;
mod toolchain;
mod verdict;
mod walkthrough;

use std::process::ExitCode;

use ::walkthrough::page::Page;
use ::walkthrough::paper::Paper;
use ::walkthrough::terminal::{colours, Terminal};
use clap::Parser;

use crate::options::{Action, Options};

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match &options.action {
        Action::Run => commands::run(&options),
        Action::Shell => commands::shell(&options),
        Action::Doctor { kdir, json } => doctor::doctor(kdir.as_deref(), *json),
        Action::Test { word } => tests::run(&options, word),
        Action::Bench { runs, json } => bench::bench(&options, *runs, *json),
        Action::BenchStitch { runs, json } => bench::stitch::bench(&options, *runs, *json),
        Action::Walkthrough { parts, markdown } => {
            let mut paper: Box<dyn Paper> = match markdown {
                true => Box::<Page>::default(),
                false => Box::new(Terminal::new(colours())),
            };
            walkthrough::walkthrough(&options, parts, &mut *paper)
        }
        Action::Source => commands::source(&options),
        Action::Kernel => commands::kernel(&options),
        Action::Module => commands::module(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: error: {}", trouble::told(&error));
            ExitCode::from(trouble::exit_of(&error))
        }
    }
}
