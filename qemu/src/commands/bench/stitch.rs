//! `make bench-stitch`: how long stitch takes, and how much memory, beside other programs that read
//! the same objects.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{ensure, Context, Result};
use diagnostic::Diagnostic;
use serde::Serialize;

use super::conditions;
use super::report::{table, Time};
use crate::commands::lab::Lab;
use crate::kernel::sources::HELLO_RUST;
use crate::options::Settings;

/// What all read.
struct Input {
    what: String,
    /// As stitch is given it.
    paths: Vec<PathBuf>,
    /// What the other programs have to be given one by one.
    objects: Vec<PathBuf>,
    /// How cargo has built the stitch that reads it.
    profiles: &'static [&'static str],
    /// Seconds that stitch may take.
    most: f64,
}

/// Seconds that hello_rust's objects may take.
const MODULE_TARGET: f64 = 0.3;

/// Seconds that about 100 MB of objects may take.
const KERNEL_TARGET: f64 = 3.0;

/// Megabytes that stitch may have in memory at once.
const MEMORY_TARGET: f64 = 500.0;

/// What stitch does.
const STITCH: &[&[&str]] = &[&["report", "--json"], &["check"]];

/// What else reads debug information; `true` tells what the toolchain's sandbox costs them.
const OTHERS: &[(&str, &[&str])] = &[
    ("llvm-dwarfdump", &["--statistics"]),
    ("pahole", &["-F", "dwarf", "--sizes"]),
    ("readelf", &["-W", "--debug-dump=info"]),
    ("true", &[]),
];

/// busybox runs what follows; it says last, in kilobytes, how much memory that had at its peak.
const TIME: &[&str] = &["time", "-f", "%M"];

/// Measures everything and prints the tables.
pub fn bench(settings: &Settings, runs: u32, json: bool) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    let module = lab.module(&HELLO_RUST)?;
    let mut report = Report {
        conditions: conditions(&lab, runs),
        costs: Vec::new(),
    };
    for input in inputs(&lab, module.dir())? {
        report.costs.extend(costs(&lab, &input, runs)?);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?)
    } else {
        report.print()
    }
    Ok(())
}

/// A module, and the whole kernel together with it: alone it has nothing that crosses, and stitch
/// would not have to look into its debug information.
fn inputs(lab: &Lab, module: &Path) -> Result<Vec<Input>> {
    let parts = ["hello_rust_main.o", "c_helper.o"].map(|name| module.join(name));
    let with = |other: PathBuf| [vec![other], parts.to_vec()].concat();
    let small = with(module.join("hello_rust.ko"));
    let large = with(lab.kernel.dir.join("vmlinux.o"));
    Ok(vec![
        Input {
            what: format!("hello_rust, {:.1} MB", megabytes(&small)?),
            paths: vec![module.to_owned()],
            objects: small,
            // `make stitch` builds the second.
            profiles: &["release", "debug"],
            most: MODULE_TARGET,
        },
        Input {
            what: format!("with vmlinux.o, {:.1} MB", megabytes(&large)?),
            paths: large.clone(),
            objects: large,
            profiles: &["release"],
            most: KERNEL_TARGET,
        },
    ])
}

fn megabytes(files: &[PathBuf]) -> Result<f64> {
    let mut bytes = 0;
    for file in files {
        let about = fs::metadata(file).with_context(|| format!("cannot read {}", file.display()));
        bytes += about?.len();
    }
    Ok(bytes as f64 / 1e6)
}

/// Everything in turns, after one round for the host to have the files in memory.
fn costs(lab: &Lab, input: &Input, runs: u32) -> Result<Vec<Cost>> {
    let mut programs = programs(lab, input)?;
    for run in 0..=runs {
        eprintln!("lab: {}, run {run} of {runs}", input.what);
        for program in &mut programs {
            let used = program.run()?;
            if run > 0 {
                program.used.push(used);
            }
        }
    }
    Ok(programs.into_iter().map(Program::cost).collect())
}

/// A command that is measured again and again.
struct Program {
    what: String,
    command: Command,
    /// The exit codes of one that has done its work.
    good: &'static [i32],
    /// Seconds; the others have no target.
    most: Option<f64>,
    used: Vec<Used>,
}

