//! Builds the lab's kernels: a small configuration, built once by the toolchain, kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache::{self, Cache, Lock};
use host::progress::{Job, Tick};
use host::project::cpus;
use host::toolchain::Toolchain;
use host::whole;

use crate::kernel::config;
use crate::kernel::copy::remove_copy;
use crate::kernel::flavour::Flavour;
use crate::kernel::source::Source;

/// Bytes that a build needs, including debug information.
const SPACE: u64 = 3 << 30;

/// About how many lines Kbuild prints for a whole kernel.
const STEPS: u64 = 1200;

/// After this time without use, a kernel may be removed if there is another of its flavour.
const FORGOTTEN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The file in a kernel's folder with the recipe of what was completely built there.
const DONE: &str = "lab.recipe";

/// `vmlinux` without its debug information.
const STRIPPED: &str = "vmlinux.boot";

/// A built kernel.
pub struct Kernel {
    /// The requested flavour.
    pub flavour: Flavour,
    /// The name of its own folders in the cache, such as `7.3-clang-1a2b3c4d`.
    pub name: String,
    /// Its build folder: KDIR for a module.
    pub dir: PathBuf,
    /// Its source.
    pub source: Source,
    /// The image that QEMU boots.
    pub image: PathBuf,
    /// What it was built from: the versions of the source and of the compilers, and the options.
    pub recipe: String,
    /// Keeps other runs from removing it; a stock kernel needs no lock.
    pub in_use: Option<Lock>,
}

impl Kernel {
    /// Builds the kernel, or continues an interrupted build, unless it exists already. `options` are
    /// set besides the lab's own.
    pub fn provide(
        cache: &Cache,
        toolchain: &Toolchain,
        source: Source,
        flavour: Flavour,
        options: &str,
    ) -> Result<Self> {
        let fragment = config::fragment(&flavour, &source, options);
        let recipe = format!("{}\n{}\n{fragment}", source.version, toolchain.versions);
        let name = folder_of(&flavour, &recipe);
        let dir = cache.place_for(&part(&name))?;
        let kernel = Kernel {
            image: dir.join(flavour.arch.words().image.unwrap_or(STRIPPED)),
            in_use: Some(cache.share(&part(&name))?),
            dir,
            name,
            recipe,
            flavour,
            source,
        };

        if kernel.is_due() {
            // The lock covers the log, too, which all kernels of a flavour share.
            let _lock = cache.lock(&format!("kernel {}", kernel.flavour.name()))?;
            if kernel.is_due() {
                kernel.make_whole(cache, toolchain, &fragment, options)?;
                remove_forgotten(cache, &kernel.name);
            }
        }
        if !kernel.source.foreign {
            whole::note(cache, &part(&kernel.name), &[&part(&kernel.name)])?;
        }
        cache::note_use(&kernel.dir)?;
        Ok(kernel)
    }

    /// Whether it has to be built. If the user can edit the source, only make knows.
    fn is_due(&self) -> bool {
        self.source.foreign || !cache::holds(&self.dir.join(DONE), &self.recipe)
    }

    /// Builds it, or continues where an earlier run was interrupted.
    fn make_whole(
        &self,
        cache: &Cache,
        toolchain: &Toolchain,
        fragment: &str,
        options: &str,
    ) -> Result<()> {
        cache.require_space(SPACE, "the kernel's build")?;
        let resumed = self.dir.is_dir();
        fs::create_dir_all(&self.dir)?;
        let log = cache.place_for(&format!("log/kernel-{}", self.flavour.name()))?;
        whole::forget(cache, &part(&self.name))?;
        let start = Instant::now();
        self.configure(toolchain, fragment, options, &log)?;
        self.build(toolchain, &log)?;
        if !resumed {
            let took = format!("{:.1}\n", start.elapsed().as_secs_f64());
            cache::write_whole(&self.took_file(), took.as_bytes())?;
        }
        cache::write_whole(&self.dir.join(DONE), self.recipe.as_bytes())
    }

    fn took_file(&self) -> PathBuf {
        self.dir.join("lab.took")
    }

    /// How long its build took; unknown if the build was interrupted.
    pub fn took(&self) -> Option<Duration> {
        let seconds = fs::read_to_string(self.took_file()).ok()?;
        Duration::try_from_secs_f64(seconds.trim().parse().ok()?).ok()
    }

