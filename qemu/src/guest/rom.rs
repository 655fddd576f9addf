//! A guest of a few bytes, which takes a tenth of a second: whether an accelerator executes instructions.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Result;
use host::arch::Arch;
use host::cache;
use host::toolchain::Toolchain;
use wait_timeout::ChildExt;

use super::machine::{Accelerator, Outcome, Qemu};

/// The file with the firmware that is made from it.
const ROM: &str = "rom";

/// What it writes to which port,
const STATUS: i32 = 0x10;
const PORT: &str = "0xf4";

/// and the exit status that QEMU's isa-debug-exit makes of it.
const EXIT: i32 = (STATUS << 1) | 1;

/// What QEMU says when KVM has given up. It does not end then.
const GIVEN_UP: &str = "KVM internal error";

/// How often to see whether QEMU says so.
const INTERVAL: Duration = Duration::from_millis(20);

/// Runs it on the host's architecture; the outcome is an answer of 0 if all instructions were executed, or if
/// there is no such guest.
pub fn run(toolchain: &Toolchain, accelerator: Accelerator, limit: Duration) -> Result<Outcome> {
    let words = Arch::NATIVE.words();
    let Some(source) = words.rom else {
        return Ok(Outcome::Answered(0));
    };
    let folder = cache::scratch_in(&toolchain.cache().join(cache::RUNS))?;
    assemble(toolchain, folder.path(), source)?;
    let mut qemu = toolchain.command_in(folder.path(), &[], words.qemu);
    qemu.args(["-machine", "microvm,acpi=off", "-m", "32M"])
        .args(["-no-user-config", "-nodefaults", "-display", "none"])
        .args(accelerator.arguments(Arch::NATIVE))
        .args(["-device", &format!("isa-debug-exit,iobase={PORT},iosize=1")])
        .args(["-bios", ROM])
        .stdin(Stdio::null());
    let mut qemu = Qemu::start(qemu, folder)?;

    let start = Instant::now();
    loop {
        if let Some(status) = qemu.child.wait_timeout(INTERVAL)? {
            return Ok(match status.code() {
                Some(EXIT) => Outcome::Answered(0),
                _ => Outcome::Died(qemu.died(status)),
            });
        }
        let said = qemu.complaint();
        if let Some(line) = said.lines().find(|line| line.contains(GIVEN_UP)) {
            return Ok(Outcome::Died(line.to_owned()));
        }
        if start.elapsed() >= limit {
            return Ok(Outcome::TimedOut);
        }
    }
}

/// Makes the [`ROM`] in this folder.
fn assemble(toolchain: &Toolchain, folder: &Path, source: &str) -> Result<()> {
    fs::write(folder.join("rom.S"), source)?;
    let output = toolchain
        .command_in(folder, &[], "gcc")
        .args([&format!("-DSTATUS={STATUS}"), &format!("-DPORT={PORT}")])
        .args(["-nostdlib", "-Wl,--oformat=binary,-Ttext=0", "-o", ROM])
        .arg("rom.S")
        .output()?;
    anyhow::ensure!(
        output.status.success(),
        "the guest of a few bytes cannot be made: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
