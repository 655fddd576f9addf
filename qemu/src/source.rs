//! Kernel sources: from the Debian archive through the toolchain's apt, or the user's own tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use trouble::Trouble;

use crate::cache::{self, Cache};
use crate::progress::{Job, Tick};
use crate::toolchain::{self, Toolchain};

/// Bytes that an unpacked source and its archives take.
const SPACE: u64 = 3 << 30;

/// An unpacked kernel source.
pub struct Source {
    /// Its folder.
    pub dir: PathBuf,
    /// Debian's version of it, or the folder's name for a user's own.
    pub version: String,
    /// Whether the tree is the user's, who may edit it.
    pub foreign: bool,
}

impl Source {
    /// A tree of the user's.
    pub fn foreign(dir: &Path) -> Result<Self> {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        let trouble = |what: &str| {
            Trouble::new(what)
                .seen(format!("KSRC={}", dir.display()))
                .mend("KSRC=/path/to/a/kernel/source, or leave KSRC out for Debian's")
        };
        if !dir.join("Kconfig").is_file() || !dir.join("rust/Makefile").is_file() {
            return Err(trouble("this is no kernel source with Rust in it").into());
        }
        if dir.join(".config").is_file() || dir.join("include/config").is_dir() {
            return Err(Trouble::new(
                "this kernel source was configured in place, and cannot be built elsewhere",
            )
            .seen(format!("{}/.config", dir.display()))
            .mend(format!(
                "build it yourself and use KDIR={0}, or clean it: make -C {0} mrproper",
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

    /// Debian's source of a kernel series such as `7.3`: fetched once, then kept.
    pub fn debian(cache: &Cache, toolchain: &Toolchain, series: &str) -> Result<Self> {
        let dir = cache.place_for(&format!("source/linux-{series}"))?;
        let stamp = dir.with_file_name(format!("linux-{series}.version"));

        if !stamp.is_file() {
            let _lock = cache.lock("kernel source")?;
            if !stamp.is_file() {
                cache.require_space(SPACE, "the kernel source")?;
                let version = fetch(cache, toolchain, series, &dir)?;
                cache::write_whole(&stamp, version.as_bytes())?;
            }
        }
        Ok(Source {
            version: fs::read_to_string(&stamp).context("cannot read the source's version")?,
            dir,
            foreign: false,
        })
    }
}

/// Fetches and unpacks a source; returns its version.
fn fetch(cache: &Cache, toolchain: &Toolchain, series: &str, dir: &Path) -> Result<String> {
    let package = format!("linux-source-{series}");
    let log = cache.place_for("log/source")?;
    let run = |what: &str, command: &mut Command| {
        Job {
            what,
            log: &log,
            steps: 0,
            tick: percent,
        }
        .run(command)
    };
    let downloads = cache.place_for("apt/downloads")?;
    toolchain::remove(&downloads)?;
    fs::create_dir_all(&downloads)?;
    let apt = |program| toolchain.apt(&downloads, program);

    run(
        "kernel source: asking the archive",
        apt("apt-get")?.args(["-q", "update"]),
    )?;
    let offered = offered(apt("apt-cache")?)?;
    if !offered.iter().any(|offer| offer == series) {
        return Err(unknown(series, &offered).into());
    }
    run(
        &format!("kernel source: fetching {package}"),
        apt("apt-get")?.args(["-q", "-o", "APT::Status-Fd=1", "download", &package]),
    )?;

    let archive = single_file(&downloads)?;
    let version = archive_version(&archive);
    let new = dir.with_file_name(format!("linux-{series}.new"));
    toolchain::remove(&new)?;
    toolchain::remove(dir)?;
    fs::create_dir_all(&new)?;
    let unpack = format!(
        "set -o pipefail; dpkg-deb --fsys-tarfile {} | tar -xO ./usr/src/{package}.tar.xz | \
         xz -dc -T0 | tar -x --strip-components=1 -C {}",
        archive.display(),
        new.display()
    );
    run(
        "kernel source: unpacking",
        toolchain.command("bash").args(["-c", &unpack]),
    )?;
    fs::rename(&new, dir).context("cannot move the kernel source to its place")?;
    toolchain::remove(&downloads)?;
    Ok(version)
}

/// apt's `APT::Status-Fd`: `dlstatus:1:42.5:...`.
fn percent(line: &str) -> Tick {
    line.strip_prefix("dlstatus:")
        .and_then(|rest| rest.split(':').nth(1))
        .and_then(|number| number.parse().ok())
        .map_or(Tick::None, Tick::Percent)
}

/// The kernel series that the archive has today, newest last.
fn offered(mut apt_cache: Command) -> Result<Vec<String>> {
    let output = apt_cache
        .args(["pkgnames", "linux-source-"])
        .output()
        .context("cannot ask apt for kernel sources")?;
    let mut series: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
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

fn unknown(series: &str, offered: &[String]) -> Trouble {
    let trouble = Trouble::new(format!("there is no kernel {series} in the archive")).seen(
        format!("KERNEL={series}; the archive has {}", offered.join(", ")),
    );
    match offered.last() {
        Some(newest) => trouble.mend(format!("make run KERNEL={newest}")),
        None => trouble.mend("check the network connection, then run the same command again"),
    }
}

fn single_file(folder: &Path) -> Result<PathBuf> {
    let first = fs::read_dir(folder)?
        .next()
        .context("apt fetched nothing")??;
    Ok(first.path())
}

/// `linux-source-7.3_7.3.4-1~bpo13+1_all.deb` is version `7.3.4-1~bpo13+1`.
fn archive_version(archive: &Path) -> String {
    let name = archive
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .replace("%3a", ":");
    name.split('_').nth(1).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_an_archive() {
        let archive = Path::new("/x/linux-source-7.3_7.3.4-1~bpo13+1_all.deb");
        assert_eq!(archive_version(archive), "7.3.4-1~bpo13+1");
    }

    #[test]
    fn percent_of_apt() {
        assert!(
            matches!(percent("dlstatus:1:42.5:Retrieving file"), Tick::Percent(p) if p == 42.5)
        );
        assert!(matches!(percent("Get:1 linux-source"), Tick::None));
    }
}
