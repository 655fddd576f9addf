//! Waiting for what other processes do.

use std::time::{Duration, Instant};

use anyhow::{ensure, Result};
use rustix::process::Pid;

/// Kernel builds and downloads are waited for this long, on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(300);

/// Waits for a condition, and not longer than [`PATIENCE`].
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

/// The processes of this machine that have `text` in their command lines, this one aside.
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
