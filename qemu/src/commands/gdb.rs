//! `make gdb`: the guest of `make run`, which waits for gdb on this terminal.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use diagnostic::Diagnostic;
use host::project::project;

use super::lab::Lab;
use super::run::initramfs;
use crate::exit::Exit;
use crate::guest::machine::Accelerator;
use crate::kernel::build::Kernel;
use crate::kernel::foreign;
use crate::kernel::load::Ko;
use crate::kernel::sources::{Files, Sources};
use crate::options::Settings;

/// What gdb reads first.
const START: &str = include_str!("../../gdb/start.gdb");

/// Loads the symbols of modules.
const MODULES: &str = include_str!("../../gdb/modules.py");

/// A POSIX shell with job control runs gdb as its job: Ctrl-C is gdb's alone, not make's or the lab's, and
/// the sandbox around gdb ignores it. Nothing could continue gdb after Ctrl-Z, which is turned off.
const JOB: &str = r#"
modes=$(stty -g)
stty susp undef
(trap "" INT; exec "$@")
status=$?
stty "$modes"
exit $status
"#;

/// `make gdb`: boots the guest of `make run` under gdb, until the user quits.
pub fn gdb(settings: &Settings, words: &[String]) -> Result<()> {
    if settings.flavour().is_stock() {
        return Err(
            Diagnostic::new("a stock kernel has no debug information for gdb")
                .note(format!("KERNEL={}", settings.kernel))
                .help("debug the module on the lab's own kernel: make gdb KERNEL=7.3")
                .into(),
        );
    }
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    // KVM sets breakpoints in the guest's memory, which is not mapped before it boots.
    let settings = &Settings {
        accel: settings.accel.or(Some(Accelerator::Tcg)),
        ..settings.clone()
    };
    let lab = Lab::provide(settings, settings.flavour())?;
    let scripts = lab.kernel.gdb_scripts(&lab.cache, &lab.toolchain)?;
    let (built, modules) = lab.modules(&sources)?;
    let initramfs = initramfs(settings, &lab, &built, &modules)?;

    let log = format!("log/gdb-{}-{}", sources.name, lab.kernel.flavour.name());
    let console = lab.cache.place_for(&log)?;
    let output = lab.cache.place_for(&format!("{log}.out"))?;
    let machine = lab.machine(settings);
    // KASLR needs no word: it moves the kernel in a bzImage, and QEMU starts vmlinux.
    let mut guest = machine.wait(initramfs, "kunit.enable=0", [&console, &output])?;
    eprintln!("lab: the kernel's log: {}", console.display());
    eprintln!("lab: the output of RUN=: {}", output.display());
    eprintln!("lab: the guest waits: set breakpoints, then `continue`");

    // Another run may build the modules again.
    let place = guest.folder().to_owned();
    copy_modules(&lab, &modules, &place)?;
    let own = own_folder(&sources)?;
    fs::write(place.join("modules.py"), MODULES)?;
    fs::write(
        place.join("start.gdb"),
        start(&lab.kernel, &scripts, [built.dir(), &own], &place),
    )?;
    drop(built);

    let mut visible = vec![project(), own, lab.kernel.source.dir.clone()];
    visible.extend(words.iter().filter_map(|word| existing(word)));
    let visible: Vec<&Path> = visible.iter().map(PathBuf::as_path).collect();
    let program = foreign::gdb(lab.kernel.flavour.arch);
    let mut gdb = lab.toolchain.command_in(&project(), &visible, program);
    gdb.args(["-nx", "-q", "-x"])
        .arg(place.join("start.gdb"))
        .args(words);
    let status = on_terminal(gdb).status().context("cannot start gdb")?;
    guest.check()?;
    if !status.success() {
        return Err(Diagnostic::new("gdb exits with an error")
            .exit(Exit::Failed)
            .note(status.to_string())
            .help("fix what its last message names")
            .into());
    }
    Ok(())
}

/// What gdb runs before the user's words. The user's own sources are those that the lab has copied; what
/// the build has generated is only in the copy.
fn start(kernel: &Kernel, scripts: &Path, [copy, own]: [&Path; 2], place: &Path) -> String {
    let arguments = kernel.flavour.arch.words().arguments;
    let (copy, kernel) = (copy.display(), kernel.dir.display());
    [
        START,
        &format!("set substitute-path {copy} {}\n", quoted(own)),
        &format!("directory {copy}\n"),
        &format!("python load(\"{kernel}/vmlinux\")\n"),
        &format!("source {}\n", scripts.display()),
        &format!("python ARGUMENTS = {arguments:?}\n"),
        &format!("source {}/modules.py\n", place.display()),
    ]
    .concat()
}

/// The modules with their debug information, under the names by which the kernel knows them.
///
/// Before Linux 6.13, sections of a module can have addresses. gdb would then relocate all debug
/// information as that of `.text`, and know nothing of `.init.text`.
fn copy_modules(lab: &Lab, modules: &[Ko], to: &Path) -> Result<()> {
    let words = lab.kernel.flavour.arch.words();
    let objcopy = format!("{}-objcopy", words.triple);
    for module in modules {
        let copied = lab
            .toolchain
            .command(&objcopy)
            .args(["--change-section-address", "*=0"])
            .args([&module.path, &to.join(module.file())])
            .output()?;
        ensure!(
            copied.status.success(),
            "cannot copy {}: {}",
            module.path.display(),
            String::from_utf8_lossy(&copied.stderr)
        );
    }
    Ok(())
}

/// The folder of the user's own files.
fn own_folder(sources: &Sources) -> Result<PathBuf> {
    let folder = match sources.files {
        Files::Folder(folder) => folder.to_owned(),
        Files::Listed(_) => project(),
    };
    folder.canonicalize().context("the folder is gone")
}

/// A path as one word of a command of gdb's.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// The whole path of a file, if a word is one.
fn existing(word: &str) -> Option<PathBuf> {
    Path::new(word)
        .canonicalize()
        .ok()
        .filter(|it| it.is_file())
}

/// The command as a shell's job in the foreground, if there is a terminal.
fn on_terminal(command: Command) -> Command {
    if !std::io::stdin().is_terminal() {
        return command;
    }
    let mut shell = Command::new("sh");
    shell.args(["-m", "-c", JOB, "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}
