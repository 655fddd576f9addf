//! Debian's archive, asked by the toolchain's own apt: what it has today, and packages from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::arch::Arch;
use host::cache::{self, Cache};
use host::progress::{Job, Tick};
use host::toolchain::Toolchain;
use tempfile::TempDir;

/// The part of the cache that apt updates for one run at a time, and reads for many. Callers hold
/// locks of other parts, so this lock is the innermost: nothing else is locked under it.
const LISTS: &str = "package lists";

/// The archive, as it is today.
pub struct Archive<'a> {
    cache: &'a Cache,
    toolchain: &'a Toolchain,
    /// What the packages are for; errors and progress name it.
    purpose: String,
    /// Whose packages it offers, besides those of this host.
    arch: Arch,
    log: PathBuf,
}

/// What the archive says of a version of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its version.
    pub version: String,
    /// The packages it depends on, the first of each choice, without versions.
    pub depends: Vec<String>,
}

impl<'a> Archive<'a> {
    /// Asks the archive what it has for this host and for an architecture.
    pub fn ask(
        cache: &'a Cache,
        toolchain: &'a Toolchain,
        arch: Arch,
        purpose: &str,
        log: PathBuf,
    ) -> Result<Self> {
        let archive = Archive {
            cache,
            toolchain,
            purpose: purpose.to_owned(),
            arch,
            log,
        };
        archive.update()?;
        Ok(archive)
    }

    /// A second apt would not wait for the first, but fail.
    fn update(&self) -> Result<()> {
        let _lock = self.cache.lock(LISTS)?;
        self.run(
            "asking the archive",
            self.apt("apt-get")?.args(["-q", "update"]),
        )
    }

