//! `tools/stock/rust-metadata`: modules can use what it makes, and it refuses metadata that does not
//! match the kernel.
//!
//! It runs in the toolchain folder, which is a Debian 13. Errors before the compilation are tested with
//! the stock kernel's headers; the rest with a kernel of the lab laid out like Debian's packages, which
//! is smaller, and has checksums of its symbols (CONFIG_MODVERSIONS).

mod fixture;

use std::fs;
use std::process::{Command, Output};

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process_group, Signal};

use crate::harness::test::{Case, Outcome, Test};
use crate::support::context::{
    copy_of_project, flavour, must_contain, printed, succeed, TestContext,
};
use crate::support::processes::wait_for;

use fixture::Fixture;

/// An input of the tool, and the error.
struct Refused {
    what: &'static str,
    change: Change,
    /// More arguments; SOURCE is the kernel's source, OTHER that of another kernel.
    args: &'static [&'static str],
    exit: i32,
    says: &'static [&'static str],
}

/// What differs from a kernel that works.
enum Change {
    Nothing,
    /// In this file of the headers, this text is replaced by that.
    Line(&'static str, &'static str, &'static str),
    /// This program prints that.
    Program(&'static str, &'static str),
    /// The package linux-source has this version, and is cut after so many bytes.
    Package(&'static str, usize),
}

use lab::kernel::flavour::Compiler;
use Change::{Line, Nothing, Package, Program};

const SOURCE: &[&str] = &["--source", "SOURCE"];

/// A rustc that built none of the kernels here.
const OTHER_RUSTC: &str = "rustc 1.84.0 (9fc6b4312 2025-01-07)";

#[rustfmt::skip] // a table reads best as a table
static REFUSED: &[Refused] = &[
    Refused { what: "no headers", change: Nothing, args: &["9.9.9-amd64"], exit: 2,
        says: &["the headers of the kernel 9.9.9-amd64 are not installed", "apt-get install linux-headers-9.9.9-amd64"] },
    Refused { what: "no Rust", change: Line("include/config/auto.conf", "CONFIG_RUST=y\n", ""), args: SOURCE, exit: 2,
        says: &["was built without Rust, so no Rust module can be built for it"] },
    Refused { what: "not Debian's", change: Line("include/generated/package.h", "Debian", "Zebian"), args: SOURCE, exit: 2,
        says: &["is not Debian's, so its source is unknown", "Zebian 7"] },
    Refused { what: "another rustc", change: Program("rustc", OTHER_RUSTC), args: SOURCE, exit: 2,
        says: &["was built by another rustc", "rustc 1.84.0 (9fc6b4312 2025-01-07); the kernel's: rustc 1.85.1", "help: install ", " rustc/trixie rust-src/trixie "] },
    Refused { what: "another bindgen", change: Program("bindgen", "bindgen 0.72.0"), args: SOURCE, exit: 2,
        says: &["was built by another bindgen", "bindgen 0.72.0; the kernel's: bindgen 0.71.1"] },
    Refused { what: "another C compiler", change: Line("include/config/auto.conf", "(Debian 14.2.0-19)", "(Debian 14.2.0-18)"), args: SOURCE, exit: 2,
        says: &["was built by another gcc-14", "gcc-14 (Debian 14.2.0-18) 14.2.0", "help: install "] },
    Refused { what: "the source of another kernel", change: Nothing, args: &["--source", "OTHER"], exit: 2,
        says: &["this is not the source of the kernel", "Linux 6.12.", "help: use the package: apt-get download linux-source-7."] },
    Refused { what: "the source package of another version", change: Package("7.3.4-0", usize::MAX), args: &["--source", "PACKAGE"], exit: 2,
        says: &["this is not the source of the kernel", "Version: 7.3.4-0", "help: use the package: apt-get download linux-source-7."] },
    Refused { what: "half a source package", change: Package("7.3.4-0", 100), args: &["--source", "PACKAGE"], exit: 2,
        says: &[", or it is incomplete", "help: use the package: apt-get download linux-source-7."] },
    Refused { what: "the archive has no such source", change: Line("include/generated/package.h", "Debian ", "Debian 0:"), args: &[], exit: 2,
        says: &["the archive does not have the source of the kernel", "the archive has: none of that name", "rust-metadata --source PATH"] },
    Refused { what: "no space", change: Program("df", "Filesystem\nx 1 1 99999 1 /"), args: SOURCE, exit: 2,
        says: &["need 1 GB of space", "97 MB are free", "help: free some space"] },
    Refused { what: "one option is another", change: Line(".config", "CONFIG_RUST_OVERFLOW_CHECKS=y", "# CONFIG_RUST_OVERFLOW_CHECKS is not set"), args: SOURCE, exit: 1,
        says: &["the metadata does not match the kernel", "include/config/auto.conf differs", "CONFIG_RUST_OVERFLOW_CHECKS=y"] },
    Refused { what: "a structure has another layout", change: Line("include/generated/asm-offsets.h", "#define TASK_threadsp ", "#define TASK_threadsp 1"), args: SOURCE, exit: 1,
        says: &["the metadata does not match the kernel", "include/generated/asm-offsets.h differs", "TASK_threadsp"] },
];

/// The tests.
pub fn tests(kernel: &str) -> Vec<Test> {
    let (stock, own) = (
        flavour(kernel, Compiler::Gcc),
        flavour("7.3", Compiler::Gcc),
    );
    let refused = REFUSED.iter().map(|case| {
        let run = move |context: &TestContext| is_refused(context, case);
        Test::new(format!("metadata::refused: {}", case.what), run)
    });
    let on_stock = refused.chain([
        Test::new("metadata::the headers have it", headers_have_it),
        Test::new("metadata::arguments", arguments),
        Test::new("metadata::a compiler for 32-bit programs", compat_compiler),
    ]);
    // Compiles a kernel's Rust half.
    let on_own = Test::of_many("metadata::of a kernel of the lab", of_lab)
        .on(&own)
        .minutes(20);
    on_stock
        .map(|test| test.on(&stock))
        .chain([on_own])
        .collect()
}

fn is_refused(context: &TestContext, case: &Refused) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    match case.change {
        Nothing => {}
        Line(file, old, new) => fixture.change(file, old, new)?,
        Program(name, says) => fixture.program(name, says)?,
        Package(version, bytes) => fixture.package(version, bytes)?,
    }
    let mut tool = fixture.tool();
    for word in case.args {
        match *word {
            "SOURCE" => tool.arg(&fixture.lab.kernel.source.dir),
            "OTHER" => tool.arg(context.source("6.12")?.dir),
            "PACKAGE" => tool.arg(fixture.path("PACKAGE")),
            word => tool.arg(word),
        };
    }
    if case.args.len() != 1 {
        tool.arg(&fixture.release);
    }
    let output = tool.output()?;
    must_refuse(&output, case.exit, case.says)?;
    ensure!(
        fixture.is_empty()?,
        "something is left: {}",
        printed(&output)
    );
    Ok(())
}

/// The tool exits so with an error, a note and a help, and prints no folder.
fn must_refuse(output: &Output, exit: i32, says: &[&str]) -> Result<()> {
    let text = printed(output);
    ensure!(
        output.status.code() == Some(exit),
        "{}:\n{text}",
        output.status
    );
    ensure!(output.stdout.is_empty(), "on standard output: {text}");
    for word in ["rust-metadata: error: ", "\n  note: ", "\n  help: "]
        .iter()
        .chain(says)
    {
        must_contain(&text, word)?;
    }
    Ok(())
}

/// As in other distributions: nothing is made, and the headers are KDIR.
fn headers_have_it(context: &TestContext) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    let rust = fixture.headers().join("rust");
    fs::create_dir(&rust)?;
    fs::write(rust.join("libkernel.rmeta"), "")?;
    let output = fixture.make().output()?;
    must_contain(
        &printed(&output),
        "come with their Rust metadata: nothing to do",
    )?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        text.trim_end() == fixture.headers().to_string_lossy(),
        "{text}"
    );
    ensure!(fixture.is_empty()?);

    fixture.program("rustc", OTHER_RUSTC)?;
    let says = [
        "was built by another rustc",
        OTHER_RUSTC,
        "and name it: RUSTC=",
    ];
    must_refuse(&fixture.make().output()?, 2, &says)
}

