//! Faults of the world around the lab, each a real one: a lost QEMU, spoilt downloads, full disks,
//! interrupts.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process, kill_process_group, Pid, Signal};

use super::proxy::{Proxy, Spoil};
use super::world::{fresh, main_flavour, must_say, own_program, said, succeed, World};
use super::Test;
use crate::cache::Cache;
use crate::commands;
use crate::exit::Exit;
use crate::initramfs::Initramfs;
use crate::machine::Ending;

/// Kernel builds and downloads are waited for this long, on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(300);

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("fault::QEMU is killed", qemu_is_killed),
        Test::new(
            "fault::the kernel source is cut short on its way",
            |world| spoilt_source(world, Spoil::Cut),
        ),
        Test::new("fault::the kernel source is damaged on its way", |world| {
            spoilt_source(world, Spoil::Damage)
        }),
        Test::new(
            "fault::the toolchain is cut short on its way",
            toolchain_cut_short,
        ),
        Test::new("fault::the disk is too small", disk_too_small),
        Test::new("fault::the disk fills up", disk_fills_up),
        Test::new(
            "fault::an interrupt in the middle of the kernel build",
            interrupted_build,
        ),
    ]
}

fn qemu_is_killed(world: &World) -> Result<()> {
    let lab = world.lab(&main_flavour())?;
    let mark = format!("lab.test={}", std::process::id());
    let initramfs = Initramfs::new(&lab.programs, "sleep 1000")?;

    let killer = std::thread::spawn({
        let mark = mark.clone();
        move || -> Result<()> {
            let qemu = wait_for("QEMU to start", || {
                processes_with(&mark)
                    .into_iter()
                    .find(|(_, command)| command.starts_with("qemu-system"))
            })?;
            kill_process(qemu.0, Signal::KILL).context("cannot kill QEMU")
        }
    });
    let guest = world.machine(&lab).run(initramfs, &mark)?;
    killer
        .join()
        .map_err(|_| anyhow::anyhow!("the killer panicked"))??;

    ensure!(
        matches!(guest.ending, Ending::Died(_)),
        "{:?}",
        guest.ending
    );
    match commands::judge(&lab, &guest) {
        Err(error) => {
            ensure!(trouble::exit_of(&error) == Exit::Qemu as u8, "{error}");
            must_say(&error.to_string(), "QEMU died")
        }
        Ok(()) => anyhow::bail!("nobody noticed"),
    }
}

/// A cache of its own: the parts of the real one are hard links, so that it costs little.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// With these parts of the real cache, after all that the lab keeps there was provided.
    pub fn with(world: &World, parts: &[&str]) -> Result<Self> {
        world.lab(&main_flavour())?;
        Scratch::of(&world.cache()?, parts)
    }

    /// With these parts of the real cache, which are there.
    pub fn of(cache: &Cache, parts: &[&str]) -> Result<Self> {
        let beside = cache.dir().parent().context("the cache has no parent")?;
        let scratch = Scratch {
            folder: tempfile::tempdir_in(beside)?,
        };
        std::fs::create_dir(scratch.dir())?;
        for part in parts {
            let to = scratch.dir().join(part);
            std::fs::create_dir_all(to.parent().unwrap_or(&to))?;
            succeed(
                Command::new("cp")
                    .arg("-al")
                    .arg(cache.dir().join(part))
                    .arg(to),
            )?;
        }
        Ok(scratch)
    }

    /// Where the lab keeps its things.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("hello_rust")
    }

    /// This program, with this cache.
    pub fn lab(&self, words: &[&str]) -> Result<Command> {
        let mut command = fresh(own_program()?);
        self.prepare(&mut command).args(words);
        Ok(command)
    }

    /// The same, where some folder of the cache is a disk of its own, of 64 MB.
    fn lab_on_small_disk(&self, disk: &Path, words: &[&str]) -> Result<Command> {
        let mut command = Command::new("bwrap");
        self.prepare(&mut command)
            .args(["--dev-bind", "/", "/", "--size", "67108864", "--tmpfs"])
            .arg(disk)
            .arg("--")
            .arg(own_program()?)
            .args(words);
        Ok(command)
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("XDG_CACHE_HOME", self.folder.path())
            .stdin(Stdio::null())
    }
}

/// Runs a command that must end with exit code 2 and say all of `words`.
pub fn must_refuse(command: &mut Command, words: &[&str]) -> Result<()> {
    let output = command.output()?;
    ensure!(
        output.status.code() == Some(2),
        "ended with {}:\n{}",
        output.status,
        said(&output)
    );
    words
        .iter()
        .try_for_each(|word| must_say(&said(&output), word))
}

