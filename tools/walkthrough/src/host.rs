//! Commands on this host: by bash, in a scratch folder, with a clean environment.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Seek};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process_group, Pid, Signal};
use tempfile::TempDir;
use wait_timeout::ChildExt;

use crate::model::{Place, Source};
use crate::shell::{End, Ran, Shell};

/// What the commands see of the caller's environment. Anything else, as LIBRARY_PATH, could make
/// the same command say something else.
const KEPT: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

/// This host. The scratch folder lives as long as it does.
pub struct Host {
    scratch: TempDir,
    folder: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    limit: Duration,
}

impl Host {
    /// With this folder in front of `PATH`, and so long for each command.
    pub fn new(first: Option<PathBuf>, limit: Duration) -> Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix("walkthrough")
            .tempdir()
            .context("cannot make a temporary folder (TMPDIR names another place)")?;
        let kept = KEPT.iter();
        let mut environment: Vec<_> = kept
            .filter_map(|name| Some((*name, std::env::var_os(name)?)))
            .chain([("LC_ALL", "C".into())])
            .collect();
        if let Some(first) = first {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let path = std::iter::once(first).chain(std::env::split_paths(&path));
            let path =
                std::env::join_paths(path).context("PATH cannot have a colon in a folder")?;
            environment.push(("PATH", path));
        }
        Ok(Host {
            folder: scratch.path().to_owned(),
            scratch,
            environment,
            limit,
        })
    }
}

impl Shell for Host {
    fn enter(&mut self, sources: &[Source]) -> Result<()> {
        self.folder = lay_out(self.scratch.path(), sources)?;
        Ok(())
    }

    fn run(&mut self, place: Place, line: &str) -> Result<Ran> {
        ensure!(
            place == Place::Folder,
            "this host is no virtual machine: {line}"
        );
        // Files, not pipes: whatever a command leaves behind cannot keep them from ending.
        let cannot = || format!("cannot keep what `{line}` says");
        let mut stdout = tempfile::tempfile().with_context(cannot)?;
        let mut stderr = tempfile::tempfile().with_context(cannot)?;
        // Not sh: dash and others take a file that cannot be executed for a script of theirs.
        let mut child = Command::new("bash")
            .args(["--noprofile", "--norc", "-c", line])
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().with_context(cannot)?)
            .stderr(stderr.try_clone().with_context(cannot)?)
            .process_group(0)
            .spawn()
            .context("cannot run bash")?;
        let waited = child.wait_timeout(self.limit).context("cannot wait")?;
        let end = match waited {
            Some(status) => ended(status),
            None => {
                // All that it started ends with it.
                kill_process_group(Pid::from_child(&child), Signal::KILL)
                    .context("cannot kill a command that takes too long")?;
                child.wait().context("cannot wait")?;
                End::TimeLimit(self.limit)
            }
        };
        let text = |file: &mut fs::File| -> Result<String> {
            let mut bytes = Vec::new();
            file.rewind().with_context(cannot)?;
            file.read_to_end(&mut bytes).with_context(cannot)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Ran {
            end,
            stdout: text(&mut stdout)?,
            stderr: text(&mut stderr)?,
        })
    }
}

/// A fresh folder in this one, with these sources. It goes with the one around it.
pub fn lay_out(scratch: &Path, sources: &[Source]) -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("part")
        .tempdir_in(scratch)
        .context("cannot make a scratch folder")?
        .keep();
    for source in sources {
        let file = folder.join(source.name());
        fs::write(&file, source.text)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(folder)
}

/// How a process ended.
pub fn ended(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn host(limit: Duration) -> Host {
        let mut host = Host::new(None, limit).expect("a host");
        let source = Source {
            path: "1-part/a.txt",
            text: "a text\n",
        };
        host.enter(&[source]).expect("a folder");
        host
    }

    #[test]
    fn a_command() {
        let mut host = host(Duration::from_secs(60));
        let ran = host
            .run(Place::Folder, "cat a.txt; echo $LC_ALL >&2; exit 3")
            .expect("run");
        assert_eq!(ran.end, End::Exit(3));
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            ("a text\n", "C\n")
        );
        let ran = host.run(Place::Folder, "kill -SEGV $$").expect("run");
        assert_eq!(ran.end, End::Signal(11));
        let ran = host.run(Place::Folder, "no-such-tool").expect("run");
        assert_eq!(ran.missing().as_deref(), Some("no-such-tool"));
    }

    #[test]
    fn each_part_has_its_folder() {
        let mut host = host(Duration::from_secs(60));
        assert_eq!(
            host.run(Place::Folder, "ls").expect("run").stdout,
            "a.txt\n"
        );
        host.enter(&[]).expect("another folder");
        assert_eq!(host.run(Place::Folder, "ls").expect("run").stdout, "");
        let scratch = host.scratch.path().to_owned();
        assert!(scratch.is_dir());
        drop(host);
        assert!(!scratch.exists());
    }

    /// A zombie is not.
    fn is_alive(process: i32) -> bool {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        !(state.is_empty() || state.starts_with('Z'))
    }

    #[test]
    fn a_time_limit_for_it_and_its_children() {
        let limit = Duration::from_millis(300);
        let mut host = host(limit);
        let ran = host
            .run(Place::Folder, "sleep 1000 & echo $!; wait; echo survived")
            .expect("run");
        assert_eq!(ran.end, End::TimeLimit(limit));
        let child: i32 = ran.stdout.trim().parse().expect("the child alone");
        // It was told to end; the kernel ends it as soon as it runs again.
        let told = Instant::now();
        while is_alive(child) {
            assert!(told.elapsed() < Duration::from_secs(60), "it survived");
            std::thread::yield_now();
        }
    }
}
