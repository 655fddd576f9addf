//! `make run` and `make shell`; and the kernel, its source and the module by themselves.

use anyhow::Result;
use diagnostic::Diagnostic;
use host::cache::Cache;
use host::project::cpus;
use host::toolchain::Toolchain;

use super::lab::{provide_source, Lab};
use crate::guest::initramfs::{Archive, Initramfs};
use crate::guest::job::{params_of, quoted, script, Load};
use crate::guest::machine::Guest;
use crate::kernel::copy::remove_copy;
use crate::kernel::load::Ko;
use crate::kernel::module::Module;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// `make run`: builds, boots, loads, unloads, prints dmesg.
pub fn run(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    let lab = Lab::provide(settings, settings.flavour())?;
    let guest = build_and_boot(settings, &lab, &sources, || {})?;
    print!("{}", guest.output);
    lab.judge_module(&guest, &sources)
}

/// The steps of [`build_and_boot`].
pub const STEPS: [&str; 4] = [
    "QEMU's start",
    "the sources and Kbuild, while the guest boots",
    "the guest's files",
    "the guest, from its job to QEMU's end",
];

/// Builds the modules and runs their guest, which boots meanwhile; calls `done` after each of the [`STEPS`].
pub fn build_and_boot(
    settings: &Settings,
    lab: &Lab,
    sources: &Sources,
    mut done: impl FnMut(),
) -> Result<Guest> {
    let machine = lab.machine(settings);
    // Without the kernel's own KUnit suites.
    let boot = |files| machine.boot(files, "kunit.enable=0");
    // On one CPU, an early boot would only take time from the build.
    let early = (cpus() > 1).then(|| boot(Archive::bootable(&lab.programs)?));
    let early = early.transpose()?;
    done();
    let (built, modules) = lab.modules(sources)?;
    done();
    let Initramfs { boot: files, job } = initramfs(settings, lab, &built, &modules)?;
    drop(built);
    done();
    let guest = early.map_or_else(|| boot(files), Ok)?.run(job)?;
    done();
    Ok(guest)
}

/// A guest that loads the modules, runs the user's script and unloads them.
pub fn initramfs(
    settings: &Settings,
    lab: &Lab,
    built: &Module,
    modules: &[Ko],
) -> Result<Initramfs> {
    let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    let files: Vec<String> = modules.iter().map(Ko::file).collect();
    let loads = files.iter().zip(params_of(&settings.params, &names));
    let loads: Vec<Load> = loads.map(|(file, params)| Load { file, params }).collect();

    let run = settings.guest_run()?;
    let job = script(&loads, run.as_ref());
    lab.initramfs(settings, built, modules, run.as_ref(), &job)
}

/// `make shell`: the guest's console on this terminal.
pub fn shell(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    let lab = Lab::provide(settings, settings.flavour())?;
    let (built, modules) = lab.modules(&sources)?;
    let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    let loads = modules.iter().zip(params_of(&settings.params, &names));
    let loads = loads.map(|(module, params)| format!("insmod {} {params}", module.file()));
    let loads: Vec<String> = loads.map(|load| load.trim_end().to_owned()).collect();
    let names: Vec<&str> = names.into_iter().rev().collect();
    let hint = format!(
        "A shell in the guest. Try: {}; dmesg | tail; rmmod {}",
        loads.join("; "),
        names.join(" ")
    );
    let job = format!(
        "PS1='guest# '\necho {}\necho 'Type exit or Ctrl-A X to leave.'\n",
        quoted(&hint)
    );
    let run = settings.guest_run()?;
    let initramfs = lab.initramfs(settings, &built, &modules, run.as_ref(), &job)?;
    drop(built);
    lab.machine(settings)
        .interact(initramfs, "kunit.enable=0 quiet -- shell")
}

/// `lab source`: provides the kernel's source and prints its folder.
pub fn source(settings: &Settings) -> Result<()> {
    let cache = Cache::open()?;
    let toolchain = Toolchain::provide(&cache)?;
    let source = provide_source(settings, &cache, &toolchain, &settings.flavour())?;
    println!("{}", source.dir.display());
    Ok(())
}

/// `lab kernel`: provides the kernel and prints its folder.
pub fn kernel(settings: &Settings) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    println!("{}", lab.kernel.dir.display());
    Ok(())
}

/// `lab module`: builds the module and prints its folder, which has everything that it was made from.
pub fn module(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    let lab = Lab::provide(settings, settings.flavour())?;
    println!("{}", lab.module(&sources)?.dir().display());
    Ok(())
}

/// `make clean M=…`: removes the module's build folders.
pub fn clean(settings: &Settings) -> Result<()> {
    let Some(folder) = settings.module_folder()? else {
        return Err(Diagnostic::new("no folder of a module to clean")
            .help("make clean M=/path/to/a/folder")
            .into());
    };
    let cache = Cache::open()?;
    let own = format!("{}-", folder.sources().name);
    for (name, place) in cache.folders("module") {
        if name.starts_with(&own) {
            let _lock = cache.lock(&format!("module {name}"))?;
            remove_copy(&place)?;
        }
    }
    Ok(())
}
