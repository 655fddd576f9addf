//! Another architecture than this host's: what a user types, and what cannot be.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};

use crate::harness::test::Test;
use crate::support::context::{
    copy_of_project, foreign_flavour, must_contain, printed, tail, TestContext,
};
use crate::support::scratch::{must_refuse, Scratch};

/// Words of `make run` besides ARCH=, and what is said of them.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "ACCEL=kvm",
        &[
            "KVM runs no guests of another architecture",
            "help: leave ACCEL out",
        ],
    ),
    (
        "KERNEL=7.3.4+deb13-amd64",
        &[
            "this kernel is for another architecture",
            "help: leave ARCH out",
        ],
    ),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let foreign = foreign_flavour();
    let arch = foreign.arch.words().kernel;
    let refused = REFUSED.iter().map(|&(word, says)| {
        Test::new(format!("foreign::{arch}, {word}"), move |context| {
            run(context, &[word], |make| must_refuse(make, says))
        })
    });
    let boots = [
        Test::new(format!("foreign::make run ARCH={arch}"), make_run),
        Test::new(format!("foreign::{arch}, no QEMU"), no_qemu),
    ];
    refused.chain(boots.map(|test| test.on(&foreign))).collect()
}

/// `make run` for that architecture, with more words, in a copy of the project.
fn run(
    context: &TestContext,
    words: &[&str],
    check: impl FnOnce(&mut std::process::Command) -> Result<()>,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let copy = copy_of_project(&folder.path().join("hello_rust"))?;
    let arch = format!("ARCH={}", foreign_flavour().arch.words().kernel);
    let words = [&["run", arch.as_str()], words].concat();
    check(&mut context.make_command(&copy, &words)?)
}

fn make_run(context: &TestContext) -> Result<()> {
    run(context, &["CPUS=2", "RUN=uname -m"], |make| {
        let output = make.output()?;
        ensure!(output.status.success(), "{}", tail(&printed(&output)));
        let said = String::from_utf8_lossy(&output.stdout);
        must_contain(&said, "hello_rust: Rust, called by C: hello, world! (1)")?;
        let machine = foreign_flavour().arch.words().triple.split('-').next();
        must_contain(&said, machine.context("no machine")?)
    })
}

/// Of both toolchains, the lab looks for some programs before it enters.
fn no_qemu(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let words = lab.kernel.flavour.arch.words();
    let native = context.toolchain()?;
    let mut parts = Vec::new();
    for programs in [native.file("usr/bin"), lab.toolchain.file("usr/bin")] {
        let programs = programs.strip_prefix(lab.cache.dir())?;
        let root = programs.ancestors().nth(2).context("no root")?;
        parts.push(programs.to_string_lossy().into_owned());
        parts.push(root.with_file_name("recipe").to_string_lossy().into_owned());
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let scratch = Scratch::with(context, &parts)?;
    let [.., programs, recipe] = parts[..] else {
        anyhow::bail!("no programs");
    };
    fs::remove_file(scratch.dir().join(programs).join(words.qemu))?;
    let folder = scratch.dir().join(recipe);
    let folder = folder.parent().unwrap_or(Path::new("/"));
    must_refuse(
        scratch.lab(&["run"])?.env("LAB_ARCH", words.kernel),
        &[
            &format!("{} is missing from the toolchain", words.qemu),
            &format!("rm -r {}", folder.display()),
        ],
    )
}
