//! A test: its name, what it needs, and its time limit.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::support::context::TestContext;
use lab::kernel::flavour::Flavour;

/// The time limit of most tests. They take seconds; more on a busy machine.
const USUAL_LIMIT: Duration = Duration::from_secs(300);

/// The outcome of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, for this reason.
    Failed(String),
    /// It could not run, for this reason.
    Skipped(String),
}

impl Outcome {
    /// The outcome of a test with this error.
    pub fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<CannotRun>() {
            Some(CannotRun(why)) => Outcome::Skipped(why.clone()),
            None => Outcome::Failed(diagnostic::render(error)),
        }
    }
}

/// The error of a test that cannot run here, with the reason.
#[derive(Debug)]
pub struct CannotRun(pub String);

impl std::fmt::Display for CannotRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CannotRun {}

/// A case that ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// `group::what`
    pub name: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// How long it took; zero if it is one of many in a test.
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

type Run = Box<dyn Fn(&TestContext) -> Result<Vec<Case>>>;

/// A test.
pub struct Test {
    /// `group::what`
    pub name: String,
    /// The kernel that it needs, if any.
    pub kernel: Option<Flavour>,
    /// Whether nothing else may run at the same time.
    pub alone: bool,
    /// Whether it takes too long for `make test-all`: it runs only for its kernel, or by its name.
    pub only_if_asked: bool,
    /// The time limit.
    pub limit: Duration,
    run: Run,
}

impl Test {
    /// A test that passes when it returns no error; [`CannotRun`] skips it.
    pub fn new(
        name: impl Into<String>,
        run: impl Fn(&TestContext) -> Result<()> + 'static,
    ) -> Self {
        Test::of_many(name, move |context| run(context).map(|()| Vec::new()))
    }

    /// A test that consists of cases of its own; an error is a failure of the test itself.
    pub fn of_many(
        name: impl Into<String>,
        run: impl Fn(&TestContext) -> Result<Vec<Case>> + 'static,
    ) -> Self {
        Test {
            name: name.into(),
            kernel: None,
            alone: false,
            only_if_asked: false,
            limit: USUAL_LIMIT,
            run: Box::new(run),
        }
    }

    /// It needs this kernel.
    pub fn on(self, flavour: &Flavour) -> Self {
        Test {
            kernel: Some(flavour.clone()),
            ..self
        }
    }

    /// Runs it alone: it measures time, or changes what others use.
    pub fn alone(self) -> Self {
        Test {
            alone: true,
            ..self
        }
    }

    /// Leaves it out of `make test-all`.
    pub fn only_if_asked(self) -> Self {
        Test {
            only_if_asked: true,
            ..self
        }
    }

    /// Sets the time limit.
    pub fn minutes(self, minutes: u64) -> Self {
        Test {
            limit: Duration::from_secs(60 * minutes),
            ..self
        }
    }

    /// Runs it; returns its own outcome first, then its cases.
    pub fn run(&self, context: &TestContext) -> Vec<Case> {
        let start = Instant::now();
        let (outcome, cases) = match (self.run)(context) {
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
