//! `tools/stock/rust-metadata`: modules can use what it makes, and it refuses metadata that does not
//! match the kernel.
//!
//! It runs in the toolchain folder, which is a Debian 13. Errors before the compilation are tested with
//! the stock kernel's headers; the rest with a kernel of the lab laid out like Debian's packages, which
//! is smaller, and has checksums of its symbols (CONFIG_MODVERSIONS).

mod fixture;
mod odd;
mod of_lab;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use anyhow::{ensure, Result};
use host::project::project;
use rustix::fs::FlockOperation;
use rustix::process::{kill_process_group, Signal};

use crate::harness::test::Test;
use crate::support::context::{flavour, must_contain, printed, TestContext};
use crate::support::processes::wait_for;

use fixture::Fixture;

/// An input of the tool, and the error.
struct Refused {
    what: &'static str,
    changes: &'static [Change],
    /// Its arguments; SOURCE is the kernel's source, OTHER that of another kernel.
    args: &'static [&'static str],
    exit: i32,
    says: &'static [&'static str],
}

/// What differs from a kernel that works.
enum Change {
    /// In this file of the headers, this text is replaced by that.
    Line(&'static str, &'static str, &'static str),
    /// This file of the headers is missing.
    Gone(&'static str),
    /// This program prints that.
    Program(&'static str, &'static str),
    /// This program is a script.
    Script(&'static str, &'static str),
    /// The package linux-source has this version, and is cut after so many bytes.
    Package(&'static str, usize),
}

use lab::kernel::flavour::{Compiler, Flavour};
use Change::{Gone, Line, Package, Program, Script};

const SOURCE: &[&str] = &["--source", "SOURCE", "RELEASE"];

/// A rustc that built none of the kernels here.
const OTHER_RUSTC: &str = "rustc 1.84.0 (9fc6b4312 2025-01-07)";

/// apt-cache, where the release was updated.
const OFFERS_BOTH: &str = "echo 'x | 1.85.1+dfsg3-1 | x'; echo 'x | 1.85.0+dfsg2-1 | x'";

#[rustfmt::skip] // a table reads best as a table
static REFUSED: &[Refused] = &[
    Refused { what: "no headers", changes: &[], args: &["9.9.9-amd64"], exit: 2,
        says: &["the headers of the kernel 9.9.9-amd64 are not installed", "apt-get install linux-headers-9.9.9-amd64"] },
    Refused { what: "no Rust", changes: &[Line("include/config/auto.conf", "CONFIG_RUST=y\n", "")], args: SOURCE, exit: 2,
        says: &["was built without Rust, so no Rust module can be built for it"] },
    Refused { what: "not Debian's", changes: &[Line("include/generated/package.h", "Debian", "Zebian")], args: &["RELEASE"], exit: 2,
        says: &["is not Debian's, so its source is unknown", "Zebian 7", "help: name the folder with the source it was built from: rust-metadata --source DIR"] },
    Refused { what: "the headers of another kernel", changes: &[], args: &["--headers", "HEADERS", "9.9.9-amd64"], exit: 2,
        says: &["these are the headers of another kernel than 9.9.9-amd64", "of 7.", "help: leave out the release"] },
    Refused { what: "the source instead of the headers", changes: &[], args: &["--headers", "OTHER"], exit: 2,
        says: &["these are not the headers of a kernel that was built", "no include/config/kernel.release in ", "help: give the folder "] },
    Refused { what: "a source that was configured in place", changes: &[], args: &["--source", "CONFIGURED", "RELEASE"], exit: 2,
        says: &["a kernel was configured in the folder of this source", "help: make -C ", " mrproper"] },
    Refused { what: "no configuration", changes: &[Gone(".config")], args: SOURCE, exit: 2,
        says: &["the configuration of the kernel ", " was not found", "/boot/config-7."] },
    Refused { what: "another rustc", changes: &[Program("rustc", OTHER_RUSTC)], args: SOURCE, exit: 2,
        says: &["was built by another rustc", "rustc 1.84.0 (9fc6b4312 2025-01-07); the kernel's: rustc 1.85.1", "help: install ", " rustc/trixie rust-src/trixie "] },
    Refused { what: "another rustc, and the archive has the kernel's", changes: &[Program("rustc", OTHER_RUSTC), Script("apt-cache", OFFERS_BOTH)], args: SOURCE, exit: 2,
        says: &["was built by another rustc", "apt-get install rustc=1.85.1+dfsg3-1 rust-src=1.85.1+dfsg3-1 (and RUSTC="] },
    Refused { what: "another gcc, and the archive has a newer one", changes: &[Line("include/config/auto.conf", "(Debian 14.2.0-19)", "(Debian 14.2.0-18)"), Script("apt-cache", OFFERS_BOTH)], args: SOURCE, exit: 2,
        says: &["was built by another gcc-14", "help: get gcc-14 14.2.0-18 from Debian's snapshots, https://snapshot.debian.org/binary/gcc-14; the archive has only 1.85.1"] },
    Refused { what: "another bindgen", changes: &[Program("bindgen", "bindgen 0.72.0")], args: SOURCE, exit: 2,
        says: &["was built by another bindgen", "bindgen 0.72.0; the kernel's: bindgen 0.71.1"] },
    Refused { what: "another C compiler", changes: &[Line("include/config/auto.conf", "(Debian 14.2.0-19)", "(Debian 14.2.0-18)")], args: SOURCE, exit: 2,
        says: &["was built by another gcc-14", "gcc-14 (Debian 14.2.0-18) 14.2.0", "help: install "] },
    Refused { what: "the source of another kernel", changes: &[], args: &["--source", "OTHER", "RELEASE"], exit: 2,
        says: &["this is not the source of the kernel", "Linux 6.12.", "help: use the package: apt-get download linux-source-7."] },
    Refused { what: "the source package of another version", changes: &[Package("7.3.4-0", usize::MAX)], args: &["--source", "PACKAGE", "RELEASE"], exit: 2,
        says: &["this is not the source of the kernel", "Version: 7.3.4-0", "help: use the package: apt-get download linux-source-7."] },
    Refused { what: "half a source package", changes: &[Package("7.3.4-0", 100)], args: &["--source", "PACKAGE", "RELEASE"], exit: 2,
        says: &[", or it is incomplete", "help: use the package: apt-get download linux-source-7."] },
    Refused { what: "the archive has no such source", changes: &[Line("include/generated/package.h", "Debian ", "Debian 0:")], args: &["RELEASE"], exit: 2,
        says: &["the archive does not have the source of the kernel", "the archive has: none of that name", "rust-metadata --source PATH"] },
    Refused { what: "no space", changes: &[Program("df", "Filesystem\nx 1 1 99999 1 /")], args: SOURCE, exit: 2,
        says: &["need 1 GB of space", "97 MB are free", "help: free some space"] },
    Refused { what: "one option is another", changes: &[Line(".config", "CONFIG_RUST_OVERFLOW_CHECKS=y", "# CONFIG_RUST_OVERFLOW_CHECKS is not set")], args: SOURCE, exit: 1,
        says: &["the metadata does not match the kernel", "include/config/auto.conf differs", "CONFIG_RUST_OVERFLOW_CHECKS=y"] },
    Refused { what: "compilers without a version", changes: &[Line("include/config/auto.conf", "CONFIG_BINDGEN_VERSION_TEXT=", "CONFIG_X="), Script("bindgen", "exit 0")], args: SOURCE, exit: 2,
        says: &["was built by another bindgen", "not found; the kernel's: \n"] },
];

/// The tests.
pub fn tests(stock: &Flavour) -> Vec<Test> {
    let own = flavour("7.3", Compiler::Gcc);
    let refused = REFUSED.iter().map(|case| {
        let run = move |context: &TestContext| is_refused(context, case);
        Test::new(format!("metadata::refused: {}", case.what), run)
    });
    let on_stock = refused.chain([
        Test::new("metadata::the headers have it", headers_have_it),
        Test::new("metadata::arguments", arguments),
        Test::new("metadata::a compiler for 32-bit programs", compat_compiler),
        Test::new("metadata::one at a time", one_at_a_time),
        Test::new("metadata::odd headers", odd::headers),
    ]);
    // Compiles a kernel's Rust half.
    let on_own = [
        Test::of_many("metadata::of a kernel of the lab", of_lab::by_gcc).on(&own),
        Test::of_many(
            "metadata::of a kernel of the lab, by clang",
            of_lab::by_clang,
        )
        .on(&flavour("7.3", Compiler::Clang)),
    ];
    on_stock
        .map(|test| test.on(stock))
        .chain(on_own.map(|test| test.minutes(20)))
        .chain([Test::new("metadata::DKMS passes its arguments on", of_dkms)])
        .collect()
}

fn is_refused(context: &TestContext, case: &Refused) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    for change in case.changes {
        match *change {
            Line(file, old, new) => fixture.change(file, old, new)?,
            Gone(file) => fs::remove_file(fixture.headers().join(file))?,
            Program(name, says) => fixture.program(name, says)?,
            Package(version, bytes) => fixture.package(version, bytes)?,
            Script(name, does) => fixture.script(name, does)?,
        }
    }
    let mut tool = fixture.tool();
    for word in case.args {
        match *word {
            "SOURCE" => tool.arg(&fixture.lab.kernel.source.dir),
            "OTHER" => tool.arg(context.source("6.12")?.dir),
            "CONFIGURED" => tool.arg(fixture.configured_source()?),
            "PACKAGE" => tool.arg(fixture.path("PACKAGE")),
            "HEADERS" => tool.arg(fixture.headers()),
            "RELEASE" => tool.arg(&fixture.release),
            word => tool.arg(word),
        };
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
    for file in ["libcore.rmeta", "libkernel.rmeta", "libmacros.so"] {
        fs::write(rust.join(file), "")?;
    }
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
    for words in [
        &["--into"][..],
        &["--what"],
        &["a", "b"],
        &["--release", "a", "b"],
        &["a/b"],
        &[""],
    ] {
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
    let output = tool.args(["--release", &fixture.release]).output()?;
    ensure!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        printed(&output)
    );
    ensure!(fixture.is_empty()?);
    Ok(())
}

/// DKMS appends LLVM=1 to the command for a kernel that was built by clang. A module that can do without Rust
/// is built against the headers alone.
fn of_dkms(_: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let script = |name: &str, does: &str| -> Result<()> {
        let file = place.path().join(name);
        fs::write(&file, format!("#!/bin/sh\n{does}\n"))?;
        Ok(fs::set_permissions(
            file,
            fs::Permissions::from_mode(0o755),
        )?)
    };
    script("rust-metadata", "echo /kdir/$1")?;
    script("make", "echo \"$@\"")?;
    fs::copy(
        project().join("tools/stock/dkms"),
        place.path().join("dkms"),
    )?;
    let run = |task: &str| {
        let mut dkms = Command::new("sh");
        dkms.args(["./dkms", task, "7.3-clang", "LLVM=1", "CC=clang"]);
        dkms.current_dir(&place)
            .env("PATH", format!("{}:/usr/bin:/bin", place.path().display()))
            .output()
    };
    let m = place.path().canonicalize()?;
    let builds = |kdir: &str| format!("-C {kdir} M={} LLVM=1 CC=clang modules\n", m.display());
    for task in ["make", "make-optional"] {
        let printed = printed(&run(task)?);
        ensure!(printed == builds("/kdir/7.3-clang"), "{task}: {printed}");
    }

    script("rust-metadata", "exit 2")?;
    let refused = run("make")?;
    ensure!(!refused.status.success() && refused.stdout.is_empty());
    let printed = printed(&run("make-optional")?);
    ensure!(
        printed == builds("/lib/modules/7.3-clang/build"),
        "{printed}"
    );
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

/// A removal waits for the lock; and when its file was removed meanwhile, so does what waited for it.
fn one_at_a_time(context: &TestContext) -> Result<()> {
    let fixture = Fixture::of_stock(context)?;
    let made = fixture.path("into").join(&fixture.release);
    let file = fixture
        .path("into")
        .join(format!("{}.lock", fixture.release));
    fs::create_dir_all(&made)?;
    let lock = || -> Result<fs::File> {
        let lock = fs::File::create(&file)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(lock)
    };
    let text = fixture.path("text");
    let waits = |times: usize| {
        wait_for("it to wait", || {
            let printed = fs::read_to_string(&text).unwrap_or_default();
            (printed.matches("waiting for another").count() == times).then_some(())
        })
    };

    let first = lock()?;
    let mut remove = fixture.tool();
    remove.args(["--remove", &fixture.release]);
    let mut child = remove.stderr(fs::File::create(&text)?).spawn()?;
    waits(1)?;
    ensure!(made.exists(), "removed while another one works on it");
    drop(first);
    ensure!(child.wait()?.success() && !fixture.path("into").exists());

    fs::create_dir_all(&made)?;
    let first = lock()?;
    let mut child = fixture.make().stderr(fs::File::create(&text)?).spawn()?;
    waits(1)?;
    fs::remove_file(&file)?;
    let second = lock()?;
    drop(first);
    let waited = waits(2);
    kill_process_group(fixture.group()?, Signal::KILL)?;
    child.wait()?;
    drop(second);
    waited
}
