//! The results of the tests: a line for each, a JUnit file, and a summary in the last line.

use std::cmp::Reverse;
use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::child::{name_of_build, Done};
use super::table::table;
use super::test::{Case, Outcome, Test};
use crate::support::context::{main_flavour, TestContext};
use lab::exit::Exit;

/// Reports the results: of hello_rust, or of the module in the folder with this name.
///
/// # Errors
///
/// When a test has failed, with the exit code for that.
pub fn report(
    context: &TestContext,
    folder: Option<&str>,
    tests: &[Test],
    cases: &[Case],
    took: Duration,
) -> Result<()> {
    match folder {
        None => slowest(cases),
        Some(title) => println!("{}", table(title, tests, cases)),
    }
    junit(context, folder.unwrap_or("hello_rust"), cases)?;
    match folder {
        None => ratio(context, cases, took),
        Some(_) => println!("time: {:.0} s", took.as_secs_f32()),
    }
    match close(cases) {
        0 => Ok(()),
        failed => Err(Diagnostic::new(format!("{failed} of the tests failed"))
            .exit(Exit::Failed)
            .into()),
    }
}

/// Prints the results of a job that has ended.
pub fn show(done: &Done) {
    print!("{}", done.printed);
    done.cases.iter().for_each(line);
}

/// Prints a case.
pub fn line(case: &Case) {
    let (word, colour, more) = match &case.outcome {
        Outcome::Passed => ("ok  ", "32", ""),
        Outcome::Failed(how) => ("FAIL", "31", how.as_str()),
        Outcome::Skipped(why) => ("skip", "33", why.as_str()),
    };
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let word = if colours {
        format!("\x1b[{colour}m{word}\x1b[0m")
    } else {
        word.to_owned()
    };
    let took = match case.took.as_secs_f32() {
        seconds if seconds >= 0.1 => format!(" ({seconds:.1} s)"),
        _ => String::new(),
    };
    println!("{word} {}{took}", case.name);
    for line in more.lines() {
        println!("     {line}");
    }
}

/// Writes the JUnit file, for CI systems.
fn junit(context: &TestContext, module: &str, cases: &[Case]) -> Result<()> {
    let path = match std::env::var_os("LAB_JUNIT") {
        Some(path) if !path.is_empty() => path.into(),
        _ => context.cache()?.place_for("junit.xml")?,
    };
    let mut suite = TestSuite::new(module);
    for case in cases {
        let status = match &case.outcome {
            Outcome::Passed => TestCaseStatus::success(),
            Outcome::Failed(how) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(how.lines().next().unwrap_or_default());
                status.set_description(how.as_str());
                status
            }
            Outcome::Skipped(why) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(why.as_str());
                status
            }
        };
        let mut entry = TestCase::new(case.name.as_str(), status);
        let class = case
            .name
            .rsplit_once("::")
            .map_or(module, |(group, _)| group);
        entry.set_classname(class).set_time(case.took);
        suite.add_test_case(entry);
    }
    let mut report = Report::new(module);
    report.add_test_suite(suite);
    let file =
        std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    report.serialize(file)?;
    println!("JUnit: {}", path.display());
    Ok(())
}

/// Prints the ten slowest cases.
fn slowest(cases: &[Case]) {
    let mut cases: Vec<&Case> = cases.iter().collect();
    cases.sort_by_key(|case| Reverse(case.took));
    println!("slowest:");
    for case in cases.iter().take(10) {
        println!("{:8.1} s  {}", case.took.as_secs_f32(), case.name);
    }
}

/// Prints the total time, beside the time that the build of the default kernel took here.
fn ratio(context: &TestContext, cases: &[Case], whole: Duration) {
    let whole = whole.as_secs_f32();
    let kernel = main_flavour();
    let provided = cases.iter().any(|case| case.name == name_of_build(&kernel));
    let built = provided.then(|| context.built(&kernel)).flatten();
    match built.map(|took| took.as_secs_f32()) {
        Some(built) => println!(
            "time: {whole:.0} s, {:.1} times the build of the default kernel ({built:.0} s)",
            whole / built
        ),
        None => println!("time: {whole:.0} s"),
    }
}

/// Prints the last line; returns how many failed.
fn close(cases: &[Case]) -> usize {
    let count =
        |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    println!("tests: {passed} passed, {failed} failed, {skipped} skipped");
    failed
}
