//! What the lab does when it is told to: the way from nothing to dmesg.

use std::io::Write;

use anyhow::Result;
use diagnostic::Diagnostic;

use crate::accelerator::Accelerator;
use crate::cache::Cache;
use crate::exit::Exit;
use crate::initramfs::{Initramfs, Programs};
use crate::kernel::{Flavour, Kernel};
use crate::machine::{qemu_died, Ending, Guest, Machine};
use crate::module::{Module, Sources, HELLO_RUST};
use crate::options::Settings;
use crate::source::Source;
use crate::stock;
use crate::toolchain::Toolchain;
use crate::verdict;

/// All that a guest needs, ready.
pub struct Lab {
    /// Where everything is kept.
    pub cache: Cache,
    /// Compilers and QEMU.
    pub toolchain: Toolchain,
    /// What boots.
    pub kernel: Kernel,
    /// What is in the guest besides the module.
    pub programs: Programs,
    /// Who executes it.
    pub accelerator: Accelerator,
}

impl Lab {
    /// Provides the toolchain, the kernel and the accelerator, whatever of them is missing.
    pub fn provide(settings: &Settings, flavour: Flavour) -> Result<Self> {
        let cache = Cache::open()?;
        let toolchain = Toolchain::provide(&cache)?;
        let kernel = if flavour.is_stock() {
            stock::provide(&cache, &toolchain, flavour)?
        } else {
            let source = provide_source(settings, &cache, &toolchain, &flavour)?;
            Kernel::provide(&cache, &toolchain, source, flavour)?
        };
        let programs = Programs::provide(&cache, &toolchain, &kernel)?;
        let accelerator = match settings.accel {
            Some(told) => told,
            None => Accelerator::choose(&cache, &toolchain, &kernel, &programs)?,
        };
        Ok(Lab {
            cache,
            toolchain,
            kernel,
            programs,
            accelerator,
        })
    }

    /// hello_rust.ko for this kernel.
    pub fn hello_rust(&self) -> Result<Vec<u8>> {
        self.module(&HELLO_RUST)?
            .stripped(&self.toolchain, "hello_rust.ko")
    }

    /// Any module for this kernel, built.
    pub fn module(&self, sources: &Sources) -> Result<Module<'_>> {
        let module = Module::stage(&self.cache, &self.kernel, sources)?;
        module.provide(&self.toolchain)?;
        Ok(module)
    }

    /// A machine with this kernel.
    pub fn machine(&self, settings: &Settings) -> Machine<'_> {
        Machine {
            toolchain: &self.toolchain,
            kernel: &self.kernel,
            accelerator: self.accelerator,
            size: settings.size(),
        }
    }
}

/// `make run`: builds, boots, loads, unloads, prints dmesg.
pub fn run(settings: &Settings) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    let mut initramfs = Initramfs::new(&lab.programs, &run_job(&settings.params))?;
    initramfs.file("hello_rust.ko", 0o644, &lab.hello_rust()?)?;

    // The kernel's own KUnit suites have nothing to say here.
    let guest = lab.machine(settings).run(initramfs, "kunit.enable=0")?;
    print!("{}", guest.output);
    judge(&lab, &guest)
}

/// The dmesg of one load and unload, whether or not they succeed.
pub fn run_job(params: &str) -> String {
    format!(
        "insmod /hello_rust.ko {} && rmmod hello_rust\n\
         status=$?\n\
         dmesg\n\
         exit $status\n",
        quoted(params)
    )
}