fn arguments(context: &TestContext) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    for words in [&["--into"][..], &["--what"], &["a", "b"], &["a/b"], &[""]] {
        let output = fixture.tool().args(words).output()?;
        ensure!(
            output.status.code() == Some(2),
            "{words:?}: {}",
            printed(&output)
        );
        must_contain(&printed(&output), "usage: rust-metadata ")?;
    }
    let mut tool = fixture.tool();
    let output = tool
        .args(["--into", "/tmp/a folder", &fixture.release])
        .output()?;
    must_refuse(
        &output,
        2,
        &["Kbuild does not support the path", "/tmp/a folder"],
    )?;

    let output = fixture.make().arg("--check").output()?;
    ensure!(
        output.status.code() == Some(2),
        "an option after the release: {}",
        printed(&output)
    );
    let mut tool = fixture.tool();
    tool.arg("--check")
        .arg("--source")
        .arg(&fixture.lab.kernel.source.dir);
    let output = tool.arg(&fixture.release).output()?;
    ensure!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        printed(&output)
    );
    ensure!(fixture.is_empty()?);
    Ok(())
}

/// As on arm64, where the 64-bit kernel has a vDSO for 32-bit programs.
fn compat_compiler(context: &TestContext) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    let (options, variables) = ("include/config/auto.conf", ".kernelvariables");
    fixture.change(
        options,
        "CONFIG_RUST=y",
        "CONFIG_RUST=y\nCONFIG_COMPAT_VDSO=y",
    )?;
    fixture.change(
        variables,
        "override ARCH",
        "override CROSS_COMPILE_COMPAT = arm-linux-gnueabihf-\noverride ARCH",
    )?;
    let says = [
        "note: missing: gcc-arm-linux-gnueabihf\n",
        "apt-get install gcc-arm-linux-gnueabihf\n",
    ];
    must_refuse(&fixture.make().output()?, 2, &says)
}

