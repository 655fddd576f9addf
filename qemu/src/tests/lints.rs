//! Formatting, lints and unit tests: of the module by the kernel's own tools, of the rest by ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Result};

use super::world::{main_flavour, said, succeed, World};
use super::{Case, Outcome, Test};
use crate::module::project;

/// Sources by their language, below the project's folder.
const KERNEL_RUST: &[&str] = &[
    "hello_rust.rs",
    "border/border.rs",
    "tests/kunit/kunit_rs.rs",
    "tests/faults/faults_rs.rs",
    "tests/catalogue/catalogue.rs",
    "tests/catalogue/gives.rs",
    "tests/catalogue/takes.rs",
    "tests/catalogue/checks.rs",
];
const KERNEL_C: &[&str] = &[
    "c_helper.c",
    "c_helper.h",
    "tests/kunit/kunit.c",
    "tests/kunit/kunit.h",
    "tests/twin/twin.c",
    "tests/faults/faults.c",
    "tests/faults/faults.h",
    "tests/catalogue/catalogue.h",
    "tests/catalogue/catalogue_c.c",
    "tests/catalogue/catalogue_test.c",
    "qemu/guest/init.c",
    "qemu/guest/insmod.c",
];
const SHELL: &[&str] = &[
    "qemu/cargo.sh",
    "qemu/kdir.sh",
    "stock/rust-metadata",
    "stock/dkms",
    "stock/postrm.d/rust-metadata",
    "debian/rust-metadata.postrm",
    ".ci/run",
];

/// Where the module's version stands: the file, what comes before it, and what behind.
const VERSIONS: &[(&str, &str, &str)] = &[
    ("c_helper.c", "MODULE_VERSION(\"", "\""),
    ("dkms.conf", "PACKAGE_VERSION=\"", "\""),
    ("debian/changelog", "hello-rust (", ")"),
    (
        "debian/hello-rust-dkms.install",
        "Kbuild usr/src/hello_rust-",
        "\n",
    ),
];

/// The tests, cheapest first.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("lint::rustfmt of the host's tools", |world| {
            pinned_cargo(world, &["fmt", "--all", "--check"])
        }),
        Test::new("lint::clippy of the host's tools", |world| {
            let words = [
                "clippy",
                "--quiet",
                "--locked",
                "--offline",
                "--all-targets",
            ];
            pinned_cargo(world, &[&words[..], &["--", "-D", "warnings"]].concat())
        }),
        Test::of_many("unit", |_| unit_tests()),
        Test::new(
            "lint::rustfmt of the kernel's Rust, in the kernel's style",
            kernel_rustfmt,
        ),
        Test::new("lint::checkpatch --strict", checkpatch),
        Test::new("lint::shellcheck", shellcheck),
        Test::new("lint::one version", |_| one_version()),
    ]
}

/// cargo's unit tests, each a case of its own.
fn unit_tests() -> Result<Vec<Case>> {
    let printed = succeed(
        Command::new(project().join("qemu/cargo.sh"))
            .args(["test", "--quiet", "--locked", "--", "--format=pretty"])
            .current_dir(project()),
    )?;
    let cases: Vec<Case> = printed
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "))
        .map(|(name, result)| {
            let outcome = match result {
                "ok" => Outcome::Passed,
                other => Outcome::Failed(other.to_owned()),
            };
            Case::of_many(name, outcome)
        })
        .collect();
    ensure!(!cases.is_empty(), "cargo test ran nothing:\n{printed}");
    Ok(cases)
}

