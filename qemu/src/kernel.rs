//! The lab's kernels: a small configuration, built once by the toolchain, kept in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use trouble::Trouble;

use crate::cache::{self, Cache};
use crate::progress::{Job, Tick};
use crate::source::Source;
use crate::stock;
use crate::toolchain::{self, Toolchain};

/// Bytes that a build takes, debug information included.
const SPACE: u64 = 3 << 30;

/// About how many lines Kbuild prints for a whole kernel.
const STEPS: u64 = 1350;

const BASE: &str = include_str!("../config/base.config");
const VERSIONS: &str = include_str!("../config/versions.config");
const CLANG: &str = include_str!("../config/clang.config");
const DEBUG: &str = include_str!("../config/debug.config");

/// Who compiles the C of a kernel, and so of its modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Compiler {
    /// `LLVM=1`.
    Clang,
    /// What Kbuild takes by itself.
    Gcc,
}

impl Compiler {
    /// As LAB_CC names it.
    pub fn name(self) -> &'static str {
        match self {
            Compiler::Clang => "clang",
            Compiler::Gcc => "gcc",
        }
    }
}

/// Which kernel is asked for.
#[derive(Debug, Clone)]
pub struct Flavour {
    /// The series in Debian's archive, such as `7.3`; or the release of a stock kernel.
    pub series: String,
    /// The C compiler.
    pub compiler: Compiler,
    /// With KASAN, lockdep and the other checks that are too slow for every day.
    pub debug: bool,
}

impl Flavour {
    /// Its name in the cache and in messages, such as `7.3-clang`.
    pub fn name(&self) -> String {
        if self.is_stock() {
            return self.series.clone();
        }
        let compiler = self.compiler.name();
        let debug = if self.debug { "-debug" } else { "" };
        format!("{}-{compiler}{debug}", self.series.replace('/', "_"))
    }

    /// Whether it is one of Debian's own.
    pub fn is_stock(&self) -> bool {
        stock::is_meant(&self.series)
    }

    /// What `make` must be told for this kernel and for any module of it.
    pub fn make_options(&self) -> &'static [&'static str] {
        match self.compiler {
            Compiler::Clang => &["LLVM=1"],
            Compiler::Gcc => &[],
        }
    }

    /// The options that are set, without comments.
    fn fragment(&self, source: &Source) -> String {
        // Where a kernel is too old for an option, olddefconfig would drop it without a word.
        let knows = |file: &str, option: &str| {
            fs::read_to_string(source.dir.join(file))
                .is_ok_and(|text| text.lines().any(|line| line == format!("config {option}")))
        };
        let versions = knows("kernel/module/Kconfig", "GENDWARFKSYMS");
        let inline_helpers = knows("lib/Kconfig.debug", "RUST_INLINE_HELPERS");
        let parts = [
            (true, BASE),
            (versions, VERSIONS),
            (self.compiler == Compiler::Clang && inline_helpers, CLANG),
            (self.debug, DEBUG),
        ];
        parts
            .iter()
            .filter(|(wanted, _)| *wanted)
            .flat_map(|(_, text)| text.lines())
            .map(|line| line.split('#').next().unwrap_or_default().trim())
            .filter(|line| !line.is_empty())
            .flat_map(|line| [line, "\n"])
            .collect()
    }
}

/// A kernel, built.
pub struct Kernel {
    /// What was asked for.
    pub flavour: Flavour,
    /// Its build folder: what a module calls KDIR.
    pub dir: PathBuf,
    /// Its source.
    pub source: Source,
    /// What QEMU boots.
    pub image: PathBuf,
    /// What it was built from: its source's version, the compilers', and its options.
    pub recipe: String,
}