/// The steps share a fixture, so that the Rust half is compiled only once.
fn of_lab(context: &TestContext) -> Result<Vec<Case>> {
    let fixture = Fixture::of_lab(context)?;
    let mut cases = Vec::new();
    let steps: [(&str, Step); 5] = [
        ("interrupted, it goes on", interrupted_twice),
        ("the disk is full at the end", full_at_the_end),
        ("refused: symbols differ", symbols_differ),
        ("refused: a header is not made", header_not_made),
        ("made, and used", made_and_used),
    ];
    for (name, step) in steps {
        step(context, &fixture).with_context(|| name.to_owned())?;
        cases.push(Case::of_many(name, Outcome::Passed));
    }
    Ok(cases)
}

type Step = fn(&TestContext, &Fixture) -> Result<()>;

/// Ends the tool by SIGINT and SIGKILL while rustc runs.
fn interrupted_twice(_: &TestContext, fixture: &Fixture) -> Result<()> {
    for (signal, ends) in [
        (Signal::INT, "run the same command again to continue"),
        (Signal::KILL, ""),
    ] {
        let text = interrupted(fixture, signal)?;
        must_contain(&text, ends)?;
        ensure!(
            !fixture.kdir().exists(),
            "half of the metadata counts as complete: {text}"
        );
    }
    Ok(())
}

/// The objects stay, and the incomplete result is not moved into place.
fn full_at_the_end(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let full = "[ $1 != -R ] && exec /usr/bin/cp \"$@\"; echo 'cp: no space' >&2; exit 1";
    fixture.script("cp", full)?;
    let says = [
        "the metadata was made, but could not be stored",
        "cp: no space",
    ];
    must_refuse(&fixture.make().output()?, 2, &says)?;
    ensure!(
        !fixture.kdir().exists(),
        "half of the metadata counts as complete"
    );
    fs::remove_file(fixture.path("bin/cp"))?;
    Ok(())
}

/// A module that is built with the metadata loads; the metadata is made only once, and can be removed.
fn made_and_used(context: &TestContext, fixture: &Fixture) -> Result<()> {
    let output = fixture.make().output()?;
    ensure!(output.status.success(), "{}", printed(&output));
    ensure!(
        !printed(&output).contains("RUSTC L rust/core.o"),
        "compiled again: {}",
        printed(&output)
    );
    must_contain(
        &printed(&output),
        "Rust symbols that the kernel exports match",
    )?;
    let kdir = fixture.kdir().display().to_string();
    ensure!(
        String::from_utf8_lossy(&output.stdout).trim_end() == kdir,
        "{}",
        printed(&output)
    );

    let again = fixture.make().output()?;
    ensure!(
        again.status.success() && again.stderr.is_empty(),
        "{}",
        printed(&again)
    );
    is_a_kdir(context, fixture)?;

    // Another rustc cannot read it.
    fixture.program("rustc", OTHER_RUSTC)?;
    let output = fixture.make().output()?;
    must_refuse(&output, 2, &["was built by another rustc", OTHER_RUSTC])?;
    ensure!(fixture.kdir().exists(), "it was removed");

    let removed = fixture
        .tool()
        .args(["--remove", &fixture.release])
        .output()?;
    ensure!(removed.status.success(), "{}", printed(&removed));
    ensure!(!fixture.path("into").exists(), "something is left");
    Ok(())
}

