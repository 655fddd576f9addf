//! The lab with the kernel that a test needs, and helpers to run commands.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{anyhow, ensure, Context, Result};
use host::arch::Arch;
use host::cache::Cache;
use host::project::project;
use host::toolchain::Toolchain;

use lab::commands::lab::Lab;
use lab::guest::initramfs::Initramfs;
use lab::guest::machine::{Guest, Machine, Outcome};
use lab::kernel::flavour::{Checks, Compiler, Flavour};
use lab::kernel::source::Source;
use lab::options::Settings;

/// A kernel by its series or a stock kernel's release, and its compiler.
pub fn flavour(series: &str, compiler: Compiler) -> Flavour {
    Flavour {
        arch: Arch::NATIVE,
        series: series.to_owned(),
        compiler,
        debug: Checks::None,
    }
}

/// The kernels that every test of the module runs on.
pub fn flavours() -> Vec<Flavour> {
    vec![
        flavour("7.3", Compiler::Clang),
        flavour("6.12", Compiler::Clang),
        flavour("7.3", Compiler::Gcc),
        flavour("6.12", Compiler::Gcc),
    ]
}

/// A kernel of another architecture than this host's.
pub fn foreign_flavour() -> Flavour {
    let foreign = Arch::ALL.iter().find(|arch| arch.is_foreign());
    Flavour {
        arch: *foreign.unwrap_or(&Arch::NATIVE),
        ..main_flavour()
    }
}

/// The first of them.
pub fn main_flavour() -> Flavour {
    flavours().swap_remove(0)
}

/// The same with all of the kernel's own checks.
pub fn debug_flavour() -> Flavour {
    Flavour {
        debug: Checks::Kasan,
        ..main_flavour()
    }
}

/// The same with KCSAN in the place of KASAN.
pub fn kcsan_flavour() -> Flavour {
    Flavour {
        debug: Checks::Kcsan,
        ..main_flavour()
    }
}

/// What a test needs: the lab, with the test's kernel.
pub struct TestContext<'a> {
    settings: &'a Settings,
    /// The kernel that the test declares.
    kernel: Option<Flavour>,
    lab: OnceCell<Rc<Lab>>,
}

impl<'a> TestContext<'a> {
    /// For a test that needs this kernel.
    pub fn new(settings: &'a Settings, kernel: Option<Flavour>) -> Self {
        TestContext {
            settings,
            kernel,
            lab: OnceCell::new(),
        }
    }

    /// The user's settings.
    pub fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// The cache, as for any run.
    pub fn cache(&self) -> Result<Cache> {
        Cache::open()
    }

    /// The toolchain, without any kernel.
    pub fn toolchain(&self) -> Result<Toolchain> {
        Toolchain::provide(&self.cache()?)
    }

    /// The source of a kernel series.
    pub fn source(&self, series: &str) -> Result<Source> {
        Source::debian(&self.cache()?, &self.toolchain()?, series)
    }

    /// The lab with the kernel that the test needs.
    pub fn lab(&self) -> Result<Rc<Lab>> {
        let kernel = self.kernel.clone();
        let kernel = kernel.context("the test does not declare a kernel")?;
        if let Some(lab) = self.lab.get() {
            return Ok(lab.clone());
        }
        let lab = Rc::new(Lab::provide(self.settings, kernel)?);
        Ok(self.lab.get_or_init(|| lab).clone())
    }

    /// How long the build of a kernel took here, if it was built in one go.
    pub fn built(&self, flavour: &Flavour) -> Option<Duration> {
        let lab = Lab::provide(self.settings, flavour.clone()).ok()?;
        lab.kernel.took()
    }