/// The toolchain's cargo: the oldest that Cargo.toml promises to work, with the lints of that very
/// version, whatever the host has. It has no network: the host's cargo fetches for it.
fn pinned_cargo(world: &World, words: &[&str]) -> Result<()> {
    let lab = world.lab(&main_flavour())?;
    let user = std::env::var_os("HOME").unwrap_or_default();
    let home = std::env::var_os("CARGO_HOME")
        .map_or_else(|| Path::new(&user).join(".cargo"), PathBuf::from);
    // Nothing else of it: in its bin, cargo would find subcommands that are rustup's.
    let registry = home.join("registry");
    let project = project().canonicalize()?;
    let target = lab.cache.place_for("target-pinned")?;

    succeed(
        Command::new(project.join("qemu/cargo.sh"))
            .args(["fetch", "--quiet", "--locked"])
            .args(["--target", "x86_64-unknown-linux-gnu"])
            .current_dir(&project),
    )?;
    let mut cargo = lab
        .toolchain
        .command_in(&project, &[&project, &registry], "env");
    cargo
        .arg(format!("CARGO_HOME={}", home.display()))
        .arg(format!("CARGO_TARGET_DIR={}", target.display()))
        .arg("cargo")
        .args(words);
    succeed(&mut cargo).map(drop)
}

fn existing(files: &[&str]) -> Vec<PathBuf> {
    files.iter().map(|file| project().join(file)).collect()
}

/// Copies sources to where the toolchain can read them.
fn in_cache(world: &World, files: &[&str]) -> Result<Vec<PathBuf>> {
    let folder = world
        .cache()?
        .place_for("lint/files")?
        .with_file_name("files");
    std::fs::create_dir_all(&folder)?;
    existing(files)
        .iter()
        .map(|file| {
            let copy = folder.join(file.file_name().unwrap_or_default());
            std::fs::copy(file, &copy)
                .map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
            Ok(copy)
        })
        .collect()
}

fn kernel_rustfmt(world: &World) -> Result<()> {
    let lab = world.lab(&main_flavour())?;
    let config = lab.kernel.source.dir.join(".rustfmt.toml");
    // Each file by itself: rustfmt would follow modules that are generated.
    for file in in_cache(world, KERNEL_RUST)? {
        let mut rustfmt = lab.toolchain.command("sh");
        rustfmt.args([
            "-c",
            "rustfmt --check --edition 2021 --config-path \"$1\" < \"$2\"",
            "sh",
        ]);
        succeed(rustfmt.args([&config, &file]))?;
    }
    Ok(())
}

fn checkpatch(world: &World) -> Result<()> {
    /// Not for us: the file list of the kernel tree, and its ban on BUG(), which tests/faults commits.
    const IGNORED: &str = "FILE_PATH_CHANGES,AVOID_BUG";
    let lab = world.lab(&main_flavour())?;
    let script = lab.kernel.source.dir.join("scripts/checkpatch.pl");
    let files = in_cache(world, &[KERNEL_C, KERNEL_RUST].concat())?;
    let mut checkpatch = lab.toolchain.command("perl");
    checkpatch
        .arg(script)
        .args([
            "--strict",
            "--no-tree",
            "--no-summary",
            "--terse",
            "--ignore",
            IGNORED,
            "--file",
        ])
        .args(files);
    let output = checkpatch.output()?;
    ensure!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        said(&output)
    );
    Ok(())
}

fn one_version() -> Result<()> {
    let mut versions = Vec::new();
    for (file, before, behind) in VERSIONS {
        let text = std::fs::read_to_string(project().join(file))?;
        let version = text
            .split_once(before)
            .and_then(|(_, rest)| rest.split_once(behind))
            .map(|(version, _)| version.to_owned());
        versions.push((file, version));
    }
    let first = versions.first().and_then(|(_, version)| version.clone());
    let agree = versions.iter().all(|(_, version)| *version == first);
    ensure!(first.is_some() && agree, "they differ: {versions:?}");
    Ok(())
}

fn shellcheck(world: &World) -> Result<()> {
    let lab = world.lab(&main_flavour())?;
    let mut shellcheck = lab.toolchain.command("shellcheck");
    succeed(shellcheck.args(in_cache(world, SHELL)?)).map(drop)
}
