//! The walkthrough in the lab: with the toolchain's compilers, which are the same on every host, and
//! virtual machines for the kernel's parts.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache;
use tempfile::TempDir;
use walkthrough::host::write_sources;
use walkthrough::model::{Part, Place, Source};
use walkthrough::parts::{select, KERNEL, USER_SPACE};
use walkthrough::render::{shown, Renderer};
use walkthrough::renderer;
use walkthrough::report::Claim;
use walkthrough::runner::run_parts;
use walkthrough::shell::{Output, Shell, Status};
use walkthrough::tools::Tools;

use crate::commands::lab::Lab;
use crate::exit::Exit;
use crate::guest::initramfs::Initramfs;
use crate::guest::machine::{Machine, Outcome};
use crate::kernel::build::Kernel;
use crate::kernel::flavour::Compiler;
use crate::kernel::module::Module;
use crate::kernel::sources::HELLO_RUST;
use crate::options::Settings;

/// Runs the parts with these numbers, or all.
pub fn walkthrough(settings: &Settings, numbers: &[String], markdown: bool) -> Result<()> {
    let parts = select(&[USER_SPACE, KERNEL].concat(), numbers)?;
    let lab = Lab::provide(settings, settings.flavour())?;
    let parts = supported(&lab, parts, numbers.is_empty())?;
    let mut write = |text: &str| {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())
            .context("cannot write to standard output")
    };
    let machine = lab.machine(settings);
    let claims = walk(&lab, &machine, &parts, &mut *renderer(markdown), &mut write)?;
    if shown(&claims) < claims.len() {
        return Err(
            Diagnostic::new("not all claims of the walkthrough are shown")
                .help("the reasons are above; make walkthrough PART=8 runs one part")
                .exit(Exit::Failed)
                .into(),
        );
    }
    Ok(())
}

/// The parts that this kernel supports; others are skipped, or else an error.
fn supported(lab: &Lab, parts: Vec<&'static Part>, skip: bool) -> Result<Vec<&'static Part>> {
    let (supported, unsupported) = on_kernel(&lab.kernel, parts)?;
    for (part, option) in unsupported {
        let error = Diagnostic::new(format!(
            "part {} requires a kernel with CONFIG_{option}",
            part.number
        ))
        .note(format!("{}/.config", lab.kernel.dir.display()))
        .help(format!("make walkthrough PART={} KERNEL=7.3", part.number));
        if !skip {
            return Err(error.into());
        }
        eprintln!("lab: skipped: {}", diagnostic::render(&error.into()));
    }
    Ok(supported)
}

/// A part, and the kernel option that it lacks.
type Unsupported = (&'static Part, &'static str);

/// Splits parts into those that a kernel supports, and the others.
pub fn on_kernel(
    kernel: &Kernel,
    parts: Vec<&'static Part>,
) -> Result<(Vec<&'static Part>, Vec<Unsupported>)> {
    let (mut supported, mut unsupported) = (Vec::new(), Vec::new());
    for part in parts {
        match part.requires {
            Some(option) if !kernel.has(option)? => unsupported.push((part, option)),
            _ => supported.push(part),
        }
    }
    Ok((supported, unsupported))
}

/// Runs these parts, with the compiler of the lab's kernel.
pub fn walk(
    lab: &Lab,
    machine: &Machine<'_>,
    parts: &[&'static Part],
    renderer: &mut dyn Renderer,
    write: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Vec<Claim>> {
    let tools = match lab.kernel.flavour.compiler {
        Compiler::Gcc => Tools::of_gnu("gcc", "rustc"),
        // The toolchain has all of LLVM.
        Compiler::Clang => Tools::of_llvm("clang", "rustc", |_| true),
    };
    let mut shell = InLab::new(lab, machine)?;
    run_parts(parts, &mut shell, &tools, renderer, write)
}

/// Commands in the toolchain's root, and in guests of the lab's kernel.
struct InLab<'l> {
    lab: &'l Lab,
    machine: &'l Machine<'l>,
    scratch: TempDir,
    folder: PathBuf,
    /// hello_rust's folder, while a part runs there.
    module: Option<Module<'l>>,
    /// The folder of stitch.
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

    /// Runs a line with bash, with the kernel's build folder in KDIR.
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

    /// Runs a line in a guest that has all modules of the folder.
    fn guest(&self, line: &str) -> Result<Output> {
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
            anyhow::bail!("the guest ended without an exit status: {line}");
        };
        Ok(Output {
            status: Status::Exit(status),
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
        self.folder = write_sources(self.scratch.path(), sources)?;
        Ok(())
    }

    fn run(&mut self, place: Place, line: &str) -> Result<Output> {
        if place == Place::Guest {
            return self.guest(line);
        }
        let output = self.command(line).output().context("cannot run bash")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Output {
            status: output.status.into(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }
}
