//! Turns the outcome of a guest into success or an error.

use anyhow::Result;
use diagnostic::Diagnostic;

use super::refusals::explain;
use super::splats::splats;
use crate::exit::Exit;
use crate::guest::job::RUN_FAILED;
use crate::guest::machine::{qemu_died, Guest, Outcome};

/// What insmod prints for a module that was built for another kernel.
const WRONG_KERNEL: &str = "error 8: Exec format error";

/// Success, or the error that the log and the outcome show. `decode` turns the addresses in a
/// report into lines of source.
pub fn judge(guest: &Guest, decode: impl FnOnce(&str) -> String) -> Result<()> {
    if let Some(first) = splats(&guest.console).first() {
        let what = format!("the guest's log has a splat: {}", first.line);
        return Err(Diagnostic::new(what)
            .exit(Exit::Splat)
            .note(decode(&first.report))
            .into());
    }
    let end = last_lines(&guest.console, 5);
    let error = match &guest.outcome {
        Outcome::Answered(0) => return Ok(()),
        Outcome::Answered(status) => run_failed(guest).unwrap_or_else(|| refused(guest, *status)),
        Outcome::Silent => {
            Diagnostic::new("the guest ended without reporting a result: it crashed or rebooted")
                .exit(Exit::Splat)
                .note(end)
        }
        Outcome::TimedOut => Diagnostic::new(format!(
            "the guest did not finish within {} s",
            guest.wall.as_secs()
        ))
        .exit(Exit::Timeout)
        .note(end)
        .help("make run TIMEOUT=300, if the host is only slow"),
        Outcome::Died(complaint) => qemu_died(complaint),
    };
    Err(error.into())
}

/// The user's script failed, in a guest that is well.
fn run_failed(guest: &Guest) -> Option<Diagnostic> {
    let mut lines = guest.output.lines();
    let status = lines.find_map(|line| line.strip_prefix(RUN_FAILED))?;
    let what = format!("the script in RUN= exited with {status}");
    Some(
        Diagnostic::new(what)
            .exit(Exit::Failed)
            .note("its output is above"),
    )
}

fn refused(guest: &Guest, status: i32) -> Diagnostic {
    let refused = |why: &str| {
        Diagnostic::new(format!(
            "the kernel refused the module (status {status}){why}"
        ))
        .exit(Exit::Failed)
    };
    if let Some(known) = explain(&guest.console).first() {
        return refused(&format!(": {}", known.meaning))
            .note(&known.line)
            .help(&known.help);
    }
    // With CONFIG_MODVERSIONS, the kernel refuses a module without checksums silently.
    match guest
        .output
        .lines()
        .find(|line| line.contains(WRONG_KERNEL))
    {
        Some(line) => refused(": it was built for another kernel, with other options")
            .note(line)
            .help("build it for this one: make clean && make KDIR=/lib/modules/$(uname -r)/build"),
        None => refused("").note(last_lines(&guest.console, 5)),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
