//! The lab: provides a Rust-enabled kernel, boots it in QEMU, loads hello_rust.ko, judges the log.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use host::cache::Cache;
use host::whole::damage;
use lab::commands::{
    bench, coverage, desk, doctor, fuzz, gdb, new, run, stitch, storm, walkthrough, watch,
};
use lab::options::{Action, Options};

fn main() -> ExitCode {
    let Options { settings, action } = Options::parse();
    let outcome = match &action {
        Action::Run => run::run(&settings),
        Action::Shell => run::shell(&settings),
        Action::Watch => watch::watch(&settings),
        Action::Gdb { args } => gdb::gdb(&settings, args),
        Action::Doctor { kdir, json } => doctor::doctor(&settings, kdir.as_deref(), *json),
        Action::Bench { runs, json } => bench::bench(&settings, *runs, *json),
        Action::BenchCrossing { both, runs, json } => {
            bench::crossing::bench(&settings, *both, *runs, *json)
        }
        Action::BenchStitch { runs, json } => bench::stitch::bench(&settings, *runs, *json),
        Action::Stitch { words } => stitch::stitch(&settings, words),
        Action::Walkthrough { parts, markdown } => {
            walkthrough::walkthrough(&settings, parts, *markdown)
        }
        Action::Storm(wishes) => storm::storm(&settings, wishes),
        Action::Coverage(wishes) => coverage::coverage(&settings, wishes),
        Action::Fuzz(wishes) => fuzz::fuzz(wishes),
        Action::Source => run::source(&settings),
        Action::Kernel => run::kernel(&settings),
        Action::Module => run::module(&settings),
        Action::Clean => run::clean(&settings),
        Action::New { name, dir, kind } => {
            new::new(name.as_deref(), dir.as_deref().map(Path::new), *kind)
        }
        Action::RustAnalyzer => desk::rust_analyzer::rust_analyzer(&settings),
        Action::CompileCommands => desk::clangd::compile_commands(&settings),
        Action::Clippy => desk::clippy::clippy(&settings),
        Action::Doc => desk::doc::doc(&settings),
        Action::Fmt { check } => desk::fmt::fmt(&settings, *check),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lab: error: {}", diagnostic::render(&error));
            if let Some(damage) = Cache::open().ok().and_then(|cache| damage(&cache)) {
                eprintln!("lab: error: {damage}");
            }
            ExitCode::from(diagnostic::exit_of(&error))
        }
    }
}
