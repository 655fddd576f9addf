//! Runs commands on this host: with bash, in a scratch folder, in a clean environment.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process_group, Pid, Signal};
use tempfile::TempDir;
use wait_timeout::ChildExt;

use crate::model::{Place, Source};
use crate::shell::{Output, Shell, Status};

/// The variables passed on to commands. Others, such as LIBRARY_PATH, could change their output.
const PASSED: &[&str] = &[
    "PATH",
    "HOME",
    "TMPDIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
];

/// This host, with a scratch folder that is removed on drop.
pub struct Host {
    scratch: TempDir,
    folder: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    limit: Duration,
}

impl Host {
    /// With this folder in front of `PATH`, and a time limit for each command.
    pub fn new(path_first: Option<PathBuf>, limit: Duration) -> Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix("walkthrough")
            .tempdir()
            .context("cannot create a temporary folder (set TMPDIR to use another place)")?;
        let mut environment: Vec<_> = PASSED
            .iter()
            .filter_map(|name| Some((*name, std::env::var_os(name)?)))
            .chain([("LC_ALL", "C".into())])
            .collect();
        if let Some(first) = path_first {
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
        self.folder = write_sources(self.scratch.path(), sources)?;
        Ok(())
    }

    fn run(&mut self, place: Place, line: &str) -> Result<Output> {
        ensure!(
            place == Place::Folder,
            "this host is not a virtual machine: {line}"
        );
        // Files, not pipes: a process left behind by the command cannot hold them open.
        let cannot = || format!("cannot capture the output of `{line}`");
        let mut stdout = tempfile::tempfile().with_context(cannot)?;
        let mut stderr = tempfile::tempfile().with_context(cannot)?;
        // Not sh: dash and others run a file that cannot be executed as a script.
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
        let status = match child.wait_timeout(self.limit).context("cannot wait")? {
            Some(status) => status.into(),
            None => {
                // The whole group, so that no child survives.
                kill_process_group(Pid::from_child(&child), Signal::KILL)
                    .context("cannot kill a command after its time limit")?;
                child.wait().context("cannot wait")?;
                Status::Timeout(self.limit)
            }
        };
        let text = |file: &mut fs::File| -> Result<String> {
            let mut bytes = Vec::new();
            file.rewind().with_context(cannot)?;
            file.read_to_end(&mut bytes).with_context(cannot)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok(Output {
            status,
            stdout: text(&mut stdout)?,
            stderr: text(&mut stderr)?,
        })
    }
}

/// Creates a fresh folder in this one, with these sources.
pub fn write_sources(scratch: &Path, sources: &[Source]) -> Result<PathBuf> {
    let folder = tempfile::Builder::new()
        .prefix("part")
        .tempdir_in(scratch)
        .context("cannot create a scratch folder")?
        .keep();
    for source in sources {
        let file = folder.join(source.name());
        fs::write(&file, source.text)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(folder)
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
        let output = host
            .run(Place::Folder, "cat a.txt; echo $LC_ALL >&2; exit 3")
            .expect("run");
        assert_eq!(output.status, Status::Exit(3));
        assert_eq!(
            (output.stdout.as_str(), output.stderr.as_str()),
            ("a text\n", "C\n")
        );
        let output = host.run(Place::Folder, "kill -SEGV $$").expect("run");
        assert_eq!(output.status, Status::Signal(11));
        let output = host.run(Place::Folder, "no-such-tool").expect("run");
        assert_eq!(output.missing().as_deref(), Some("no-such-tool"));
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

    /// A zombie does not count as alive.
    fn is_alive(process: i32) -> bool {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        !(state.is_empty() || state.starts_with('Z'))
    }

    #[test]
    fn a_time_limit_for_it_and_its_children() {
        let limit = Duration::from_millis(300);
        let mut host = host(limit);
        let output = host
            .run(Place::Folder, "sleep 1000 & echo $!; wait; echo survived")
            .expect("run");
        assert_eq!(output.status, Status::Timeout(limit));
        let child: i32 = output.stdout.trim().parse().expect("the child alone");
        // The signal takes effect when the child is scheduled again.
        let killed = Instant::now();
        while is_alive(child) {
            assert!(killed.elapsed() < Duration::from_secs(60), "it survived");
            std::thread::yield_now();
        }
    }
}
