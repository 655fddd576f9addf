//! What the end of a guest means: success, or the error that it amounts to.

use anyhow::Result;
use diagnostic::Diagnostic;

use super::refusals::explain;
use super::splats::splats;
use crate::exit::Exit;
use crate::guest::machine::{qemu_died, Guest, Outcome};

/// What insmod says when the kernel does not take a module for one of its own.
const WRONG_KERNEL: &str = "error 8: Exec format error";

/// The error that the end of a guest amounts to, if any; `decode` turns addresses in a report into
/// lines of source.
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
        Outcome::Answered(status) => refused(guest, *status),
        Outcome::Silent => {
            Diagnostic::new("the guest ended without an answer: it crashed, or rebooted")
                .exit(Exit::Splat)
                .note(end)
        }
        Outcome::TimedOut => Diagnostic::new(format!(
            "the guest gave no answer in {} s",
            guest.wall.as_secs()
        ))
        .exit(Exit::Timeout)
        .note(end)
        .help("make run TIMEOUT=300, if the host is just slow"),
        Outcome::Died(complaint) => qemu_died(complaint),
    };
    Err(error.into())
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
    // With CONFIG_MODVERSIONS, the kernel refuses one that has noted no checksums without a word.
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
