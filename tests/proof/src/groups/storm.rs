//! `make storm`: what it does to our own modules, and that it finds what is wrong with others.

mod lab;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{bail, ensure, Result};
use host::project::project;

use super::guest::{CATALOGUE, CATALOGUE_CASES};
use crate::harness::test::Test;
use crate::support::context::{
    debug_flavour, main_flavour, must_contain, printed, succeed, TestContext,
};
use crate::support::scratch::must_refuse;
use ::lab::exit::Exit;
use ::lab::kernel::sources::Files;

/// Where the random numbers of these tests start.
const SEED: &str = "2026";

/// A module with a fault, in tests/faults/storm, and the storm that finds it.
struct Planted {
    module: &'static str,
    storm: &'static str,
    /// The steps that are taken first, if not all.
    steps: &'static str,
    exit: Exit,
    /// What it says.
    prints: &'static [&'static str],
}

#[rustfmt::skip] // a table reads best as a table
const PLANTED: &[Planted] = &[
    Planted { module: "leaky", storm: "loads", steps: "1-5", exit: Exit::Splat,
        prints: &["memory is lost", "parse_args+"] },
    Planted { module: "hasty", storm: "allocations", steps: "", exit: Exit::Splat,
        prints: &["memory is lost", "do_init_module+"] },
    Planted { module: "racy", storm: "races", steps: "", exit: Exit::Splat,
        prints: &["BUG: KASAN: ", "racy.c:"] },
];

/// More words, and what is wrong with them.
#[rustfmt::skip] // a table reads best as a table
const BAD: &[(&[&str], &str)] = &[
    (&["storm", "--storm", "rain"], "invalid value 'rain'"),
    (&["storm", "--minutes", "0"], "invalid value '0'"),
    (&["storm", "--steps", "3"], "--storm <ONLY>"),
    (&["storm", "--storm", "loads", "--steps", "3-x"], "steps are numbers, as in 3,7-9"),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let debug = debug_flavour();
    let name = |what: &str| format!("storm::{}::{what}", debug.name());
    let mut tests = vec![
        Test::new(name("hello_rust"), |context| {
            well(&storm(context, &[("LAB_MINUTES", "1")])?)
        }),
        Test::new(name("the catalogue"), the_catalogue),
    ];
    tests.extend(
        PLANTED
            .iter()
            .map(|planted| Test::new(name(planted.module), move |context| found(context, planted))),
    );
    let mut tests: Vec<Test> = tests
        .into_iter()
        .map(|test| test.on(&debug).minutes(20))
        .collect();
    let plain = main_flavour();
    let name = format!(
        "storm::{}::a call of C fails, and Rust does not undo",
        plain.name()
    );
    tests.push(Test::new(name, no_undo).on(&plain));
    tests.extend(lab::tests());
    tests.push(Test::new("storm::bad words", |context| {
        BAD.iter().try_for_each(|(words, says)| {
            must_refuse(&mut context.lab_command(words, &[])?, &[says])
        })
    }));
    tests
}

/// How the command ended, and all that it printed.
fn storm(context: &TestContext, variables: &[(&str, &str)]) -> Result<(Option<i32>, String)> {
    let seed = [("LAB_SEED", SEED)];
    let variables = [&seed, variables].concat();
    let output = context.lab_command(&["storm"], &variables)?.output()?;
    Ok((output.status.code(), printed(&output)))
}

/// All three, and each has done something.
fn well((exit, text): &(Option<i32>, String)) -> Result<()> {
    ensure!(*exit == Some(0), "{exit:?}\n{text}");
    for line in [
        "allocations: the same again ",
        "loads: load ",
        "races: load ",
    ] {
        must_contain(text, line)?;
    }
    ensure!(text.matches("; no splat, no leak").count() == 3, "{text}");
    Ok(())
}

fn the_catalogue(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    copy_catalogue(place.path())?;
    let folder = place.path().to_string_lossy();
    // That parameter is a fault for the tests of splats.
    let variables = [
        ("LAB_M", &*folder),
        ("LAB_PARAMS", "sleep_in_atomic=0"),
        ("LAB_MINUTES", "1"),
    ];
    well(&storm(context, &variables)?)
}

fn copy_catalogue(folder: &Path) -> Result<()> {
    let Files::Listed(files) = CATALOGUE.files else {
        bail!("the catalogue is a folder");
    };
    for (from, to) in files {
        let places = [project().join(from), folder.join(to)];
        succeed(Command::new("cp").arg("-r").args(places))?;
    }
    Ok(())
}

/// The catalogue's own tests make each call of C fail. They find a counter that Rust does not free when a
/// later call has failed.
fn no_undo(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    copy_catalogue(place.path())?;
    let file = place.path().join("checks.rs");
    let text = fs::read_to_string(&file)?;
    let kept = text.replace("new(2).map(drop)", "new(2).map(core::mem::forget)");
    ensure!(kept != text, "there is nothing to change");
    fs::write(&file, kept)?;

    let folder = format!("M={}", place.path().display());
    let words = ["test", &folder, "TESTS=KUnit"];
    let output = context.make_command(&project(), &words)?.output()?;
    let text = printed(&output);
    ensure!(!output.status.success(), "nothing was found:\n{text}");
    let failed = format!("FAIL, 1 of {CATALOGUE_CASES} ");
    must_contain(&text, &failed)?;
    must_contain(&text, "Counter::live() == before")
}

/// It is found, and found again by the command that the report ends with.
fn found(context: &TestContext, planted: &Planted) -> Result<()> {
    let place = tempfile::tempdir()?;
    careless(place.path(), planted.module)?;
    let folder = place.path().to_string_lossy();
    let storm = |steps: &str| {
        let variables = [
            ("LAB_M", &*folder),
            ("LAB_STORM", planted.storm),
            ("LAB_STEPS", steps),
            ("LAB_MINUTES", "1"),
        ];
        let given = variables.iter().filter(|(_, value)| !value.is_empty());
        storm(context, &given.copied().collect::<Vec<_>>())
    };
    let said = storm(planted.steps)?;
    must_tell(planted, &said)?;

    let steps = said.1.split_once("STEPS=").map(|(_, steps)| steps);
    match steps.and_then(|steps| steps.split_whitespace().next()) {
        Some(steps) => must_tell(planted, &storm(steps)?),
        // Two tasks do not meet at the same point again.
        None => {
            ensure!(planted.storm == "races", "no steps:\n{}", said.1);
            Ok(())
        }
    }
}

fn must_tell(planted: &Planted, (exit, text): &(Option<i32>, String)) -> Result<()> {
    ensure!(*exit == Some(planted.exit as i32), "{exit:?}\n{text}");
    let again = format!("help: to see it again: make storm STORM={} ", planted.storm);
    must_contain(text, &again)?;
    let mut words = planted.prints.iter();
    words.try_for_each(|word| must_contain(text, word))
}

/// A folder with one of the modules of tests/faults/storm.
fn careless(folder: &Path, module: &str) -> Result<()> {
    let source = project().join(format!("tests/faults/storm/{module}.c"));
    fs::copy(source, folder.join(format!("{module}.c")))?;
    fs::write(folder.join("Kbuild"), format!("obj-m := {module}.o\n"))?;
    Ok(())
}
