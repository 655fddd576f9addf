//! `make fuzz`: that it finds what is wrong, and that a short run finds nothing in this project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{ensure, Context, Result};
use host::cache::{self, Cache};
use host::project::project;
use lab::commands::fuzz;

use crate::harness::test::Test;
use crate::support::context::{must_contain, printed, tail, TestContext};

/// Seconds that each target gets, besides what it starts from.
const SHORT: u32 = 3;

/// Seconds in which a fuzzer finds a word of five letters, by what the code compares.
const SEARCH: u32 = 60;

/// An input of the target `planted`, and what libFuzzer says of it.
const PLANTED: &[(&str, &str)] = &[
    ("panic", "deadly signal"),
    ("overflow", "deadly signal"),
    ("endless", "timeout"),
    ("memory", "out-of-memory"),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("fuzz::what is planted is found", planted).minutes(20),
        Test::new("fuzz::a short run finds nothing", short).minutes(20),
        Test::new("fuzz::make fuzz knows its targets", targets),
    ]
}

/// A folder for inputs, with the programs that earlier runs have built.
struct Folder {
    inputs: tempfile::TempDir,
    _lock: cache::Lock,
}

impl Folder {
    fn new(cache: &Cache) -> Result<Self> {
        let lock = cache.lock("fuzz")?;
        let built = cache.place_for("fuzz/target")?;
        fs::create_dir_all(&built)?;
        let inputs = cache::scratch_in(&cache.place_for("fuzz/tests")?)?;
        std::os::unix::fs::symlink(built, inputs.path().join("target"))?;
        Ok(Folder {
            inputs,
            _lock: lock,
        })
    }

    fn path(&self) -> &Path {
        self.inputs.path()
    }

    /// The inputs that fail, by what failed: `crash-…`, `timeout-…`, `oom-…`.
    fn findings(&self, target: &str) -> Result<Vec<PathBuf>> {
        let folder = self.path().join("findings").join(target);
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }
}

/// The targets are those that make takes, that cargo builds, and that the page explains.
fn targets(context: &TestContext) -> Result<()> {
    let output = context
        .make_command(&project(), &["fuzz", "TARGET=none"])?
        .output()?;
    let text = printed(&output);
    ensure!(!output.status.success(), "{text}");
    let page = fs::read_to_string(project().join("docs/fuzzing.md"))?;
    let programs = fs::read_to_string(project().join("fuzz/Cargo.toml"))?;
    for target in fuzz::TARGETS {
        must_contain(&text, target)?;
        must_contain(&page, &format!("\n| `{target}` | "))?;
        must_contain(&programs, &format!("\nname = \"{target}\"\n"))?;
    }
    let built = programs.matches("[[bin]]").count();
    // And what is planted.
    ensure!(built == fuzz::TARGETS.len() + 1, "{built} programs");
    Ok(())
}

fn short(context: &TestContext) -> Result<()> {
    let (cache, toolchain) = (context.cache()?, context.toolchain()?);
    let folder = Folder::new(&cache)?;
    let output = fuzz::run(&toolchain, folder.path(), Some(1), SHORT, fuzz::TARGETS)?.output()?;
    let text = printed(&output);
    if !output.status.success() {
        // The inputs are gone with the folder.
        let telling = ["panicked at", "SUMMARY", "Base64", "fuzz: ", "error"];
        let is_telling = |line: &&str| telling.iter().any(|words| line.contains(words));
        let lines: Vec<&str> = text.lines().filter(is_telling).collect();
        anyhow::bail!("{}", lines.join("\n"));
    }
    let runs = text
        .lines()
        .filter_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let runs: Vec<u64> = runs
        .map(|runs| runs.trim().parse())
        .collect::<Result<_, _>>()?;
    // Fewer would be its seeds alone.
    ensure!(
        runs.len() == fuzz::TARGETS.len() && runs.iter().all(|&runs| runs > 50),
        "{runs:?}"
    );
    Ok(())
}

/// Found at random, and each kind of fault when its input is run.
fn planted(context: &TestContext) -> Result<()> {
    let (cache, toolchain) = (context.cache()?, context.toolchain()?);
    let folder = Folder::new(&cache)?;
    let run = |seconds| -> Result<Output> {
        let mut run = fuzz::run(&toolchain, folder.path(), Some(1), seconds, &["planted"])?;
        Ok(run.output()?)
    };
    let output = run(SEARCH)?;
    let text = printed(&output);
    ensure!(output.status.code() == Some(1), "{}", tail(&text));
    must_contain(&text, "fuzz: failed: planted; the inputs are in ")?;
    let found = folder.findings("planted")?;
    let [found] = &found[..] else {
        anyhow::bail!("found: {found:?}");
    };
    let input = fs::read_to_string(found)?;
    ensure!(
        PLANTED.iter().any(|(planted, _)| *planted == input),
        "{input}"
    );

    let corpus = folder.path().join("corpus/planted");
    for (input, says) in PLANTED {
        cache::remove(&corpus)?;
        fs::create_dir_all(&corpus)?;
        fs::write(corpus.join("input"), input)?;
        let text = printed(&run(1)?);
        must_contain(&text, "fuzz: failed: planted")?;
        must_contain(&text, &format!("libFuzzer: {says}"))?;
    }
    Ok(())
}
