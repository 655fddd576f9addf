//! The machine: one QEMU, its guest's answer by a channel of its own, and how it ended.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use wait_timeout::ChildExt;

use crate::accelerator::Accelerator;
use crate::cache;
use crate::initramfs::Initramfs;
use crate::kernel::Kernel;
use crate::toolchain::Toolchain;

/// What the guest says on its channel when the job has run.
const ANSWER: &str = "lab: the job ended with ";

/// What a user can adjust.
#[derive(Debug, Clone)]
pub struct Size {
    /// Megabytes of memory.
    pub memory: u32,
    /// Virtual CPUs.
    pub cpus: u32,
    /// How long the guest may take, from the start of QEMU to its end.
    pub limit: Duration,
}

/// A machine, not running yet.
pub struct Machine<'a> {
    /// Where QEMU is.
    pub toolchain: &'a Toolchain,
    /// What it boots.
    pub kernel: &'a Kernel,
    /// Who executes its instructions.
    pub accelerator: Accelerator,
    /// Its size and limits.
    pub size: Size,
}

/// How a guest ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// The job ran to its end, with this status.
    Answered(i32),
    /// QEMU ended in order, but the job never said so: the guest crashed or rebooted.
    Silent,
    /// The time was over.
    TimedOut,
    /// QEMU died, and this is what it said.
    Died(String),
}

/// What is left of a guest.
pub struct Guest {
    /// How it ended.
    pub ending: Ending,
    /// The kernel's log, as the console had it.
    pub console: String,
    /// What the job printed.
    pub output: String,
    /// From the start of QEMU to its end.
    pub wall: Duration,
}

impl Machine<'_> {
    /// Boots, runs the initramfs's job, and waits for the end.
    pub fn run(&self, initramfs: Initramfs, append: &str) -> Result<Guest> {
        let folder = self.folder()?;
        let (console, answer, complaint) = (
            folder.path().join("console"),
            folder.path().join("answer"),
            folder.path().join("qemu"),
        );
        initramfs.write(&folder.path().join("initramfs"))?;

        let start = Instant::now();
        let mut child = self
            .qemu(folder.path(), append)
            .arg("-chardev")
            .arg(format!("file,id=console,path={}", console.display()))
            .arg("-chardev")
            .arg(format!("file,id=answer,path={}", answer.display()))
            .args([
                "-device",
                "isa-serial,index=1,chardev=answer",
                "-display",
                "none",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&complaint)?)
            .spawn()
            .context("cannot start QEMU")?;
        let status = child.wait_timeout(self.size.limit)?;
        if status.is_none() {
            // The whole sandbox goes with its first process.
            child.kill()?;
            child.wait()?;
        }
        let wall = start.elapsed();

        let console = read_text(&console);
        let (output, answered) = split_answer(&read_text(&answer));
        let ending = match (status, answered) {
            (None, _) => Ending::TimedOut,
            (Some(status), _) if !status.success() => {
                Ending::Died(format!("{status}: {}", read_text(&complaint).trim()))
            }
            (Some(_), Some(job)) => Ending::Answered(job),
            (Some(_), None) => Ending::Silent,
        };
        Ok(Guest {
            ending,
            console,
            output,
            wall,
        })
    }

    /// Boots with the guest's console on this terminal, until the user leaves.
    pub fn interact(&self, initramfs: Initramfs, append: &str) -> Result<()> {
        let folder = self.folder()?;
        initramfs.write(&folder.path().join("initramfs"))?;
        let status = self
            .qemu(folder.path(), append)
            .args([
                "-chardev",
                "stdio,id=console,mux=on,signal=off",
                "-mon",
                "console",
                "-nographic",
            ])
            .status()
            .context("cannot start QEMU")?;
        anyhow::ensure!(status.success(), "QEMU ended with {status}");
        Ok(())
    }

    /// A folder for this one run; gone when it is over.
    fn folder(&self) -> Result<tempfile::TempDir> {
        cache::scratch_in(&self.toolchain.cache().join("kernel/run"))
    }

    fn qemu(&self, folder: &Path, append: &str) -> Command {
        let mut qemu = self.toolchain.command("qemu-system-x86_64");
        qemu
            // No firmware tables, no PCI: nothing to wait for. The serial ports are added below.
            .args([
                "-machine",
                "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=off",
            ])
            .args(["-no-user-config", "-nodefaults", "-no-reboot"])
            .args(self.accelerator.arguments())
            .args(["-m", &format!("{}M", self.size.memory)])
            .args(["-smp", &self.size.cpus.to_string()])
            .arg("-kernel")
            .arg(&self.kernel.image)
            .arg("-initrd")
            .arg(folder.join("initramfs"))
            // reboot=t: a triple fault ends the guest; -no-reboot ends QEMU with it.
            // softlockup_panic=1: on the only CPU, a report needs the panic to get out.
            .args([
                "-append",
                &format!(
                    "console=ttyS0 reboot=t softlockup_panic=1 {} {append}",
                    self.accelerator.append()
                ),
            ])
            .args(["-device", "isa-serial,index=0,chardev=console"]);
        qemu
    }
}

/// What a serial port wrote, without its carriage returns.
fn read_text(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\r', "")
}

/// Splits what came through the channel into the job's output and its status.
fn split_answer(text: &str) -> (String, Option<i32>) {
    match text.rsplit_once(ANSWER) {
        Some((output, status)) => (output.to_owned(), status.trim().parse().ok()),
        None => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let told = |text| split_answer(text);
        assert_eq!(
            told("a\nlab: the job ended with 3\n"),
            ("a\n".to_owned(), Some(3))
        );
        assert_eq!(
            told("lab: the job ended with 0\n"),
            (String::new(), Some(0))
        );
        assert_eq!(told("half a li"), ("half a li".to_owned(), None));
        // Cut off in the middle of the answer: no answer.
        assert_eq!(told("a\nlab: the job ended with ").1, None);
    }
}