    /// Its release, as `uname -r` prints it.
    pub fn release(&self) -> Result<String> {
        let file = self.dir.join("include/config/kernel.release");
        let release =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(release.trim().to_owned())
    }

    /// Whether it was built with an option, named without `CONFIG_`.
    pub fn has(&self, option: &str) -> Result<bool> {
        let file = self.dir.join("include/config/auto.conf");
        let options =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(is_taken(&options, &format!("CONFIG_{option}=y")))
    }

    /// Kbuild for this kernel, in its source folder.
    pub fn make(&self, toolchain: &Toolchain) -> Command {
        let mut make = toolchain.command_in(&self.source.dir, self.folders().as_slice(), "make");
        make.arg(format!("O={}", self.dir.display()))
            .args(self.flavour.make_options())
            .arg(format!("-j{}", cpus()));
        make
    }

    /// The kernel's own commands for gdb, which `make` leaves out without CONFIG_GDB_SCRIPTS; returns the
    /// file that gdb loads with vmlinux.
    pub fn gdb_scripts(&self, cache: &Cache, toolchain: &Toolchain) -> Result<PathBuf> {
        let script = self.dir.join("vmlinux-gdb.py");
        let _lock = cache.lock(&format!("kernel {}", self.flavour.name()))?;
        // The last that make makes.
        if !script.exists() {
            let make = self
                .make(toolchain)
                .args(["-s", "scripts_gdb"])
                .stdin(Stdio::null())
                .output()
                .context("cannot start make")?;
            anyhow::ensure!(
                make.status.success(),
                "`make scripts_gdb` failed in {}:\n{}",
                self.dir.display(),
                String::from_utf8_lossy(&make.stderr)
            );
        }
        Ok(script)
    }

    /// The folders of the host that its build needs besides the cache.
    fn folders(&self) -> Vec<&Path> {
        if self.source.foreign {
            vec![self.source.dir.as_path()]
        } else {
            Vec::new()
        }
    }

    fn configure(
        &self,
        toolchain: &Toolchain,
        fragment: &str,
        options: &str,
        log: &Path,
    ) -> Result<()> {
        let config = self.dir.join(".config");
        let wanted = self.dir.join("lab.config");
        fs::write(&wanted, fragment)?;
        Job {
            what: &format!("kernel {}: make allnoconfig", self.flavour.name()),
            log,
            steps: 0,
            tick: |_| Tick::None,
        }
        .run(
            self.make(toolchain)
                .arg(format!("KCONFIG_ALLCONFIG={}", wanted.display()))
                .args(["-s", "allnoconfig"]),
        )?;

        let taken = fs::read_to_string(&config)?;
        let dropped: Vec<&str> = fragment
            .lines()
            .filter(|option| !is_taken(&taken, option))
            .collect();
        let own = config::set_off(options);
        let of_user = |dropped: &&&str| own.lines().any(|line| line == **dropped);
        let users: Vec<&str> = dropped.iter().filter(of_user).copied().collect();
        if !users.is_empty() {
            return Err(Diagnostic::new("the kernel does not take these options")
                .note(format!("CONFIG=: {}", users.join(", ")))
                .help(
                    "see `config NAME` in the kernel's Kconfig files: it may depend on others, \
                     be selected by others only, or not exist",
                )
                .into());
        }
        if !dropped.is_empty() {
            return Err(
                Diagnostic::new("this kernel does not accept the lab's configuration")
                    .note(format!(
                        "{}: dropped {}",
                        self.source.dir.display(),
                        dropped.join(", ")
                    ))
                    .help(self.why_dropped(&dropped))
                    .into(),
            );
        }
        Ok(())
    }

    fn why_dropped(&self, dropped: &[&str]) -> String {
        if dropped.contains(&"CONFIG_RUST=y") {
            return format!(
                "run `make -C {} rustavailable` to see why it has no Rust",
                self.source.dir.display()
            );
        }
        "use a kernel that README.md lists as tested, or fix qemu/config".to_owned()
    }

