//! The machine: runs QEMU, and collects the console, the job's output and its exit status.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::arch::Arch;
use host::cache;
use host::toolchain::Toolchain;
use rustix::fs::OFlags;
use rustix::termios::{OptionalActions, Termios};
use wait_timeout::ChildExt;

use crate::exit::Exit;
use crate::guest::channel::{split_answer, Channel};
use crate::guest::ends::read_ends;
use crate::guest::initramfs::{Archive, Initramfs};
use crate::kernel::build::Kernel;
use crate::kernel::flavour::Checks;

/// The file with the kernel's log, in the folder of a run,
const CONSOLE: &str = "console";

/// and the one with QEMU's own messages.
const COMPLAINT: &str = "qemu";

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
    pub fn arguments(self, arch: Arch) -> Vec<&'static str> {
        let cpu = arch.words().cpu;
        match self {
            Accelerator::Kvm => vec!["-accel", "kvm", "-cpu", "host"],
            Accelerator::Tcg => vec!["-accel", "tcg", "-cpu", cpu],
            // An idle guest jumps to its next timer: nothing goes by the host's clock.
            Accelerator::Counting => {
                vec!["-accel", "tcg", "-cpu", cpu, "-icount", "shift=0,sleep=off"]
            }
        }
    }

    /// Words for the guest's kernel.
    pub fn append(self, arch: Arch) -> &'static str {
        match self {
            Accelerator::Kvm => "",
            Accelerator::Tcg | Accelerator::Counting => arch.words().emulated,
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
    /// How long the guest may take, from when it can have its job to QEMU's end.
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
    /// From when it could have its job to QEMU's end.
    pub wall: Duration,
}

/// A QEMU that runs. It is killed, and its folder removed, at the end.
pub(super) struct Qemu {
    /// The sandbox around it.
    pub(super) child: Child,
    folder: tempfile::TempDir,
}

impl Qemu {
    /// Starts it; its own messages go to a file in the folder.
    pub(super) fn start(mut command: Command, folder: tempfile::TempDir) -> Result<Self> {
        let complaint = fs::File::create(folder.path().join(COMPLAINT))?;
        let child = command
            .stderr(complaint)
            .spawn()
            .context("cannot start QEMU")?;
        Ok(Qemu { child, folder })
    }

    /// How it ended, and its own messages.
    pub(super) fn died(&self, status: ExitStatus) -> String {
        last_words(status, &self.complaint())
    }

