//! Debian's own kernels, unmodified, and what building a Rust module for them needs.
//!
//! Their packages are only unpacked, in the cache. The metadata of their Rust half, which the header
//! packages lack, is made by `tools/stock/rust-metadata`, as on a Debian where such a kernel is installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::arch::Arch;
use host::cache::{self, Cache};
use host::progress::{Job, Tick};
use host::project::project;
use host::toolchain::Toolchain;
use regex::Regex;

use crate::kernel::archive::Archive;
use crate::kernel::build::Kernel;
use crate::kernel::flavour::{arch_of, is_stock, Checks, Flavour, NEWEST};
use crate::kernel::load;
use crate::kernel::source::Source;

/// Bytes that the packages and the metadata of a kernel need, including temporary files.
const SPACE: u64 = 2 << 30;

/// About how many files of the kernel's Rust half are compiled.
const STEPS: u64 = 20;

/// A stock kernel in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// Its release, as `uname -r` prints it.
    pub release: String,
    /// Debian's version.
    pub version: String,
}

/// Provides a stock kernel that the lab can boot and build modules for.
pub fn provide(
    cache: &Cache,
    toolchain: &Toolchain,
    flavour: Flavour,
    options: &str,
) -> Result<Kernel> {
    if !options.is_empty() {
        return Err(Diagnostic::new("a stock kernel cannot get other options")
            .note(format!(
                "KERNEL={}, with CONFIG= or a kernel.config",
                flavour.series
            ))
            .help("leave KERNEL out, for a kernel of the lab's own; CONFIG=/dev/null ignores a kernel.config")
            .into());
    }
    if flavour.debug != Checks::None {
        return Err(
            Diagnostic::new("Debian has no stock kernel with KASAN, KCSAN or lockdep")
                .note(format!("DEBUG=, and KERNEL={}", flavour.series))
                .help("use one of the lab's own: leave out KERNEL or DEBUG")
                .into(),
        );
    }
    let stock = Stock::choose(cache, toolchain, &flavour)?;
    let root = stock.unpacked(cache, toolchain)?;
    stock.must_have_rust(&root)?;
    let source = Source::exactly(cache, toolchain, &stock.version)?;
    let kdir = stock.metadata(cache, toolchain, &root, &source)?;
    let recipe = format!("{}\n{}", stock.version, toolchain.versions);
    Ok(Kernel {
        image: image(&root, &stock.release)?,
        dir: kdir,
        name: stock.release.clone(),
        flavour: Flavour {
            series: stock.release,
            ..flavour
        },
        source,
        recipe,
        // It is never removed.
        in_use: None,
    })
}

/// The releases whose metadata exists.
pub fn built(cache: &Cache) -> Vec<String> {
    cache
        .folders("stock")
        .into_iter()
        .filter(|(_, folder)| folder.join("metadata").is_file())
        .map(|(release, _)| release)
        .collect()
}

/// The source of a stock kernel.
pub fn source(cache: &Cache, toolchain: &Toolchain, flavour: &Flavour) -> Result<Source> {
    let stock = Stock::choose(cache, toolchain, flavour)?;
    Source::exactly(cache, toolchain, &stock.version)
}

impl Stock {
    /// The kernel of this release; or the newest one in the archive at the first use.
    fn choose(cache: &Cache, toolchain: &Toolchain, flavour: &Flavour) -> Result<Self> {
        let (arch, kernel) = (flavour.arch, flavour.series.as_str());
        if kernel == NEWEST {
            return Stock::remembered(cache, &flavour.name(), || {
                newest(&archive(cache, toolchain, arch)?, arch)
            });
        }
        let other = arch_of(kernel).filter(|other| *other != arch);
        if let Some(other) = other {
            return Err(Diagnostic::new("this kernel is for another architecture")
                .note(format!(
                    "KERNEL={kernel}, with ARCH={}",
                    arch.words().kernel
                ))
                .help(format!("leave ARCH out, for {}", other.words().kernel))
                .into());
        }
        Stock::remembered(cache, kernel, || {
            of_release(&archive(cache, toolchain, arch)?, kernel)
        })
    }

    fn arch(&self) -> Arch {
        arch_of(&self.release).unwrap_or(Arch::NATIVE)
    }

    /// The kernel that was chosen before, or else the one that `choose` finds.
    fn remembered(
        cache: &Cache,
        kernel: &str,
        choose: impl FnOnce() -> Result<Self>,
    ) -> Result<Self> {
        let memory = cache.place_for(&format!("stock/{kernel}.chosen"))?;
        if let Some(stock) = Stock::read(&memory) {
            return Ok(stock);
        }
        let _lock = cache.lock("stock kernels")?;
        // Another run may have chosen while this one waited.
        if let Some(stock) = Stock::read(&memory) {
            return Ok(stock);
        }
        let stock = choose()?;
        eprintln!("lab: stock kernel {} {}", stock.release, stock.version);
        for name in [kernel, &stock.release] {
            let memory = cache.place_for(&format!("stock/{name}.chosen"))?;
            cache::write_whole(&memory, stock.line().as_bytes())?;
        }
        Ok(stock)
    }

