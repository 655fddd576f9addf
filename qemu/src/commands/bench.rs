//! `make bench-loop`: how long a change takes to reach dmesg, how much of that is the machine, and
//! how hello_rust.ko compares with a module in C alone.
//!
//! A benchmark, not a test: a missed target is printed, and is not a failure. Everything is measured
//! several times, what is compared is measured in turns, and the tables have medians.

mod border;
pub mod crossing;
mod report;
pub mod stitch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use anyhow::{ensure, Context, Result};
use clap::ValueEnum;
use host::project::{cpus, project};

use self::report::{Comparison, Report, Time};
use crate::commands::lab::Lab;
use crate::commands::run::{build_and_boot, STEPS};
use crate::guest::initramfs::Initramfs;
use crate::guest::job::{script, Load};
use crate::guest::machine::{Guest, Outcome};
use crate::kernel::module::Module;
use crate::kernel::sources::{Files, Sources, HELLO_RUST};
use crate::options::Settings;

/// What hello_rust.ko would be in C alone: hello_twin.ko in one file, hello_pair.ko in two halves.
pub const TWIN: Sources = Sources {
    name: "twin",
    files: Files::Listed(&[
        ("tests/twin/Kbuild", "Kbuild"),
        ("tests/twin/twin.c", "twin.c"),
        ("tests/twin/pair.c", "pair.c"),
        ("tests/twin/utf8.h", "utf8.h"),
        ("tests/plain/unchecked.h", "c_helper_layout.h"),
        ("c_helper.c", "c_helper.c"),
        ("c_helper.h", "c_helper.h"),
    ]),
    fused: false,
};

/// KUnit's own suites are not part of the loop.
const APPEND: &str = "kunit.enable=0";

/// The least that a guest can do: the kernel boots, and its first process, `reboot -f`, ends it.
const APPEND_REBOOT: &str = "kunit.enable=0 rdinit=/bin/reboot -- -f";

/// Seconds from the command to dmesg.
const WHOLE_TARGET: f64 = 3.0;

/// The same, as a multiple of Kbuild alone.
const KBUILD_TARGET: f64 = 1.15;

/// Seconds from QEMU's start to its end.
const MACHINE_TARGET: f64 = 1.5;

/// The same, as a multiple of the least that a guest can do.
const RATIO_TARGET: f64 = 1.3;

/// How often a module is loaded for one measurement: the guest's clock ticks every 10 ms.
const LOADS: u32 = 50;

/// What is loaded in turns. There is no `nothing.ko`: it shows what the processes themselves cost.
const LOADED: [&str; 3] = ["hello_rust", "hello_twin", "nothing"];

/// Measures everything and prints the tables.
pub fn bench(settings: &Settings, runs: u32, json: bool) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    // The first build, and reading each file for the first time, are not part of the loop.
    let module_dir = lab.module(&HELLO_RUST)?.dir().to_owned();
    let bench = Bench {
        settings,
        lab: &lab,
        runs,
        module_dir,
    };
    let report = Report {
        conditions: conditions(&lab, runs),
        times: [bench.edit_to_dmesg()?, bench.machine()?].concat(),
        twins: [bench.sizes()?, bench.loads()?].concat(),
        border: border::cost(&lab, runs)?,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?)
    } else {
        report.print()
    }
    Ok(())
}

/// The conditions that the numbers depend on.
fn conditions(lab: &Lab, runs: u32) -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "kernel {}, {}, {} CPUs on the host, load average {} at the start, {runs} runs",
        lab.kernel.flavour.name(),
        name(lab.accelerator),
        cpus(),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// What to measure, and how often.
struct Bench<'a> {
    settings: &'a Settings,
    lab: &'a Lab,
    runs: u32,
    module_dir: PathBuf,
}

