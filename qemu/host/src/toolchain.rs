//! The toolchain: a Debian 13 root folder in the cache, with everything to build a kernel and run it.
//!
//! One stable release whose parts fit together (rustc, bindgen, clang, gcc, QEMU), the same on every
//! host, without changing the host. The packages are only unpacked, not configured: that needs no
//! root, no subordinate user IDs, and a third of the time.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use crate::arch::Arch;
use crate::cache::{self, Cache, Lock};
use crate::packages::{packages, LINKS, MOUNT_POINTS, SUITE};
use crate::progress::{Job, Tick};
use crate::{mirrors, programs, sandbox, whole};

/// Bytes that the folder needs, including temporary downloads.
const SPACE: u64 = 3 << 30;

/// Bytes that a copy with more packages needs.
const SPACE_FOR_MORE: u64 = 1 << 30;

/// Programs whose versions decide whether a kernel has to be built again.
const COMPILERS: &[&str] = &[
    "rustc",
    "bindgen",
    "clang",
    "gcc",
    Arch::NATIVE.words().qemu,
];

/// The toolchain's root folder.
pub struct Toolchain {
    root: PathBuf,
    cache: PathBuf,
    name: String,
    recipe: String,
    programs: Vec<String>,
    in_use: Option<Lock>,
    /// The compilers' versions, a line each.
    pub versions: String,
}

impl Toolchain {
    /// Makes the folder, unless it exists and was made from the same list of packages.
    pub fn provide(cache: &Cache) -> Result<Self> {
        programs::provide()?;
        sandbox::enter().map_err(|said| {
            Diagnostic::new(sandbox::NO_NAMESPACES)
                .note(said)
                .help(sandbox::allow_namespaces())
        })?;
        let mut toolchain = Toolchain::at(cache);
        toolchain.root = cache.place_for(&format!("{}/root", toolchain.name))?;
        toolchain.in_use = Some(cache.share(&toolchain.name)?);
        let log = cache.place_for("log/toolchain")?;
        toolchain.provide_whole(cache, SPACE, |toolchain, new| {
            toolchain.unpack(&log, new)?;
            toolchain.remove_others(cache)
        })
    }

    /// The same with more packages, which `add` unpacks into a copy of the root folder: what another
    /// architecture needs. `programs` are some of theirs.
    pub fn with(
        self,
        cache: &Cache,
        packages: &[String],
        programs: &[&str],
        add: impl FnOnce(&Self, &Path) -> Result<()>,
    ) -> Result<Self> {
        let recipe = format!("{}{}\n", self.recipe, packages.join("\n"));
        let folder = format!("with-{}/root", cache::fingerprint(&recipe));
        let more = programs.iter().map(|&program| program.to_owned());
        let larger = Toolchain {
            root: self.root.with_file_name(folder),
            recipe,
            programs: self.programs.iter().cloned().chain(more).collect(),
            in_use: self.in_use,
            cache: self.cache.clone(),
            name: self.name.clone(),
            versions: String::new(),
        };
        let native = Toolchain {
            in_use: None,
            ..self
        };
        larger.provide_whole(cache, SPACE_FOR_MORE, |_, new| {
            // A second name for each file takes no space. dpkg replaces files, and changes none.
            let mut copy = sandbox::on_host("cp", &native.cache);
            let copied = copy.arg("-al").arg(&native.root).arg(new).status()?;
            anyhow::ensure!(copied.success(), "cannot copy the toolchain");
            add(&native, new)
        })
    }

    /// Makes the root folder, unless it was made from the same recipe, under another name, and renames it
    /// when it is complete.
    fn provide_whole(
        mut self,
        cache: &Cache,
        space: u64,
        make: impl FnOnce(&Self, &Path) -> Result<()>,
    ) -> Result<Self> {
        let folder = self.root.strip_prefix(cache.dir())?;
        let folder = folder.to_string_lossy().into_owned();
        if !self.is_whole() {
            let _lock = cache.lock("toolchain")?;
            if !self.is_whole() {
                cache.require_space(space, "the toolchain")?;
                let new = self.root.with_file_name("root.new");
                cache::remove(&new)?;
                cache::remove(&self.root)?;
                fs::create_dir_all(self.root.with_file_name(""))
                    .context("cannot make the toolchain's place")?;
                whole::forget(cache, &folder)?;
                make(&self, &new)?;
                fs::rename(&new, &self.root).context("cannot move the toolchain to its place")?;
                let stamp = self.recipe.clone() + &self.ask_versions()?;
                cache::write_whole(&self.stamp(), stamp.as_bytes())?;
            }
        }
        if let Some(program) = self.lost() {
            return Err(
                Diagnostic::new(format!("{program} is missing from the toolchain"))
                    .note(self.root.join("usr/bin").display().to_string())
                    .help(self.renewal())
                    .into(),
            );
        }
        whole::note(cache, &folder, &[&self.name])?;
        self.versions = self.read_versions().context("no versions")?;
        Ok(self)
    }

    /// The folder, if it exists; makes nothing.
    pub fn existing(cache: &Cache) -> Option<Self> {
        let toolchain = Toolchain::at(cache);
        let versions = toolchain.read_versions()?;
        Some(Toolchain {
            versions,
            ..toolchain
        })
    }

    /// Each recipe has its own folder, so that no run removes what another one uses.
    fn at(cache: &Cache) -> Self {
        let name = format!("toolchain/{}", cache::fingerprint(&recipe()));
        Toolchain {
            root: cache.dir().join(&name).join("root"),
            cache: cache.dir().to_owned(),
            versions: String::new(),
            name,
            recipe: recipe(),
            programs: COMPILERS.iter().map(|&name| name.to_owned()).collect(),
            in_use: None,
        }
    }