    /// Its own messages.
    pub(super) fn complaint(&self) -> String {
        read_text(&self.folder.path().join(COMPLAINT))
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended already. The sandbox ends with its first process.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A machine that waits for a debugger.
pub struct Waiting(Qemu);

/// The socket for the debugger, in the folder.
const SOCKET: &str = "gdb";

impl Waiting {
    /// Its folder, which has the socket.
    pub fn folder(&self) -> &Path {
        self.0.folder.path()
    }

    /// # Errors
    ///
    /// When QEMU has failed.
    pub fn check(&mut self) -> Result<()> {
        match self.0.child.try_wait()? {
            Some(status) if !status.success() => Err(qemu_died(&self.0.died(status)).into()),
            _ => Ok(()),
        }
    }
}

/// A machine that boots, and then waits for its job.
pub struct Booting {
    qemu: Qemu,
    channel: Channel,
    limit: Duration,
}

impl Booting {
    /// Runs a job, and waits for the guest's end.
    pub fn run(self, job: Archive) -> Result<Guest> {
        let Booting {
            mut qemu,
            channel,
            limit,
        } = self;
        let job = job.finish()?;
        let start = Instant::now();
        let talk = std::thread::spawn(move || channel.talk(&job));
        let status = qemu.child.wait_timeout(limit)?;
        let wall = start.elapsed();
        if status.is_none() {
            qemu.child.kill()?;
        }
        let answer = talk.join();
        let answer = answer.map_err(|_| anyhow::anyhow!("the guest's answer cannot be read"))?;

        let (output, answered) = split_answer(&text_of(&answer));
        let outcome = match (status, answered) {
            (None, _) => Outcome::TimedOut,
            (Some(status), _) if !status.success() => Outcome::Died(qemu.died(status)),
            (Some(_), Some(job)) => Outcome::Answered(job),
            (Some(_), None) => Outcome::Silent,
        };
        Ok(Guest {
            outcome,
            console: read_text(&qemu.folder.path().join(CONSOLE)),
            output,
            wall,
        })
    }
}

impl Machine<'_> {
    /// Boots, runs the job, and waits for it to end.
    pub fn run(&self, initramfs: Initramfs, append: &str) -> Result<Guest> {
        self.boot(initramfs.boot, append)?.run(initramfs.job)
    }

    /// Starts a guest with these files, and does not wait for it.
    pub fn boot(&self, files: Archive, append: &str) -> Result<Booting> {
        let mut initramfs = files.finish()?;
        let (channel, guest) = Channel::new(&mut initramfs)?;
        let folder = self.folder(initramfs)?;
        let console = option_value(&folder.path().join(CONSOLE));
        let memory = format!("mem-path=/proc/self/fd/0,size={}M", self.size.memory);
        // The memory that has the initramfs stays: the job comes through it.
        let mut qemu = self.qemu(folder.path(), &format!("retain_initrd {append}"));
        qemu.args(["-machine", "memory-backend=memory"])
            .args([
                "-object",
                &format!("memory-backend-file,id=memory,share=on,{memory}"),
            ])
            .stdin(OwnedFd::from(guest.memory))
            .args(["-chardev", "socket,id=answer,fd=1"])
            .args(self.port("answer"))
            .stdout(OwnedFd::from(guest.port))
            .args(["-chardev", &format!("file,id=console,path={console}")])
            .args(["-display", "none"]);
        Ok(Booting {
            qemu: Qemu::start(qemu, folder)?,
            channel,
            limit: self.size.limit,
        })
    }

    /// Boots with the guest's console on this terminal, until the user leaves.
    ///
    /// # Errors
    ///
    /// When QEMU fails. The terminal is restored then, too.
    pub fn interact(&self, initramfs: Initramfs, append: &str) -> Result<()> {
        let folder = self.folder(initramfs.whole()?)?;
        let terminal = Terminal::save();
        let mut qemu = self.qemu(folder.path(), append);
        qemu.args([
            "-chardev",
            "stdio,id=console,mux=on,signal=off",
            "-mon",
            "console",
            "-nographic",
        ]);
        let mut qemu = Qemu::start(qemu, folder)?;
        let status = qemu.child.wait()?;
        if !status.success() {
            terminal.restore();
            // The guest may have left an unfinished line, such as a prompt.
            eprintln!();
            return Err(qemu_died(&qemu.died(status)).into());
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
        let folder = self.folder(initramfs.whole()?)?;
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
        .args(self.port("answer"))
        // A path from its own folder: that of a socket must be short.
        .args(["-chardev", "socket,id=gdb,path=gdb,server=on,wait=off"])
        .arg("-chardev")
        .arg(format!("file,id=console,path={}", option_value(console)))
        .arg("-chardev")
        .arg(format!("file,id=answer,path={}", option_value(output)))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
        let mut qemu = Qemu::start(qemu, folder)?;
        while !qemu.folder.path().join(SOCKET).exists() {
            if let Some(status) = qemu.child.try_wait()? {
                return Err(qemu_died(&qemu.died(status)).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Waiting(qemu))
    }

    /// A folder for this run, removed when it ends, with this initramfs.
    fn folder(&self, initramfs: Vec<u8>) -> Result<tempfile::TempDir> {
        let folder = cache::scratch_in(&self.toolchain.cache().join(cache::RUNS))?;
        let file = folder.path().join("initramfs");
        fs::write(&file, initramfs).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(folder)
    }

    fn qemu(&self, folder: &Path, append: &str) -> Command {
        let flavour = &self.kernel.flavour;
        let arch = flavour.arch.words();
        let console = format!("console={}0", arch.tty);
        let words = [
            console.as_str(),
            arch.append,
            // On the only CPU, a report needs the panic to get out.
            "softlockup_panic=1",
            match flavour.debug {
                Checks::None => "",
                // Corrupted objects; and else per-CPU sheaves hide leaks from kmemleak.
                Checks::Kasan => "slab_debug=FZP",
                // `allnoconfig` has left it off.
                Checks::Kcsan => "slab_debug=FZP kcsan.early_enable=1",
            },
            self.accelerator.append(flavour.arch),
            append,
        ];
        let mut qemu = self.toolchain.command_in(folder, &[], arch.qemu);
        qemu.args(arch.machine)
            .args(["-no-user-config", "-nodefaults", "-no-reboot"])
            .args(self.accelerator.arguments(flavour.arch))
            .args(["-m", &format!("{}M", self.size.memory)])
            .args(["-smp", &self.size.cpus.to_string()])
            .arg("-kernel")
            .arg(&self.kernel.image)
            .arg("-initrd")
            .arg(folder.join("initramfs"))
            .args(["-append", &words.join(" ")])
            .args(self.port("console"));
        qemu
    }

    /// QEMU's words for one more serial port, connected to this chardev.
    fn port(&self, chardev: &str) -> [String; 2] {
        let [option, value] = self.kernel.flavour.arch.words().port;
        [option.to_owned(), format!("{value}{chardev}")]
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

/// The text of a file, if there is one.
fn read_text(file: &Path) -> String {
    text_of(&fs::File::open(file).map(read_ends).unwrap_or_default())
}

/// What a serial port received, without carriage returns.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\r', "")
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
}