/// What one run takes.
struct Used {
    seconds: f64,
    /// At its peak.
    megabytes: f64,
}

fn programs(lab: &Lab, input: &Input) -> Result<Vec<Program>> {
    let mut programs = Vec::new();
    for profile in input.profiles {
        for words in STITCH {
            // It is linked statically, and runs on any host.
            let mut command = Command::new(lab.toolchain.file("usr/bin/busybox"));
            command.args(TIME).arg(stitch(profile)?);
            command.args(*words).args(&input.paths);
            programs.push(Program {
                what: format!("{}: stitch {} ({profile})", input.what, words.join(" ")),
                command,
                // Whatever the verdict: Rust's part of the kernel has no bindings beside it.
                good: &[0, 1, 3],
                most: Some(input.most),
                used: Vec::new(),
            });
        }
    }
    for &(program, words) in OTHERS {
        let mut command = lab.toolchain.command("busybox");
        command.args(TIME).arg(program);
        command.args(words).args(&input.objects);
        programs.push(Program {
            what: format!("  {}", [&[program], words].concat().join(" ")),
            command,
            good: &[0],
            most: None,
            used: Vec::new(),
        });
    }
    Ok(programs)
}

/// stitch as the Makefile has it built, in the folder of this program's own.
fn stitch(profile: &str) -> Result<PathBuf> {
    let lab = std::env::current_exe().context("cannot find the lab's own program")?;
    let target = lab
        .ancestors()
        .nth(2)
        .context("the lab is in no target folder")?;
    let stitch = target.join(profile).join("stitch");
    if !stitch.is_file() {
        return Err(Diagnostic::new("stitch is not built")
            .note(stitch.display().to_string())
            .help("make bench-stitch")
            .into());
    }
    Ok(stitch)
}

impl Program {
    fn run(&mut self) -> Result<Used> {
        let start = Instant::now();
        let output = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.what))?;
        let seconds = start.elapsed().as_secs_f64();
        let said = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        ensure!(
            code.is_some_and(|code| self.good.contains(&code)),
            "{} failed with {}\n{said}",
            self.what,
            output.status
        );
        let kilobytes = said.lines().last().and_then(|last| last.parse().ok());
        let kilobytes: f64 = kilobytes.with_context(|| format!("busybox said {said:?}"))?;
        Ok(Used {
            seconds,
            megabytes: kilobytes * 1024.0 / 1e6,
        })
    }

    fn cost(self) -> Cost {
        let seconds = self.used.iter().map(|used| used.seconds).collect();
        let peak = self.used.iter().map(|used| used.megabytes);
        let megabytes = peak.fold(0.0, f64::max);
        let mut time = Time::new(&self.what, seconds, self.most);
        time.met = time.met.map(|met| met && megabytes <= MEMORY_TARGET);
        Cost { time, megabytes }
    }
}

/// A line of the table.
#[derive(Serialize)]
struct Cost {
    #[serde(flatten)]
    time: Time,
    megabytes: f64,
}

impl Cost {
    fn cells(&self) -> [String; 6] {
        let [what, median, range, mut target, met] = self.time.cells();
        if self.time.target.is_some() {
            target += &format!(", {MEMORY_TARGET} MB");
        }
        let peak = format!("{:.0} MB", self.megabytes);
        [what, median, range, peak, target, met]
    }
}

/// All that was found.
#[derive(Serialize)]
struct Report {
    conditions: String,
    costs: Vec<Cost>,
}

impl Report {
    fn print(&self) {
        println!("{}\n", self.conditions);
        let header = ["", "median", "min to max", "peak memory", "target", ""];
        println!("{}", table(header, self.costs.iter().map(Cost::cells)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_takes() {
        let mut program = Program {
            what: "a shell".to_owned(),
            command: Command::new("sh"),
            good: &[3],
            most: Some(60.0),
            used: Vec::new(),
        };
        program
            .command
            .args(["-c", "echo 7 >&2; echo 2000 >&2; exit 3"]);
        let used = program.run().expect("it ends with 3");
        assert_eq!(used.megabytes, 2.048);
        program.good = &[0];
        assert!(program.run().is_err());
        program.used.push(used);
        let cost = program.cost();
        assert_eq!((cost.megabytes, cost.time.met), (2.048, Some(true)));
    }
}
