//! The interface to the shell that runs the commands, on this host or elsewhere.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;

use crate::model::{Place, Source};

/// Runs the commands of a part.
pub trait Shell {
    /// Creates a fresh folder with these sources; commands run there from now on.
    fn enter(&mut self, sources: &[Source]) -> Result<()>;

    /// Runs a command line and waits for it.
    ///
    /// # Errors
    ///
    /// If it cannot be run at all; a failing command is not an error.
    fn run(&mut self, place: Place, line: &str) -> Result<Output>;
}

/// The output of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It exited with this status.
    Exit(i32),
    /// This signal killed it.
    Signal(i32),
    /// It was killed at this time limit.
    Timeout(Duration),
}

impl From<ExitStatus> for Status {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Status::Exit(code),
            (None, signal) => Status::Signal(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Exit(code) => write!(f, "exited with status {code}"),
            Status::Signal(signal) => write!(f, "killed by signal {signal}"),
            Status::Timeout(limit) => write!(f, "killed after {} s", limit.as_secs()),
        }
    }
}

impl Output {
    /// All lines: standard output, then standard error.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.stdout.lines().chain(self.stderr.lines())
    }

    /// The program or library that it did not find.
    pub fn missing(&self) -> Option<String> {
        self.stderr.lines().find_map(|line| {
            // bash, then ld and lld.
            if let Some(before) = line.strip_suffix(": command not found") {
                return before.rsplit(": ").next().map(str::to_owned);
            }
            let library = [": cannot find -l", ": unable to find library -l"]
                .iter()
                .find_map(|words| Some(line.split_once(words)?.1))?;
            let name = library.split([':', ' ']).next()?;
            Some(format!("lib{name}.a"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(stderr: &str) -> Option<String> {
        let output = Output {
            status: Status::Exit(1),
            stdout: "bash: ldd: command not found\n".to_owned(),
            stderr: stderr.to_owned(),
        };
        output.missing()
    }

    #[test]
    fn a_missing_tool() {
        for (stderr, what) in [
            ("bash: line 1: ldd: command not found\n", Some("ldd")),
            (
                "x\n/usr/bin/ld: cannot find -lc: No such file or directory\n",
                Some("libc.a"),
            ),
            ("/usr/bin/ld: cannot find -lc\n", Some("libc.a")),
            (
                "ld.lld: error: unable to find library -lc\n",
                Some("libc.a"),
            ),
            ("libhello.so => not found\n", None),
            ("", None),
        ] {
            assert_eq!(missing(stderr).as_deref(), what, "{stderr}");
        }
    }
}
