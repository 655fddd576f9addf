//! What is running, and for how long: on a terminal all the time, elsewhere now and then.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Without a terminal, one line in this time.
const QUIET_INTERVAL: Duration = Duration::from_secs(30);

/// The jobs that were started and have not ended.
pub struct Display {
    bar: ProgressBar,
    terminal: bool,
    running: Vec<(String, Instant)>,
    last_line: Instant,
}

impl Display {
    /// For so many jobs.
    pub fn new(jobs: usize) -> Self {
        let bar = ProgressBar::new(jobs as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{pos} of {len}, {elapsed}: {wide_msg:.dim}")
        {
            bar.set_style(style);
        }
        Display {
            bar,
            terminal: std::io::stderr().is_terminal(),
            running: Vec::new(),
            last_line: Instant::now(),
        }
    }

    /// A job begins.
    pub fn started(&mut self, name: String) {
        self.running.push((name, Instant::now()));
        self.tick();
    }

    /// A job is over; `tell` prints what came of it.
    pub fn ended(&mut self, name: &str, tell: impl FnOnce()) {
        self.running.retain(|(running, _)| running != name);
        self.bar.suspend(tell);
        self.bar.inc(1);
        self.last_line = Instant::now();
        self.tick();
    }

    /// Time goes by.
    pub fn tick(&mut self) {
        if self.terminal {
            self.bar.set_message(self.told());
            self.bar.tick();
        } else if self.last_line.elapsed() >= QUIET_INTERVAL {
            eprintln!("running: {}", self.told());
            self.last_line = Instant::now();
        }
    }

    fn told(&self) -> String {
        let told = self
            .running
            .iter()
            .map(|(name, since)| format!("{name} ({} s)", since.elapsed().as_secs()));
        told.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