    fn line(&self) -> String {
        format!("{} {}\n", self.release, self.version)
    }

    fn read(memory: &Path) -> Option<Self> {
        let text = fs::read_to_string(memory).ok()?;
        let (release, version) = text.trim_end().split_once(' ')?;
        Some(Stock {
            release: release.to_owned(),
            version: version.to_owned(),
        })
    }

    /// The folder with the kernel's image and headers, unpacked.
    fn unpacked(&self, cache: &Cache, toolchain: &Toolchain) -> Result<PathBuf> {
        let root = cache.place_for(&format!("stock/{}/root", self.release))?;
        let stamp = root.with_file_name("unpacked");
        if cache::holds(&stamp, &self.line()) {
            return Ok(root);
        }
        let _lock = cache.lock("stock kernels")?;
        if cache::holds(&stamp, &self.line()) {
            return Ok(root);
        }
        cache.require_space(SPACE, "a stock kernel")?;
        let archive = archive(cache, toolchain, self.arch())?;
        unpack(&archive, &self.packages(&archive)?, &root)?;
        cache::write_whole(&stamp, self.line().as_bytes())?;
        Ok(root)
    }

    /// The folder with the kernel's own modules. Linux 7.3 was the first to have them in a package of
    /// their own.
    fn modules(&self, cache: &Cache, toolchain: &Toolchain) -> Result<PathBuf> {
        let below = format!("usr/lib/modules/{}/kernel", self.release);
        let with_image = self.unpacked(cache, toolchain)?.join(&below);
        if with_image.is_dir() {
            return Ok(with_image);
        }
        let root = cache.place_for(&format!("stock/{}/modules", self.release))?;
        let _lock = cache.lock("stock kernels")?;
        if !root.is_dir() {
            cache.require_space(SPACE, "the modules of a stock kernel")?;
            let archive = archive(cache, toolchain, self.arch())?;
            let package = format!("linux-modules-{}={}", self.release, self.version);
            unpack(&archive, &[package], &root)?;
        }
        Ok(root.join(below))
    }

    /// The packages of the kernel's image and headers, `name=version`.
    fn packages(&self, archive: &Archive) -> Result<Vec<String>> {
        let headers = format!("linux-headers-{}", self.release);
        let offers = archive.versions(&headers)?;
        let offer = offers.iter().find(|offer| offer.version == self.version);
        let Some(offer) = offer else {
            return Err(archive.gone(&headers, &self.version, &offers).into());
        };
        let parts = offer
            .depends
            .iter()
            .filter(|name| name.starts_with("linux-headers-") || name.starts_with("linux-kbuild-"));
        // Linux 7.3 was the first to have the image in a package of its own.
        let binary = format!("linux-binary-{}", self.release);
        let image = if archive.versions(&binary)?.is_empty() {
            format!("linux-image-{}", self.release)
        } else {
            binary
        };
        let names = parts.chain([&headers, &image]);
        Ok(names
            .map(|name| format!("{name}={}", self.version))
            .collect())
    }

    fn must_have_rust(&self, root: &Path) -> Result<()> {
        let headers = format!("usr/src/linux-headers-{}", self.release);
        let file = root.join(headers).join("include/config/auto.conf");
        let options =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if options.lines().any(|option| option == "CONFIG_RUST=y") {
            return Ok(());
        }
        Err(Diagnostic::new(format!(
            "Debian built the kernel {} without Rust",
            self.release
        ))
        .note(format!("no CONFIG_RUST=y in {}", file.display()))
        .help("make run KERNEL=stock, which takes the newest one, has Rust")
        .into())
    }

    /// The KDIR for Rust modules.
    fn metadata(
        &self,
        cache: &Cache,
        toolchain: &Toolchain,
        root: &Path,
        source: &Source,
    ) -> Result<PathBuf> {
        let into = cache.place_for("stock/metadata")?;
        let kdir = into.join(&self.release).join("build");
        let tool = project().join("tools/stock/rust-metadata");
        let mut recipe = self.line() + &toolchain.versions;
        for part in ["rust-metadata", "compilers.sh", "proof.sh"] {
            let part = tool.with_file_name(part);
            let text = fs::read_to_string(&part);
            recipe += &text.with_context(|| format!("cannot read {}", part.display()))?;
        }
        let stamp = cache.place_for(&format!("stock/{}/metadata", self.release))?;
        if cache::holds(&stamp, &recipe) {
            return Ok(kdir);
        }
        let _lock = cache.lock("stock kernels")?;
        if cache::holds(&stamp, &recipe) {
            return Ok(kdir);
        }
        let mut command = toolchain.command_in(cache.dir(), &[&project()], "sh");
        command.arg(&tool);
        command.arg("--root").arg(root).arg("--into").arg(&into);
        command.arg("--source").arg(&source.dir).arg(&self.release);
        Job {
            what: &format!("stock kernel {}: making its Rust metadata", self.release),
            log: &cache.place_for("log/stock-metadata")?,
            steps: STEPS,
            tick: |line| {
                if line.starts_with("  ") {
                    Tick::Step
                } else {
                    Tick::None
                }
            },
        }
        .run(&mut command)?;
        cache::write_whole(&stamp, recipe.as_bytes())?;
        Ok(kdir)
    }
}

