//! Bad input and unusual hosts: each gets a clear error, or works, and nothing is lost.

mod shell;

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{ensure, Context, Result};
use host::programs::which;
use host::sandbox;
use rustix::process::{kill_process, kill_process_group, Pid, Signal};

use crate::harness::test::{CannotRun, Test};
use crate::support::context::{
    copy_of_project, fresh, main_flavour, must_contain, on_host, printed, succeed, tail,
    TestContext,
};
use crate::support::processes::{says, wait_for, Started};
use crate::support::scratch::{must_refuse, Scratch};
use lab::exit::Exit;
use lab::kernel::sources::HELLO_RUST;

/// What `make run` prints when all is well.
const GREETING: &str = "hello_rust: Rust, called by C: hello, world! (1)";

/// An argument of `make run`, the exit code, and what is printed.
type Word = (&'static str, Exit, &'static [&'static str]);

#[rustfmt::skip] // a table reads best as a table
const WORDS: &[Word] = &[
    ("CC=tcc",    Exit::Host, &["invalid value 'tcc' for '--cc", "possible values: clang, gcc"]),
    ("ARCH=mips", Exit::Host, &["invalid value 'mips' for '--arch", "the lab has kernels for x86 and arm64"]),
    ("ACCEL=xen", Exit::Host, &["invalid value 'xen' for '--accel", "possible values: kvm, tcg"]),
    ("MEM=1",     Exit::Host, &["invalid value '1' for '--mem", "1 is not in 64.."]),
    ("CPUS=3",    Exit::Host, &["invalid value '3' for '--cpus", "3 is not in 1..=2"]),
    ("TIMEOUT=0", Exit::Host, &["invalid value '0' for '--timeout", "0 is not in 1.."]),
    ("KERNEL=",   Exit::Host, &["a value is required for '--kernel"]),
    ("KERNEL=9.9", Exit::Host, &["there is no kernel 9.9 in the archive", "the archive has 6.12, ", "help: make run KERNEL="]),
    ("KERNEL=9.9.9-amd64", Exit::Host, &["there is no stock kernel 9.9.9-amd64 with headers in the archive", "the archive has 6.12.", "help: make run KERNEL=stock"]),
    ("KSRC=/no/linux", Exit::Host, &["not a kernel source", "KSRC=/no/linux", "help: KSRC=/path/to/"]),
    ("KSRC=stock", Exit::Host, &["not a kernel source", "/stock\n", "help: KSRC=/path/to/"]),
    ("PARAMS=times=17", Exit::Failed, &["the kernel refused the module", "times", "help: see its parameters"]),
];

/// Names of folders that Kbuild does not support, and `make run` does.
const FOLDERS: &[(&str, &str)] = &[("a space", "a folder"), ("a colon", "a:folder")];

/// When the lab is killed or interrupted.
struct Moment {
    what: &'static str,
    /// The process that shows it.
    process: &'static str,
    /// What takes the lab there, and would keep it there forever: an argument of make,
    word: &'static str,
    /// and a line for the module, where PIPE is a pipe that nothing writes to.
    line: &'static str,
}

const MOMENTS: &[Moment] = &[
    Moment {
        what: "QEMU runs",
        process: "qemu-system-x86",
        word: "shell",
        line: "",
    },
    Moment {
        what: "rustc runs",
        process: "rustc",
        word: "run",
        line: "const _: &str = include_str!(\"PIPE\");\n",
    },
];

type End = fn(Pid) -> rustix::io::Result<()>;

/// By Ctrl-C, which all its processes get, or by killing the lab alone.
const ENDS: &[(&str, End)] = &[
    ("Ctrl-C", |lab| kill_process_group(lab, Signal::INT)),
    ("SIGKILL", |lab| kill_process(lab, Signal::KILL)),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    tests.extend(WORDS.iter().map(|word| {
        Test::new(format!("input::make run {}", word.0), move |context| {
            word_of_make(context, word)
        })
    }));
    tests.extend(FOLDERS.iter().map(|(what, name)| {
        let run = move |context: &TestContext| runs_in_folder(context, name);
        Test::new(format!("input::make run in a folder with {what}"), run)
    }));
    for moment in MOMENTS {
        for &(what, end) in ENDS {
            let run = move |context: &TestContext| ended_by_force(context, moment, end);
            let name = format!("input::{what} while {}", moment.what);
            tests.push(Test::new(name, run));
        }
    }
    let checks = CHECKS.iter();
    tests.extend(checks.map(|&(name, check)| Test::new(format!("input::{name}"), check)));
    tests
        .into_iter()
        .map(|test| test.on(&main_flavour()))
        .collect()
}

type Check = fn(&TestContext) -> Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("make run in a read-only folder", runs_read_only),
    ("KSRC is configured in place", configured_in_place),
    ("the cache's path is odd", odd_caches),
    ("XDG_CACHE_HOME is relative", relative_cache),
    ("make run among a CI's variables", words_of_others),
    ("no /dev/kvm", no_kvm),
    ("no network, the first time", no_network_at_first),
    ("no network, later", no_network_later),
    ("LAB_NO_INSTALL=1, no mmdebstrap", nothing_installed),
    ("not root, no sudo, no mmdebstrap", no_sudo),
    ("not root, no namespaces", no_namespaces),
    ("no QEMU in the toolchain", no_qemu),
    ("what a killed run left is removed", leftovers_removed),
    ("a guest that hangs", guest_hangs),
    ("two runs at once", two_at_once),
    ("a run that waits for another", one_waits),
    ("make shell, left by exit", shell::left_by_exit),
    ("make shell, left by Ctrl-A X", shell::left_by_key),
    ("make shell, QEMU is killed", shell::loses_qemu),
];

/// A copy of the project in a folder with this name, gone when the first of the two is dropped.
fn copy_named(name: &str) -> Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let copy = copy_of_project(&folder.path().join(name))?;
    Ok((folder, copy))
}

