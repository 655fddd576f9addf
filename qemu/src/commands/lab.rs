//! Everything that a guest needs, made or found.

use anyhow::Result;

use crate::guest::initramfs::Programs;
use crate::guest::machine::{Accelerator, Guest, Machine};
use crate::guest::probe;
use crate::host::cache::Cache;
use crate::host::toolchain::Toolchain;
use crate::judge::decode::decode;
use crate::judge::guest::judge;
use crate::kernel::build::Kernel;
use crate::kernel::flavour::Flavour;
use crate::kernel::module::{Module, Sources, HELLO_RUST};
use crate::kernel::source::Source;
use crate::kernel::stock;
use crate::options::Settings;

/// Everything that a guest needs.
pub struct Lab {
    /// The cache.
    pub cache: Cache,
    /// The compilers, and QEMU.
    pub toolchain: Toolchain,
    /// The kernel that boots.
    pub kernel: Kernel,
    /// The programs in the guest.
    pub programs: Programs,
    /// What executes the guest.
    pub accelerator: Accelerator,
}

impl Lab {
    /// Provides the toolchain, the kernel and the accelerator; makes what is missing.
    pub fn provide(settings: &Settings, flavour: Flavour) -> Result<Self> {
        let cache = Cache::open()?;
        let toolchain = Toolchain::provide(&cache)?;
        let kernel = if flavour.is_stock() {
            stock::provide(&cache, &toolchain, flavour)?
        } else {
            let source = provide_source(settings, &cache, &toolchain, &flavour)?;
            Kernel::provide(&cache, &toolchain, source, flavour)?
        };
        let programs = Programs::provide(&cache, &toolchain, &kernel)?;
        let accelerator = match settings.accel {
            Some(accelerator) => accelerator,
            None => probe::choose(&cache, &toolchain, &kernel, &programs)?,
        };
        Ok(Lab {
            cache,
            toolchain,
            kernel,
            programs,
            accelerator,
        })
    }

    /// hello_rust.ko for this kernel.
    pub fn hello_rust(&self) -> Result<Vec<u8>> {
        self.module(&HELLO_RUST)?
            .stripped(&self.toolchain, "hello_rust.ko")
    }

    /// Any module for this kernel, built.
    pub fn module(&self, sources: &Sources) -> Result<Module<'_>> {
        let module = Module::stage(&self.cache, &self.kernel, sources)?;
        module.provide(&self.toolchain)?;
        Ok(module)
    }

    /// Turns the outcome of a guest with hello_rust.ko into success or an error.
    pub fn judge(&self, guest: &Guest) -> Result<()> {
        self.judge_module(guest, &HELLO_RUST)
    }

    /// The same for any module: the addresses in a splat are turned into lines of its sources.
    pub fn judge_module(&self, guest: &Guest, module: &Sources) -> Result<()> {
        let decode = |report: &str| {
            let built = self
                .cache
                .dir()
                .join("module")
                .join(module.place(&self.kernel));
            decode(&self.toolchain, &self.kernel, &built, report)
        };
        judge(guest, decode)
    }

    /// A machine with this kernel.
    pub fn machine(&self, settings: &Settings) -> Machine<'_> {
        Machine {
            toolchain: &self.toolchain,
            kernel: &self.kernel,
            accelerator: self.accelerator,
            size: settings.size(),
        }
    }
}

/// The source of the kernel that is asked for.
pub fn provide_source(
    settings: &Settings,
    cache: &Cache,
    toolchain: &Toolchain,
    flavour: &Flavour,
) -> Result<Source> {
    match settings.foreign_source() {
        Some(dir) => Source::foreign(&dir),
        None if flavour.is_stock() => stock::source(cache, toolchain, &flavour.series),
        None => Source::debian(cache, toolchain, &flavour.series),
    }
}
