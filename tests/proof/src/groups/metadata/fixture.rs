//! A copy of kernel headers that tests can modify, and `tools/stock/rust-metadata` to run on it.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use anyhow::{ensure, Context, Result};
use host::cache;
use host::project::project;
use lab::commands::lab::Lab;
use rustix::process::{getpgid, Pid};
use tempfile::TempDir;

use crate::support::context::{succeed, TestContext};

/// The headers of a kernel as links in a temporary folder.
pub struct Fixture {
    /// The lab with that kernel.
    pub lab: Rc<Lab>,
    folder: TempDir,
    headers: PathBuf,
    /// How the tool is told which kernel it is for: by its release, or by its headers.
    of_kernel: Vec<String>,
    /// Its release, as `uname -r` prints it.
    pub release: String,
}

/// Where packages put a kernel's headers and its configuration.
#[derive(Clone, Copy)]
pub enum Packages {
    /// Those of `make bindeb-pkg`.
    Debian,
    /// Those of Arch Linux.
    Arch,
}

impl Packages {
    fn places(self, release: &str) -> (String, String) {
        let arch = format!("root/usr/lib/modules/{release}/build");
        match self {
            Packages::Debian => (
                format!("root/usr/src/linux-headers-{release}"),
                format!("root/boot/config-{release}"),
            ),
            Packages::Arch => (arch.clone(), arch + "/.config"),
        }
    }
}

impl Fixture {
    /// The headers of the stock kernel.
    pub fn of_stock(context: &TestContext) -> Result<Self> {
        let lab = context.lab()?;
        let release = lab.kernel.flavour.series.clone();
        let fixture = Fixture::new(context, lab, release)?;
        let packages = fixture.lab.cache.dir().join("stock").join(&fixture.release);
        let (from, to) = (packages.join("root/usr"), fixture.path("root/usr"));
        let name = format!("linux-headers-{}", fixture.release);
        fs::create_dir_all(to.join("src"))?;
        symlink(from.join("lib"), to.join("lib"))?;
        for entry in fs::read_dir(from.join("src"))?.flatten() {
            if entry.file_name() != *name {
                symlink(entry.path(), to.join("src").join(entry.file_name()))?;
            }
        }
        let own = [".kernelvariables", "Makefile"];
        fixture.link(&from.join("src").join(name), &own)?;
        Ok(fixture)
    }

    /// The headers of a kernel of the lab, made by the kernel's own script for packages.
    pub fn of_lab(context: &TestContext, packages: Packages) -> Result<Self> {
        let lab = context.lab()?;
        let release = lab.kernel.release()?;
        let mut fixture = Fixture::new(context, lab, release)?;
        let (headers, config) = packages.places(&fixture.release);
        fixture.headers = fixture.path(&headers);
        if matches!(packages, Packages::Arch) {
            fixture.of_kernel = vec!["--headers".into(), fixture.headers.display().to_string()];
        }
        let kernel = &fixture.lab.kernel;
        let script = kernel
            .source
            .dir
            .join("scripts/package/install-extmod-build");
        let run = format!("{} {}", script.display(), fixture.headers.display());
        let run = format!("KBUILD_RUN_COMMAND={run}");
        let mut make = kernel.make(&fixture.lab.toolchain);
        succeed(make.args(["-s", "run-command", &run]))?;
        let config = fixture.path(&config);
        fs::create_dir_all(config.with_file_name(""))?;
        fs::copy(kernel.dir.join(".config"), config)?;
        Ok(fixture)
    }

    pub fn new(context: &TestContext, lab: Rc<Lab>, release: String) -> Result<Self> {
        let folder = cache::scratch_in(&context.cache()?.dir().join("metadata-tests"))?;
        let headers = format!("root/usr/src/linux-headers-{release}");
        Ok(Fixture {
            lab,
            headers: folder.path().join(headers),
            of_kernel: vec![release.clone()],
            folder,
            release,
        })
    }

    /// Lays out the headers; in the parts that tests modify, each file is a link of its own.
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
            "include/config/kernel.release",
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

    pub fn headers(&self) -> &Path {
        &self.headers
    }

    pub fn kdir(&self) -> PathBuf {
        self.path("into").join(&self.release).join("build")
    }

    /// The tool, without its last arguments.
    pub fn tool(&self) -> Command {
        let path = format!("PATH={}:/usr/bin:/usr/sbin", self.path("bin").display());
        let project = project();
        let dir = self.lab.cache.dir();
        let mut tool = self.lab.toolchain.command_in(dir, &[&project], "env");
        // A process group of its own, in which SIGINT has its default action, as in a terminal.
        tool.args(["--default-signal=INT", &path, "setsid", "--wait", "sh"]);
        tool.arg(project.join("tools/stock/rust-metadata"));
        tool.arg("--root").arg(self.path("root"));
        tool.arg("--into").arg(self.path("into"));
        tool.stdin(Stdio::null());
        tool
    }

    /// The tool with the kernel's own source as `--source`.
    pub fn make(&self) -> Command {
        let mut tool = self.tool();
        tool.arg("--source")
            .arg(&self.lab.kernel.source.dir)
            .args(&self.of_kernel);
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

    /// What `make` in the kernel's source leaves there.
    pub fn configured_source(&self) -> Result<PathBuf> {
        let folder = self.path("configured");
        fs::create_dir(&folder)?;
        fs::copy(
            self.lab.kernel.source.dir.join("Makefile"),
            folder.join("Makefile"),
        )?;
        fs::write(folder.join(".config"), "")?;
        Ok(folder)
    }

    /// Replaces the first such text, and the link by a file.
    pub fn change(&self, file: &str, old: &str, new: &str) -> Result<()> {
        let file = self.headers().join(file);
        let text = fs::read_to_string(&file)?;
        ensure!(text.contains(old), "no {old:?} in {}", file.display());
        fs::remove_file(&file)?;
        fs::write(&file, text.replacen(old, new, 1))?;
        Ok(())
    }

    /// Puts a program first in PATH that prints this instead of its version.
    pub fn program(&self, name: &str, says: &str) -> Result<()> {
        self.script(
            name,
            &format!("case $*: in --version: | -Pk*) echo '{says}' ;; *) exec /usr/bin/{name} \"$@\" ;; esac"),
        )
    }

    /// Puts a shell script first in PATH.
    pub fn script(&self, name: &str, does: &str) -> Result<()> {
        fs::create_dir_all(self.path("bin"))?;
        let program = self.path("bin").join(name);
        fs::write(&program, format!("#!/bin/sh\n{does}\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Makes a package linux-source of this version, cut after so many bytes.
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

/// Copies a folder or a file as links.
fn links(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    // -T: into `to` if it exists.
    succeed(Command::new("cp").args(["-asfT"]).args([from, to])).map(drop)
}
