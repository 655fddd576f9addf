//! Kernel headers to be spoilt, and `tools/stock/rust-metadata` at work on them.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{ensure, Context, Result};
use lab::commands::lab::Lab;
use lab::host::cache;
use rustix::process::{getpgid, Pid};
use tempfile::TempDir;

use crate::support::world::{succeed, World};
use lab::host::project::project;

/// The headers of a kernel as links in a folder of their own, to be spoilt, and room for the rest.
pub struct Ground {
    /// With the kernel.
    pub lab: Rc<Lab>,
    folder: TempDir,
    /// Its release, as `uname -r` prints it.
    pub release: String,
}

impl Ground {
    /// The stock kernel's.
    pub fn of_stock(world: &World) -> Result<Self> {
        let lab = world.lab()?;
        let release = lab.kernel.flavour.series.clone();
        let ground = Ground::new(world, lab, release)?;
        let packages = ground.lab.cache.dir().join("stock").join(&ground.release);
        let (from, to) = (packages.join("root/usr"), ground.path("root/usr"));
        let name = format!("linux-headers-{}", ground.release);
        fs::create_dir_all(to.join("src"))?;
        symlink(from.join("lib"), to.join("lib"))?;
        for entry in fs::read_dir(from.join("src"))?.flatten() {
            if entry.file_name() != *name {
                symlink(entry.path(), to.join("src").join(entry.file_name()))?;
            }
        }
        let own = [".kernelvariables", "Makefile"];
        ground.link(&from.join("src").join(name), &own)?;
        Ok(ground)
    }

    /// Those of a kernel of the lab, laid out as Debian does.
    pub fn of_lab(world: &World) -> Result<Self> {
        let lab = world.lab()?;
        let release = lab.kernel.release()?;
        let ground = Ground::new(world, lab, release)?;
        let (kernel, source) = (&ground.lab.kernel.dir, &ground.lab.kernel.source.dir);

        let common = ground.path("root/common");
        fs::create_dir_all(&common)?;
        for name in ["Makefile", "arch", "include", "tools"] {
            symlink(source.join(name), common.join(name))?;
        }
        links(&source.join("scripts"), &common.join("scripts"))?;
        links(&kernel.join("scripts"), &common.join("scripts"))?;
        let headers = ground.headers();
        fs::create_dir_all(&headers)?;
        for name in [
            ".config",
            "Module.symvers",
            "arch",
            "include",
            "scripts",
            "tools",
        ] {
            links(&kernel.join(name), &headers.join(name))?;
        }
        fs::write(headers.join("Makefile"), "include /common/Makefile\n")?;
        fs::write(headers.join(".kernelvariables"), "CC = gcc\n")?;
        let id = format!(
            "#define LINUX_PACKAGE_ID \" Debian {}\"\n",
            ground.lab.kernel.source.version
        );
        fs::write(headers.join("include/generated/package.h"), id)?;
        Ok(ground)
    }

    pub fn new(world: &World, lab: Rc<Lab>, release: String) -> Result<Self> {
        let folder = cache::scratch_in(&world.cache()?.dir().join("metadata-tests"))?;
        Ok(Ground {
            lab,
            folder,
            release,
        })
    }

