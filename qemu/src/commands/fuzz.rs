//! `make fuzz`: the programs of this project read what no compiler, kernel or guest would write.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use clap::builder::PossibleValuesParser;
use diagnostic::Diagnostic;
use host::cache::Cache;
use host::project::project;
use host::toolchain::Toolchain;

use crate::exit::Exit;

/// What is fuzzed: the programs in fuzz/fuzz_targets.
pub const TARGETS: &[&str] = &[
    "console", "contract", "kbuild", "kernel", "module", "object", "objects",
];

/// Where the programs and the inputs are, in the cache.
const PLACE: &str = "fuzz";

/// What the user wants of `make fuzz`.
#[derive(clap::Args, Debug)]
pub struct Wishes {
    /// How many minutes the targets take together; building them comes on top.
    #[arg(long, env = "LAB_MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Where the random numbers start.
    #[arg(long, env = "LAB_SEED")]
    seed: Option<u32>,
    /// Only this target.
    #[arg(long = "target", env = "LAB_TARGET", value_parser = PossibleValuesParser::new(TARGETS))]
    only: Option<String>,
}

/// `make fuzz`.
pub fn fuzz(wishes: &Wishes) -> Result<()> {
    let cache = Cache::open()?;
    let toolchain = Toolchain::provide(&cache)?;
    let _lock = cache.lock(PLACE)?;
    let folder = cache.place_for("fuzz/findings")?.with_file_name("");
    let targets: Vec<&str> = match &wishes.only {
        Some(only) => vec![only],
        None => TARGETS.to_vec(),
    };
    let seconds = wishes.minutes * 60 / u32::try_from(targets.len())?;
    let status = run(&toolchain, &folder, wishes.seed, seconds, &targets)?.status()?;
    if status.success() {
        return Ok(());
    }
    Err(
        Diagnostic::new("an input fails, or the targets cannot be built: see above")
            .exit(Exit::Failed)
            .note(folder.join("findings").display().to_string())
            .help("docs/fuzzing.md says how to run one input again")
            .into(),
    )
}

/// The command that builds and runs targets in the toolchain; it has no network: the host's cargo has
/// fetched the crates.
///
/// # Errors
///
/// When they cannot be fetched.
pub fn run(
    toolchain: &Toolchain,
    folder: &Path,
    seed: Option<u32>,
    seconds: u32,
    targets: &[&str],
) -> Result<Command> {
    let project = project().canonicalize()?;
    let home = cargo_home();
    let fetched = Command::new(project.join("tools/cargo.sh"))
        .args(["fetch", "--quiet", "--locked", "--target"])
        .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
        .arg("--manifest-path")
        .arg(project.join("fuzz/Cargo.toml"))
        .current_dir(&project)
        .status()
        .context("cannot run tools/cargo.sh")?;
    ensure!(fetched.success(), "the crates of fuzz/ were not fetched");
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    // Nothing else of it: in its bin, cargo would find subcommands that are rustup's.
    let registry = home.join("registry");
    let mut command = toolchain.command_in(folder, &[&project, &registry, folder], "env");
    command.arg(format!("CARGO_HOME={}", home.display()));
    command.args(["CARGO_NET_OFFLINE=true", "CXX=clang++"]);
    command.args(seed.map(|seed| format!("SEED={seed}")));
    command.arg("sh").arg(project.join("fuzz/run.sh"));
    command.arg(folder).arg(seconds.to_string()).args(targets);
    Ok(command)
}

/// Where cargo keeps the crates of this user.
pub fn cargo_home() -> PathBuf {
    let user = std::env::var_os("HOME").unwrap_or_default();
    std::env::var_os("CARGO_HOME").map_or_else(|| Path::new(&user).join(".cargo"), PathBuf::from)
}
