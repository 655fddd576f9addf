//! The lab: provides a Rust-enabled kernel, boots it in QEMU, loads hello_rust.ko, judges the log.

use std::process::ExitCode;

use clap::Parser;
use lab::options::{Action, Options};
use lab::{bench, commands, doctor};
use walkthrough::page::Page;
use walkthrough::paper::Paper;
use walkthrough::terminal::{colours, Terminal};

fn main() -> ExitCode {
    let Options { settings, action } = Options::parse();
    let outcome = match &action {
        Action::Run => commands::run(&settings),
        Action::Shell => commands::shell(&settings),
        Action::Doctor { kdir, json } => doctor::doctor(kdir.as_deref(), *json),
        Action::Bench { runs, json } => bench::bench(&settings, *runs, *json),
        Action::BenchStitch { runs, json } => bench::stitch::bench(&settings, *runs, *json),
        Action::Walkthrough { parts, markdown } => {
            let mut paper: Box<dyn Paper> = if *markdown {
                Box::<Page>::default()
            } else {
                Box::new(Terminal::new(colours()))
            };
            lab::walkthrough::walkthrough(&settings, parts, &mut *paper)
        }
        Action::Source => commands::source(&settings),
        Action::Kernel => commands::kernel(&settings),
        Action::Module => commands::module(&settings),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: error: {}", diagnostic::render(&error));
            ExitCode::from(diagnostic::exit_of(&error))
        }
    }
}
