//! What tests share: kernels, built when the first test asks for one, and scratch copies.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;

use anyhow::{anyhow, Context, Result};

use crate::cache::Cache;
use crate::commands::Lab;
use crate::initramfs::Initramfs;
use crate::kernel::{Compiler, Flavour};
use crate::machine::{Ending, Guest, Machine};
use crate::module::project;
use crate::options::Options;

/// A kernel by its series or a stock kernel's release, and its compiler.
pub fn flavour(series: &str, compiler: Compiler) -> Flavour {
    Flavour {
        series: series.to_owned(),
        compiler,
        debug: false,
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

/// The first of them.
pub fn main_flavour() -> Flavour {
    flavours().swap_remove(0)
}

/// The same with all the checks that the kernel has.
pub fn debug_flavour() -> Flavour {
    Flavour {
        debug: true,
        ..main_flavour()
    }
}

/// See the module.
pub struct World<'a> {
    options: &'a Options,
    labs: RefCell<HashMap<String, Result<Rc<Lab>, String>>>,
}

impl<'a> World<'a> {
    /// Nothing is made yet.
    pub fn new(options: &'a Options) -> Self {
        World {
            options,
            labs: RefCell::default(),
        }
    }

    /// The cache, as for any run.
    pub fn cache(&self) -> Result<Cache> {
        Cache::open()
    }

    /// A lab with this kernel. A kernel that does not build is tried once, and fails each test
    /// that wants it.
    pub fn lab(&self, flavour: &Flavour) -> Result<Rc<Lab>> {
        self.labs
            .borrow_mut()
            .entry(flavour.name())
            .or_insert_with(|| {
                Lab::provide(self.options, flavour.clone())
                    .map(Rc::new)
                    .map_err(|error| trouble::told(&error))
            })
            .clone()
            .map_err(|told| anyhow!(told))
    }

    /// A machine as the user asked for it; all the checks of a debug kernel take their time.
    pub fn machine<'lab>(&self, lab: &'lab Lab) -> Machine<'lab> {
        let mut machine = lab.machine(self.options);
        if lab.kernel.flavour.debug {
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

    /// The same, for a job that must run to its end with status 0 and no splat; its output.
    pub fn boot_well(&self, lab: &Lab, files: &[(&str, &[u8])], job: &str) -> Result<String> {
        let guest = self.boot(lab, files, job, "kunit.enable=0")?;
        if guest.ending != Ending::Answered(0) {
            return Err(anyhow!(
                "the guest ended so: {:?}\n{}\n{}",
                guest.ending,
                guest.output,
                tail(&guest.console)
            ));
        }
        crate::commands::judge(lab, &guest)?;
        Ok(guest.output)
    }

    /// This very program, as a user would run it, with variables of its own.
    pub fn lab_command(&self, words: &[&str], variables: &[(&str, &str)]) -> Result<Command> {
        let mut command = fresh(own_program()?);
        command.args(words).envs(variables.iter().copied());
        Ok(command)
    }

    /// `make` in a copy of the project, with this very program as the lab that it would build.
    pub fn make_command(&self, project: &Path, words: &[&str]) -> Result<Command> {
        let lab = own_program()?;
        let mut command = fresh("make");
        command
            .arg(format!("LAB={}", lab.display()))
            .arg("-o")
            .arg(lab)
            .args(words)
            .current_dir(project);
        Ok(command)
    }
}

/// This executable.
pub fn own_program() -> Result<PathBuf> {
    std::env::current_exe().context("where is the lab?")
}

/// Another of the host's programs, built beside this one.
pub fn built(package: &str) -> Result<PathBuf> {
    let program = own_program()?.with_file_name(package);
    let target = program
        .ancestors()
        .nth(2)
        .context("the lab is in no target folder")?;
    succeed(
        fresh(project().join("qemu/cargo.sh"))
            .args(["build", "--quiet", "--locked", "--package", package])
            .env("CARGO_TARGET_DIR", target)
            .current_dir(project()),
    )?;
    Ok(program)
}

/// What `make test` may have been told, and would change what a test is about.
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
    "KERNEL",
    "KSRC",
    "LAB_CC",
    "LAB_DEBUG",
    "LAB_NO_INSTALL",
    "PARAMS",
];

/// A program in the environment of a user who has told nothing yet, and who can press Ctrl-C even
/// where these tests run in the background.
pub fn fresh(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.arg("--default-signal=INT").arg(program);
    for name in TOLD {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// The same command on a host that differs, as these options of bwrap say.
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

/// Has a command start in the folder and with the variables of another one.
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

/// A copy of the project's own files, to be spoilt.
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

/// Runs a command that must succeed; what it printed.
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
            said(&output)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// All that a command printed.
pub fn said(output: &Output) -> String {
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

/// Fails unless `text` has `wanted` in it.
pub fn must_say(text: &str, wanted: &str) -> Result<()> {
    match text.contains(wanted) {
        true => Ok(()),
        false => Err(anyhow!("{wanted:?} is not in:\n{}", tail(text))),
    }
}