/// The archive's own checks find what is wrong; nothing of it is kept, and the next run is well.
fn spoilt_source(world: &World, spoil: Spoil) -> Result<()> {
    let scratch = Scratch::with(world, &["toolchain"])?;
    let proxy = Proxy::start("linux-source", spoil)?;
    let source = scratch.dir().join("source/linux-7.3");
    let words = ["source", "--kernel", "7.3"];

    must_refuse(
        scratch.lab(&words)?.env("http_proxy", proxy.url()),
        &[
            "kernel source: fetching linux-source-7.3: failed",
            "mend: run the same command again",
        ],
    )?;
    ensure!(
        proxy.spoilt() > 0,
        "the download did not go through the proxy"
    );
    ensure!(!source.exists(), "half a source was left behind");

    let printed = succeed(&mut scratch.lab(&words)?)?;
    ensure!(Path::new(printed.trim()) == source, "printed {printed}");
    ensure!(
        source.join("Kconfig").is_file(),
        "no source in {}",
        source.display()
    );
    Ok(())
}

fn toolchain_cut_short(world: &World) -> Result<()> {
    let scratch = Scratch::with(world, &[])?;
    let proxy = Proxy::start(".deb", Spoil::Cut)?;

    must_refuse(
        scratch.lab(&["source"])?.env("http_proxy", proxy.url()),
        &[
            "toolchain: unpacking Debian 13 packages: failed",
            "mend: run the same command again",
        ],
    )?;
    ensure!(
        proxy.spoilt() > 0,
        "the download did not go through the proxy"
    );
    ensure!(
        !scratch.dir().join("toolchain/recipe").exists(),
        "half a toolchain counts as whole"
    );
    Ok(())
}

fn disk_too_small(world: &World) -> Result<()> {
    let scratch = Scratch::with(world, &[])?;
    must_refuse(
        &mut scratch.lab_on_small_disk(&scratch.dir(), &["source"])?,
        &[
            "no space for the toolchain",
            "64 MB free",
            "mend: free some space",
        ],
    )
}

/// What is unpacked goes to a disk that has room when asked, and not any more when it counts.
fn disk_fills_up(world: &World) -> Result<()> {
    let scratch = Scratch::with(world, &["toolchain"])?;
    let disk = scratch.dir().join("source");
    std::fs::create_dir(&disk)?;
    must_refuse(
        &mut scratch.lab_on_small_disk(&disk, &["source"])?,
        &[
            "kernel source: unpacking: failed",
            "No space left on device",
            "mend: free some space",
        ],
    )
}

/// Ctrl-C in the middle leaves no process behind and no object that is only half there; the next
/// run goes on, and compiles nothing again.
fn interrupted_build(world: &World) -> Result<()> {
    let scratch = Scratch::with(world, &["toolchain", "source"])?;
    let build = scratch.dir().join("kernel/7.3-clang");

    build_until(&scratch, &build, 40)?;
    let first = objects(&build);
    build_until(&scratch, &build, first.len() + 40)?;
    let second = objects(&build);

    let again: Vec<_> = first
        .iter()
        .filter(|object| !second.contains(object))
        .map(|(path, _)| path)
        .collect();
    ensure!(
        again.is_empty(),
        "compiled again after the interrupt: {again:?}"
    );
    Ok(())
}

/// Builds a kernel until so many objects are there, then sends what Ctrl-C sends.
fn build_until(scratch: &Scratch, build: &Path, count: usize) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let mut child = scratch
        .lab(&["kernel", "--kernel", "7.3"])?
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let reached = wait_for("objects of the kernel", || {
        let over = matches!(child.try_wait(), Ok(Some(_)));
        (over || objects(build).len() >= count).then_some(over)
    });
    interrupt(&mut child)?;
    ensure!(!reached?, "the build ended before it was interrupted");

    let place = scratch.dir().display().to_string();
    wait_for("the build's processes to end", || {
        processes_with(&place).is_empty().then_some(())
    })
}

fn interrupt(child: &mut Child) -> Result<()> {
    let group = Pid::from_child(child);
    kill_process_group(group, Signal::INT).context("cannot interrupt")?;
    let status = child.wait()?;
    ensure!(
        !status.success(),
        "an interrupted run says that all is well"
    );
    Ok(())
}

/// The objects below a folder that Kbuild has finished, with their times.
fn objects(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(objects(&path)),
            Ok(kind) if kind.is_file() && is_finished_object(&path) => {
                if let Ok(modified) = entry.metadata().and_then(|data| data.modified()) {
                    found.push((path, modified));
                }
            }
            _ => {}
        }
    }
    found
}

/// Kbuild writes `.x.o.cmd` when `x.o` is done.
fn is_finished_object(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    name.ends_with(".o") && path.with_file_name(format!(".{name}.cmd")).is_file()
}

/// Waits for a condition, and not longer than [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        ensure!(
            Instant::now() < end,
            "waited {} s for {what}",
            PATIENCE.as_secs()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The processes of this machine that have `text` in their command lines, this one aside.
fn processes_with(text: &str) -> Vec<(Pid, String)> {
    let pids = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid as u32 != std::process::id());
    pids.filter_map(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some((Pid::from_raw(pid)?, line))
    })
    .filter(|(_, line)| line.contains(text))
    .collect()
}