impl Kernel {
    /// Builds the kernel, or goes on with an interrupted build, unless it is there already.
    pub fn provide(
        cache: &Cache,
        toolchain: &Toolchain,
        source: Source,
        flavour: Flavour,
    ) -> Result<Self> {
        let dir = cache.place_for(&format!("kernel/{}", flavour.name()))?;
        let fragment = flavour.fragment(&source);
        let kernel = Kernel {
            // vmlinux without its debug information.
            image: dir.join("vmlinux.boot"),
            dir,
            recipe: format!("{}\n{}\n{fragment}", source.version, toolchain.versions),
            flavour,
            source,
        };
        let stamp = kernel.dir.join("lab.recipe");

        if kernel.source.foreign || !cache::holds(&stamp, &kernel.recipe) {
            let _lock = cache.lock(&format!("kernel {}", kernel.flavour.name()))?;
            if kernel.source.foreign || !cache::holds(&stamp, &kernel.recipe) {
                cache.require_space(SPACE, "the kernel's build")?;
                kernel.begin()?;
                let log = cache.place_for(&format!("log/kernel-{}", kernel.flavour.name()))?;
                kernel.configure(toolchain, &fragment, &log)?;
                kernel.build(toolchain, &log)?;
                cache::write_whole(&stamp, kernel.recipe.as_bytes())?;
            }
        }
        Ok(kernel)
    }

    /// What `uname -r` says in it.
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

    /// The folders of the host that its build needs besides the cache.
    fn folders(&self) -> Vec<&Path> {
        match self.source.foreign {
            true => vec![self.source.dir.as_path()],
            false => Vec::new(),
        }
    }

    /// Goes on with an interrupted build of the same, and starts from nothing else. Kbuild would
    /// compile again what depends on an option, but not rust/core.o for CONFIG_MODVERSIONS: its
    /// symbols were left without checksums.
    fn begin(&self) -> Result<()> {
        let begun = self.dir.join("lab.begun");
        let done = self.dir.join("lab.recipe");
        if done.is_file() && !cache::holds(&done, &self.recipe)
            || begun.is_file() && !cache::holds(&begun, &self.recipe)
        {
            toolchain::remove(&self.dir)?;
        }
        fs::create_dir_all(&self.dir)?;
        cache::write_whole(&begun, self.recipe.as_bytes())
    }

    fn configure(&self, toolchain: &Toolchain, fragment: &str, log: &Path) -> Result<()> {
        let config = self.dir.join(".config");
        let run = |target| {
            Job {
                what: &format!("kernel {}: make {target}", self.flavour.name()),
                log,
                steps: 0,
                tick: |_| Tick::None,
            }
            .run(self.make(toolchain).args(["-s", target]))
        };

        run("tinyconfig")?;
        let tiny = fs::read_to_string(&config)?;
        fs::write(&config, tiny + fragment)?;
        run("olddefconfig")?;

        let taken = fs::read_to_string(&config)?;
        let dropped: Vec<&str> = fragment
            .lines()
            .filter(|option| !is_taken(&taken, option))
            .collect();
        if !dropped.is_empty() {
            return Err(
                Trouble::new("this kernel does not take the lab's configuration")
                    .seen(format!(
                        "{}: dropped {}",
                        self.source.dir.display(),
                        dropped.join(", ")
                    ))
                    .mend(self.why_dropped(&dropped))
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
        "use a kernel that the README lists as tested, or mend qemu/config".to_owned()
    }

    fn build(&self, toolchain: &Toolchain, log: &Path) -> Result<()> {
        Job {
            what: &format!("kernel {}: building", self.flavour.name()),
            log,
            steps: STEPS,
            // Kbuild indents what it does: "  CC      init/main.o".
            tick: |line| {
                if line.starts_with("  ") {
                    Tick::Step
                } else {
                    Tick::None
                }
            },
        }
        .run(self.make(toolchain).args(["vmlinux", "modules"]))?;

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

/// Whether a `.config` has this option; one that is off is not in it, or in a comment.
fn is_taken(config: &str, option: &str) -> bool {
    let has = |wanted: &str| config.lines().any(|line| line == wanted);
    match option.strip_suffix("=n") {
        Some(name) => !has(&format!("{name}=y")),
        None => has(option),
    }
}

/// How many jobs to run at once.
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_its_reason() {
        for line in [BASE, VERSIONS, CLANG, DEBUG]
            .iter()
            .flat_map(|text| text.lines())
        {
            if let Some(option) = line.strip_prefix("CONFIG_") {
                let reason = option
                    .split_once('#')
                    .map_or("", |(_, reason)| reason.trim());
                assert!(!reason.is_empty(), "no reason: {line}");
            }
        }
    }
}
