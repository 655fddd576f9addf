//! Turns the outcome of a guest into success or an error.

use anyhow::Result;
use diagnostic::Diagnostic;

use super::refusals::explain;
use super::splats::splats;
use crate::exit::Exit;
use crate::guest::job::{NOT_UNLOADED, RUN_FAILED};
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
        Outcome::Answered(status) => run_failed(guest)
            .or_else(|| not_unloaded(guest))
            .unwrap_or_else(|| refused(guest, *status)),
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
    // The script may have left an unfinished line.
    let (_, after) = guest.output.rsplit_once(RUN_FAILED)?;
    let status = after.lines().next().unwrap_or_default();
    let what = format!("the script in RUN= exited with {status}");
    Some(
        Diagnostic::new(what)
            .exit(Exit::Failed)
            .note("its output is above"),
    )
}

/// A module is still in use, by a process of the user's for instance.
fn not_unloaded(guest: &Guest) -> Option<Diagnostic> {
    let (_, after) = guest.output.split_once(NOT_UNLOADED)?;
    let name = after.lines().next().unwrap_or_default();
    Some(
        Diagnostic::new(format!("cannot unload {name}"))
            .exit(Exit::Failed)
            .note("rmmod's message is above")
            .help("end what uses it before RUN= ends; lsmod in RUN= shows how many users it has"),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_not_the_kernels_refusal() {
        let error = |output: &str| {
            let guest = Guest {
                outcome: Outcome::Answered(1),
                console: String::new(),
                output: output.to_owned(),
                wall: Duration::ZERO,
            };
            let error = judge(&guest, |_| String::new()).expect_err("an error");
            diagnostic::render(&error)
        };
        for (output, what) in [
            (
                "halflab: RUN exited with 7\n[ 0.1] x\n",
                "the script in RUN= exited with 7\n",
            ),
            ("rmmod: busy\nlab: cannot unload a\n", "cannot unload a\n"),
            ("", "the kernel refused the module (status 1)"),
        ] {
            let error = error(output);
            assert!(error.starts_with(what), "{error}");
        }
    }
}
