//! Long commands: progress that moves, the whole output in a log, the telling lines on failure.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use trouble::Trouble;

/// Without a terminal, one line of progress in this time.
const QUIET_INTERVAL: Duration = Duration::from_secs(10);

/// Steps that took longer say so when they end.
const WORTH_TELLING: Duration = Duration::from_secs(2);

/// What a line of a command's output says about how far it is.
pub enum Tick {
    /// Nothing.
    None,
    /// One more step was done.
    Step,
    /// So many percent are done.
    Percent(f32),
}

/// A long command, told about on stderr.
pub struct Job<'a> {
    /// What is being done, as a user would say it.
    pub what: &'a str,
    /// Where the whole output goes.
    pub log: &'a Path,
    /// About how many [`Tick::Step`]s there will be; 0 where nobody knows.
    pub steps: u64,
    /// Reads progress from a line of output.
    pub tick: fn(&str) -> Tick,
}

impl Job<'_> {
    /// Runs the command to its end.
    ///
    /// # Errors
    ///
    /// When it cannot be started or fails; the error shows the telling lines of its output.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let start = Instant::now();
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()
            .with_context(|| format!("cannot start {:?}", command.get_program()))?;
        // The command holds the pipe's other end as well; without it the pipe would never close.
        command.stdout(Stdio::null()).stderr(Stdio::null());

        let tail = self.follow(File::from(reader))?;
        let status = child.wait()?;
        if !status.success() {
            return Err(self.failure(&tail).into());
        }
        if start.elapsed() >= WORTH_TELLING {
            eprintln!("lab: {}: took {} s", self.what, start.elapsed().as_secs());
        }
        Ok(())
    }

    /// Shows progress until the output ends; returns its last lines.
    fn follow(&self, output: File) -> Result<Vec<String>> {
        let mut log = File::create(self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut display = Display::new(self.what, self.steps);
        let mut tail: Vec<String> = Vec::new();

        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            writeln!(log, "{line}")?;
            display.update((self.tick)(&line), &line);
            if tail.len() == 200 {
                tail.remove(0);
            }
            tail.push(line);
        }
        Ok(tail)
    }

    fn failure(&self, tail: &[String]) -> Trouble {
        let trouble = Trouble::new(format!("{}: failed", self.what))
            .seen(telling_lines(tail))
            .seen(format!("whole output: {}", self.log.display()));
        match REMEDIES
            .iter()
            .find(|(sign, _)| tail.iter().any(|line| line.contains(sign)))
        {
            Some((_, remedy)) => trouble.mend(*remedy),
            None => trouble,
        }
    }
}

/// What commands say when they fail for want of something, and what a user can do about it.
const REMEDIES: &[(&str, &str)] = &[
    (
        "No space left on device",
        "free some space, or set XDG_CACHE_HOME to a roomier place",
    ),
    (
        "Temporary failure resolving",
        "check the network connection, then run the same command again",
    ),
    (
        "Could not resolve",
        "check the network connection, then run the same command again",
    ),
    (
        "Could not connect",
        "check the network connection, then run the same command again",
    ),
    (
        "Connection failed",
        "check the network connection, then run the same command again",
    ),
    (
        "Unable to fetch",
        "run the same command again: what was fetched is checked, and kept only if whole",
    ),
    (
        "Failed to fetch",
        "run the same command again: what was fetched is checked, and kept only if whole",
    ),
    (
        "Hash Sum mismatch",
        "run the same command again: the archive arrived damaged and was thrown away",
    ),
];

/// An error told in our own way, or the lines that say error, or else the last ones.
fn telling_lines(tail: &[String]) -> String {
    let told = tail
        .windows(2)
        .rposition(|pair| pair[0].contains(": error: ") && pair[1].starts_with("  seen: "));
    if let Some(from) = told {
        return tail[from..].join("\n");
    }
    let telling = |line: &&String| {
        let line = line.to_lowercase();
        ["error", "e: ", "cannot", "failed", "no space"]
            .iter()
            .any(|sign| line.contains(sign))
            && !line.starts_with("make")
    };
    let mut lines: Vec<&String> = tail.iter().filter(telling).take(8).collect();
    if lines.is_empty() {
        lines = tail.iter().skip(tail.len().saturating_sub(8)).collect();
    }
    lines
        .iter()
        .map(|line| line.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A bar on a terminal, a line now and then elsewhere.
struct Display<'a> {
    what: &'a str,
    bar: ProgressBar,
    terminal: bool,
    next_line: Instant,
}

impl<'a> Display<'a> {
    fn new(what: &'a str, steps: u64) -> Self {
        let bar = ProgressBar::new(steps);
        let template = match steps {
            0 => "lab: {prefix} {spinner} {elapsed} {wide_msg:.dim}",
            _ => "lab: {prefix} {bar:20} {pos} of about {len} {elapsed} {wide_msg:.dim}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));

        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            eprintln!("lab: {what}");
        }
        Display {
            what,
            bar,
            terminal,
            next_line: Instant::now() + QUIET_INTERVAL,
        }
    }

    fn update(&mut self, tick: Tick, line: &str) {
        match tick {
            Tick::None => {}
            Tick::Step => self.bar.inc(1),
            Tick::Percent(percent) => {
                self.bar.set_length(100);
                self.bar.set_position(percent as u64);
            }
        }
        if self.terminal {
            self.bar.set_message(line.trim().to_owned());
        } else if Instant::now() >= self.next_line {
            eprintln!("lab: {} {}", self.what, self.position());
            self.next_line = Instant::now() + QUIET_INTERVAL;
        }
    }

    fn position(&self) -> String {
        let seconds = self.bar.elapsed().as_secs();
        match self.bar.length() {
            Some(length) if length > 0 => {
                format!("... {} of about {length}, {seconds} s", self.bar.position())
            }
            _ => format!("... {seconds} s"),
        }
    }
}

impl Drop for Display<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telling(text: &str) -> String {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        telling_lines(&lines)
    }

    #[test]
    fn what_tells() {
        let own = "rust-metadata: error: no\n  seen: here\n  mend: so";
        assert_eq!(telling(&format!("a\nerror: b\n{own}\n")), own);
        assert_eq!(telling("a\nE: b\nc\n"), "E: b");
        assert_eq!(telling("a\nb\n"), "a\nb");
    }
}
