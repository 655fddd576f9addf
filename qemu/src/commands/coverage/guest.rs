//! The guest in which the module counts.

use std::time::Duration;

use anyhow::Result;

use crate::commands::lab::Lab;
use crate::commands::storm::scene::{Scene, APPEND};
use crate::commands::storm::steps::{self, file_of, List};
use crate::guest::job::{self, Load, Run};
use crate::guest::machine::Guest;
use crate::kernel::counting::RECORDER;
use crate::kernel::flavour::Checks;
use crate::kernel::load::Ko;
use crate::kernel::module::Module;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// How often the modules are loaded with parameters at random; fewer times by a debug kernel, which is slow.
const LOADS: [u32; 2] = [300, 50];

/// How many times longer than other guests this one may take.
const LONGER: u32 = 10;

/// The file with the steps in the guest.
const STEPS: &str = "steps";

/// What the modules are put through, besides what is the same for all.
pub struct Ways {
    /// What runs while they are loaded.
    pub run: Option<Run>,
    /// Where the random numbers of their parameters start.
    pub seed: u64,
}

/// Loads and unloads the modules in each way that the lab knows; see [`job::coverage`].
pub fn run(
    lab: &Lab,
    settings: &Settings,
    sources: Sources,
    built: &Module,
    modules: &[Ko],
    ways: &Ways,
) -> Result<Guest> {
    let scene = Scene::of(lab, settings.clone(), sources, built.dir(), modules)?;
    let loads: Vec<(String, &str)> = scene
        .targets()
        .iter()
        .map(|target| (format!("{}.ko", target.name), target.params.as_str()))
        .collect();
    let loads: Vec<Load> = loads
        .iter()
        .map(|(file, params)| Load {
            file,
            params: (*params).to_owned(),
        })
        .collect();
    let run = ways.run.as_ref();
    let seconds = settings.timeout * LONGER;
    let storm = format!("storm {seconds} 1 {STEPS} >/dev/null");
    let job = job::coverage(RECORDER.name, &scene.others(), &loads, run, &storm);

    let mut initramfs = lab.initramfs(settings, built, modules, run, &job)?;
    let recorder = format!("{}.ko", RECORDER.name);
    let content = lab.module(&RECORDER)?.stripped(&lab.toolchain, &recorder)?;
    initramfs.file(&recorder, 0o644, &content)?;
    let list = list(&scene, settings.debug == Checks::Kasan, ways.seed);
    initramfs.file(STEPS, 0o644, &file_of(&list))?;

    let mut machine = lab.machine(settings);
    machine.size.limit += Duration::from_secs(seconds.into());
    machine.run(initramfs, APPEND)
}

/// Loads with parameters at random; before them, where the kernel can do that, loads in which each
/// allocation fails.
fn list(scene: &Scene, debug: bool, seed: u64) -> List {
    let starved = debug.then(|| steps::allocations(scene.targets()));
    let loads = steps::loads(scene.targets(), seed, LOADS[usize::from(debug)]);
    starved
        .into_iter()
        .flatten()
        .chain(loads)
        .flatten()
        .collect()
}