/// Finds a module of the kernel's own, and unpacks it if it is compressed.
pub fn module(
    cache: &Cache,
    toolchain: &Toolchain,
    flavour: &Flavour,
    name: &str,
) -> Result<Option<PathBuf>> {
    let stock = Stock::choose(cache, toolchain, flavour)?;
    let folder = stock.modules(cache, toolchain)?;
    let Some(file) = load::file_in(&folder, name)? else {
        return Ok(None);
    };
    if file.extension().is_some_and(|extension| extension == "ko") {
        return Ok(Some(file));
    }
    let ko = cache.place_for(&format!("stock/{}/ko/{name}.ko", stock.release))?;
    let output = toolchain.command("xz").arg("-dc").arg(&file).output()?;
    anyhow::ensure!(output.status.success(), "cannot unpack {}", file.display());
    cache::write_whole(&ko, &output.stdout)?;
    Ok(Some(ko))
}

/// Fetches packages, and unpacks them into a folder, which exists only when it is complete.
fn unpack(archive: &Archive, packages: &[String], root: &Path) -> Result<()> {
    let new = root.with_extension("new");
    cache::remove(&new)?;
    cache::remove(root)?;
    fs::create_dir_all(&new)?;
    archive.unpack(packages, &new)?;
    fs::rename(&new, root).context("cannot move the stock kernel to its place")
}

fn archive<'a>(cache: &'a Cache, toolchain: &'a Toolchain, arch: Arch) -> Result<Archive<'a>> {
    Archive::ask(
        cache,
        toolchain,
        arch,
        "stock kernel",
        cache.place_for("log/stock")?,
    )
}

/// The newest kernel. Its package only depends on the real one.
fn newest(archive: &Archive, arch: Arch) -> Result<Stock> {
    let package = format!("linux-image-{}", arch.words().debian);
    let offers = archive.versions(&package)?;
    let offer = offers.first().with_context(|| {
        format!("the archive has no {package}: check the network connection, then run the same command again")
    })?;
    let real = Regex::new(r"^linux-image-(\d.*)$")?;
    let release = offer.depends.iter().find_map(|name| real.captures(name));
    let release = release.with_context(|| format!("{package} names no kernel"))?;
    Ok(Stock {
        release: release[1].to_owned(),
        version: offer.version.clone(),
    })
}

fn of_release(archive: &Archive, release: &str) -> Result<Stock> {
    match archive
        .versions(&format!("linux-headers-{release}"))?
        .first()
    {
        Some(offer) => Ok(Stock {
            release: release.to_owned(),
            version: offer.version.clone(),
        }),
        None => Err(unknown(archive, release)?.into()),
    }
}

fn unknown(archive: &Archive, release: &str) -> Result<Diagnostic> {
    let mut offered: Vec<String> = archive
        .names("linux-headers-")?
        .iter()
        .filter_map(|name| name.strip_prefix("linux-headers-"))
        .filter(|name| is_stock(name))
        .map(str::to_owned)
        .collect();
    offered.sort();
    Ok(Diagnostic::new(format!(
        "there is no stock kernel {release} with headers in the archive"
    ))
    .note(format!(
        "KERNEL={release}; the archive has {}",
        offered.join(", ")
    ))
    .help("make run KERNEL=stock, which takes the newest one"))
}

/// The kernel image: in /boot, or beside the modules.
fn image(root: &Path, release: &str) -> Result<PathBuf> {
    let places = [
        format!("usr/lib/modules/{release}/vmlinuz"),
        format!("boot/vmlinuz-{release}"),
    ];
    let mut places = places.iter().map(|place| root.join(place));
    places
        .find(|place| place.is_file())
        .with_context(|| format!("no vmlinuz in {}", root.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_at_once_choose_once() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().to_owned())?;
        let busy = cache.lock("stock kernels")?;
        let asked = std::sync::atomic::AtomicU32::new(0);
        let choose = || {
            let nth = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Ok(Stock {
                release: "7.3.4+deb13-amd64".to_owned(),
                version: format!("7.3.4-{nth}"),
            })
        };
        let chosen = std::thread::scope(|scope| {
            let runs = [(); 2].map(|()| scope.spawn(|| Stock::remembered(&cache, NEWEST, choose)));
            // Both have found nothing, and wait for the lock.
            std::thread::sleep(std::time::Duration::from_millis(300));
            drop(busy);
            runs.map(|run| run.join().expect("no panic"))
        });
        let [first, second] = chosen;
        assert_eq!(first?, second?);
        assert_eq!(asked.into_inner(), 1);
        Ok(())
    }
}