/// One word for a shell. The kernel splits parameters itself, and knows double quotes.
fn quoted(word: &str) -> String {
    match word {
        "" => String::new(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// What insmod says when the kernel does not take a module for one of its own.
const WRONG_KERNEL: &str = "error 8: Exec format error";

/// The error that the end of a guest with hello_rust.ko amounts to, if any.
pub fn judge(lab: &Lab, guest: &Guest) -> Result<()> {
    judge_module(lab, guest, &HELLO_RUST)
}

/// The same for any module: its addresses in a splat are turned into lines of its sources.
pub fn judge_module(lab: &Lab, guest: &Guest, module: &Sources) -> Result<()> {
    let splats = verdict::splats(&guest.console);
    if let Some(first) = splats.first() {
        let what = format!("the guest's log has a splat: {}", first.line);
        return Err(Diagnostic::new(what)
            .exit(Exit::Splat)
            .note(lab.decode(&first.report, module))
            .into());
    }
    let end = last_lines(&guest.console, 5);
    let error = match &guest.ending {
        Ending::Answered(0) => return Ok(()),
        Ending::Answered(status) => refused(guest, *status),
        Ending::Silent => {
            Diagnostic::new("the guest ended without an answer: it crashed, or rebooted")
                .exit(Exit::Splat)
                .note(end)
        }
        Ending::TimedOut => Diagnostic::new(format!(
            "the guest gave no answer in {} s",
            guest.wall.as_secs()
        ))
        .exit(Exit::Timeout)
        .note(end)
        .help("make run TIMEOUT=300, if the host is just slow"),
        Ending::Died(complaint) => qemu_died(complaint),
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
    if let Some(known) = verdict::explain(&guest.console).first() {
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

impl Lab {
    /// A report with its addresses turned into lines of source, as far as the tree's own
    /// `scripts/decode_stacktrace.sh` can.
    fn decode(&self, report: &str, module: &Sources) -> String {
        self.try_decode(report, module)
            .unwrap_or_else(|_| report.to_owned())
    }

    fn try_decode(&self, report: &str, module: &Sources) -> Result<String> {
        let input = tempfile::NamedTempFile::new()?;
        for line in report.lines().filter(|line| !line.starts_with("Code: ")) {
            // Its disassembly would be longer than all the rest.
            writeln!(input.as_file(), "{line}")?;
        }
        let modules = self.linked(module)?;
        let output = self
            .toolchain
            .command_in(&self.kernel.source.dir, &[&self.kernel.source.dir], "env")
            // LLVM's tools read what either compiler wrote.
            .args(["LLVM=1", "bash", "scripts/decode_stacktrace.sh"])
            .arg(self.kernel.dir.join("vmlinux"))
            .arg("auto")
            .arg(modules.path())
            .stdin(std::fs::File::open(input.path())?)
            .output()?;
        anyhow::ensure!(output.status.success() && !output.stdout.is_empty());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A folder with a copy of each .ko of a module, in which every section has addresses of its
    /// own. In a .ko they all start at 0, and `.init.text` would be taken for `.text`.
    fn linked(&self, module: &Sources) -> Result<tempfile::TempDir> {
        let built = self
            .cache
            .dir()
            .join("module")
            .join(module.place(&self.kernel));
        let folder = tempfile::tempdir_in(&built)?;
        for entry in std::fs::read_dir(&built)? {
            let ko = entry?.path();
            if ko.extension().is_some_and(|extension| extension == "ko") {
                self.toolchain
                    .command("ld.lld")
                    .args(["--entry=0", "--unresolved-symbols=ignore-all", "-o"])
                    .arg(folder.path().join(ko.file_name().unwrap_or_default()))
                    .arg(ko)
                    .output()?;
            }
        }
        Ok(folder)
    }
}

/// `make shell`: the guest's console on this terminal.
pub fn shell(settings: &Settings) -> Result<()> {
    const JOB: &str = "\
        PS1='guest# '\n\
        echo 'A shell in the guest. Try: insmod hello_rust.ko; dmesg | tail; rmmod hello_rust'\n\
        echo 'exit, or Ctrl-A X, leaves.'\n";
    let lab = Lab::provide(settings, settings.flavour())?;
    let mut initramfs = Initramfs::new(&lab.programs, JOB)?;
    initramfs.file("hello_rust.ko", 0o644, &lab.hello_rust()?)?;
    lab.machine(settings)
        .interact(initramfs, "kunit.enable=0 quiet -- shell")
}

/// `lab source`: provides the kernel's source and tells where it is.
pub fn source(settings: &Settings) -> Result<()> {
    let cache = Cache::open()?;
    let toolchain = Toolchain::provide(&cache)?;
    let source = provide_source(settings, &cache, &toolchain, &settings.flavour())?;
    println!("{}", source.dir.display());
    Ok(())
}

fn provide_source(
    settings: &Settings,
    cache: &Cache,
    toolchain: &Toolchain,
    flavour: &Flavour,
) -> Result<Source> {
    match settings.foreign_source() {
        Some(dir) => Source::foreign(&dir),
        None if flavour.is_stock() => stock::source(cache, toolchain, &flavour.series),
        None => Source::debian(cache, toolchain, &flavour.series),
    }
}

/// `lab kernel`: provides the kernel and tells where it is.
pub fn kernel(settings: &Settings) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    println!("{}", lab.kernel.dir.display());
    Ok(())
}

/// `lab module`: builds hello_rust.ko and tells where it is, with all that it was made from.
pub fn module(settings: &Settings) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    println!("{}", lab.module(&HELLO_RUST)?.dir().display());
    Ok(())
}
