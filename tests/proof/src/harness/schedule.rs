//! Decides what runs next: one kernel is built at a time, tests run beside it as soon as their kernels
//! are built, and tests that must run alone come last.

use super::test::Test;
use lab::kernel::flavour::Flavour;

/// How many kernels are built in parallel while no test can run: for its first minutes, a build only
/// compiles the kernel's Rust half, on one CPU.
const BUILDS: usize = 2;

/// A job: an index into [`Schedule::kernels`], or into the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Builds a kernel.
    Build(usize),
    /// A test runs.
    Test(usize),
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Start this.
    Start(Job),
    /// Wait until a job has ended.
    Wait,
    /// Everything is done.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Building,
    Built,
    Failed,
}

struct Planned {
    place: usize,
    kernel: Option<usize>,
    alone: bool,
}

/// The tests that are still to run, and the state of their kernels.
pub struct Schedule {
    kernels: Vec<(Flavour, State)>,
    /// The longest first, so that none of them runs alone at the end.
    tests: Vec<Planned>,
    running: Vec<Job>,
    alone: Option<usize>,
}

impl Schedule {
    /// Nothing has run yet.
    pub fn new(tests: &[Test]) -> Self {
        let mut kernels: Vec<(Flavour, State)> = Vec::new();
        let mut place_of = |flavour: &Flavour| {
            let known = |(kernel, _): &(Flavour, State)| kernel.name() == flavour.name();
            kernels.iter().position(known).unwrap_or_else(|| {
                kernels.push((flavour.clone(), State::Waiting));
                kernels.len() - 1
            })
        };
        let mut planned: Vec<Planned> = tests
            .iter()
            .enumerate()
            .map(|(place, test)| Planned {
                place,
                kernel: test.kernel.as_ref().map(&mut place_of),
                alone: test.alone,
            })
            .collect();
        planned.sort_by_key(|planned| std::cmp::Reverse(tests[planned.place].limit));
        Schedule {
            kernels,
            tests: planned,
            running: Vec::new(),
            alone: None,
        }
    }

    /// The kernel of a build.
    pub fn kernel(&self, place: usize) -> &Flavour {
        &self.kernels[place].0
    }

    /// The next job to start, which counts as running from here on.
    pub fn next(&mut self) -> Next {
        let job = match self.alone {
            Some(_) => None,
            None => self.choose(),
        };
        match job {
            Some(job) => {
                self.running.push(job);
                Next::Start(job)
            }
            None if self.running.is_empty() => Next::Over,
            None => Next::Wait,
        }
    }

    fn choose(&mut self) -> Option<Job> {
        let builds = self.running.iter();
        let builds = builds.filter(|job| matches!(job, Job::Build(_))).count();
        if builds == 0 {
            if let Some(build) = self.start_build() {
                return Some(build);
            }
        }
        if let Some(at) = self.tests.iter().position(|test| self.is_ready(test)) {
            return Some(Job::Test(self.tests.remove(at).place));
        }
        if builds < BUILDS {
            if let Some(build) = self.start_build() {
                return Some(build);
            }
        }
        if self.running.is_empty() && !self.tests.is_empty() {
            let test = self.tests.remove(0);
            self.alone = Some(test.place);
            return Some(Job::Test(test.place));
        }
        None
    }

    fn start_build(&mut self) -> Option<Job> {
        let waiting = |(_, state): &(Flavour, State)| *state == State::Waiting;
        let place = self.kernels.iter().position(waiting)?;
        self.kernels[place].1 = State::Building;
        Some(Job::Build(place))
    }

    fn is_ready(&self, test: &Planned) -> bool {
        let built = |place: usize| self.kernels[place].1 == State::Built;
        !test.alone && test.kernel.is_none_or(built)
    }

    /// A job has ended. If a kernel could not be built, returns the indices of its tests, which will
    /// not run.
    pub fn ended(&mut self, job: Job, well: bool) -> Vec<usize> {
        self.running.retain(|running| *running != job);
        let kernel = match job {
            Job::Build(kernel) => kernel,
            Job::Test(test) => {
                self.alone = self.alone.filter(|alone| *alone != test);
                return Vec::new();
            }
        };
        if well {
            self.kernels[kernel].1 = State::Built;
            return Vec::new();
        }
        self.kernels[kernel].1 = State::Failed;
        let (lost, left) = std::mem::take(&mut self.tests)
            .into_iter()
            .partition(|test| test.kernel == Some(kernel));
        self.tests = left;
        let lost: Vec<Planned> = lost;
        lost.iter().map(|test| test.place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::context::{debug_flavour, main_flavour};

    fn test(name: &str) -> Test {
        Test::new(name, |_| Ok(()))
    }

    #[test]
    fn kernels_come_first_and_the_lonely_last() {
        let tests = [
            test("quick"),
            test("alone").on(&main_flavour()).alone(),
            test("on main").on(&main_flavour()),
            test("on debug").on(&debug_flavour()),
            test("long").minutes(60),
        ];
        let mut schedule = Schedule::new(&tests);
        let mut next = |ended: Option<Job>| {
            if let Some(job) = ended {
                assert_eq!(schedule.ended(job, true), Vec::<usize>::new());
            }
            schedule.next()
        };
        assert_eq!(next(None), Next::Start(Job::Build(0)));
        assert_eq!(next(None), Next::Start(Job::Test(4)));
        assert_eq!(next(Some(Job::Test(4))), Next::Start(Job::Test(0)));
        assert_eq!(next(Some(Job::Test(0))), Next::Start(Job::Build(1)));
        assert_eq!(next(None), Next::Wait);
        assert_eq!(next(Some(Job::Build(0))), Next::Start(Job::Test(2)));
        assert_eq!(next(None), Next::Wait);
        assert_eq!(next(Some(Job::Test(2))), Next::Wait);
        assert_eq!(next(Some(Job::Build(1))), Next::Start(Job::Test(3)));
        assert_eq!(next(None), Next::Wait);
        assert_eq!(next(Some(Job::Test(3))), Next::Start(Job::Test(1)));
        assert_eq!(next(None), Next::Wait);
        assert_eq!(next(Some(Job::Test(1))), Next::Over);
    }

    #[test]
    fn without_its_kernel_no_test_runs() {
        let tests = [test("a").on(&main_flavour()), test("b")];
        let mut schedule = Schedule::new(&tests);
        assert_eq!(schedule.next(), Next::Start(Job::Build(0)));
        assert_eq!(schedule.ended(Job::Build(0), false), [0]);
        assert_eq!(schedule.next(), Next::Start(Job::Test(1)));
        schedule.ended(Job::Test(1), true);
        assert_eq!(schedule.next(), Next::Over);
    }
}
