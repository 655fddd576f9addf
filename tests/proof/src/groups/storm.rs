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
    debug_flavour, kcsan_flavour, main_flavour, must_contain, printed, succeed, TestContext,
};
use crate::support::scratch::must_refuse;
use ::lab::exit::Exit;
use ::lab::kernel::flavour::Flavour;
use ::lab::kernel::sources::Files;

/// Where the random numbers of these tests start.
const SEED: &str = "2026";

/// The storms on the debug kernel.
const OTHERS: &str = "allocations,loads,races";

/// The one on the kernel with KCSAN.
const DATA_RACES: &str = "data-races";

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
    Planted { module: "tally", storm: DATA_RACES, steps: "", exit: Exit::Splat,
        prints: &["BUG: KCSAN: data-race in tally_add ", "tally.rs:"] },
];

/// More words, and what is wrong with them.
#[rustfmt::skip] // a table reads best as a table
const BAD: &[(&[&str], &str)] = &[
    (&["storm", "--storm", "rain"], "invalid value 'rain'"),
    (&["storm", "--minutes", "0"], "invalid value '0'"),
    (&["storm", "--steps", "3"], "--storm <ONLY>"),
    (&["storm", "--storm", "loads", "--steps", "3-x"], "steps are numbers, as in 3,7-9"),
    (&["storm", "--storm", "loads,races", "--steps", "3"], "each storm has steps of its own"),
    (&["storm", "--debug=kmsan"], "DEBUG=1 is the kernel with KASAN"),
];

/// The kernel for these storms.
fn kernel_of(storm: &str) -> Flavour {
    if storm == DATA_RACES {
        kcsan_flavour()
    } else {
        debug_flavour()
    }
}

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for storms in [OTHERS, DATA_RACES] {
        let kernel = kernel_of(storms);
        let name = |what: &str| format!("storm::{}::{what}", kernel.name());
        let mut of_kernel = vec![
            Test::new(name("hello_rust"), move |context| {
                hello_rust(context, storms)
            }),
            Test::new(name("the catalogue"), move |context| {
                the_catalogue(context, storms)
            }),
        ];
        let planted = PLANTED.iter();
        let planted = planted.filter(|it| kernel_of(it.storm).name() == kernel.name());
        of_kernel.extend(planted.map(|planted| {
            Test::new(name(planted.module), move |context| found(context, planted))
        }));
        let tests_of_kernel = of_kernel.into_iter();
        tests.extend(tests_of_kernel.map(|test| test.on(&kernel).minutes(20)));
    }
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
    let usual = [("LAB_SEED", SEED), ("LAB_MINUTES", "1")];
    let variables = [&usual, variables].concat();
    let output = context.lab_command(&["storm"], &variables)?.output()?;
    Ok((output.status.code(), printed(&output)))
}

/// Each of these storms has done something, and all was well.
fn well(storms: &str, (exit, text): &(Option<i32>, String)) -> Result<()> {
    ensure!(*exit == Some(0), "{exit:?}\n{text}");
    for storm in storms.split(',') {
        let does = if storm == "allocations" {
            "the same again "
        } else {
            "load "
        };
        must_contain(text, &format!("{storm}: {does}"))?;
    }
    let finds_leaks = kernel_of(storms).debug.finds_leaks();
    let looked = if finds_leaks {
        "; no splat, no leak, "
    } else {
        "; no splat, "
    };
    let count = storms.split(',').count();
    ensure!(text.matches(looked).count() == count, "{text}");
    Ok(())
}

fn hello_rust(context: &TestContext, storms: &str) -> Result<()> {
    well(storms, &storm(context, &[("LAB_STORM", storms)])?)
}

fn the_catalogue(context: &TestContext, storms: &str) -> Result<()> {
    let place = tempfile::tempdir()?;
    copy_catalogue(place.path())?;
    let folder = place.path().to_string_lossy();
    // That parameter is a fault for the tests of splats.
    let variables = [
        ("LAB_M", &*folder),
        ("LAB_PARAMS", "sleep_in_atomic=0"),
        ("LAB_STORM", storms),
    ];
    well(storms, &storm(context, &variables)?)
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
            ensure!(planted.storm.ends_with("races"), "no steps:\n{}", said.1);
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

/// A folder with one of the modules of tests/faults/storm: a file, or a folder with both halves.
fn careless(folder: &Path, module: &str) -> Result<()> {
    let source = project().join("tests/faults/storm").join(module);
    let copy = |from: &Path| succeed(Command::new("cp").arg("-r").arg(from).arg(folder));
    if source.is_dir() {
        copy(&source.join("."))?;
        copy(&project().join("border"))?;
    } else {
        copy(&source.with_extension("c"))?;
        fs::write(folder.join("Kbuild"), format!("obj-m := {module}.o\n"))?;
    }
    Ok(())
}