/// A command that must greet.
fn must_greet(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "exited with {}:\n{}",
        output.status,
        tail(&printed(&output))
    );
    must_contain(&String::from_utf8_lossy(&output.stdout), GREETING)
}

/// make itself always ends with 2, and names the lab's exit code.
fn word_of_make(context: &TestContext, (word, exit, says): &Word) -> Result<()> {
    let (_folder, copy) = copy_named("hello_rust")?;
    let last = format!("run] Error {}", *exit as i32);
    must_refuse(
        &mut context.make_command(&copy, &["run", word])?,
        &[*says, &[last.as_str()]].concat(),
    )
}

/// The sources are staged in the cache.
fn runs_in_folder(context: &TestContext, name: &str) -> Result<()> {
    let (_folder, copy) = copy_named(name)?;
    must_greet(&mut context.make_command(&copy, &["run"])?)
}

fn runs_read_only(context: &TestContext) -> Result<()> {
    let (_folder, copy) = copy_named("hello_rust")?;
    let place = copy.to_string_lossy();
    must_greet(&mut on_host(
        &["--ro-bind", &place, &place],
        &context.make_command(&copy, &["run"])?,
    ))
}

/// Only what makes a kernel source, and the one file that must not be there.
fn configured_in_place(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let tree = tempfile::tempdir()?;
    for name in ["Kconfig", "rust"] {
        std::os::unix::fs::symlink(lab.kernel.source.dir.join(name), tree.path().join(name))?;
    }
    fs::write(tree.path().join(".config"), "CONFIG_RUST=y\n")?;

    let ksrc = tree.path().to_string_lossy();
    must_refuse(
        &mut context.lab_command(&["run"], &[("LAB_KSRC", &ksrc)])?,
        &[
            "this kernel source is configured in place",
            &format!("note: {ksrc}/.config"),
            "help: build it there and use KDIR=",
        ],
    )
}

/// (a folder's name, what is wrong with it)
const CACHES: &[(&str, &str)] = &[
    ("a cache", "a space"),
    ("a:cache", "a colon"),
    ("a,cache", "a comma"),
    ("a$cache", "the character $"),
];

/// make would take the first for two, and QEMU would read only half of another.
fn odd_caches(context: &TestContext) -> Result<()> {
    let (_folder, copy) = copy_named("hello_rust")?;
    for (name, cause) in CACHES {
        let folder = tempfile::tempdir()?;
        let cache = folder.path().join(name);
        let cache = cache.to_string_lossy();
        for mut command in [
            context.lab_command(&["run"], &[])?,
            context.make_command(&copy, &["run"])?,
        ] {
            must_refuse(
                command.env("XDG_CACHE_HOME", &*cache),
                &[
                    &format!("the cache cannot be used: its path has {cause}"),
                    &format!("note: {cache}/hello_rust"),
                    "help: set XDG_CACHE_HOME",
                ],
            )?;
        }
        ensure!(
            fs::read_dir(folder.path())?.next().is_none(),
            "something was made in {}",
            folder.path().display()
        );
    }
    Ok(())
}

