//! The machine: runs QEMU, and collects the console, the job's output and its exit status.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use rustix::fs::OFlags;
use rustix::termios::{OptionalActions, Termios};
use wait_timeout::ChildExt;

use crate::exit::Exit;
use crate::guest::initramfs::Initramfs;
use crate::host::cache;
use crate::host::toolchain::Toolchain;
use crate::kernel::build::Kernel;

/// What init writes to the second serial port when the job has ended.
const ANSWER: &str = "lab: the job ended with ";

/// QEMU's accelerators, as far as the lab uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// Emulation.
    Tcg,
    /// Emulation in which the time stamp counter counts instructions: one tick for each. No user asks
    /// for it.
    #[value(skip)]
    Counting,
}

impl Accelerator {
    /// QEMU's words for it.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Accelerator::Kvm => &["-accel", "kvm", "-cpu", "host"],
            Accelerator::Tcg => &["-accel", "tcg"],
            // An idle guest jumps to its next timer: nothing goes by the host's clock.
            Accelerator::Counting => &["-accel", "tcg", "-icount", "shift=0,sleep=off"],
        }
    }

    /// Words for the guest's kernel.
    ///
    /// Emulated clocks make calibration a quarter of the boot: busy waits of 100 ms for the local
    /// APIC's timer (the PIT serves as well), and the search for a delay loop's length, which
    /// only `udelay()` goes by.
    pub fn append(self) -> &'static str {
        match self {
            Accelerator::Kvm => "",
            Accelerator::Tcg | Accelerator::Counting => "nolapic_timer lpj=1000000",
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Accelerator::Kvm => "KVM",
            Accelerator::Tcg => "TCG (emulation)",
            Accelerator::Counting => "TCG (emulation) that counts instructions",
        }
    }
}

/// What the user can adjust.
#[derive(Debug, Clone)]
pub struct Size {
    /// Megabytes of memory.
    pub memory: u32,
    /// Virtual CPUs.
    pub cpus: u32,
    /// How long the guest may take, from the start of QEMU to its end.
    pub limit: Duration,
}

/// A machine that can be started.
pub struct Machine<'a> {
    /// Has QEMU.
    pub toolchain: &'a Toolchain,
    /// The kernel to boot.
    pub kernel: &'a Kernel,
    /// What executes its instructions.
    pub accelerator: Accelerator,
    /// Its size and limits.
    pub size: Size,
}

/// How a guest ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The job ended with this status.
    Answered(i32),
    /// QEMU exited normally, but the job did not report its end: the guest crashed or rebooted.
    Silent,
    /// The time limit was reached.
    TimedOut,
    /// QEMU failed, with this message.
    Died(String),
}

/// The results of a guest.
pub struct Guest {
    /// How it ended.
    pub outcome: Outcome,
    /// The kernel's log, as the console had it.
    pub console: String,
    /// What the job printed.
    pub output: String,
    /// From the start of QEMU to its end.
    pub wall: Duration,
}

/// A machine that waits for a debugger. It is killed, and its folder removed, at the end.
pub struct Waiting {
    child: Child,
    folder: tempfile::TempDir,
}

/// The socket for the debugger, in the folder.
const SOCKET: &str = "gdb";

