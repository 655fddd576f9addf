//! Kernel sources: from the Debian archive through the toolchain's apt, or the user's own tree.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::arch::Arch;
use host::cache::{self, Cache};
use host::toolchain::Toolchain;
use host::whole;

use crate::kernel::archive::{version_of, Archive};

/// Bytes that an unpacked source and its archives take.
const SPACE: u64 = 3 << 30;

/// An unpacked kernel source.
pub struct Source {
    /// Its folder.
    pub dir: PathBuf,
    /// Debian's version of it, or the folder's name for a user's own.
    pub version: String,
    /// Whether it is the user's own tree, which may change.
    pub foreign: bool,
}

impl Source {
    /// The user's own tree.
    pub fn foreign(dir: &Path) -> Result<Self> {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let error = |what: &str| {
            Diagnostic::new(what)
                .note(format!("KSRC={}", dir.display()))
                .help("KSRC=/path/to/a/kernel/source, or leave KSRC out for Debian's")
        };
        if !dir.join("Kconfig").is_file() || !dir.join("rust/Makefile").is_file() {
            return Err(error("not a kernel source with Rust").into());
        }
        if dir.join(".config").is_file() || dir.join("include/config").is_dir() {
            return Err(Diagnostic::new(
                "this kernel source is configured in place, so it cannot be built in another folder",
            )
            .note(format!("{}/.config", dir.display()))
            .help(format!(
                "build it there and use KDIR={0}, or clean it: make -C {0} mrproper",
                dir.display()
            ))
            .into());
        }
        Ok(Source {
            version: dir.display().to_string(),
            dir,
            foreign: true,
        })
    }

    /// Debian's source of a kernel series such as `7.3`, fetched once.
    pub fn debian(cache: &Cache, toolchain: &Toolchain, series: &str) -> Result<Self> {
        Source::kept(cache, toolchain, series, None)
    }

    /// The source of exactly this version of a Debian kernel.
    pub fn exactly(cache: &Cache, toolchain: &Toolchain, version: &str) -> Result<Self> {
        let series = series_of(version);
        let newest = cache.place_for(&format!("source/linux-{series}.version"))?;
        // Usually the one that the lab's own kernels are built from.
        if !newest.is_file() || cache::holds(&newest, version) {
            Source::kept(cache, toolchain, &series, Some(version))
        } else {
            Source::kept(cache, toolchain, version, Some(version))
        }
    }

    fn kept(
        cache: &Cache,
        toolchain: &Toolchain,
        name: &str,
        version: Option<&str>,
    ) -> Result<Self> {
        let dir = cache.place_for(&format!("source/linux-{name}"))?;
        let stamp = dir.with_file_name(format!("linux-{name}.version"));
        let place = format!("source/linux-{name}");

        if !stamp.is_file() {
            let _lock = cache.lock("kernel source")?;
            if !stamp.is_file() {
                cache.require_space(SPACE, "the kernel source")?;
                whole::forget(cache, &place)?;
                let version = fetch(cache, toolchain, name, version, &dir)?;
                cache::write_whole(&stamp, version.as_bytes())?;
            }
        }
        whole::note(cache, &place, &[&place, &format!("{place}.version")])?;
        Ok(Source {
            version: fs::read_to_string(&stamp).context("cannot read the source's version")?,
            dir,
            foreign: false,
        })
    }
}

/// `7.3.4-1~bpo13+1` is of the series `7.3`.
fn series_of(version: &str) -> String {
    let upstream = version.split(['-', '~']).next().unwrap_or_default();
    let numbers: Vec<&str> = upstream.split('.').take(2).collect();
    numbers.join(".")
}

/// Fetches and unpacks a source, the newest or exactly this version; returns its version.
fn fetch(
    cache: &Cache,
    toolchain: &Toolchain,
    name: &str,
    version: Option<&str>,
    dir: &Path,
) -> Result<String> {
    let log = cache.place_for("log/source")?;
    let archive = Archive::ask(cache, toolchain, Arch::NATIVE, "kernel source", log)?;
    let series = version.map_or_else(|| name.to_owned(), series_of);
    let offered = offered(&archive)?;
    if !offered.contains(&series) {
        return Err(unknown(&series, &offered).into());
    }
    let package = format!("linux-source-{series}");
    if let Some(version) = version {
        must_have(&archive, &package, version)?;
    }
    let wanted = version.map_or_else(|| package.clone(), |it| format!("{package}={it}"));
    let downloads = archive.fetch(&[wanted])?;
    let files = downloads.files()?;
    let file = files.first().context("apt fetched nothing")?;

    let new = dir.with_file_name(format!("linux-{name}.new"));
    cache::remove(&new)?;
    cache::remove(dir)?;
    fs::create_dir_all(&new)?;
    let unpack = format!(
        "set -o pipefail; dpkg-deb --fsys-tarfile {} | tar -xO ./usr/src/{package}.tar.xz | \
         xz -dc -T0 | tar -x --strip-components=1 -C {}",
        file.display(),
        new.display()
    );
    archive.run("unpacking", toolchain.command("bash").args(["-c", &unpack]))?;
    fs::rename(&new, dir).context("cannot move the kernel source to its place")?;
    let version = version_of(file);
    downloads.remove()?;
    Ok(version)
}

/// The kernel series in the archive, newest last.
fn offered(archive: &Archive) -> Result<Vec<String>> {
    let mut series: Vec<String> = archive
        .names("linux-source-")?
        .iter()
        .filter_map(|name| name.strip_prefix("linux-source-"))
        .map(str::to_owned)
        .collect();
    series.sort_by_key(|name| {
        name.split('.')
            .filter_map(|part| part.parse().ok())
            .collect::<Vec<u32>>()
    });
    Ok(series)
}

fn unknown(series: &str, offered: &[String]) -> Diagnostic {
    let error = Diagnostic::new(format!("there is no kernel {series} in the archive")).note(
        format!("KERNEL={series}; the archive has {}", offered.join(", ")),
    );
    match offered.last() {
        Some(newest) => error.help(format!("make run KERNEL={newest}")),
        None => error.help("check the network connection, then run the same command again"),
    }
}

/// The archive drops a source when there is a newer one, even if its kernel is still in use.
fn must_have(archive: &Archive, package: &str, version: &str) -> Result<()> {
    let offered = archive.versions(package)?;
    if offered.iter().any(|offer| offer.version == version) {
        Ok(())
    } else {
        Err(archive.gone(package, version, &offered).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_version() {
        assert_eq!(series_of("7.3.4-1~bpo13+1"), "7.3");
        assert_eq!(series_of("6.12.117-1"), "6.12");
        assert_eq!(series_of("7.3-1~exp1"), "7.3");
        assert_eq!(series_of("7.4~rc1-1~exp1"), "7.4");
    }
}
