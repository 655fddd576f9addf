//! Faults of the host, each a real one: a lost QEMU, damaged downloads, full disks,
//! interrupts.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Barrier;
use std::time::SystemTime;

use anyhow::{bail, ensure, Context, Result};
use rustix::process::{kill_process, kill_process_group, Pid, Signal};

use crate::harness::test::Test;
use crate::support::context::{main_flavour, must_contain, succeed, TestContext};
use crate::support::processes::{processes_with, wait_for};
use crate::support::proxy::{Fault, Proxy};
use crate::support::scratch::{must_refuse, Scratch};
use host::arch::Arch;
use lab::exit::Exit;
use lab::guest::initramfs::Initramfs;
use lab::guest::machine::Outcome;
use lab::kernel::archive::Archive;
use lab::kernel::built;
use lab::kernel::module::Module;
use lab::kernel::sources::{Sources, HELLO_RUST};

/// The tests.
pub fn tests() -> Vec<Test> {
    let test =
        |what: &str, run: fn(&TestContext) -> Result<()>| Test::new(format!("fault::{what}"), run);
    vec![
        test("QEMU is killed", qemu_is_killed).on(&main_flavour()),
        test("the guest's shell does not run", no_shell).on(&main_flavour()),
        test("make is killed", make_is_killed).on(&main_flavour()),
        test("two runs ask the archive at once", two_ask_at_once),
        test("the kernel source is damaged on its way", damaged_source),
        test("the toolchain is cut short on its way", toolchain_cut_short),
        test("the disk is too small", disk_too_small),
        test("the disk fills up", disk_fills_up),
        test("the disk fills up during a kernel build", log_fills_up),
        test(
            "an interrupt in the middle of the kernel build",
            interrupted_build,
        )
        .minutes(15),
    ]
}

fn qemu_is_killed(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
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
    let guest = context.machine(&lab).run(initramfs, &mark)?;
    killer
        .join()
        .map_err(|_| anyhow::anyhow!("the killer panicked"))??;

    ensure!(
        matches!(guest.outcome, Outcome::Died(_)),
        "{:?}",
        guest.outcome
    );
    match lab.judge(&guest) {
        Err(error) => {
            ensure!(diagnostic::exit_of(&error) == Exit::Qemu as u8, "{error}");
            must_contain(&error.to_string(), "QEMU died")
        }
        Ok(()) => anyhow::bail!("it was not noticed"),
    }
}

/// What init cannot start, it names on the console, which the lab shows.
fn no_shell(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    // A file that may not be executed.
    let guest = context.boot(
        &lab,
        &[("bin/sh", b"no program")],
        "true\n",
        "kunit.enable=0",
    )?;
    ensure!(guest.outcome == Outcome::Silent, "{:?}", guest.outcome);
    let Err(error) = lab.judge(&guest) else {
        bail!("the lab has not noticed:\n{}", guest.console);
    };
    let exited = diagnostic::exit_of(&error);
    ensure!(exited == Exit::Splat as u8, "the lab ends with {exited}");
    must_contain(
        &diagnostic::render(&error),
        "init: cannot run /bin/sh: error 13",
    )
}

/// What a killed make has left half done is made anew.
fn make_is_killed(context: &TestContext) -> Result<()> {
    const KILLED: Sources = Sources {
        name: "killed",
        ..HELLO_RUST
    };
    let lab = context.lab()?;
    let module = Module::stage(&lab.cache, &lab.kernel, &KILLED)?;
    module.make(&lab.toolchain).arg("clean").output()?;
    let killer = std::thread::spawn(|| {
        let (make, _) = wait_for("make, when rustc runs", || {
            let all = processes_with("");
            let runs = |name: &str| all.iter().find(|(_, line)| line.starts_with(name)).cloned();
            runs("rustc ").and_then(|_| runs("make -C "))
        })?;
        kill_process(make, Signal::KILL).context("cannot kill make")
    });
    let killed = module.build(&lab.toolchain, &[]);
    killer
        .join()
        .map_err(|_| anyhow::anyhow!("the killer panicked"))??;
    let Err(error) = killed else {
        bail!("the lab has not noticed");
    };
    must_contain(
        &diagnostic::render(&error),
        "the build of the module was killed",
    )?;
    ensure!(
        !module.dir().join(built::FILE).exists(),
        "a build that was killed is noted"
    );

    let printed = module.build(&lab.toolchain, &[])?;
    must_contain(&printed, "RUSTC [M]")?;
    ensure!(
        module.dir().join(built::FILE).exists(),
        "the build is not noted"
    );
    Ok(())
}

