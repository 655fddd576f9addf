//! `make test`: everything that proves the module and the lab, and what came of it.

mod border;
mod dkms;
mod faults;
mod guest;
mod input;
mod kdir;
mod lints;
mod metadata;
mod mutants;
mod mutations;
mod proxy;
mod report;
mod splats;
mod stitch;
mod stock;
mod walkthrough;
mod world;

use std::time::{Duration, Instant};

use anyhow::Result;
use trouble::Trouble;

use crate::exit::Exit;
use crate::options::Options;
use crate::stock::{is_meant, NEWEST};

pub use world::World;

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Passed,
    /// Not as it should, and how.
    Failed(String),
    /// It could not run, and why.
    Skipped(String),
}

impl Outcome {
    fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<CannotRun>() {
            Some(CannotRun(why)) => Outcome::Skipped(why.clone()),
            None => Outcome::Failed(trouble::told(error)),
        }
    }
}

/// The error of a test that cannot run here, and why.
#[derive(Debug)]
pub struct CannotRun(pub String);

impl std::fmt::Display for CannotRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CannotRun {}

/// A case that ran.
#[derive(Debug, Clone)]
pub struct Case {
    /// `group::what`
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took; nothing where it is one of many in a test.
    pub took: Duration,
}

impl Case {
    /// A case of a test that has many, such as a KUnit suite.
    pub fn of_many(name: impl Into<String>, outcome: Outcome) -> Self {
        Case {
            name: name.into(),
            outcome,
            took: Duration::ZERO,
        }
    }
}

type Run = Box<dyn Fn(&World) -> Result<Vec<Case>>>;

/// A test, not run yet.
pub struct Test {
    name: String,
    run: Run,
}

impl Test {
    /// A test that passes when it returns no error; [`CannotRun`] skips it.
    pub fn new(name: impl Into<String>, run: impl Fn(&World) -> Result<()> + 'static) -> Self {
        Test::of_many(name, move |world| run(world).map(|()| Vec::new()))
    }

    /// A test that consists of cases of its own; an error is a failure of the test itself.
    pub fn of_many(
        name: impl Into<String>,
        run: impl Fn(&World) -> Result<Vec<Case>> + 'static,
    ) -> Self {
        Test {
            name: name.into(),
            run: Box::new(run),
        }
    }

    /// Runs it; its own outcome comes first, then its cases.
    fn run(&self, world: &World) -> Vec<Case> {
        let start = Instant::now();
        let (outcome, cases) = match (self.run)(world) {
            Ok(cases) => (Outcome::Passed, cases),
            Err(error) => (Outcome::of(&error), Vec::new()),
        };
        let own = Case {
            name: self.name.clone(),
            outcome,
            took: start.elapsed(),
        };
        let of_many = cases.into_iter().map(|case| Case {
            name: format!("{}::{}", self.name, case.name),
            ..case
        });
        std::iter::once(own).chain(of_many).collect()
    }
}

/// Runs the tests that have `word` in their names; all of them without one.
pub fn run(options: &Options, word: &str) -> Result<()> {
    let world = World::new(options);
    let all = match is_meant(&options.kernel) {
        // A whole Debian is installed for the last: too long for every day.
        true => vec![
            stock::tests_on(&options.kernel),
            walkthrough::tests_on(&options.kernel),
            dkms::tests(),
        ],
        false => everything(),
    };
    let tests: Vec<Test> = all
        .into_iter()
        .flatten()
        .filter(|test| test.name.contains(word))
        .collect();
    if tests.is_empty() {
        return Err(Trouble::new(format!("no test has {word:?} in its name"))
            .mend("make test TESTS=kunit, or leave TESTS out")
            .into());
    }

    let mut cases = Vec::new();
    for test in &tests {
        for case in test.run(&world) {
            report::show(&case);
            cases.push(case);
        }
    }
    report::junit(&world, &cases)?;
    match report::close(&cases) {
        0 => Ok(()),
        failed => Err(Trouble::new(format!("{failed} of the tests failed"))
            .exit(Exit::Failed)
            .into()),
    }
}

/// The tests, group by group, in the order in which they run.
fn everything() -> Vec<Vec<Test>> {
    vec![
        lints::tests(),
        guest::tests(),
        splats::tests(),
        faults::tests(),
        input::tests(),
        kdir::tests(),
        border::tests(),
        stitch::tests(),
        mutants::tests(),
        walkthrough::tests(),
        stock::tests_on(NEWEST),
        metadata::tests(),
    ]
}
