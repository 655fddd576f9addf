//! The walkthrough in the lab: with the toolchain's compilers, which are the same on every host, and
//! with a virtual machine for what happens inside the kernel.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use tempfile::TempDir;
use walkthrough::host::{ended, lay_out};
use walkthrough::model::{Part, Place, Source};
use walkthrough::paper::{shown, Paper};
use walkthrough::parts::{chosen, OF_THE_KERNEL, PARTS};
use walkthrough::runner::{self, Claim};
use walkthrough::shell::{End, Ran, Shell};
use walkthrough::tools::Tools;

use crate::commands::lab::Lab;
use crate::exit::Exit;
use crate::guest::initramfs::Initramfs;
use crate::guest::machine::{Machine, Outcome};
use crate::host::cache;
use crate::kernel::build::Kernel;
use crate::kernel::flavour::Compiler;
use crate::kernel::module::{Module, HELLO_RUST};
use crate::options::Settings;

/// Runs parts, all without a choice, and tells of them on this paper.
pub fn walkthrough(settings: &Settings, asked: &[String], paper: &mut dyn Paper) -> Result<()> {
    let parts = chosen(&[PARTS, OF_THE_KERNEL].concat(), asked)?;
    let lab = Lab::provide(settings, settings.flavour())?;
    let parts = possible(&lab, parts, asked)?;
    let mut say = |text: &str| {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())
            .context("cannot write to standard output")
    };
    let machine = lab.machine(settings);
    let claims = walk(&lab, &machine, &parts, paper, &mut say)?;
    if shown(&claims) < claims.len() {
        return Err(
            Diagnostic::new("not all claims of the walkthrough are shown")
                .help("see above why; make walkthrough PART=8 runs one part alone")
                .exit(Exit::Failed)
                .into(),
        );
    }
    Ok(())
}

/// The parts that this kernel can run. A part that was asked for by its number must be one of them.
fn possible(lab: &Lab, parts: Vec<&'static Part>, asked: &[String]) -> Result<Vec<&'static Part>> {
    let (can, cannot) = on_kernel(&lab.kernel, parts)?;
    for (part, option) in cannot {
        let error = Diagnostic::new(format!(
            "part {} needs a kernel with CONFIG_{option}",
            part.number
        ))
        .note(format!("{}/.config", lab.kernel.dir.display()))
        .help(format!("make walkthrough PART={} KERNEL=7.3", part.number));
        if !asked.is_empty() {
            return Err(error.into());
        }
        eprintln!("lab: skipped: {}", diagnostic::render(&error.into()));
    }
    Ok(can)
}

/// A part, and the kernel's option that it lacks.
type Lacks = (&'static Part, &'static str);

/// Splits the parts into those that the kernel can run, and the others.
pub fn on_kernel(
    kernel: &Kernel,
    parts: Vec<&'static Part>,
) -> Result<(Vec<&'static Part>, Vec<Lacks>)> {
    let (mut can, mut cannot) = (Vec::new(), Vec::new());
    for part in parts {
        match part.needs {
            Some(option) if !kernel.has(option)? => cannot.push((part, option)),
            _ => can.push(part),
        }
    }
    Ok((can, cannot))
}

/// Runs these parts, with the compiler of the lab's kernel.
pub fn walk(
    lab: &Lab,
    machine: &Machine<'_>,
    parts: &[&'static Part],
    paper: &mut dyn Paper,
    say: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Vec<Claim>> {
    let tools = match lab.kernel.flavour.compiler {
        Compiler::Gcc => Tools::of_gnu("gcc", "rustc"),
        // All of LLVM is there.
        Compiler::Clang => Tools::of_llvm("clang", "rustc", |_| true),
    };
    let mut shell = InLab::new(lab, machine)?;
    let mut claims = Vec::new();
    say(&paper.opening())?;
    for part in parts {
        say(&paper.part(part))?;
        let mut tell = |done: &runner::Done| say(&paper.step(done));
        claims.extend(runner::run(part, &mut shell, &tools, &mut tell)?);
    }
    say(&paper.claims(&claims))?;
    Ok(claims)
}

/// Commands in the toolchain's root, and in guests of the lab's kernel.
struct InLab<'l> {
    lab: &'l Lab,
    machine: &'l Machine<'l>,
    scratch: TempDir,
    folder: PathBuf,
    /// hello_rust's folder, while a part works in it.
    module: Option<Module<'l>>,
    /// Where stitch is.
    programs: PathBuf,
}

impl<'l> InLab<'l> {
    fn new(lab: &'l Lab, machine: &'l Machine<'l>) -> Result<Self> {
        let scratch = cache::scratch_in(&lab.cache.dir().join("walkthrough"))?;
        let own = std::env::current_exe().context("cannot find the lab's own program")?;
        Ok(InLab {
            lab,
            machine,
            folder: scratch.path().to_owned(),
            scratch,
            module: None,
            programs: own.parent().unwrap_or(Path::new("/")).to_owned(),
        })
    }

    /// By bash, with the kernel's build folder in KDIR.
    fn command(&self, line: &str) -> Command {
        let folders = [self.programs.as_path()];
        let toolchain = &self.lab.toolchain;
        let mut command = toolchain.command_in(&self.folder, &folders, "env");
        command
            .arg(format!(
                "PATH={}:/usr/bin:/usr/sbin",
                self.programs.display()
            ))
            .arg(format!("KDIR={}", self.lab.kernel.dir.display()))
            .args(["LC_ALL=C", "MAKEFLAGS=--no-print-directory"])
            .args(self.lab.kernel.flavour.make_options())
            .args(["bash", "--noprofile", "--norc", "-c", line]);
        command
    }

    /// A guest that has all modules of the folder at hand.
    fn guest(&self, line: &str) -> Result<Ran> {
        let mut initramfs = Initramfs::new(&self.lab.programs, &format!("{line}\n"))?;
        for entry in fs::read_dir(&self.folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "ko") {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                initramfs.file(&name, 0o644, &fs::read(&file)?)?;
            }
        }
        let guest = self.machine.run(initramfs, "kunit.enable=0")?;
        let Outcome::Answered(status) = guest.outcome else {
            self.lab.judge(&guest)?;
            anyhow::bail!("the guest ended without an answer: {line}");
        };
        Ok(Ran {
            end: End::Exit(status),
            stdout: guest.output,
            stderr: String::new(),
        })
    }
}

impl Shell for InLab<'_> {
    fn enter(&mut self, sources: &[Source]) -> Result<()> {
        self.module = None;
        if sources.is_empty() {
            let module = self.lab.module(&HELLO_RUST)?;
            self.folder = module.dir().to_owned();
            self.module = Some(module);
            return Ok(());
        }
        self.folder = lay_out(self.scratch.path(), sources)?;
        Ok(())
    }

    fn run(&mut self, place: Place, line: &str) -> Result<Ran> {
        if place == Place::Guest {
            return self.guest(line);
        }
        let output = self.command(line).output().context("cannot run bash")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran {
            end: ended(output.status),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }
}