/// Starts the tool, waits until it compiles core, and sends a signal to its process group.
fn interrupted(fixture: &Fixture, signal: Signal) -> Result<String> {
    let log = fixture.path("text");
    let file = fs::File::create(&log)?;
    let mut child = fixture
        .make()
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()?;
    let printed = || fs::read_to_string(&log).unwrap_or_default();
    let compiles = || printed().contains("RUSTC L rust/core.o").then_some(());
    let ended = wait_for("rustc to compile core", compiles)
        .and_then(|()| fixture.group())
        .and_then(|group| Ok(kill_process_group(group, signal)?));
    child.wait()?;
    ended?;
    Ok(printed())
}

/// The module builds with it, and the kernel loads the module.
fn is_a_kdir(context: &TestContext, fixture: &Fixture) -> Result<()> {
    let project = copy_of_project(&fixture.path("hello_rust"))?;
    let mut make = fixture
        .lab
        .toolchain
        .command_in(&project, &[&project], "make");
    make.arg(format!("KDIR={}", fixture.kdir().display()));
    succeed(&mut make)?;
    let ko = fs::read(project.join("hello_rust.ko"))?;
    let job = "insmod /hello_rust.ko && rmmod hello_rust && dmesg\n";
    let dmesg = context.boot_well(&fixture.lab, &[("hello_rust.ko", &ko)], job)?;
    must_contain(&dmesg, "hello_rust: Rust, called by C: hello, world! (1)")
}

/// Saves the objects for the next step: a refusal deletes them.
fn refused_again(fixture: &Fixture, exit: i32, says: &[&str]) -> Result<()> {
    let work = fixture
        .path("into")
        .join(format!("{}.work", fixture.release));
    let aside = fixture.path("aside");
    succeed(Command::new("cp").arg("-a").args([&work, &aside]))?;
    let output = fixture.make().output()?;
    must_refuse(&output, exit, says)?;
    ensure!(
        fixture.is_empty()?,
        "something is left: {}",
        printed(&output)
    );
    fs::rename(&aside, &work).context("cannot restore the objects")
}

/// A symbol with another name, and one with another checksum: both are counted.
fn symbols_differ(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let file = fixture.headers().join("Module.symvers");
    let symvers = fs::read_to_string(&file)?;
    let mut symbols = symvers.lines().filter(|line| line.contains("\t_RNv"));
    let (first, second) = (symbols.next(), symbols.next());
    let (first, second) = (
        first.context("no symbol")?,
        second.context("no other symbol")?,
    );
    let total = symvers
        .lines()
        .filter(|line| line.contains("\t_R") || line.contains("\trust_helper_"))
        .count();
    fixture.change("Module.symvers", first, &first.replace("\t_RNv", "\t_RNvX"))?;
    let checksum = second.split('\t').next().context("no checksum")?;
    ensure!(checksum != "0x00000000", "no checksums: {second}");
    fixture.change(
        "Module.symvers",
        second,
        &second.replace(checksum, "0x00000001"),
    )?;

    let counted = format!("{} of the kernel's {total} Rust symbols match", total - 2);
    let says = [&counted, "only in the kernel: ", "=0x00000001", "_RNvX"];
    refused_again(fixture, 1, &says)?;
    fs::write(&file, symvers).context("cannot restore the symbols")
}

/// A header that the build does not generate, but that the kernel has.
fn header_not_made(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let header = "include/generated/vdso-offsets.h";
    let file = fixture.headers().join(header);
    fs::write(&file, "#define offset 1\n")?;
    refused_again(fixture, 1, &[&format!("{header} differs")])?;
    fs::remove_file(file).context("cannot remove the header")
}