impl Bench<'_> {
    /// `make run` after a change of hello_rust.rs: the command itself, beside the same by Kbuild alone; and
    /// its steps one by one.
    fn edit_to_dmesg(&self) -> Result<Vec<Time>> {
        let steps = STEPS.iter().map(|step| format!("  {step}"));
        let start = ["  the lab's own start and checks".to_owned()].into_iter();
        let steps = start.chain(steps).chain(["  verdict".to_owned()]);
        let mut steps: Vec<_> = steps.map(|what| (what, Vec::new())).collect();
        let (mut whole, mut kbuild) = (Vec::new(), Vec::new());
        for run in 1..=self.runs {
            eprintln!("lab: edit to dmesg, run {run} of {}", self.runs);
            whole.push(self.rebuilding(|| self.whole())?);
            kbuild.push(self.rebuilding(|| self.kbuild())?);
            for ((_, times), took) in steps.iter_mut().zip(self.steps()?) {
                times.push(took);
            }
        }
        let ratio = whole
            .iter()
            .zip(&kbuild)
            .map(|(whole, kbuild)| whole / kbuild);
        let ratio = ratio.collect();
        let of_kbuild = "edit to dmesg, as a multiple of Kbuild alone";
        let mut times = vec![
            Time::ratio(of_kbuild, ratio, Some(KBUILD_TARGET)),
            Time::new("  Kbuild alone", kbuild, None),
            Time::new(
                "edit to dmesg: all of `make run`",
                whole,
                Some(WHOLE_TARGET),
            ),
        ];
        times.extend(
            steps
                .into_iter()
                .map(|(what, took)| Time::new(&what, took, None)),
        );
        Ok(times)
    }

    /// The time of something that builds the module after a change of hello_rust.rs.
    fn rebuilding<T>(&self, build: impl FnOnce() -> Result<T>) -> Result<f64> {
        let touched = self.touch()?;
        let start = Instant::now();
        build()?;
        let took = start.elapsed().as_secs_f64();
        ensure!(
            modified(&self.module_dir.join("hello_rust_main.o"))? > touched,
            "rustc did not run: the change was not noticed"
        );
        Ok(took)
    }

    /// The command as a user would run it.
    fn whole(&self) -> Result<()> {
        let Settings {
            kernel,
            cc,
            mem,
            cpus,
            ksrc,
            debug,
            ..
        } = self.settings;
        let output = Command::new("make")
            .current_dir(project())
            .arg("run")
            .args([format!("KERNEL={kernel}"), format!("CC={}", name(*cc))])
            .args([format!("MEM={mem}"), format!("CPUS={cpus}")])
            .arg(format!("ACCEL={}", name(self.lab.accelerator)))
            .arg(format!("DEBUG={}", debug.word()))
            .args(ksrc.iter().map(|dir| format!("KSRC={dir}")))
            .stdin(Stdio::null())
            .output()
            .context("cannot run make")?;
        ensure!(
            output.status.success(),
            "`make run` failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// What of it is Kbuild's.
    fn kbuild(&self) -> Result<()> {
        let Lab { cache, kernel, .. } = self.lab;
        let module = Module::stage(cache, kernel, &HELLO_RUST)?;
        module.build(&self.lab.toolchain, &[]).map(drop)
    }

    /// The same in this process, with the time of each step.
    fn steps(&self) -> Result<Vec<f64>> {
        self.touch()?;
        let mut watch = Watch::start();
        let lab = Lab::provide(self.settings, self.settings.flavour())?;
        watch.lap();
        let guest = build_and_boot(self.settings, &lab, &HELLO_RUST, || watch.lap())?;
        lab.judge(&guest)?;
        watch.lap();
        Ok(watch.laps)
    }

    /// Makes the staged copy of hello_rust.rs newer than its object, which is how make notices an
    /// edit. The user's own file stays as it is.
    fn touch(&self) -> Result<SystemTime> {
        modified_now(&self.module_dir.join("hello_rust.rs"))
    }

    /// The guest with the job, and with nothing to do, in turns.
    fn machine(&self) -> Result<Vec<Time>> {
        let ko = self.lab.hello_rust()?;
        let boot = |append| -> Result<Guest> {
            let mut initramfs = Initramfs::new(&self.lab.programs, &hello_rust_job())?;
            initramfs.file("hello_rust.ko", 0o644, &ko)?;
            self.lab.machine(self.settings).run(initramfs, append)
        };
        let (mut job, mut least) = (Vec::new(), Vec::new());
        for run in 1..=self.runs {
            eprintln!("lab: the guest, run {run} of {}", self.runs);
            let guest = boot(APPEND)?;
            self.lab.judge(&guest)?;
            job.push(guest.wall.as_secs_f64());

            let guest = boot(APPEND_REBOOT)?;
            ensure!(
                guest.outcome == Outcome::Silent && guest.console.contains("reboot: Restarting"),
                "the guest that should only reboot did not: {:?}",
                guest.outcome
            );
            least.push(guest.wall.as_secs_f64());
        }
        let ratio = job.iter().zip(&least).map(|(job, least)| job / least);
        Ok(vec![
            Time::ratio(
                "the guest, as a multiple of one that only reboots",
                ratio.collect(),
                Some(RATIO_TARGET),
            ),
            Time::new(
                "  with hello_rust's job, QEMU's start to its end",
                job,
                Some(MACHINE_TARGET),
            ),
            Time::new("  with an init that only reboots", least, None),
        ])
    }

    /// The sizes of both modules, without debug information.
    fn sizes(&self) -> Result<Vec<Comparison>> {
        let rust = self.size(&HELLO_RUST, "hello_rust.ko")?;
        let twin = self.size(&TWIN, "hello_twin.ko")?;
        let pair = self.size(&TWIN, "hello_pair.ko")?;
        let rows = SIZES.into_iter().zip(rust.iter().zip(twin));
        Ok(rows
            .map(|(what, (&rust, twin))| (what, rust, twin))
            .chain([(
                "  text and constants, beside hello_pair.ko",
                rust[1],
                pair[1],
            )])
            .map(|(what, rust, twin)| Comparison::new(what, vec![rust], vec![twin]))
            .collect())
    }

    fn size(&self, sources: &Sources, ko: &str) -> Result<Vec<f64>> {
        size_of(self.lab, &self.lab.module(sources)?, ko)
    }

    /// Loads and unloads both modules in one guest, in turns: milliseconds each time.
    fn loads(&self) -> Result<Vec<Comparison>> {
        eprintln!("lab: loading both modules, {LOADS} times in each run");
        let ko = |sources, ko| self.lab.module(sources)?.stripped(&self.lab.toolchain, ko);
        let mut initramfs = Initramfs::new(&self.lab.programs, &loads_job(self.runs))?;
        initramfs.file("hello_rust.ko", 0o644, &ko(&HELLO_RUST, "hello_rust.ko")?)?;
        initramfs.file("hello_twin.ko", 0o644, &ko(&TWIN, "hello_twin.ko")?)?;
        let mut machine = self.lab.machine(self.settings);
        machine.size.limit *= self.runs;
        let guest = machine.run(initramfs, APPEND)?;
        self.lab.judge(&guest)?;

        let [rust, twin, nothing] = LOADED.map(|name| milliseconds(&guest.output, name));
        ensure!(
            [&rust, &twin, &nothing]
                .iter()
                .all(|times| times.len() == self.runs as usize),
            "the guest printed\n{}",
            guest.output
        );
        let less = |times: &[f64]| -> Vec<f64> {
            let pairs = times.iter().zip(&nothing);
            pairs.map(|(time, nothing)| time - nothing).collect()
        };
        let in_kernel = Comparison::new("  of these in the kernel, ms", less(&rust), less(&twin));
        Ok(vec![
            Comparison::new("insmod and rmmod, ms", rust, twin),
            in_kernel,
        ])
    }
}

/// The rows of [`size_of`].
const SIZES: [&str; 4] = [
    "file, bytes",
    "  text and constants, bytes",
    "  data, bytes",
    "  bss, bytes",
];

/// The size of a built file without debug information, and of its text, data and bss as llvm-size
/// prints them.
fn size_of(lab: &Lab, module: &Module, ko: &str) -> Result<Vec<f64>> {
    let file = module.stripped(&lab.toolchain, ko)?.len() as f64;
    let output = lab
        .toolchain
        .command("llvm-size")
        .arg(module.dir().join(format!("{ko}.stripped")))
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let sections: Vec<f64> = said
        .lines()
        .nth(1)
        .into_iter()
        .flat_map(|line| line.split_whitespace().take(3))
        .filter_map(|number| number.parse().ok())
        .collect();
    ensure!(sections.len() == 3, "llvm-size printed {said:?}");
    Ok([vec![file], sections].concat())
}

/// Loads and unloads hello_rust.ko, as `make run` does.
fn hello_rust_job() -> String {
    let load = Load {
        file: "hello_rust.ko",
        params: String::new(),
    };
    script(&[load], None)
}

/// Sets a file's modification time to now.
fn modified_now(file: &Path) -> Result<SystemTime> {
    let now = SystemTime::now();
    fs::File::options()
        .append(true)
        .open(file)
        .and_then(|file| file.set_modified(now))
        .with_context(|| format!("cannot touch {}", file.display()))?;
    Ok(now)
}

/// One round to warm up, then one for each run. The console would cost more than the modules.
fn loads_job(runs: u32) -> String {
    format!(
        "dmesg -n 1\n\
         loads() {{\n\
         \tn=0\n\
         \tread -r from _ </proc/uptime\n\
         \twhile [ $n -lt {LOADS} ]; do\n\
         \t\tinsmod /$1.ko 2>/dev/null\n\
         \t\trmmod $1 2>/dev/null || [ $1 = nothing ] || exit 1\n\
         \t\tn=$((n + 1))\n\
         \tdone\n\
         \tread -r to _ </proc/uptime\n\
         \t[ $run -eq 0 ] || echo $1 $from $to\n\
         }}\n\
         run=0\n\
         while [ $run -le {runs} ]; do\n\
         for name in {}; do loads $name; done\n\
         run=$((run + 1))\n\
         done\n",
        LOADED.join(" ")
    )
}

/// `hello_rust 1.50 2.75` is 1.25 s for [`LOADS`] times.
fn milliseconds(output: &str, name: &str) -> Vec<f64> {
    output
        .lines()
        .filter_map(|line| {
            let (from, to) = line.strip_prefix(name)?.trim().split_once(' ')?;
            let (from, to): (f64, f64) = (from.parse().ok()?, to.parse().ok()?);
            Some((to - from) * 1000.0 / f64::from(LOADS))
        })
        .collect()
}

/// A stopwatch for the steps.
struct Watch {
    last: Instant,
    laps: Vec<f64>,
}

impl Watch {
    fn start() -> Self {
        Watch {
            last: Instant::now(),
            laps: Vec::new(),
        }
    }

    fn lap(&mut self) {
        let now = Instant::now();
        self.laps.push((now - self.last).as_secs_f64());
        self.last = now;
    }
}

/// An option's value, as written on the command line.
fn name(value: impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map_or(String::new(), |value| value.get_name().to_owned())
}

fn modified(file: &Path) -> Result<SystemTime> {
    fs::metadata(file)
        .and_then(|metadata| metadata.modified())
        .with_context(|| format!("cannot read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_loads() {
        let output = "hello_rust 1.50 2.75\nhello_twin 3.00 4.00\nhello_rust 5.00 5.50\n";
        assert_eq!(milliseconds(output, "hello_rust"), [25.0, 10.0]);
        assert_eq!(milliseconds(output, "nothing"), Vec::<f64>::new());
    }
}
