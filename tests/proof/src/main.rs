//! The tests of the module and the lab: `make test`, `make test-all`.

mod groups;
mod harness;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Parser};
use diagnostic::Diagnostic;
use lab::options::Settings;

use crate::harness::run::run;
use crate::harness::test::Test;
use crate::support::context::{main_flavour, TestContext};

/// Tests the module and the lab, in real kernels.
#[derive(Parser)]
#[command(name = "proof", version)]
struct Options {
    #[command(flatten)]
    settings: Settings,

    /// On all kernels, not only on the one that --kernel, --cc and --debug select.
    #[arg(long)]
    all: bool,

    /// Only the tests with this in their names, on any kernel; or the one with exactly the name that
    /// follows a `=`.
    #[arg(env = "LAB_TESTS", default_value = "")]
    word: String,

    /// Only list the tests.
    #[arg(long, env = "LAB_LIST", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    list: bool,

    /// Run this test in this process, and write its cases to the file that --answer names.
    #[arg(long, hide = true, requires = "answer")]
    one: Option<String>,

    /// See --one.
    #[arg(long, hide = true)]
    answer: Option<PathBuf>,
}

fn main() -> ExitCode {
    match prove(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proof: error: {}", diagnostic::render(&error));
            ExitCode::from(diagnostic::exit_of(&error))
        }
    }
}

fn prove(options: &Options) -> Result<()> {
    let all = groups::all(&options.settings.kernel);
    if let (Some(name), Some(answer)) = (&options.one, &options.answer) {
        return one(options, &all, name, answer);
    }
    let chosen: Vec<Test> = all
        .into_iter()
        .filter(|test| is_chosen(options, test))
        .collect();
    if chosen.is_empty() {
        return Err(
            Diagnostic::new(format!("no test matches {:?}", options.word))
                .help(
                    "make test LIST=1 lists the tests on this kernel, make test-all LIST=1 all tests",
                )
                .into(),
        );
    }
    if options.list {
        chosen.iter().for_each(|test| println!("{}", test.name));
        return Ok(());
    }
    run(&TestContext::new(&options.settings, None), &chosen)
}

/// Runs one test, and writes its cases to a file.
fn one(options: &Options, all: &[Test], name: &str, answer: &Path) -> Result<()> {
    let test = all.iter().find(|test| test.name == name);
    let test = test.with_context(|| format!("there is no test {name:?}"))?;
    let cases = test.run(&TestContext::new(&options.settings, test.kernel.clone()));
    fs::write(answer, serde_json::to_vec(&cases)?)
        .with_context(|| format!("cannot write {}", answer.display()))
}

/// Whether a test is to run. Tests without a kernel belong to the default one.
fn is_chosen(options: &Options, test: &Test) -> bool {
    if let Some(name) = options.word.strip_prefix('=') {
        return test.name == name;
    }
    if !options.word.is_empty() {
        return test.name.contains(&options.word);
    }
    if options.all {
        return !test.only_if_asked;
    }
    let kernel = test.kernel.clone().unwrap_or_else(main_flavour);
    kernel.name() == options.settings.flavour().name()
}
