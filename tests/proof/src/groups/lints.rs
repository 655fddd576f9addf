//! Formatting, lints and unit tests: of the module by the kernel's own tools, of the rest by ours.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{ensure, Context, Result};
use host::project::project;
use lab::commands::fuzz::cargo_home;
use regex::Regex;

use crate::harness::test::{Case, Outcome, Test};
use crate::support::context::{printed, programs, succeed, TestContext};

/// The kernel whose coding style counts.
const STYLE: &str = "7.3";

/// Sources by their language, below the project's folder.
const KERNEL_RUST: &[&str] = &[
    "hello_rust.rs",
    "border/border.rs",
    "tests/kunit/kunit_rs.rs",
    "tests/by_hand/by_hand.rs",
    "tests/faults/faults_rs.rs",
    "tests/catalogue/catalogue.rs",
    "tests/catalogue/exports.rs",
    "tests/catalogue/imports.rs",
    "tests/catalogue/checks.rs",
    "tests/crossing/crossing.rs",
    "tools/new/minimal/mymod.rs",
    "tools/new/misc/mymod.rs",
];
/// C that is not in the kernel's style: what others write or name, and what is wrong on purpose.
const OTHER_C: &[&str] = &[
    "qemu/guest/coverage/llvm_profile.h",
    "tests/contracts/",
    "tests/verdicts/",
    "tools/stitch/tests/",
    "tools/walkthrough/",
];
const SHELL: &[&str] = &[
    "tools/cargo.sh",
    "tools/check-kernel.sh",
    "tools/check-compilers.sh",
    "tools/path.sh",
    "tools/stock/rust-metadata",
    "tools/stock/compilers.sh",
    "tools/stock/proof.sh",
    "tools/stock/dkms",
    "tools/stock/postrm.d/rust-metadata",
    "tools/new/misc/test.sh",
    "debian/rust-metadata.postrm",
    "fuzz/run.sh",
    ".ci/run",
];

/// Where the module's version stands: the file, what comes before it, and what behind.
const VERSIONS: &[(&str, &str, &str)] = &[
    ("c_helper.c", "MODULE_VERSION(\"", "\""),
    ("debian/hello-rust-dkms.dkms", "PACKAGE_VERSION=\"", "\""),
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
        Test::new("lint::rustfmt of the host's tools", |context| {
            pinned_cargo(context, &["fmt", "--all", "--check"])
        }),
        Test::new("lint::clippy of the host's tools", |context| {
            let words = [
                "clippy",
                "--quiet",
                "--locked",
                "--offline",
                "--all-targets",
            ];
            pinned_cargo(context, &[&words[..], &["--", "-D", "warnings"]].concat())
        }),
        Test::of_many("unit", |_| unit_tests()),
        Test::new(
            "lint::rustfmt of the kernel's Rust, in the kernel's style",
            |context| kernel_rustfmt(context, &in_cache(context, KERNEL_RUST)?),
        ),
        Test::new("lint::checkpatch --strict", |context| {
            let c = git(&["ls-files", "*.c", "*.h"])?;
            let is_other = |file: &str| OTHER_C.iter().any(|folder| file.starts_with(folder));
            let c = c.lines().filter(|file| !is_other(file));
            let files: Vec<&str> = c.chain(KERNEL_RUST.iter().copied()).collect();
            checkpatch(context, &in_cache(context, &files)?)
        }),
        Test::new("lint::shellcheck", shellcheck),
        Test::new("lint::one version", |_| one_version()),
        Test::new("lint::what the sources name is in git", |_| named_files()),
        Test::new("lint::what the pages name exists", |_| named_paths()),
        Test::new("lint::plain words", |_| plain_words()),
        Test::new("lint::the workflows keep to GitHub's schema", workflow),
    ]
}