/// make and the lab agree that it does not count.
fn relative_cache(context: &TestContext) -> Result<()> {
    let home = tempfile::tempdir()?;
    let (_folder, copy) = copy_named("hello_rust")?;
    let mut make = fresh("make");
    make.args(["-n", "kernel"]).current_dir(&copy);
    let mut doctor = context.lab_command(&["doctor", "--json"], &[])?;
    doctor.current_dir(&copy);
    for command in [&mut make, &mut doctor] {
        command
            .env("XDG_CACHE_HOME", "relative")
            .env("HOME", home.path());
        let cache = home.path().join(".cache/hello_rust");
        must_contain(&printed(&command.output()?), &cache.to_string_lossy())?;
    }
    ensure!(!copy.join("relative").exists(), "something was made there");
    Ok(())
}

/// What a CI system has in its environment is for itself.
fn words_of_others(context: &TestContext) -> Result<()> {
    let (_folder, copy) = copy_named("hello_rust")?;
    let mut make = context.make_command(&copy, &["run"])?;
    for (name, value) in [
        ("ACCEL", "xen"),
        ("CPUS", "16"),
        ("KERNEL", "9.9"),
        ("KSRC", "/no/linux"),
        ("MEM", "1"),
        ("PARAMS", "times=17"),
        ("RUNS", "0"),
        ("TIMEOUT", "0"),
    ] {
        make.env(name, value);
    }
    must_greet(&mut make)
}

fn no_kvm(context: &TestContext) -> Result<()> {
    let doctor = context.lab_command(&["doctor", "--json"], &[])?;
    let output = on_host(&["--dev", "/dev"], &doctor).output()?;
    must_contain(&printed(&output), "this host has no /dev/kvm")
}

fn no_network_at_first(context: &TestContext) -> Result<()> {
    let scratch = Scratch::with(context, &[])?;
    must_refuse(
        &mut on_host(&["--unshare-net"], &scratch.lab(&["run"])?),
        &[
            "toolchain: unpacking Debian 13 packages: failed",
            "help: check the network connection",
        ],
    )?;
    // The table has narrow columns.
    must_refuse(
        &mut on_host(&["--unshare-net"], &scratch.lab(&["doctor", "--json"])?),
        &[
            "packages cannot be fetched",
            "check the network connection",
            "1 problem found",
        ],
    )
}

fn no_network_later(context: &TestContext) -> Result<()> {
    must_greet(&mut on_host(
        &["--unshare-net"],
        &context.lab_command(&["run"], &[])?,
    ))
}

/// A host without these programs: where they were is nothing that can be run.
fn without(programs: &[&str], options: &[&str], command: &Command) -> Command {
    let mut hidden: Vec<String> = Vec::new();
    for place in programs.iter().filter_map(|program| which(program)) {
        hidden.extend(["--ro-bind", "/dev/null"].map(str::to_owned));
        hidden.push(place.display().to_string());
    }
    let hidden = hidden.iter().map(String::as_str);
    on_host(
        &options.iter().copied().chain(hidden).collect::<Vec<_>>(),
        command,
    )
}

fn nothing_installed(context: &TestContext) -> Result<()> {
    must_refuse(
        &mut without(
            &["mmdebstrap"],
            &[],
            &context.lab_command(&["run"], &[("LAB_NO_INSTALL", "1")])?,
        ),
        &[
            "missing on this host: mmdebstrap",
            "note: LAB_NO_INSTALL is set",
            "apt-get install -y --no-install-recommends mmdebstrap",
        ],
    )
}

fn no_sudo(context: &TestContext) -> Result<()> {
    if which("apt-get").is_none() {
        return Err(CannotRun("this host has no apt-get".to_owned()).into());
    }
    let nobody = ["--unshare-user", "--uid", "65534", "--gid", "65534"];
    must_refuse(
        &mut without(
            &["mmdebstrap", "sudo"],
            &nobody,
            &context.lab_command(&["run"], &[])?,
        ),
        &[
            "missing on this host: mmdebstrap",
            "note: not root, and there is no sudo",
            "help: run as root: apt-get install -y --no-install-recommends mmdebstrap",
        ],
    )
}

/// The sandbox that this user is put in can have none within.
fn no_namespaces(context: &TestContext) -> Result<()> {
    let options = "--unshare-user --disable-userns --uid 65534 --gid 65534";
    let options: Vec<&str> = options.split(' ').collect();
    for words in [&["run"][..], &["doctor", "--json"]] {
        must_refuse(
            &mut on_host(&options, &context.lab_command(words, &[])?),
            &[
                sandbox::NO_NAMESPACES,
                "bwrap: Creating new namespace failed",
                "run it as root, or outside the container that forbids it",
            ],
        )?;
    }
    Ok(())
}

