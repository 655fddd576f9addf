//! Building a module for one of the lab's kernels, in a folder of its own.
//!
//! The sources are copied into the cache first, one folder for each kernel: builds for several
//! kernels stay incremental side by side, and the project's own folder may be read-only or have a
//! name that Kbuild does not support.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache::{Cache, Lock};
use host::project::cpus;
use host::toolchain::Toolchain;

use crate::exit::Exit;
use crate::kernel::advice;
use crate::kernel::build::Kernel;
use crate::kernel::built::{self, Built};
use crate::kernel::copy::remove_orphans;
use crate::kernel::counting;
use crate::kernel::paths;
use crate::kernel::sources::Sources;

/// A module's sources, copied for a kernel; locked against other runs.
pub struct Module<'a> {
    kernel: &'a Kernel,
    dir: PathBuf,
    home: Option<PathBuf>,
    log: PathBuf,
    fused: bool,
    /// More words for make.
    words: Vec<String>,
    _lock: Lock,
}

impl<'a> Module<'a> {
    /// Copies the changed sources to the module's build folder for this kernel.
    pub fn stage(cache: &Cache, kernel: &'a Kernel, sources: &Sources) -> Result<Self> {
        let place = sources.place(kernel);
        let lock = cache.lock(&format!("module {place}"))?;
        let dir = cache.place_for(&format!("module/{place}"))?;
        fs::create_dir_all(&dir)?;
        sources.copy_to(&dir)?;
        remove_orphans(cache);
        Ok(Module {
            kernel,
            home: sources.home(),
            log: cache.place_for(&sources.log(kernel))?,
            fused: sources.fused,
            words: Vec::new(),
            dir,
            _lock: lock,
        })
    }

    /// The same, built so that it counts how often each of its lines runs. The sources have a name of
    /// their own, and so does the build folder.
    pub fn counting(self) -> Result<Self> {
        let words = counting::words(&self.dir, self.kernel.flavour.arch)?;
        Ok(Module { words, ..self })
    }

    /// Where it is built.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder of the kernel that it is built for.
    pub fn kernel(&self) -> &Path {
        &self.kernel.dir
    }

    /// The output of the last build.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The compilers' messages, with the paths of the user's own files.
    pub fn in_home(&self, printed: &str) -> String {
        match &self.home {
            Some(home) => paths::in_home(printed, &self.dir, home),
            None => printed.to_owned(),
        }
    }

    /// Kbuild for this module, without a target yet.
    pub fn make(&self, toolchain: &Toolchain) -> Command {
        let mut make = toolchain.build_in(&self.dir, &self.kernel.source.dir, "make");
        make.arg("-C")
            .arg(&self.kernel.dir)
            .arg(format!("M={}", self.dir.display()))
            .args(self.kernel.flavour.make_options())
            .args(self.fused.then_some("FUSED=1"))
            .args(&self.words)
            .arg(format!("-j{}", cpus()));
        make
    }

    /// Builds it, unless nothing in its folder has changed since the last build: Kbuild takes longer to
    /// find that out than the guest takes to boot.
    ///
    /// # Errors
    ///
    /// When it does not compile; the error has the compilers' messages.
    pub fn provide(&self, toolchain: &Toolchain) -> Result<()> {
        // If the user can edit the kernel's source, only make knows what has changed.
        if self.kernel.source.foreign || Built::before(&self.dir) != Some(self.now(true)?) {
            self.build(toolchain, &[])?;
        }
        Ok(())
    }

    fn now(&self, succeeded: bool) -> Result<Built> {
        let made_for = format!("{}\n{}", self.kernel.recipe, self.words.join(" "));
        Built::now(&self.dir, &made_for, succeeded)
    }

    /// Builds it with more arguments for make, such as `W=1`; returns Kbuild's output.
    ///
    /// # Errors
    ///
    /// When it does not compile; the error has the compilers' messages.
    pub fn build(&self, toolchain: &Toolchain, words: &[&str]) -> Result<String> {
        let (before, now) = (Built::before(&self.dir), self.now(true)?);
        built::forget(&self.dir)?;
        // From Linux 6.13 on, Kbuild does not notice a changed configuration of the kernel: fixdep's
        // `$(wildcard include/config/MODVERSIONS)` is looked up in the module's own folder.
        if !before.is_some_and(|before| before.can_go_on(&self.dir, &now)) {
            self.judge(toolchain, &output_of(self.make(toolchain).arg("clean"))?)?;
        }
        let make = output_of(self.make(toolchain).args(words))?;
        let left = self.now(make.status.success())?;
        left.note(&self.dir)?;
        let printed = self.judge(toolchain, &make)?;
        if self.fused && !left.has(".fused.o") {
            return Err(Diagnostic::new("no module here can be fused")
                .note("FUSED=1 is for modules with a contract, whose Kbuild includes border/border.mk")
                .help("run the same command without FUSED=1, or see docs/border.md")
                .into());
        }
        Ok(printed)
    }