    fn build(&self, toolchain: &Toolchain, log: &Path) -> Result<()> {
        let image = self.flavour.arch.words().image;
        // Kbuild's target has the name of the file.
        let target = image.and_then(|image| image.rsplit('/').next());
        let target = target.unwrap_or("vmlinux");
        Job {
            what: &format!("kernel {}: building", self.flavour.name()),
            log,
            steps: STEPS,
            // Kbuild indents its steps: "  CC      init/main.o".
            tick: |line| {
                if line.starts_with("  ") {
                    Tick::Step
                } else {
                    Tick::None
                }
            },
        }
        .run(self.make(toolchain).args(["vmlinux", target, "modules"]))?;

        if image.is_some() {
            return Ok(());
        }
        let strip = toolchain
            .command("llvm-objcopy")
            .arg("--strip-debug")
            .arg(self.dir.join("vmlinux"))
            .arg(&self.image)
            .status()?;
        anyhow::ensure!(
            strip.success(),
            "cannot strip {}/vmlinux",
            self.dir.display()
        );
        Ok(())
    }
}

/// The name of a kernel's folder. Each recipe has its own: checkouts that share a cache do not remove
/// each other's kernels, and no build starts from another recipe's files. Kbuild recompiles what
/// depends on a changed option, but not rust/core.o for CONFIG_MODVERSIONS, whose symbols would then
/// have no checksums.
fn folder_of(flavour: &Flavour, recipe: &str) -> String {
    format!("{}-{}", flavour.name(), cache::fingerprint(recipe))
}

/// The flavour's name in the name of a kernel's folder. Earlier versions of the lab added no hash.
fn flavour_of(folder: &str) -> &str {
    match folder.rsplit_once('-') {
        Some((flavour, print))
            if print.len() == 8 && print.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            flavour
        }
        _ => folder,
    }
}

/// A kernel's folder in the cache, which is also the name of its lock.
fn part(folder: &str) -> String {
    format!("kernel/{folder}")
}

/// The completely built kernels: the names of their flavours, and their folders.
pub fn built(cache: &Cache) -> Vec<(String, PathBuf)> {
    cache
        .folders("kernel")
        .into_iter()
        .filter(|(_, folder)| folder.join(DONE).is_file())
        .map(|(name, folder)| (flavour_of(&name).to_owned(), folder))
        .collect()
}

/// Removes other kernels of the same flavour that have not been used for long. A failure is only
/// reported: the requested kernel can still be used.
fn remove_forgotten(cache: &Cache, wanted: &str) {
    for (name, folder) in cache.folders("kernel") {
        if name == wanted || flavour_of(&name) != flavour_of(wanted) {
            continue;
        }
        let Some(_lock) = cache.try_lock(&part(&name)) else {
            continue;
        };
        if cache::unused_for(&folder) < FORGOTTEN {
            continue;
        }
        match remove(cache, &name, &folder) {
            Ok(()) => eprintln!(
                "lab: removed the kernel {name}, unused for {} days",
                FORGOTTEN.as_secs() / (24 * 60 * 60)
            ),
            Err(error) => eprintln!("lab: cannot remove an unused kernel: {error:#}"),
        }
    }
}

/// Removes a kernel and the modules that were built for it.
fn remove(cache: &Cache, name: &str, folder: &Path) -> Result<()> {
    for (module, place) in cache.folders("module") {
        if module.ends_with(&format!("-{name}")) {
            remove_copy(&place)?;
        }
    }
    // If this is interrupted, the rest must not look like a kernel.
    let scratch = cache::scratch_in(&cache.dir().join(cache::RUNS))?;
    fs::rename(folder, scratch.path().join(name))
        .with_context(|| format!("cannot remove {}", folder.display()))?;
    let place = scratch.path().to_owned();
    let removed = scratch.close();
    removed.with_context(|| format!("cannot remove {}", place.display()))
}

/// Whether a `.config` has this option. One that is off is missing, or in a comment.
fn is_taken(config: &str, option: &str) -> bool {
    let has = |wanted: &str| config.lines().any(|line| line == wanted);
    match option.strip_suffix("=n") {
        Some(name) => !config
            .lines()
            .any(|line| line.starts_with(&format!("{name}="))),
        None => has(option),
    }
}

#[cfg(test)]
mod tests;
