//! Where commands are run: on this host, or in a machine of another kind.

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::model::{Place, Source};

/// What runs the commands of a part.
pub trait Shell {
    /// Makes a fresh folder with these sources: commands are run there from now on.
    fn enter(&mut self, sources: &[Source]) -> Result<()>;

    /// Runs a command line there, or in a machine of its own, and waits for its end.
    ///
    /// # Errors
    ///
    /// When it could not be run at all; how a command ends is no error.
    fn run(&mut self, place: Place, line: &str) -> Result<Ran>;
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// It was killed after so long.
    TimeLimit(Duration),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exit(code) => write!(f, "it ended with {code}"),
            End::Signal(signal) => write!(f, "signal {signal} ended it"),
            End::TimeLimit(limit) => write!(f, "it was killed after {} s", limit.as_secs()),
        }
    }
}

impl Ran {
    /// All that it said, line by line: standard output, then standard error.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.stdout.lines().chain(self.stderr.lines())
    }

    /// What it would have needed and did not find: a program or a library.
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
        let stderr = stderr.to_owned();
        let (end, stdout) = (End::Exit(1), "bash: ldd: command not found\n".to_owned());
        let ran = Ran {
            end,
            stdout,
            stderr,
        };
        ran.missing()
    }

    #[test]
    fn what_is_missing() {
        for (said, what) in [
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
            assert_eq!(missing(said).as_deref(), what, "{said}");
        }
    }
}
