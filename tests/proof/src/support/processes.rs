//! Waits for other processes.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process_group, Pid, Signal};

/// How long to wait for kernel builds and downloads on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for a condition, at most [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        ensure!(
            Instant::now() < end,
            "waited {} s for {what}",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The processes of this machine with `text` in their command lines, except this one.
pub fn processes_with(text: &str) -> Vec<(Pid, String)> {
    let pids = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid as u32 != std::process::id());
    pids.filter_map(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some((Pid::from_raw(pid)?, line))
    })
    .filter(|(_, line)| line.contains(text))
    .collect()
}

/// Whether a file contains a text this many times by now.
pub fn says(file: &Path, text: &str, often: usize) -> Option<()> {
    let content = fs::read(file).ok()?;
    let content = String::from_utf8_lossy(&content);
    (content.matches(text).count() >= often).then_some(())
}

/// A lab in its own process group, which is killed if the test fails.
pub struct Started {
    /// The lab itself.
    pub child: Child,
    /// Its process group.
    pub group: Pid,
}

impl Started {
    /// Starts it, with pipes for its input and its errors.
    pub fn new(command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        Started::printing(command.stderr(Stdio::piped()))
    }

    /// Starts it as it is.
    pub fn printing(command: &mut Command) -> Result<Self> {
        let child = command.process_group(0).spawn()?;
        let group = Pid::from_child(&child);
        Ok(Started { child, group })
    }

    /// Waits for a process with this name.
    pub fn wait_for_process(&mut self, name: &str) -> Result<Pid> {
        let found = wait_for(name, || {
            let over = matches!(self.child.try_wait(), Ok(Some(_)));
            let found = self.find_process(name);
            (over || found.is_some()).then_some(found)
        })?;
        found.with_context(|| format!("it ended before {name} ran"))
    }

    /// A process with this name, if there is one now.
    pub fn find_process(&self, name: &str) -> Option<Pid> {
        let mut members = members(self.group).into_iter();
        let (pid, _) = members.find(|(_, known)| known == name)?;
        Some(pid)
    }

    /// Waits until all of them have ended.
    pub fn wait_until_gone(&self) -> Result<()> {
        wait_for("all its processes to end", || {
            members(self.group).is_empty().then_some(())
        })
        .with_context(|| format!("left behind: {:?}", members(self.group)))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !members(self.group).is_empty() {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// The running processes of a group, with their names.
fn members(group: Pid) -> Vec<(Pid, String)> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            // "1 (name) state parent group ..."; a name may contain anything.
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
            let mut rest = rest.split(' ');
            let alive = !["Z", "X"].contains(&rest.next()?);
            let same = rest.nth(1)?.parse() == Ok(group.as_raw_nonzero().get());
            (alive && same).then(|| (pid, name.to_owned()))
        })
        .collect()
}
