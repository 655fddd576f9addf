//! Runs the chosen tests, and shows their results.

use std::sync::mpsc;
use std::time::Duration;

use anyhow::Result;
use host::project::cpus;

use super::child::{self, Done};
use super::display::Display;
use super::report;
use super::schedule::{Job, Next, Schedule};
use super::test::{Case, Outcome, Test};
use crate::support::context::TestContext;

/// How often the display is updated.
const TICK: Duration = Duration::from_millis(500);

/// Runs tests in parallel, one more than there are CPUs, since some of them wait for a network or a
/// clock; returns their results.
///
/// # Errors
///
/// Without a toolchain; not when a test fails.
pub fn run(context: &TestContext, tests: &[Test]) -> Result<Vec<Case>> {
    // Nothing runs without it, which is not the fault of a test.
    context.toolchain()?;
    let mut schedule = Schedule::new(tests);
    Ok(std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel::<(Job, Done)>();
        let mut display = Display::new(tests.len());
        let mut cases = Vec::new();
        let (mut running, lanes) = (0, cpus() + 1);
        loop {
            while running < lanes {
                let Next::Start(job) = schedule.next() else {
                    break;
                };
                running += 1;
                let work = work(&schedule, tests, job);
                display.started(name(&schedule, tests, job));
                let sender = sender.clone();
                // The receiver outlives all threads.
                scope.spawn(move || drop(sender.send((job, work()))));
            }
            if running == 0 {
                break cases;
            }
            let Ok((job, done)) = receiver.recv_timeout(TICK) else {
                display.tick();
                continue;
            };
            running -= 1;
            display.ended(&name(&schedule, tests, job), || report::show(&done));
            for lost in schedule.ended(job, done.passed()) {
                let case = Case::of_many(
                    tests[lost].name.clone(),
                    Outcome::Failed("its kernel could not be built: see above".to_owned()),
                );
                display.ended(&case.name, || report::line(&case));
                cases.push(case);
            }
            cases.extend(done.cases);
        }
    }))
}

fn name(schedule: &Schedule, tests: &[Test], job: Job) -> String {
    match job {
        Job::Build(kernel) => child::name_of_build(schedule.kernel(kernel)),
        Job::Test(test) => tests[test].name.clone(),
    }
}

/// Runs a job in a thread.
fn work(schedule: &Schedule, tests: &[Test], job: Job) -> Box<dyn FnOnce() -> Done + Send> {
    match job {
        Job::Build(kernel) => {
            let flavour = schedule.kernel(kernel).clone();
            Box::new(move || child::build(&flavour))
        }
        Job::Test(test) => {
            let (name, limit) = (tests[test].name.clone(), tests[test].limit);
            Box::new(move || child::test(&name, limit))
        }
    }
}