impl Waiting {
    /// Its folder, which has the socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// # Errors
    ///
    /// When QEMU has failed.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) if !status.success() => Err(self.died(status)),
            _ => Ok(()),
        }
    }

    fn died(&self, status: ExitStatus) -> anyhow::Error {
        let complaint = read_text(&self.folder().join("qemu"));
        qemu_died(&last_words(status, &complaint)).into()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Machine<'_> {
    /// Boots, runs the initramfs's job, and waits for it to end.
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
            .arg(format!("file,id=console,path={}", option_value(&console)))
            .arg("-chardev")
            .arg(format!("file,id=answer,path={}", option_value(&answer)))
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
            // The sandbox ends with its first process.
            child.kill()?;
            child.wait()?;
        }
        let wall = start.elapsed();

        let console = read_text(&console);
        let (output, answered) = split_answer(&read_text(&answer));
        let outcome = match (status, answered) {
            (None, _) => Outcome::TimedOut,
            (Some(status), _) if !status.success() => {
                Outcome::Died(last_words(status, &read_text(&complaint)))
            }
            (Some(_), Some(job)) => Outcome::Answered(job),
            (Some(_), None) => Outcome::Silent,
        };
        Ok(Guest {
            outcome,
            console,
            output,
            wall,
        })
    }

    /// Boots with the guest's console on this terminal, until the user leaves.
    ///
    /// # Errors
    ///
    /// When QEMU fails. The terminal is restored then, too.
    pub fn interact(&self, initramfs: Initramfs, append: &str) -> Result<()> {
        let folder = self.folder()?;
        let complaint = folder.path().join("qemu");
        initramfs.write(&folder.path().join("initramfs"))?;
        let terminal = Terminal::save();
        let status = self
            .qemu(folder.path(), append)
            .args([
                "-chardev",
                "stdio,id=console,mux=on,signal=off",
                "-mon",
                "console",
                "-nographic",
            ])
            .stderr(fs::File::create(&complaint)?)
            .status()
            .context("cannot start QEMU")?;
        if !status.success() {
            terminal.restore();
            // The guest may have left an unfinished line, such as a prompt.
            eprintln!();
            return Err(qemu_died(&last_words(status, &read_text(&complaint))).into());
        }
        Ok(())
    }

    /// Starts QEMU, but not yet the guest: it waits for a debugger. The kernel's log and the job's output
    /// go to these files.
    ///
    /// # Errors
    ///
    /// When QEMU does not start.
    pub fn wait(
        &self,
        initramfs: Initramfs,
        append: &str,
        [console, output]: [&Path; 2],
    ) -> Result<Waiting> {
        let folder = self.folder()?;
        let complaint = folder.path().join("qemu");
        initramfs.write(&folder.path().join("initramfs"))?;
        let mut qemu = self.qemu(folder.path(), append);
        // At its end, it can still be looked at.
        qemu.args([
            "-display",
            "none",
            "-no-shutdown",
            "-S",
            "-gdb",
            "chardev:gdb",
        ])
        .args(["-device", "isa-serial,index=1,chardev=answer"])
        // A path from its own folder: that of a socket must be short.
        .args(["-chardev", "socket,id=gdb,path=gdb,server=on,wait=off"])
        .arg("-chardev")
        .arg(format!("file,id=console,path={}", option_value(console)))
        .arg("-chardev")
        .arg(format!("file,id=answer,path={}", option_value(output)));
        let child = qemu
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&complaint)?)
            .spawn()
            .context("cannot start QEMU")?;
        let mut waiting = Waiting { child, folder };
        while !waiting.folder().join(SOCKET).exists() {
            if let Some(status) = waiting.child.try_wait()? {
                return Err(waiting.died(status));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(waiting)
    }

    /// A folder for this run, removed when it ends.
    fn folder(&self) -> Result<tempfile::TempDir> {
        cache::scratch_in(&self.toolchain.cache().join(cache::RUNS))
    }

    fn qemu(&self, folder: &Path, append: &str) -> Command {
        let mut qemu = self.toolchain.command_in(folder, &[], "qemu-system-x86_64");
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

/// The error for a QEMU that failed with this message.
pub fn qemu_died(said: &str) -> Diagnostic {
    Diagnostic::new("QEMU died")
        .exit(Exit::Qemu)
        .note(said)
        .help("run the same command again; if QEMU dies again, add ACCEL=tcg")
}

/// QEMU's exit status, and its message, if any.
fn last_words(status: ExitStatus, complaint: &str) -> String {
    match complaint.trim() {
        "" => status.to_string(),
        complaint => format!("{status}: {complaint}"),
    }
}

/// The settings of the user's terminal, if there is one. A QEMU that is killed leaves it without
/// echo, and with non-blocking reads.
struct Terminal {
    modes: Option<Termios>,
    flags: Option<OFlags>,
}

impl Terminal {
    fn save() -> Self {
        let stdin = std::io::stdin();
        Terminal {
            modes: rustix::termios::tcgetattr(&stdin).ok(),
            flags: rustix::fs::fcntl_getfl(&stdin).ok(),
        }
    }

    /// A failure here is not worth another error.
    fn restore(&self) {
        let stdin = std::io::stdin();
        if let Some(modes) = &self.modes {
            let _ = rustix::termios::tcsetattr(&stdin, OptionalActions::Now, modes);
        }
        if let Some(flags) = self.flags {
            let _ = rustix::fs::fcntl_setfl(&stdin, flags);
        }
    }
}

/// A path inside one of QEMU's options, where a single comma would end it.
fn option_value(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

/// What a serial port received, without carriage returns.
fn read_text(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\r', "")
}

/// Splits what came through the second serial port into the job's output and its status.
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
    fn a_dead_qemu_is_told_with_its_own_code() {
        use std::os::unix::process::ExitStatusExt;
        let words = |raw, complaint| last_words(ExitStatus::from_raw(raw), complaint);
        assert_eq!(words(137 << 8, "\n"), "exit status: 137");
        let text = words(1 << 8, "qemu: no kvm\n");
        assert_eq!(text, "exit status: 1: qemu: no kvm");
        let error = anyhow::Error::from(qemu_died(&text));
        assert_eq!(diagnostic::exit_of(&error), u8::from(Exit::Qemu));
        assert!(diagnostic::render(&error).contains(&text), "{error}");
    }

    #[test]
    fn commas_in_options() {
        assert_eq!(option_value(Path::new("/a,b/c,,d")), "/a,,b/c,,,,d");
        assert_eq!(option_value(Path::new("/a=b/c")), "/a=b/c");
    }

    #[test]
    fn answers() {
        let text = |text| split_answer(text);
        assert_eq!(
            text("a\nlab: the job ended with 3\n"),
            ("a\n".to_owned(), Some(3))
        );
        assert_eq!(
            text("lab: the job ended with 0\n"),
            (String::new(), Some(0))
        );
        assert_eq!(text("half a li"), ("half a li".to_owned(), None));
        // Cut off in the middle: no status.
        assert_eq!(text("a\nlab: the job ended with ").1, None);
    }
}
