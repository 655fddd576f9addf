//! `make run` and `make shell`; and the kernel, its source and the module by themselves.

use anyhow::Result;

use super::lab::{provide_source, Lab};
use crate::guest::initramfs::Initramfs;
use crate::host::cache::Cache;
use crate::host::toolchain::Toolchain;
use crate::kernel::module::HELLO_RUST;
use crate::options::Settings;

/// `make run`: builds, boots, loads, unloads, prints dmesg.
pub fn run(settings: &Settings) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    let mut initramfs = Initramfs::new(&lab.programs, &run_job(&settings.params))?;
    initramfs.file("hello_rust.ko", 0o644, &lab.hello_rust()?)?;

    // Without the kernel's own KUnit suites.
    let guest = lab.machine(settings).run(initramfs, "kunit.enable=0")?;
    print!("{}", guest.output);
    lab.judge(&guest)
}

/// The dmesg of one load and unload, whether or not they succeed.
pub fn run_job(params: &str) -> String {
    format!(
        "insmod /hello_rust.ko {} && rmmod hello_rust\n\
         status=$?\n\
         dmesg\n\
         exit $status\n",
        quoted(params)
    )
}

/// Quotes one word for a shell. The kernel splits the parameters, and understands double quotes.
fn quoted(word: &str) -> String {
    match word {
        "" => String::new(),
        _ => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// `make shell`: the guest's console on this terminal.
pub fn shell(settings: &Settings) -> Result<()> {
    const JOB: &str = "\
        PS1='guest# '\n\
        echo 'A shell in the guest. Try: insmod hello_rust.ko; dmesg | tail; rmmod hello_rust'\n\
        echo 'Type exit or Ctrl-A X to leave.'\n";
    let lab = Lab::provide(settings, settings.flavour())?;
    let mut initramfs = Initramfs::new(&lab.programs, JOB)?;
    initramfs.file("hello_rust.ko", 0o644, &lab.hello_rust()?)?;
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

/// `lab module`: builds hello_rust.ko and prints its folder, which has everything that it was made from.
pub fn module(settings: &Settings) -> Result<()> {
    let lab = Lab::provide(settings, settings.flavour())?;
    println!("{}", lab.module(&HELLO_RUST)?.dir().display());
    Ok(())
}
