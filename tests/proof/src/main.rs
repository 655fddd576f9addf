//! The tests of the module and the lab: `make test`, `make test-all`.

mod groups;
mod harness;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::builder::FalseyValueParser;
use clap::{ArgAction, Parser};
use diagnostic::Diagnostic;
use lab::kernel::flavour::{Checks, Flavour};
use lab::options::Settings;

use crate::harness::report::report;
use crate::harness::run::run;
use crate::harness::test::Test;
use crate::support::context::{main_flavour, TestContext};

/// Tests the module and the lab, in real kernels.
#[derive(Parser)]
#[command(name = "proof", version)]
struct Options {
    #[command(flatten)]
    settings: Settings,

    /// On all kernels, not only on those that --kernels, --kernel, --cc and --debug select.
    #[arg(long)]
    all: bool,

    /// On each of these kernels, with blanks between them, instead of --kernel.
    #[arg(long, env = "LAB_KERNELS", default_value = "")]
    kernels: String,

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
    let folder = options.settings.module_folder()?;
    let asked = asked(options);
    if options.settings.fused && folder.is_none() {
        return Err(
            Diagnostic::new("FUSED=1 is for the tests of a module in a folder")
                .note("the tests of hello_rust fuse what they need")
                .help("make test M=/path/to/a/folder FUSED=1, or make test")
                .into(),
        );
    }
    let all = match &folder {
        Some(folder) => groups::checks::of_folder(folder, &options.settings, &asked),
        None => groups::all(&asked),
    };
    if let (Some(name), Some(answer)) = (&options.one, &options.answer) {
        return one(options, &all, name, answer);
    }
    let chosen: Vec<Test> = all
        .into_iter()
        .filter(|test| is_chosen(options, &asked, test))
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
    let context = TestContext::new(&options.settings, None);
    let start = Instant::now();
    let cases = run(&context, &chosen)?;
    let title = folder.map(|folder| folder.title());
    report(&context, title.as_deref(), &chosen, &cases, start.elapsed())
}

/// The kernels that are asked for; of a module in a folder, on the debug kernel as well.
fn asked(options: &Options) -> Vec<Flavour> {
    let Options { settings, .. } = options;
    let series: Vec<&str> = options.kernels.split_whitespace().collect();
    let series = if series.is_empty() {
        vec![settings.kernel.as_str()]
    } else {
        series
    };
    let kernels = series.into_iter().map(|kernel| {
        let kernel = kernel.to_owned();
        let settings = Settings {
            kernel,
            ..settings.clone()
        };
        settings.flavour()
    });
    let kernels: Vec<Flavour> = kernels.collect();
    if settings.debug == Checks::None || settings.folder.is_none() {
        return kernels;
    }
    let of_lab = kernels.iter().find(|kernel| !kernel.is_stock()).cloned();
    let debug = Flavour {
        debug: settings.debug,
        ..of_lab.unwrap_or_else(main_flavour)
    };
    let plain = |kernel| Flavour {
        debug: Checks::None,
        ..kernel
    };
    kernels.into_iter().map(plain).chain([debug]).collect()
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
fn is_chosen(options: &Options, asked: &[Flavour], test: &Test) -> bool {
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
    asked.iter().any(|asked| asked.name() == kernel.name())
}