    /// The packages whose names start so, in no order.
    pub fn names(&self, start: &str) -> Result<Vec<String>> {
        let text = self.answer(&["pkgnames", start])?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The versions of a package, the newest first; none if there is no such package.
    pub fn versions(&self, package: &str) -> Result<Vec<Package>> {
        Ok(stanzas(&self.answer(&["show", package])?))
    }

    /// The error for a version that the archive had once, when a stock kernel was chosen.
    pub fn gone(&self, package: &str, version: &str, offered: &[Package]) -> Diagnostic {
        let offered: Vec<&str> = offered.iter().map(|offer| offer.version.as_str()).collect();
        Diagnostic::new(format!("the archive no longer has {package} {version}"))
            .note(format!("it has {}", offered.join(", ")))
            .help(format!(
                "rm -r {}/stock, then make run KERNEL=stock, which takes today's newest kernel",
                self.cache.dir().display()
            ))
    }

    /// Fetches packages, each by its name or `name=version`, to a folder of their own.
    pub fn fetch(&self, packages: &[String]) -> Result<Downloads> {
        let downloads = Downloads::none(self.cache)?;
        let names: Vec<&str> = packages
            .iter()
            .map(|package| package.split('=').next().unwrap_or(package))
            .collect();
        let _lists = self.cache.share(LISTS)?;
        self.run(
            &format!("fetching {}", names.join(", ")),
            self.apt_in(downloads.folder.path(), "apt-get")?
                .args(["-q", "-o", "APT::Status-Fd=1", "download"])
                .args(packages),
        )?;
        Ok(downloads)
    }

    /// Runs a step of what the packages are for.
    pub fn run(&self, step: &str, command: &mut Command) -> Result<()> {
        Job {
            what: &format!("{}: {step}", self.purpose),
            log: &self.log,
            steps: 0,
            tick: percent,
        }
        .run(command)
    }

    /// Fetches packages, and unpacks them into a folder.
    pub fn unpack(&self, packages: &[String], folder: &Path) -> Result<()> {
        let downloads = self.fetch(packages)?;
        for package in downloads.files()? {
            let mut unpack = self.toolchain.command("dpkg-deb");
            self.run("unpacking", unpack.arg("-x").args([&package, folder]))?;
        }
        downloads.remove()
    }

    fn apt(&self, program: &str) -> Result<Command> {
        self.apt_in(self.cache.dir(), program)
    }

    /// apt forgets the lists of architectures that it is not asked for: they have a folder of their own.
    fn apt_in(&self, folder: &Path, program: &str) -> Result<Command> {
        let mut apt = self.toolchain.apt(folder, program)?;
        if self.arch.is_foreign() {
            let lists = format!("apt/lists-{}", self.arch.words().debian);
            let lists = self.cache.place_for(&format!("{lists}/partial"))?;
            fs::create_dir_all(&lists)?;
            apt.arg("-o").arg(format!(
                "Dir::State::Lists={}",
                lists.with_file_name("").display()
            ));
            for arch in [Arch::NATIVE, self.arch] {
                let name = arch.words().debian;
                apt.args(["-o", &format!("APT::Architectures::={name}")]);
            }
        }
        Ok(apt)
    }

    fn answer(&self, words: &[&str]) -> Result<String> {
        let _lists = self.cache.share(LISTS)?;
        let output = self
            .apt("apt-cache")?
            .args(words)
            .output()
            .context("cannot ask apt what the archive has")?;
        // Of a package that is not there it says so on stderr.
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Packages that were fetched; gone when dropped.
pub struct Downloads {
    folder: TempDir,
}

impl Downloads {
    /// A folder for one fetch: another run may fetch at the same time, for another part of the cache.
    fn none(cache: &Cache) -> Result<Self> {
        let folder = cache::scratch_in(&cache.place_for("apt/downloads")?)?;
        Ok(Downloads { folder })
    }

    /// Their files.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            files.push(entry?.path());
        }
        anyhow::ensure!(!files.is_empty(), "apt fetched nothing");
        Ok(files)
    }

    /// They are no longer needed.
    pub fn remove(self) -> Result<()> {
        let place = self.folder.path().to_owned();
        let removed = self.folder.close();
        removed.with_context(|| format!("cannot remove {}", place.display()))
    }
}

/// `linux-source-7.3_7.3.4-1~bpo13+1_all.deb` is version `7.3.4-1~bpo13+1`.
pub fn version_of(file: &Path) -> String {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .replace("%3a", ":");
    name.split('_').nth(1).unwrap_or("unknown").to_owned()
}

/// apt's `APT::Status-Fd`: `dlstatus:1:42.5:...`.
fn percent(line: &str) -> Tick {
    line.strip_prefix("dlstatus:")
        .and_then(|rest| rest.split(':').nth(1))
        .and_then(|number| number.parse().ok())
        .map_or(Tick::None, Tick::Percent)
}

/// What `apt-cache show` says, in its order.
fn stanzas(text: &str) -> Vec<Package> {
    text.split("\n\n")
        .filter_map(|stanza| {
            let field = |name: &str| {
                stanza
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            let depends = field("Depends").unwrap_or_default().split(", ");
            Some(Package {
                version: field("Version")?.to_owned(),
                depends: depends
                    .filter_map(|choice| choice.split_whitespace().next())
                    .map(str::to_owned)
                    .collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fetches_do_not_share_a_folder() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().to_owned())?;
        let first = Downloads::none(&cache)?;
        fs::write(first.folder.path().join("a.deb"), "a")?;
        let second = Downloads::none(&cache)?;
        fs::write(second.folder.path().join("b.deb"), "b")?;

        let file = |downloads: &Downloads, name| downloads.folder.path().join(name);
        assert_eq!(first.files()?, [file(&first, "a.deb")]);
        assert_eq!(second.files()?, [file(&second, "b.deb")]);
        let gone = first.folder.path().to_owned();
        first.remove()?;
        assert!(!gone.exists());
        assert_eq!(second.files()?, [file(&second, "b.deb")]);
        Ok(())
    }

    #[test]
    fn version_of_an_archive() {
        let file = Path::new("/x/linux-source-7.3_7.3.4-1~bpo13+1_all.deb");
        assert_eq!(version_of(file), "7.3.4-1~bpo13+1");
    }

    #[test]
    fn percent_of_apt() {
        assert!(
            matches!(percent("dlstatus:1:42.5:Retrieving file"), Tick::Percent(p) if p == 42.5)
        );
        assert!(matches!(percent("Get:1 linux-source"), Tick::None));
    }

    #[test]
    fn what_apt_shows() {
        let text = "Package: a\nVersion: 2-1\nDepends: b | c (>= 1), d (= 2-1), e\n\n\
                    Package: a\nVersion: 1-1\n";
        let package = |version: &str, depends: &[&str]| Package {
            version: version.to_owned(),
            depends: depends.iter().map(|name| name.to_string()).collect(),
        };
        assert_eq!(
            stanzas(text),
            [package("2-1", &["b", "d", "e"]), package("1-1", &[])]
        );
        assert_eq!(stanzas(""), []);
    }
}
