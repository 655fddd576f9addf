//! stitch with --probe, where the compilers are: in the toolchain's folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use host::project::project;
use host::toolchain::Toolchain;
use serde_json::Value;

use super::{list, stitch, text};
use crate::harness::test::Test;
use crate::support::context::{flavours, printed, succeed, TestContext};
use lab::commands::lab::Lab;
use lab::kernel::flavour::Flavour;
use lab::kernel::sources::{Files, Sources, HELLO_RUST};

/// A module that declares by hand what the kernel exports.
const BY_HAND: Sources = Sources {
    name: "by_hand",
    files: Files::Listed(&[
        ("tests/by_hand/Kbuild", "Kbuild"),
        ("tests/by_hand/by_hand.rs", "by_hand.rs"),
    ]),
    fused: false,
};

/// The tests.
pub fn tests() -> Vec<Test> {
    let asked = |flavour: Flavour| {
        let name = flavour.name();
        Test::new(
            format!("stitch::{name}::hello_rust, its compilers asked"),
            |context| as_the_border_has_it(&*context.lab()?),
        )
        .on(&flavour)
    };
    let by_hand = |flavour: Flavour| {
        let name = flavour.name();
        let run = |context: &TestContext| of_the_kernel_by_hand(&*context.lab()?);
        Test::new(format!("stitch::{name}::the kernel, declared by hand"), run).on(&flavour)
    };
    let mut tests: Vec<Test> = flavours().into_iter().map(asked).collect();
    tests.extend(flavours().into_iter().map(by_hand));
    for (name, options) in TARGETS {
        let name = format!("stitch::verdicts whose truth is known, {name}");
        let run = |context: &TestContext| verdicts(context, options);
        tests.push(Test::new(name, run));
    }
    tests
}

/// A command in the toolchain, which sees the project and stitch as well.
fn inside(
    toolchain: &Toolchain,
    dir: &Path,
    program: impl AsRef<std::ffi::OsStr>,
) -> Result<Command> {
    let stitch = stitch()?;
    let programs = stitch.parent().context("stitch is in no folder")?;
    Ok(toolchain.command_in(dir, &[&project(), programs], program))
}

/// What stitch has to say of a module in this folder, with the compilers' help.
pub fn report(toolchain: &Toolchain, dir: &Path, list: &str) -> Result<Value> {
    let mut command = inside(toolchain, dir, stitch()?)?;
    let json = succeed(command.args(["report", "--json", "--probe", list]))?;
    serde_json::from_str(&json).context("stitch wrote no JSON")
}

/// What rustc says of Kbuild's sources, where the border has left nothing to read.
fn as_the_border_has_it(lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST)?;
    let copy = tempfile::tempdir_in(module.dir().with_file_name(""))?;
    succeed(
        Command::new("cp")
            .arg("-a")
            .arg(module.dir().join("."))
            .arg(copy.path()),
    )?;
    for object in ["hello_rust_main.o", "c_helper.o"] {
        let mut command = lab.toolchain.command_in(copy.path(), &[], "llvm-objcopy");
        let section = "--rename-section=.discard.border.probe=.gone";
        succeed(command.args(["--preserve-dates", section, object]))?;
    }
    let report = report(&lab.toolchain, copy.path(), "hello_rust.mod")?;
    let stitches = list(&report, "stitches");
    ensure!(!stitches.is_empty(), "nothing crosses: {report}");
    for stitch in stitches {
        let verdict = &stitch["verdict"];
        let mut views = list(verdict, "views").iter();
        let asked = views.any(|view| text(view, "source").contains("probe, "));
        ensure!(asked && verdict["outcome"] == "same", "{stitch}");
    }
    Ok(())
}

/// What comes of its declarations: (symbol, outcome, a word of the reason).
const DECLARED: &[(&str, &str, &str)] = &[
    ("register_reboot_notifier", "language", "`Notifier` in Rust"),
    (
        "unregister_reboot_notifier",
        "differs",
        "at 16 in C, at 0 in Rust",
    ),
    (
        "kstrtouint",
        "differs",
        "4 bytes unsigned in C, 8 bytes unsigned in Rust",
    ),
    ("kstrtoint", "same", ""),
    ("get_random_u32", "differs", "the result"),
];

/// The kernel's own debug information says what it is: DWARF, or BTF where it is shipped.
pub fn of_the_kernel_by_hand(lab: &Lab) -> Result<()> {
    let module = lab.module(&BY_HAND)?;
    let report = report(&lab.toolchain, module.dir(), "by_hand.mod")?;
    let stitches = list(&report, "kernel");
    ensure!(stitches.len() == DECLARED.len(), "{report}");
    for (symbol, outcome, reason) in DECLARED {
        let stitch = stitches.iter().find(|one| text(one, "symbol") == *symbol);
        let verdict = &stitch.with_context(|| format!("no {symbol}"))?["verdict"];
        let reasons = verdict["reasons"].to_string();
        ensure!(
            text(verdict, "outcome") == *outcome && reasons.contains(reason),
            "{symbol}: {verdict:#}"
        );
    }
    Ok(())
}

/// What tests/verdicts/score compiles for: name, options. The toolchain has a gcc for the host only.
const TARGETS: &[(&str, &[&str])] = &[
    ("x86-64", &["--target=x86-64"]),
    ("arm64", &["--target=arm64", "--compiler=clang"]),
];

/// tests/verdicts: pairs of C and Rust of which it is known whether they agree.
fn verdicts(context: &TestContext, options: &[&str]) -> Result<()> {
    let toolchain = context.toolchain()?;
    let folder: PathBuf = project().join("tests/verdicts");
    let mut command = inside(&toolchain, &folder, "./score")?;
    command
        .arg(stitch()?)
        .args(["--inside", "--args=--probe", "--all"])
        .args(options);
    let output = command.output()?;
    let printed = printed(&output);
    let faults: Vec<&str> = printed
        .lines()
        .filter(|line| !line.contains(": ok: "))
        .collect();
    ensure!(output.status.success(), "{}", faults.join("\n"));
    // Unknown is no fault, but of no use: fair where the case says so, else in 3 of 100 at most.
    let unknown = |line: &&&str| line.contains(": cannot-tell, ") || line.contains(": not seen, ");
    let all: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains(": ok: "))
        .collect();
    let unfair = all
        .iter()
        .filter(unknown)
        .filter(|line| !line.contains("a fair answer"));
    let unfair: Vec<&&str> = unfair.collect();
    ensure!(
        unfair.len() * 100 <= all.len() * 3 && !all.is_empty(),
        "{} of {} are unknown:\n{unfair:?}",
        unfair.len(),
        all.len()
    );
    Ok(())
}