/// The lab looks before it enters, so the folder's programs are enough of it.
fn no_qemu(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let programs = lab.toolchain.file("usr/bin");
    let programs = programs.strip_prefix(lab.cache.dir())?;
    let root = programs.ancestors().nth(2).context("no root")?;
    let recipe = root.with_file_name("recipe");

    let parts = [programs, &recipe].map(|part| part.to_string_lossy());
    let scratch = Scratch::with(context, &parts.each_ref().map(|part| &**part))?;
    fs::remove_file(scratch.dir().join(programs).join("qemu-system-x86_64"))?;
    let help = format!(
        "rm -r {}",
        scratch
            .dir()
            .join(recipe)
            .parent()
            .context("no folder")?
            .display()
    );
    for words in [&["run"][..], &["doctor", "--json"]] {
        must_refuse(
            &mut scratch.lab(words)?,
            &["qemu-system-x86_64 is missing from the toolchain", &help],
        )?;
    }
    Ok(())
}

/// No process stays, and the next run is well.
fn ended_by_force(context: &TestContext, moment: &Moment, end: End) -> Result<()> {
    let cache = &context.lab()?.cache;
    let in_cache = tempfile::tempdir_in(cache.dir())?;
    let pipe = in_cache.path().join("pipe");
    succeed(Command::new("mkfifo").arg(&pipe))?;

    let (_folder, copy) = copy_named("hello_rust")?;
    let place = copy.to_string_lossy();
    let lab = |word| context.lab_command(&[word], &[("HELLO_RUST_DIR", &*place)]);
    let source = copy.join("hello_rust.rs");
    let good = fs::read_to_string(&source)?;
    let line = moment.line.replace("PIPE", &pipe.to_string_lossy());
    fs::write(&source, format!("{good}{line}"))?;

    let mut started = Started::new(&mut lab(moment.word)?)?;
    started.wait_for_process(moment.process)?;
    end(started.group)?;
    let status = started.child.wait()?;
    ensure!(!status.success(), "it says that all is well");
    started.wait_until_gone()?;

    fs::write(&source, good)?;
    must_greet(&mut lab("run")?)
}

fn leftovers_removed(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let runs = lab.kernel.dir.with_file_name("run");
    let (old, new) = (tempfile::tempdir_in(&runs)?, tempfile::tempdir_in(&runs)?);
    let days_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    fs::File::open(old.path())?.set_modified(days_ago)?;

    must_greet(&mut context.lab_command(&["run"], &[])?)?;
    ensure!(!old.path().exists(), "{} stays", old.path().display());
    ensure!(new.path().exists(), "{} is gone", new.path().display());
    Ok(())
}

/// A stopped QEMU is to the lab what a guest is that hangs.
fn guest_hangs(context: &TestContext) -> Result<()> {
    let mut started = Started::new(&mut context.lab_command(&["run"], &[("LAB_TIMEOUT", "4")])?)?;
    let qemu = started.wait_for_process("qemu-system-x86")?;
    kill_process(qemu, Signal::STOP)?;

    let status = started.child.wait()?;
    ensure!(
        status.code() == Some(Exit::Timeout as i32),
        "ended with {status}"
    );
    let mut text = String::new();
    let mut stderr = started.child.stderr.take().context("no stderr")?;
    stderr.read_to_string(&mut text)?;
    must_contain(&text, "the guest did not finish within 4 s")?;
    must_contain(&text, "help: make run TIMEOUT=")?;
    started.wait_until_gone()
}

fn two_at_once(context: &TestContext) -> Result<()> {
    let start = || -> Result<Child> {
        let mut command = context.lab_command(&["run"], &[])?;
        Ok(command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?)
    };
    let both = [start()?, start()?];
    for child in both {
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{}", printed(&output));
        must_contain(&printed(&output), GREETING)?;
    }
    Ok(())
}

fn one_waits(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let part = format!("module {}", HELLO_RUST.place(&lab.kernel));
    let lock = lab.cache.lock(&part)?;

    let text = tempfile::NamedTempFile::new()?;
    let child = context
        .lab_command(&["run"], &[])?
        .stdout(Stdio::piped())
        .stderr(text.reopen()?)
        .spawn()?;
    let sentence = format!("lab: waiting for another run that uses the {part}");
    wait_for("a word about the other run", || {
        says(text.path(), &sentence, 1)
    })?;
    drop(lock);

    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "{}", printed(&output));
    must_contain(&printed(&output), GREETING)
}