/// Each gets what it asked for, and nothing of the other's.
fn two_ask_at_once(context: &TestContext) -> Result<()> {
    let (cache, toolchain) = (context.cache()?, context.toolchain()?);
    let fetched = Barrier::new(2);
    let ask = |package: &'static str| -> Result<Vec<PathBuf>> {
        let log = cache.place_for(&format!("log/test-{package}"))?;
        let downloads = Archive::ask(&cache, &toolchain, Arch::NATIVE, "test", log)
            .and_then(|archive| archive.fetch(&[package.to_owned()]));
        fetched.wait();
        let downloads = downloads?;
        let files = downloads.files()?;
        downloads.remove()?;
        Ok(files)
    };
    let packages = ["hello", "sl"];
    let results = std::thread::scope(|scope| {
        packages
            .map(|package| scope.spawn(move || ask(package)))
            .map(|thread| thread.join())
    });
    for (package, result) in packages.iter().zip(results) {
        let files = result.map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        let name = |file: &PathBuf| {
            file.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let names: Vec<_> = files.iter().filter_map(name).collect();
        let own = |name: &String| name.starts_with(&format!("{package}_"));
        ensure!(
            names.len() == 1 && names.iter().all(own),
            "{package}: {names:?}"
        );
    }
    Ok(())
}

/// The archive's own checks find what is wrong; nothing of it is kept, and the next run is well.
fn damaged_source(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &["toolchain"])?;
    let source = scratch.dir().join("source/linux-7.3");
    let words = ["source", "--kernel", "7.3"];
    for fault in [Fault::Cut, Fault::Damage] {
        let proxy = Proxy::start("linux-source", fault)?;
        must_refuse(
            scratch.lab(&words)?.env("http_proxy", proxy.url()),
            &[
                "kernel source: fetching linux-source-7.3: failed",
                "help: run the same command again",
            ],
        )?;
        ensure!(
            proxy.damaged() > 0,
            "the download did not go through the proxy"
        );
        ensure!(!source.exists(), "half a source was left behind");
    }
    let printed = succeed(&mut scratch.lab(&words)?)?;
    ensure!(Path::new(printed.trim()) == source, "printed {printed}");
    ensure!(
        source.join("Kconfig").is_file(),
        "no source in {}",
        source.display()
    );
    Ok(())
}

fn toolchain_cut_short(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &[])?;
    let proxy = Proxy::start(".deb", Fault::Cut)?;

    must_refuse(
        scratch.lab(&["source"])?.env("http_proxy", proxy.url()),
        &[
            "toolchain: unpacking Debian 13 packages: failed",
            "help: run the same command again",
        ],
    )?;
    ensure!(
        proxy.damaged() > 0,
        "the download did not go through the proxy"
    );
    for made in std::fs::read_dir(scratch.dir().join("toolchain"))? {
        let recipe = made?.path().join("recipe");
        ensure!(!recipe.exists(), "half a toolchain counts as whole");
    }
    Ok(())
}

fn disk_too_small(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &[])?;
    must_refuse(
        &mut scratch.lab_on_small_disk(&scratch.dir(), 64 << 20, &["source"])?,
        &[
            "not enough space for the toolchain",
            "64 MB free",
            "help: free some space",
        ],
    )
}

/// What is unpacked goes to a disk that has room when asked, and not any more when it counts.
fn disk_fills_up(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &["toolchain"])?;
    let disk = scratch.dir().join("source");
    std::fs::create_dir(&disk)?;
    must_refuse(
        &mut scratch.lab_on_small_disk(&disk, 64 << 20, &["source"])?,
        &[
            "kernel source: unpacking: failed",
            "No space left on device",
            "help: free some space",
        ],
    )
}

/// What Kbuild prints is kept on the same disk as what it makes, and may be what fails first.
fn log_fills_up(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &["toolchain", "source"])?;
    let disk = scratch.dir().join("log");
    std::fs::create_dir(&disk)?;
    must_refuse(
        &mut scratch.lab_on_small_disk(&disk, 4 << 10, &["kernel"])?,
        &[
            "kernel 7.3-clang: building: failed: its log cannot be written",
            "No space left on device",
            "help: free some space",
        ],
    )?;
    let place = scratch.dir().display().to_string();
    wait_for("the build's processes to end", || {
        processes_with(&place).is_empty().then_some(())
    })
}

/// Ctrl-C in the middle leaves no process behind and no object that is only half there; the next
/// run goes on, and compiles nothing again.
fn interrupted_build(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &["toolchain", "source"])?;
    let build = scratch.dir().join("kernel");

    build_until(&scratch, &build, 20)?;
    let first = objects(&build);
    build_until(&scratch, &build, first.len() + 20)?;
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