    /// The file with the recipe and the versions, written when the folder is complete.
    fn stamp(&self) -> PathBuf {
        self.root.with_file_name("recipe")
    }

    fn read_versions(&self) -> Option<String> {
        let stamp = fs::read_to_string(self.stamp()).ok()?;
        stamp.strip_prefix(&self.recipe).map(str::to_owned)
    }

    fn is_whole(&self) -> bool {
        self.read_versions().is_some()
    }

    /// A compiler, or QEMU, that is missing from the folder.
    pub fn lost(&self) -> Option<&str> {
        let folder = self.root.join("usr/bin");
        let mut programs = self.programs.iter().map(String::as_str);
        programs.find(|program| folder.join(program).symlink_metadata().is_err())
    }

    /// The command that makes the folder again.
    pub fn renewal(&self) -> String {
        format!(
            "rm -r {}, then make run as before, which makes it again",
            self.root.with_file_name("").display()
        )
    }

    /// Removes the folders of other recipes that are not in use.
    fn remove_others(&self, cache: &Cache) -> Result<()> {
        for entry in fs::read_dir(cache.place_for("toolchain/x")?.with_file_name(""))? {
            let entry = entry?;
            let name = format!("toolchain/{}", entry.file_name().to_string_lossy());
            if name != self.name && entry.file_type()?.is_dir() {
                if let Some(_lock) = cache.try_lock(&name) {
                    cache::remove(&entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// The cache's folder, which is visible to its commands.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The host's path of a file in the folder.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The host's path of a file that a command in the folder sees by this path. Links inside of the
    /// folder may be absolute.
    pub fn on_host(&self, path: &Path) -> Result<PathBuf> {
        let output = self.command("realpath").arg(path).output()?;
        let real = String::from_utf8_lossy(&output.stdout).into_owned();
        let real = real.trim_end().strip_prefix('/');
        let real = real.with_context(|| format!("not in the toolchain: {}", path.display()))?;
        Ok(self.root.join(real))
    }

    /// Unpacks Debian's packages there.
    fn unpack(&self, log: &Path, new: &Path) -> Result<()> {
        let options = mirrors::apt_options()?;
        let mut command = sandbox::on_host("mmdebstrap", &self.cache);
        command.args([
            "--mode=chrootless",
            "--variant=extract",
            "--format=directory",
        ]);
        mirrors::debian(&mut command, &options, packages(), new);
        Job {
            what: "toolchain: unpacking Debian 13 packages",
            log,
            steps: 0,
            tick: |_| Tick::None,
        }
        .run(&mut command)?;

        for (name, target) in LINKS {
            let link = new.join(name);
            if !link.exists() {
                std::os::unix::fs::symlink(target, &link)
                    .with_context(|| format!("cannot make {}", link.display()))?;
            }
        }
        for name in MOUNT_POINTS {
            fs::File::create(new.join(name))?;
        }
        Ok(())
    }

    fn ask_versions(&self) -> Result<String> {
        let mut versions = String::new();
        for program in &self.programs {
            let output = self.command(program).arg("--version").output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if !output.status.success() || text.is_empty() {
                return Err(
                    Diagnostic::new(format!("{program} does not run in the toolchain"))
                        .note(String::from_utf8_lossy(&output.stderr))
                        .help(format!("delete {} and try again", self.root.display()))
                        .into(),
                );
            }
            versions.push_str(text.lines().next().unwrap_or_default());
            versions.push('\n');
        }
        Ok(versions)
    }

    /// A command that runs in the folder. It sees the cache at its usual path, and of the host only
    /// devices and network. It ends with the lab, and so does everything that it starts.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.command_in(&self.cache, &[], program)
    }

    /// The same, started in `dir`, with more folders of the host that it may read and write.
    pub fn command_in(&self, dir: &Path, folders: &[&Path], program: impl AsRef<OsStr>) -> Command {
        let writable = [&[self.cache.as_path()], folders].concat();
        let mut command = sandbox::of_toolchain(&self.root, &writable);
        command.arg("--chdir").arg(dir).arg("--").arg(program);
        command
    }

    /// A command that runs the user's Makefile in `dir`. It can write there alone, and read the cache and
    /// a kernel's source.
    pub fn build_in(&self, dir: &Path, source: &Path, program: impl AsRef<OsStr>) -> Command {
        let mut command = sandbox::of_build(&self.root, &[&self.cache, source], dir);
        command.arg(program);
        command
    }

    /// The toolchain's own apt, started in `dir`, with its lists and archives in the cache.
    pub fn apt(&self, dir: &Path, program: &str) -> Result<Command> {
        let lists = self.cache.join("apt/lists");
        let archives = self.cache.join("apt/archives");
        for folder in [&lists, &archives] {
            fs::create_dir_all(folder.join("partial"))
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut command = self.command_in(dir, &[], program);
        command
            .arg("-o")
            .arg(format!("Dir::State::Lists={}", lists.display()))
            .arg("-o")
            .arg(format!("Dir::Cache={}", self.cache.join("apt").display()))
            // The sandbox has one user: apt must not switch to another for downloads.
            .args(["-o", "APT::Sandbox::User="]);
        Ok(command)
    }
}

/// What the folder is made from; each recipe has its own folder.
fn recipe() -> String {
    format!(
        "{SUITE}\n{}\n{LINKS:?}\n{MOUNT_POINTS:?}\n",
        packages().collect::<Vec<_>>().join("\n")
    )
}