    /// make's output, which is kept in the log; or the error, if it failed.
    fn judge(&self, toolchain: &Toolchain, make: &Output) -> Result<String> {
        let printed = String::from_utf8_lossy(&make.stdout).into_owned()
            + &String::from_utf8_lossy(&make.stderr);
        fs::write(&self.log, &printed)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        if make.status.success() {
            return Ok(printed);
        }
        let error = Diagnostic::new("the module does not build")
            .exit(Exit::Failed)
            .note(self.in_home(&without_kbuild(&printed)))
            .note(format!("whole output: {}", self.log.display()));
        Err(
            match advice::help(&printed, &self.dir, toolchain, self.kernel) {
                Some(help) => error.help(help),
                None => error,
            }
            .into(),
        )
    }

    /// One of its files for a guest, or a module that it depends on. What llvm-cov needs of a module that
    /// counts would take the guest longer to load than all the rest.
    pub fn for_guest(&self, toolchain: &Toolchain, ko: &Path) -> Result<Vec<u8>> {
        if self.words.is_empty() || !ko.starts_with(&self.dir) {
            return for_guest(toolchain, ko);
        }
        strip(toolchain, ko, counting::STRIP)
    }

    /// A built file, stripped of debug information as by `modules_install`.
    pub fn stripped(&self, toolchain: &Toolchain, ko: &str) -> Result<Vec<u8>> {
        stripped(toolchain, &self.dir.join(ko))
    }
}

/// `MODULE_SIG_STRING` of include/linux/module_signature.h, at the end of a signed module.
const SIGNED: &[u8] = b"~Module signature appended~\n";

/// Bytes of a module that a guest gets with its debug information: it reads them sooner than they are
/// stripped.
const SMALL: u64 = 2 << 20;

/// A module for a guest.
pub fn for_guest(toolchain: &Toolchain, ko: &Path) -> Result<Vec<u8>> {
    let small = fs::metadata(ko).is_ok_and(|about| about.len() <= SMALL);
    if !small {
        return stripped(toolchain, ko);
    }
    fs::read(ko).with_context(|| format!("cannot read {}", ko.display()))
}

/// A module without its debug information, which is also left beside it. A signed one stays as it is:
/// its signature would be lost.
pub fn stripped(toolchain: &Toolchain, ko: &Path) -> Result<Vec<u8>> {
    let whole = fs::read(ko).with_context(|| format!("cannot read {}", ko.display()))?;
    if whole.ends_with(SIGNED) {
        return Ok(whole);
    }
    strip(toolchain, ko, &["--strip-debug"])
}

/// What llvm-strip leaves of a module, with these words.
fn strip(toolchain: &Toolchain, ko: &Path, words: &[&str]) -> Result<Vec<u8>> {
    let stripped = ko.with_extension("ko.stripped");
    let status = toolchain
        .command("llvm-strip")
        .args(words)
        .arg("-o")
        .args([&stripped, ko])
        .status()?;
    anyhow::ensure!(status.success(), "cannot strip {}", ko.display());
    fs::read(&stripped).with_context(|| format!("cannot read {}", stripped.display()))
}

/// Runs make; an error if it was killed.
fn output_of(make: &mut Command) -> Result<Output> {
    let output = make.stdin(Stdio::null()).output();
    let output = output.context("cannot start make")?;
    match killer(output.status) {
        None => Ok(output),
        Some(signal) => Err(Diagnostic::new("the build of the module was killed")
            .note(format!("make was killed by signal {signal}"))
            .help("run the same command again; it rebuilds the module")
            .into()),
    }
}

/// The signal that ended a command. The sandbox reports its command's signal as 128 and more.
fn killer(status: ExitStatus) -> Option<i32> {
    let in_sandbox = status.code().filter(|code| *code > 128);
    status.signal().or(in_sandbox.map(|code| code - 128))
}

/// The compilers' messages without the lines of make and Kbuild.
pub fn without_kbuild(printed: &str) -> String {
    printed
        .lines()
        .filter(|line| !line.starts_with("make") && !is_kbuild(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `  RUSTC [M] hello_rust_main.o`
fn is_kbuild(line: &str) -> bool {
    line.strip_prefix("  ")
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_make_that_was_killed_has_not_exited() -> Result<()> {
        for (make, signal) in [
            ("exit 0", None),
            ("exit 2", None),
            ("kill -KILL $$", Some(9)),
            // As bwrap reports the signal of its command.
            ("exit 137", Some(9)),
            ("exit 130", Some(2)),
        ] {
            let ended = output_of(Command::new("sh").args(["-c", make]));
            let rendered = ended.err().map(|error| diagnostic::render(&error));
            let killed = signal.map(|signal| format!("killed by signal {signal}"));
            match (&rendered, &killed) {
                (Some(rendered), Some(killed)) => {
                    assert!(rendered.contains(killed), "{make}: {rendered}")
                }
                _ => assert_eq!(rendered, killed, "{make}"),
            }
        }
        Ok(())
    }
}