/// cargo's unit tests, each a case of its own.
fn unit_tests() -> Result<Vec<Case>> {
    let printed = succeed(
        Command::new(project().join("tools/cargo.sh"))
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
fn pinned_cargo(context: &TestContext, words: &[&str]) -> Result<()> {
    let toolchain = context.toolchain()?;
    let home = cargo_home();
    // Nothing else of it: in its bin, cargo would find subcommands that are rustup's.
    let registry = home.join("registry");
    let project = project().canonicalize()?;
    let target = programs()?.with_file_name("pinned");
    fs::create_dir_all(&target)?;

    succeed(
        Command::new(project.join("tools/cargo.sh"))
            .args(["fetch", "--quiet", "--locked"])
            .args(["--target", "x86_64-unknown-linux-gnu"])
            .current_dir(&project),
    )?;
    let mut cargo = toolchain.command_in(&project, &[&project, &registry, &target], "env");
    cargo
        .arg(format!("CARGO_HOME={}", home.display()))
        .arg(format!("CARGO_TARGET_DIR={}", target.display()))
        .arg("cargo")
        .args(words);
    succeed(&mut cargo).map(drop)
}

/// Copies sources to where the toolchain can read them.
fn in_cache(context: &TestContext, files: &[&str]) -> Result<Vec<PathBuf>> {
    let folder = context
        .cache()?
        .place_for("lint/files")?
        .with_file_name("files");
    let copy = |file: &&str| {
        let copy = folder.join(file);
        std::fs::create_dir_all(copy.with_file_name(""))?;
        std::fs::copy(project().join(file), &copy)
            .with_context(|| format!("cannot copy {file}"))?;
        Ok(copy)
    };
    files.iter().map(copy).collect()
}

/// These files, which are in the cache.
pub fn kernel_rustfmt(context: &TestContext, files: &[PathBuf]) -> Result<()> {
    let toolchain = context.toolchain()?;
    let config = context.source(STYLE)?.dir.join(".rustfmt.toml");
    // Each file by itself: rustfmt would follow modules that are generated.
    for file in files {
        let mut rustfmt = toolchain.command("sh");
        rustfmt.args([
            "-c",
            "rustfmt --check --edition 2021 --config-path \"$1\" < \"$2\"",
            "sh",
        ]);
        succeed(rustfmt.args([&config, file]))?;
    }
    Ok(())
}

/// These files, which are in the cache.
pub fn checkpatch(context: &TestContext, files: &[PathBuf]) -> Result<()> {
    /// Not for us: the file list of the kernel tree, and its ban on BUG(), which tests/faults commits.
    const IGNORED: &str = "FILE_PATH_CHANGES,AVOID_BUG";
    let script = context.source(STYLE)?.dir.join("scripts/checkpatch.pl");
    let mut checkpatch = context.toolchain()?.command("perl");
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
        printed(&output)
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

fn shellcheck(context: &TestContext) -> Result<()> {
    let mut shellcheck = context.toolchain()?.command("shellcheck");
    succeed(shellcheck.arg("-x").args(in_cache(context, SHELL)?)).map(drop)
}

/// What git prints about this project.
fn git(words: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    succeed(git.arg("-C").arg(project()).args(words))
}

/// A file that git ignores exists only for its author. Sources name files by strings that begin with
/// the folder; inputs of tests are in folders where nothing is built.
fn named_files() -> Result<()> {
    let sources = git(&["ls-files", "*.rs"])?;
    let folders = "border|debian|docs|qemu|tests|tools";
    let name = Regex::new(&format!(r#""((?:{folders})/[\w./-]+)""#))?;
    let mut names = BTreeSet::new();
    for source in sources.lines() {
        let text = std::fs::read_to_string(project().join(source))?;
        names.extend(name.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    ensure!(names.len() > 30, "only {} names: {names:?}", names.len());

    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // It ends with 1 if none of them is.
    let mut git_check = Command::new("git");
    git_check.arg("-C").arg(project());
    git_check.args(["check-ignore", "--no-index", "--verbose"]);
    let ignored = git_check.args(&names).output()?;
    ensure!(
        ignored.stdout.is_empty(),
        "ignored by git: {}",
        printed(&ignored)
    );
    let ignored = git(&[
        "ls-files",
        "--others",
        "--ignored",
        "--exclude-standard",
        "tests",
    ])?;
    ensure!(ignored.is_empty(), "inputs that git ignores: {ignored}");
    Ok(())
}

/// The pages, the workflow and the scripts name files by their paths from the top level.
fn named_paths() -> Result<()> {
    let listed = Command::new("git")
        .arg("-C")
        .arg(project())
        .args(["ls-files", "*.md", "*.yml", "*.sh", "Makefile"])
        .output()?;
    let name =
        Regex::new(r"(?m)(?:^|[ `'(])((?:border|debian|docs|fuzz|qemu|tests|tools)/[\w./-]*\w)")?;
    let (mut named, mut missing) = (0, Vec::new());
    for page in String::from_utf8_lossy(&listed.stdout).lines() {
        let text = std::fs::read_to_string(project().join(page))?;
        for found in name.captures_iter(&text) {
            named += 1;
            // Programs are built, and the kernel's tree has tools of its own.
            let elsewhere = ["/gate/gate", "/objtool/objtool"];
            let elsewhere = elsewhere.iter().any(|program| found[1].ends_with(program));
            if !elsewhere && !project().join(&found[1]).exists() {
                missing.push(format!("{page}: {}", &found[1]));
            }
        }
    }
    ensure!(named > 50, "only {named} names were found");
    ensure!(missing.is_empty(), "{}", missing.join("\n"));
    Ok(())
}

/// Words that this project once used for a user, a program, or a fix.
const NOT_PLAIN: &str = r"\b(who[e]ver|some[b]ody|any[b]ody|men[d]s?|front do[o]r)\b";

fn plain_words() -> Result<()> {
    let found = Command::new("git")
        .arg("-C")
        .arg(project())
        .args(["grep", "-nIiE", NOT_PLAIN, "--", ".", ":!Cargo.lock"])
        .output()?;
    // git grep exits with 1 if it finds nothing.
    ensure!(found.status.code() == Some(1), "{}", printed(&found));
    Ok(())
}

/// The workflow of the tests, and that of a new module.
const WORKFLOWS: &[&str] = &[
    ".github/workflows/test.yml",
    "tools/new/common/.github/workflows/ci.yml",
];

/// The program that has the schema, of PyPI; fetched when it is needed for the first time.
const CHECKER: &str = "check-jsonschema==0.39.0";

fn workflow(context: &TestContext) -> Result<()> {
    let (toolchain, cache) = (context.toolchain()?, context.cache()?);
    let packages = cache.place_for(&format!("lint/{CHECKER}"))?;
    let python = |words: &[&str]| {
        let mut python = toolchain.command("env");
        for (name, value) in std::env::vars().filter(|(name, _)| name.starts_with("PIP_")) {
            python.arg(format!("{name}={value}"));
        }
        python.arg(format!("PYTHONPATH={}", packages.display()));
        python.args(["PYTHONDONTWRITEBYTECODE=1", "python3", "-m"]);
        python.args(words);
        python
    };
    if !packages.is_dir() {
        let new = tempfile::tempdir_in(packages.with_file_name(""))?;
        let target = new.path().to_string_lossy();
        let install = ["pip", "install", "--quiet", "--target", &target, CHECKER];
        succeed(&mut python(&install))?;
        std::fs::rename(new.path(), &packages)?;
    }
    let check = [
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
    ];
    let files = in_cache(context, WORKFLOWS)?;
    succeed(python(&check).args(files)).map(drop)
}
