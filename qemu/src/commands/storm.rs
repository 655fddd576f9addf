//! `make storm`: what a module meets in years, in minutes; with everything that the kernel can check.

pub mod parameters;
pub mod results;
pub(super) mod scene;
mod shorten;
pub(super) mod steps;
pub mod verdict;

use anyhow::{Context, Result};
use clap::ValueEnum;
use diagnostic::Diagnostic;
use rustix::io::Errno;

use self::results::Allowed;
use self::scene::Scene;
use self::steps::{List, Target};
use super::lab::Lab;
use crate::kernel::flavour::Checks;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// What a storm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Loads and unloads with parameters at random.
    Loads,
    /// Four tasks on two CPUs load, unload, and read what there is to read.
    Races,
    /// Each allocation fails once, while a module is loaded and unloaded.
    Allocations,
    /// What `races` does, and the module's KUnit suites, on a kernel that looks for data races.
    DataRaces,
}

/// A storm of that kind.
pub(super) struct Storm {
    kind: Kind,
    /// The kernel for it.
    kernel: Checks,
    cpus: u32,
    /// How often each list is taken, if there is time.
    rounds: u32,
    lists: fn(&[Target], u64) -> Vec<List>,
    allowed: &'static [Allowed],
}

impl Storm {
    /// As STORM= names it.
    fn name(&self) -> String {
        let value = self.kind.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// How a module refuses a parameter.
const REFUSALS: &[Errno] = &[
    Errno::INVAL,
    Errno::RANGE,
    Errno::NOSPC,
    Errno::TOOBIG,
    Errno::OVERFLOW,
];

/// What a load meets in a race: the module is there, it comes or goes, or one that it needs does.
#[rustfmt::skip] // what `REFUSALS` has, and more
const LOST: &[Errno] = &[
    Errno::INVAL, Errno::RANGE, Errno::NOSPC, Errno::TOOBIG, Errno::OVERFLOW,
    Errno::EXIST, Errno::BUSY, Errno::AGAIN, Errno::NOENT,
];

const IN_RACES: &[Allowed] = &[
    ("load", LOST),
    ("unload", &[Errno::NOENT, Errno::AGAIN, Errno::BUSY]),
    ("read", &[Errno::NOENT, Errno::NODEV]),
];

/// The storms, in the order in which they are done.
static STORMS: &[Storm] = &[
    Storm {
        kind: Kind::Allocations,
        kernel: Checks::Kasan,
        cpus: 1,
        rounds: 1,
        lists: |targets, _| steps::allocations(targets),
        allowed: &[
            ("starve_load", &[Errno::NOMEM]),
            ("starve_unload", &[Errno::NOMEM]),
        ],
    },
    Storm {
        kind: Kind::Loads,
        kernel: Checks::Kasan,
        cpus: 1,
        rounds: 1,
        lists: |targets, seed| steps::loads(targets, seed, 10_000),
        allowed: &[("load", REFUSALS), ("unload", &[Errno::NOENT])],
    },
    Storm {
        kind: Kind::Races,
        kernel: Checks::Kasan,
        cpus: 2,
        rounds: 1_000_000,
        lists: |targets, seed| steps::races(targets, seed, 4, 1000),
        allowed: IN_RACES,
    },
    Storm {
        kind: Kind::DataRaces,
        kernel: Checks::Kcsan,
        cpus: 2,
        rounds: 1_000_000,
        lists: |targets, seed| steps::races(targets, seed, 4, 1000),
        allowed: IN_RACES,
    },
];

/// What the user wants of `make storm`.
#[derive(clap::Args, Debug)]
pub struct Wishes {
    /// How many minutes the storms take together; building the kernel and looking for leaks come on top.
    #[arg(long, env = "LAB_MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    minutes: u32,
    /// Where the random numbers start. The same seed does the same.
    #[arg(long, env = "LAB_SEED")]
    seed: Option<u64>,
    /// Only these storms.
    #[arg(long = "storm", env = "LAB_STORM", value_delimiter = ',')]
    only: Vec<Kind>,
    /// Only these steps of one storm: 3,7-9.
    #[arg(long, env = "LAB_STEPS", value_delimiter = ',', value_parser = range, requires = "only")]
    steps: Vec<(u32, u32)>,
}

impl Wishes {
    fn want(&self, step: u32) -> bool {
        let mut ranges = self.steps.iter();
        self.steps.is_empty() || ranges.any(|(first, last)| (*first..=*last).contains(&step))
    }
}

/// `7-9`, or one number.
fn range(text: &str) -> Result<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse().context("steps are numbers, as in 3,7-9");
    Ok((number(first)?, number(last)?))
}

/// `make storm`.
pub fn storm(settings: &Settings, wishes: &Wishes) -> Result<()> {
    let seed = wishes.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let storms = STORMS.iter();
    let storms = storms.filter(|storm| wishes.only.is_empty() || wishes.only.contains(&storm.kind));
    let storms: Vec<&Storm> = storms.collect();
    if storms.len() > 1 && !wishes.steps.is_empty() {
        let error = Diagnostic::new("each storm has steps of its own");
        return Err(error.help("name one storm: STORM=loads STEPS=3,7-9").into());
    }
    let seconds = wishes.minutes * 60 / u32::try_from(storms.len())?;
    let mut of_kernel = storms.chunk_by(|a, b| a.kernel == b.kernel);
    of_kernel.try_for_each(|storms| on_kernel(storms, settings, wishes, seed, seconds))
}

/// Storms that want the same kernel.
fn on_kernel(
    storms: &[&Storm],
    settings: &Settings,
    wishes: &Wishes,
    seed: u64,
    seconds: u32,
) -> Result<()> {
    let settings = Settings {
        debug: storms.first().map_or(Checks::None, |storm| storm.kernel),
        ..settings.clone()
    };
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    let lab = Lab::provide(&settings, settings.flavour())?;
    let scene = Scene::new(&lab, settings, sources)?;
    let kernel = lab.kernel.flavour.name();
    println!("{} on {kernel}, SEED={seed}", scene.title());
    for storm in storms {
        let mut lists = (storm.lists)(scene.targets(), seed);
        for list in &mut lists {
            list.retain(|step| wishes.want(step.number));
        }
        let passed = scene.pass(storm, &lists, seconds);
        let line = passed.map_err(|fault| fault.explain(storm, seed, &scene.settings))?;
        println!("{line}");
    }
    Ok(())
}
