//! Everything that a guest needs, made or found.

use anyhow::Result;
use host::cache::Cache;
use host::toolchain::Toolchain;

use crate::guest::files;
use crate::guest::initramfs::{Initramfs, Programs};
use crate::guest::job::{self, Run};
use crate::guest::machine::{Accelerator, Guest, Machine};
use crate::guest::probe;
use crate::judge::decode::decode;
use crate::judge::guest::judge;
use crate::kernel::build::Kernel;
use crate::kernel::flavour::Flavour;
use crate::kernel::foreign;
use crate::kernel::load::{file_in, load_order, modules_in, Ko};
use crate::kernel::module::Module;
use crate::kernel::source::Source;
use crate::kernel::sources::{Sources, HELLO_RUST};
use crate::kernel::stock;
use crate::kernel::userprogs::userprogs;
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
        settings.must_fit()?;
        let options = settings.kernel_options()?;
        let cache = Cache::open()?;
        let toolchain = foreign::toolchain(&cache, &flavour)?;
        let kernel = if flavour.is_stock() {
            stock::provide(&cache, &toolchain, flavour, &options)?
        } else {
            let source = provide_source(settings, &cache, &toolchain, &flavour)?;
            Kernel::provide(&cache, &toolchain, source, flavour, &options)?
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

    /// The modules of these sources, built, and those of the kernel that they depend on, in the order
    /// in which they are loaded. As long as the [`Module`] is kept, no other run changes them.
    pub fn modules(&self, sources: &Sources) -> Result<(Module<'_>, Vec<Ko>)> {
        let module = self.module(sources)?;
        let modules = self.modules_of(&module)?;
        Ok((module, modules))
    }

    /// The same of what has been built already.
    pub fn modules_of(&self, built: &Module) -> Result<Vec<Ko>> {
        let own = modules_in(built.dir())?;
        load_order(&own, |name| self.in_tree(name))
    }

    /// A module of the kernel's own.
    fn in_tree(&self, name: &str) -> Result<Option<Ko>> {
        let Kernel { flavour, dir, .. } = &self.kernel;
        let file = if flavour.is_stock() {
            stock::module(&self.cache, &self.toolchain, flavour, name)?
        } else {
            file_in(dir, name)?
        };
        file.map(|file| Ko::read(&file)).transpose()
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

    /// The guest's root folder: modules, the programs that were built with them, the user's files and
    /// script, and the job.
    pub fn initramfs(
        &self,
        settings: &Settings,
        built: &Module,
        modules: &[Ko],
        run: Option<&Run>,
        job: &str,
    ) -> Result<Initramfs> {
        let mut initramfs = Initramfs::new(&self.programs, job)?;
        for module in modules {
            let content = built.for_guest(&self.toolchain, &module.path)?;
            initramfs.file(&module.file(), 0o644, &content)?;
        }
        let names: Vec<String> = modules.iter().map(Ko::file).collect();
        let mut files = userprogs(built.dir())?;
        files.extend(settings.guest_files());
        files::add(&mut initramfs, &files, &names, settings.mem)?;
        if let Some(run) = run {
            initramfs.file(job::RUN, 0o755, &run.0)?;
        }
        Ok(initramfs)
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
        None if flavour.is_stock() => stock::source(cache, toolchain, flavour),
        None => Source::debian(cache, toolchain, &flavour.series),
    }
}
