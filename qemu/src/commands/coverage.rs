//! `make coverage`: which lines of a module's Rust and C have run, in one report.

mod guest;
mod places;
mod profile;
mod report;

use std::fs;

use anyhow::{bail, Result};

use self::guest::Ways;
use super::lab::Lab;
use crate::guest::job::Run;
use crate::kernel::counting;
use crate::kernel::module::Module;
use crate::kernel::sources::{Folder, Sources, HELLO_RUST, KUNIT};
use crate::options::Settings;

/// What the user wants of `make coverage`.
#[derive(clap::Args, Debug)]
pub struct Wishes {
    /// Where the random numbers of the parameters start. The same seed does the same.
    #[arg(long, env = "LAB_SEED", default_value_t = 1)]
    seed: u64,
}

/// `make coverage`.
pub fn coverage(settings: &Settings, wishes: &Wishes) -> Result<()> {
    counting::must_be_possible(&settings.flavour())?;
    let folder = settings.module_folder()?;
    let lab = Lab::provide(settings, settings.flavour())?;
    counting::must_be_one_llvm(&lab.toolchain)?;

    // The suite of hello_rust is no part of it.
    let (sources, reported) = match &folder {
        Some(folder) => (folder.sources(), folder.sources()),
        None => (KUNIT, HELLO_RUST),
    };
    let name = format!("{}-coverage", sources.name);
    let sources = || Sources {
        name: &name,
        ..sources
    };
    let built = Module::stage(&lab.cache, &lab.kernel, &sources())?.counting()?;
    built.provide(&lab.toolchain)?;
    let modules = lab.modules_of(&built)?;

    // As `make test` does.
    let test = folder.as_ref().and_then(Folder::test);
    let run = match settings.guest_run()? {
        None => test.map(fs::read).transpose()?.map(Run),
        run => run,
    };
    let ways = Ways {
        run,
        seed: wishes.seed,
    };
    let guest = guest::run(&lab, settings, sources(), &built, &modules, &ways)?;
    let judged = lab.judge_module(&guest, &sources());
    let (before, profile) = profile::split(&guest);
    if judged.is_err() {
        eprint!("{before}");
    }
    match profile {
        Some(profile) => {
            let own = reported.own_files(lab.cache.dir())?;
            let files = profile::files(&lab.toolchain, &built, &modules, &own, profile)?;
            print!("{}", report::report(&files));
        }
        None if judged.is_ok() => bail!("the guest has printed no profile"),
        // It has ended before, and the error says why.
        None => {}
    }
    judged
}