    /// A machine with the user's settings, and more time for a debug kernel.
    pub fn machine<'lab>(&self, lab: &'lab Lab) -> Machine<'lab> {
        let mut machine = lab.machine(self.settings);
        if lab.kernel.flavour.debug != Checks::None {
            machine.size.limit *= 5;
        }
        machine
    }

    /// Boots a lab's kernel with these files and runs `job` in it.
    pub fn boot(
        &self,
        lab: &Lab,
        files: &[(&str, &[u8])],
        job: &str,
        append: &str,
    ) -> Result<Guest> {
        let mut initramfs = Initramfs::new(&lab.programs, job)?;
        for (name, content) in files {
            initramfs.file(name, 0o644, content)?;
        }
        self.machine(lab).run(initramfs, append)
    }

    /// The same, for a job that must end with status 0 and without a splat; returns its output.
    pub fn boot_well(&self, lab: &Lab, files: &[(&str, &[u8])], job: &str) -> Result<String> {
        let guest = self.boot(lab, files, job, "kunit.enable=0")?;
        if guest.outcome != Outcome::Answered(0) {
            return Err(anyhow!(
                "the guest ended with {:?}\n{}\n{}",
                guest.outcome,
                guest.output,
                tail(&guest.console)
            ));
        }
        lab.judge(&guest)?;
        Ok(guest.output)
    }

    /// The lab's command, as a user would run it, with these variables, for the architecture of the test's
    /// kernel.
    pub fn lab_command(&self, words: &[&str], variables: &[(&str, &str)]) -> Result<Command> {
        let mut command = fresh(program("lab")?);
        if let Some(kernel) = &self.kernel {
            command.env("LAB_ARCH", kernel.arch.words().kernel);
        }
        command.args(words).envs(variables.iter().copied());
        Ok(command)
    }

    /// `make` in a copy of the project, with the lab that was built for these tests.
    pub fn make_command(&self, project: &Path, words: &[&str]) -> Result<Command> {
        let mut command = fresh("make");
        command
            .arg(format!("BIN={}", programs()?.display()))
            .args(words)
            .current_dir(project);
        Ok(command)
    }
}

/// Where `make test` has built the programs: beside this one.
pub fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program")?;
    Ok(own.parent().context("it is in no folder")?.to_owned())
}

/// One of them.
pub fn program(name: &str) -> Result<PathBuf> {
    let program = programs()?.join(name);
    ensure!(program.is_file(), "{} is not built", program.display());
    Ok(program)
}

/// Variables of `make test` that would change what a test is about.
const TOLD: &[&str] = &[
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "KDIR",
    "LLVM",
    "CC",
    "RUSTC",
    "BINDGEN",
    "ARCH",
    "LAB_ARCH",
    "LAB_KERNEL",
    "LAB_KERNELS",
    "LAB_KSRC",
    "LAB_CC",
    "LAB_DEBUG",
    "LAB_LIST",
    "LAB_M",
    "LAB_MINUTES",
    "LAB_SEED",
    "LAB_STEPS",
    "LAB_STORM",
    "LAB_RUN",
    "LAB_FILES",
    "LAB_CONFIG",
    "LAB_NO_INSTALL",
    "LAB_PARAMS",
    "LAB_TESTS",
    "NEEDS_TOOLCHAIN",
];

/// A program in a user's environment without variables, where Ctrl-C works even if these tests run in
/// the background.
pub fn fresh(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal=INT").arg(program);
    for name in TOLD {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// The same command on another host, as these options of bwrap describe it.
pub fn on_host(options: &[&str], command: &Command) -> Command {
    let mut host = Command::new("bwrap");
    host.args(["--die-with-parent", "--dev-bind", "/", "/"])
        .args(options)
        .arg("--")
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null());
    same_surroundings(&mut host, command);
    host
}

/// Gives a command the folder and the variables of another one.
pub fn same_surroundings<'a>(command: &'a mut Command, other: &Command) -> &'a mut Command {
    for (name, value) in other.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    if let Some(dir) = other.get_current_dir() {
        command.current_dir(dir);
    }
    command
}

/// A copy of the project's files that can be changed.
pub fn copy_of_project(to: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(to)?;
    let listed = succeed(Command::new("git").arg("-C").arg(project()).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    for file in listed.split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (project().join(file), to.join(file));
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if from.is_file() {
            std::fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(to.to_owned())
}

/// Runs a command that must succeed; returns its output.
pub fn succeed(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !output.status.success() {
        return Err(anyhow!(
            "{:?} failed with {}\n{}",
            command.get_program(),
            output.status,
            printed(&output)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// All output of a command.
pub fn printed(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The end of a long text.
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].join("\n")
}

/// Fails unless `text` contains `wanted`.
pub fn must_contain(text: &str, wanted: &str) -> Result<()> {
    if text.contains(wanted) {
        Ok(())
    } else {
        Err(anyhow!("{wanted:?} is not in:\n{}", tail(text)))
    }
}