    /// Lays out the headers' own folder; the parts that tests change consist of links to files.
    pub fn link(&self, from: &Path, own: &[&str]) -> Result<()> {
        let headers = self.headers();
        fs::create_dir_all(headers.join("include/config"))?;
        for name in ["scripts", "tools"] {
            symlink(from.join(name), headers.join(name))?;
        }
        let all = [
            ".config",
            "Module.symvers",
            "arch",
            "include/config/auto.conf",
            "include/generated",
        ];
        for name in all.iter().chain(own) {
            links(&from.join(name), &headers.join(name))?;
        }
        Ok(())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn headers(&self) -> PathBuf {
        self.path("root/usr/src")
            .join(format!("linux-headers-{}", self.release))
    }

    pub fn kdir(&self) -> PathBuf {
        self.path("into").join(&self.release).join("build")
    }

    /// The tool, before its words.
    pub fn tool(&self) -> Command {
        let path = format!("PATH={}:/usr/bin:/usr/sbin", self.path("bin").display());
        let project = project();
        let dir = self.lab.cache.dir();
        let mut tool = self.lab.toolchain.command_in(dir, &[&project], "env");
        // A process group of its own that Ctrl-C ends, as a terminal gives it.
        tool.args(["--default-signal=INT", &path, "setsid", "--wait", "sh"]);
        tool.arg(project.join("tools/stock/rust-metadata"));
        tool.arg("--root").arg(self.path("root"));
        tool.arg("--into").arg(self.path("into"));
        tool.stdin(Stdio::null());
        tool
    }

    /// The tool with the kernel's own source.
    pub fn make(&self) -> Command {
        let mut tool = self.tool();
        tool.arg("--source")
            .arg(&self.lab.kernel.source.dir)
            .arg(&self.release);
        tool
    }

    /// The process group of the tool, while it runs.
    pub fn group(&self) -> Result<Pid> {
        let root = self.path("root").display().to_string();
        for entry in fs::read_dir("/proc")?.flatten() {
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).into_owned();
            let pid = entry.file_name().to_string_lossy().parse().ok();
            if words.starts_with("sh\0") && words.contains(&root) {
                let pid = pid
                    .and_then(Pid::from_raw)
                    .context("a process without a number")?;
                return Ok(getpgid(Some(pid))?);
            }
        }
        anyhow::bail!("the tool does not run")
    }

    pub fn is_empty(&self) -> Result<bool> {
        let into = self.path("into");
        Ok(!into.is_dir()
            || fs::read_dir(into)?.flatten().all(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "lock")
            }))
    }

    /// Replaces the first such text in a file of its own.
    pub fn change(&self, file: &str, old: &str, new: &str) -> Result<()> {
        let file = self.headers().join(file);
        let text = fs::read_to_string(&file)?;
        ensure!(text.contains(old), "no {old:?} in {}", file.display());
        fs::remove_file(&file)?;
        fs::write(&file, text.replacen(old, new, 1))?;
        Ok(())
    }

    /// A program that says this, before all others of its name.
    pub fn program(&self, name: &str, says: &str) -> Result<()> {
        // The real one still answers all other questions.
        self.script(
            name,
            &format!("case $*: in --version: | -Pk*) echo '{says}' ;; *) exec /usr/bin/{name} \"$@\" ;; esac"),
        )
    }

    /// A program that does this, before all others of its name.
    pub fn script(&self, name: &str, does: &str) -> Result<()> {
        fs::create_dir_all(self.path("bin"))?;
        let program = self.path("bin").join(name);
        fs::write(&program, format!("#!/bin/sh\n{does}\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// A package linux-source of this version, cut off after so many bytes.
    pub fn package(&self, version: &str, bytes: usize) -> Result<()> {
        let series: Vec<&str> = self.release.split('.').take(2).collect();
        let name = format!("linux-source-{}", series.join("."));
        let tree = self.path("tree");
        fs::create_dir_all(tree.join("DEBIAN"))?;
        fs::write(
            tree.join("DEBIAN/control"),
            format!("Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x\nDescription: x\n"),
        )?;
        let package = self.path("PACKAGE");
        succeed(
            self.lab
                .toolchain
                .command("dpkg-deb")
                .arg("-b")
                .args([&tree, &package]),
        )?;
        let content = fs::read(&package)?;
        fs::write(&package, &content[..bytes.min(content.len())])?;
        Ok(())
    }
}

/// Copies a folder, or a file, as links to its files.
fn links(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    // -T: a folder that is there is filled.
    succeed(Command::new("cp").args(["-asfT"]).args([from, to])).map(drop)
}
