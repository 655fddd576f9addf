//! Shows what is running, and for how long: continuously on a terminal, elsewhere now and then.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Without a terminal, how often a line is printed.
const QUIET_INTERVAL: Duration = Duration::from_secs(30);

/// The running jobs.
pub struct Display {
    bar: ProgressBar,
    terminal: bool,
    running: Vec<(String, Instant)>,
    last_line: Instant,
}

impl Display {
    /// For this many jobs.
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

    /// A job has ended; `tell` prints its result.
    pub fn ended(&mut self, name: &str, tell: impl FnOnce()) {
        self.running.retain(|(running, _)| running != name);
        self.bar.suspend(tell);
        self.bar.inc(1);
        self.last_line = Instant::now();
        self.tick();
    }

    /// Updates the times.
    pub fn tick(&mut self) {
        if self.terminal {
            self.bar.set_message(self.running());
            self.bar.tick();
        } else if self.last_line.elapsed() >= QUIET_INTERVAL {
            eprintln!("running: {}", self.running());
            self.last_line = Instant::now();
        }
    }

    fn running(&self) -> String {
        let text = self
            .running
            .iter()
            .map(|(name, since)| format!("{name} ({} s)", since.elapsed().as_secs()));
        text.collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
