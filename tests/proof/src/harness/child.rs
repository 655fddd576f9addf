//! Runs each test, and each kernel's build, in its own process, which can be killed with everything
//! that it started.

use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::NamedTempFile;
use wait_timeout::ChildExt;

use super::test::{Case, Outcome};
use crate::support::context::{self, tail};
use lab::kernel::flavour::Flavour;

/// The time limit for a kernel's build.
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The result of a job.
pub struct Done {
    /// The job's own case, and the cases that it consists of.
    pub cases: Vec<Case>,
    /// What else it printed, for people.
    pub printed: String,
}

/// Runs a test as `proof --one NAME`, which writes its cases to a file.
pub fn test(name: &str, limit: Duration) -> Done {
    job(name, limit, |answer| {
        let mut own = Command::new(std::env::current_exe().context("cannot find this program")?);
        own.args(["--one", name, "--answer"]).arg(answer);
        Ok(own)
    })
}

/// The name of a kernel's build among the results.
pub fn name_of_build(flavour: &Flavour) -> String {
    format!("kernel::{}", flavour.name())
}

/// Provides a kernel as the lab's own command does.
pub fn build(flavour: &Flavour) -> Done {
    let done = job(&name_of_build(flavour), BUILD_LIMIT, |_| {
        let mut lab = Command::new(context::program("lab")?);
        lab.args(["kernel", "--kernel", &flavour.series]);
        lab.args(["--cc", flavour.compiler.name()]);
        lab.args(["--arch", flavour.arch.words().kernel]);
        lab.arg(format!("--debug={}", flavour.debug.word()));
        Ok(lab)
    });
    // The command prints the kernel's folder, which is not needed.
    Done {
        printed: String::new(),
        ..done
    }
}

/// Runs a command. Without cases in its file, its exit status is the result.
fn job(name: &str, limit: Duration, command: impl Fn(&Path) -> Result<Command>) -> Done {
    let start = Instant::now();
    let outcome = |outcome| Case {
        name: name.to_owned(),
        outcome,
        took: start.elapsed(),
    };
    let ended = NamedTempFile::new()
        .map_err(anyhow::Error::from)
        .and_then(|answer| Ok((run(&command(answer.path())?, limit)?, answer)));
    let (Ended { status, out, err }, answer) = match ended {
        Ok(ended) => ended,
        Err(error) => {
            return Done {
                cases: vec![outcome(Outcome::of(&error))],
                printed: String::new(),
            }
        }
    };
    let answer = std::fs::read(answer.path()).unwrap_or_default();
    let cases = match (status, serde_json::from_slice::<Vec<Case>>(&answer)) {
        (Some(status), Ok(cases)) if status.success() => cases,
        (Some(status), _) if status.success() => vec![outcome(Outcome::Passed)],
        (Some(status), _) => vec![outcome(Outcome::Failed(format!(
            "{status}:\n{}",
            tail(&(out.clone() + &err))
        )))],
        (None, _) => vec![outcome(Outcome::Failed(format!(
            "killed after {} s, since it hangs:\n{}",
            limit.as_secs(),
            tail(&(out.clone() + &err))
        )))],
    };
    Done {
        cases,
        printed: out,
    }
}

/// A command's exit status and output.
struct Ended {
    /// `None` if it was killed after the time limit.
    status: Option<ExitStatus>,
    out: String,
    err: String,
}

/// Runs it in a PID namespace, whose processes all end with the first.
fn run(command: &Command, limit: Duration) -> Result<Ended> {
    let (out, err) = (NamedTempFile::new()?, NamedTempFile::new()?);
    let mut child = Command::new("bwrap")
        .args(["--die-with-parent", "--unshare-pid"])
        .args(["--dev-bind", "/", "/", "--proc", "/proc", "--"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(reopened(&out)?)
        .stderr(reopened(&err)?)
        .spawn()
        .context("cannot start bwrap")?;
    let status = child.wait_timeout(limit)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let read = |file: &NamedTempFile| {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Ended {
        status,
        out: read(&out),
        err: read(&err),
    })
}

fn reopened(file: &NamedTempFile) -> Result<File> {
    file.reopen().context("cannot open a file for its output")
}

impl Done {
    /// Whether all cases passed.
    pub fn passed(&self) -> bool {
        self.cases
            .iter()
            .all(|case| !matches!(case.outcome, Outcome::Failed(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome of a shell command with a limit of one second.
    fn outcome(line: &str) -> Outcome {
        let done = job("a::b", Duration::from_secs(1), |_| {
            let mut shell = Command::new("sh");
            shell.args(["-c", line]);
            Ok(shell)
        });
        assert_eq!(done.cases.len(), 1, "{:?}", done.cases);
        assert_eq!(done.cases[0].name, "a::b");
        done.cases[0].outcome.clone()
    }

    #[test]
    fn how_a_job_ends() {
        assert_eq!(outcome("true"), Outcome::Passed);
        let failed = |line, words: [&str; 2]| match outcome(line) {
            Outcome::Failed(how) => assert!(words.iter().all(|word| how.contains(word)), "{how}"),
            other => panic!("{line}: {other:?}"),
        };
        failed("echo why >&2; exit 3", ["exit status: 3", "why"]);
        failed("kill -9 $$", ["exit status: 137", ""]);
        // It is killed, with everything that it started.
        failed(
            "echo here; sleep 600 & sleep 600",
            ["since it hangs", "here"],
        );
    }
}
