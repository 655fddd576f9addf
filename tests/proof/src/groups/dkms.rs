//! The packages for DKMS, in a Debian 13 with kernels from backports: DKMS builds and signs the module,
//! modprobe loads it in that kernel, DKMS builds it for a second kernel, skips a kernel without Rust, and
//! removes everything again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, ensure, Context, Result};
use host::cache;
use host::mirrors::{self, apt_options};
use tempfile::TempDir;

use crate::harness::test::{CannotRun, Test};
use crate::support::context::{copy_of_project, must_contain, printed, succeed, tail, TestContext};
use lab::commands::lab::Lab;
use lab::guest::initramfs::Initramfs;
use lab::guest::machine::Outcome;
use lab::kernel::flavour::Flavour;

/// What is installed before our packages; apt installs their dependencies.
const PACKAGES: &[&str] = &[
    "ca-certificates",
    "debhelper",
    "dh-dkms",
    "dkms",
    "initramfs-tools",
    "kmod",
];

/// Prints what is left of the module and its metadata.
const TRACES: &str = "ls -d /var/lib/dkms/hello_rust /var/cache/rust-metadata /usr/src/hello_rust-* \
                      /usr/bin/rust-metadata /lib/modules/*/updates/dkms/hello_rust* 2>/dev/null || true";

/// The project's folder, in that Debian.
const PROJECT: &str = "/packages/hello-rust";

/// The module's package.
const MODULE: &str = "/packages/hello-rust-dkms.deb";

/// Where DKMS keeps the metadata.
const METADATA: &str = "/var/cache/rust-metadata";

/// The tests.
pub fn tests(stock: &Flavour) -> Vec<Test> {
    let whole = Test::new(
        "dkms::installed, loaded, upgraded, removed",
        installed_to_removed,
    );
    // It installs a complete Debian.
    vec![whole.on(stock).only_if_asked().minutes(60)]
}

fn installed_to_removed(context: &TestContext) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(CannotRun("a complete Debian needs root, or many user IDs".to_owned()).into());
    }
    let lab = context.lab()?;
    let newest = lab.kernel.flavour.series.as_str();
    let debian = Debian::new(context)?;
    debian.build_packages()?;

    // First only the headers from backports, then also the libraries of their tools.
    debian.apt(
        "install",
        &[&format!("linux-headers-{newest}/trixie-backports")],
    )?;
    advice_is_sound(&debian, newest)?;
    debian.install(&["libelf1t64".to_owned(), "libdw1t64".to_owned()])?;
    advice_is_sound(&debian, newest)?;

    debian.install(&kernel(newest))?;
    // The command of docs/stock-kernels.md, with the compilers of the release.
    let metadata = "/packages/rust-metadata.deb";
    debian.apt(
        "install",
        &[metadata, MODULE, "libelf-dev/trixie-backports"],
    )?;
    debian.has_module(newest)?;
    debian.loads(context, &lab)?;

    rustc_is_another(&debian, newest)?;
    second_kernel(&debian, newest)?;
    without_rust(&debian, newest)?;

    debian.has_module(newest)?;
    debian.apt("purge", &["hello-rust-dkms", "rust-metadata"])?;
    let left = debian.run(&["sh", "-c", TRACES])?;
    ensure!(left.is_empty(), "left behind:\n{left}");
    Ok(())
}

/// apt can install what rust-metadata reports as missing, without removing the headers.
fn advice_is_sound(debian: &Debian, release: &str) -> Result<()> {
    let tool = format!("{PROJECT}/tools/stock/rust-metadata {release} || true");
    let text = debian.run(&["sh", "-c", &tool])?;
    must_contain(&text, "libelf-dev")?;
    let help = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("help: "));
    let help = help.with_context(|| format!("no advice: {text}"))?;
    let simulated = help.replace("apt-get install", "apt-get --simulate install");
    ensure!(simulated != help, "another advice: {help}");
    let plan = debian.run(&["sh", "-c", &simulated])?;
    must_contain(&plan, "Inst libelf-dev ")?;
    ensure!(!plan.contains("Remv "), "{help}\n{plan}");
    Ok(())
}

/// An upgrade of the module succeeds although the installed rustc cannot read the metadata.
fn rustc_is_another(debian: &Debian, release: &str) -> Result<()> {
    let upgrade = || debian.apt("install", &["--reinstall", MODULE]);
    let text = debian.without("usr/bin/rustc", upgrade)?;
    must_contain(
        &text,
        &format!("Building initial module hello_rust/0.1.0 for {release}"),
    )?;
    must_contain(&debian.log(), "was built by another rustc")?;
    debian.run(&["dkms", "autoinstall", "-k", release])?;
    debian.has_module(release)
}

/// Installs and removes a second kernel.
fn second_kernel(debian: &Debian, first: &str) -> Result<()> {
    let second = debian.another(first, "linux-headers-7.")?;
    let install = || debian.install(&kernel(&second));
    let text = debian.without("usr/bin/bindgen", install)?;
    must_contain(&text, &skipped(&second))?;
    must_contain(&debian.log(), "missing: bindgen")?;
    debian.run(&["dkms", "autoinstall", "-k", &second])?;
    debian.has_module(&second)?;

    // As an interrupted run leaves it.
    debian.run(&["mkdir", &format!("{METADATA}/{second}.work")])?;
    debian.apt("purge", &texts(&kernel(&second)))?;
    let left = debian.run(&["ls", METADATA])?;
    ensure!(
        !left.contains(&second),
        "left in {METADATA} by {second}:\n{left}"
    );
    Ok(())
}

/// Installs the headers of a kernel without Rust.
fn without_rust(debian: &Debian, first: &str) -> Result<()> {
    let without = debian.another(first, "linux-headers-6.12.")?;
    let text = debian.install(&[format!("linux-headers-{without}")])?;
    must_contain(&text, &skipped(&without))
}

/// The packages of a kernel and its headers.
fn kernel(release: &str) -> Vec<String> {
    ["headers", "image"]
        .map(|what| format!("linux-{what}-{release}"))
        .to_vec()
}

fn texts(packages: &[String]) -> Vec<&str> {
    packages.iter().map(String::as_str).collect()
}

/// What DKMS prints when it skips a kernel.
fn skipped(release: &str) -> String {
    format!("Autoinstall on {release} was skipped for module(s) hello_rust")
}

/// A complete Debian 13 in a temporary folder.
struct Debian {
    folder: TempDir,
}

impl Debian {
    fn new(context: &TestContext) -> Result<Self> {
        let folder = cache::scratch_in(&context.cache()?.dir().join("debian"))?;
        let debian = Debian { folder };
        let options = apt_options()?;
        let mut command = Command::new("mmdebstrap");
        command.args([
            "--quiet",
            "--mode=root",
            "--variant=apt",
            "--format=directory",
        ]);
        mirrors::debian(
            &mut command,
            &options,
            PACKAGES.iter().copied(),
            &debian.root(),
        );
        succeed(&mut command)?;
        // mmdebstrap deletes its package lists.
        debian.apt("update", &[])?;
        Ok(debian)
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A command in it, as root, in a PID namespace of its own, with the host's network.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("bwrap");
        command.args(["--die-with-parent", "--unshare-pid", "--cap-add", "ALL"]);
        command.arg("--bind").arg(self.root()).arg("/");
        command.args(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]);
        command.args(["--perms", "1777", "--tmpfs", "/tmp"]);
        for file in ["/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs"] {
            command.args(["--ro-bind-try", file, file]);
        }
        command.args(["--chdir", "/", "--clearenv"]);
        for (name, value) in [
            ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HOME", "/root"),
            ("LC_ALL", "C.UTF-8"),
            ("DEBIAN_FRONTEND", "noninteractive"),
        ] {
            command.args(["--setenv", name, value]);
        }
        command.arg("--").args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Result<String> {
        let output = self.command(words).output().context("cannot run bwrap")?;
        ensure!(
            output.status.success(),
            "{words:?}: {}\n{}",
            output.status,
            tail(&printed(&output))
        );
        Ok(printed(&output))
    }

    fn apt(&self, action: &str, packages: &[&str]) -> Result<String> {
        let words = ["apt-get", "-y", "--no-install-recommends", action];
        self.run(&[&words, packages].concat())
    }

    /// Installs packages of a kernel; their dependencies may come from backports, too.
    fn install(&self, packages: &[String]) -> Result<String> {
        let words = [&["-t", "trixie-backports"], &texts(packages)[..]].concat();
        self.apt("install", &words)
    }

    /// Builds the packages, to /packages.
    fn build_packages(&self) -> Result<()> {
        let project = copy_of_project(&self.root().join(PROJECT.trim_start_matches('/')))?;
        ensure!(project.join("debian/rules").is_file());
        // -d: only DKMS compiles, so the build needs no compiler.
        let build = format!(
            "cd {PROJECT} && dpkg-buildpackage -us -uc -b -d && cd .. && \
             for name in rust-metadata hello-rust-dkms; do mv ${{name}}_*.deb $name.deb; done"
        );
        self.run(&["sh", "-c", &build]).map(drop)
    }

    /// The newest other kernel with headers in the archive whose names start with `start`.
    fn another(&self, than: &str, start: &str) -> Result<String> {
        let names = format!(
            "apt-cache pkgnames {start} | grep -- '[0-9]-amd64$' | grep -v -F -e {than} | sort -V | tail -n 1"
        );
        let name = self.run(&["sh", "-c", &names])?;
        let release = name.trim().strip_prefix("linux-headers-");
        Ok(release
            .with_context(|| format!("no kernel besides {than}"))?
            .to_owned())
    }

    /// DKMS reports the module as installed, and it is, signed with DKMS's key.
    fn has_module(&self, release: &str) -> Result<()> {
        let status = self.run(&["dkms", "status"])?;
        let installed = format!("hello_rust/0.1.0, {release}, x86_64: installed");
        if !status.contains(&installed) {
            bail!("dkms says {status}{}", tail(&self.log()));
        }
        let info = self.run(&["modinfo", "-k", release, "hello_rust"])?;
        must_contain(
            &info,
            &format!("/lib/modules/{release}/updates/dkms/hello_rust.ko"),
        )?;
        must_contain(&info, &format!("vermagic:       {release} "))?;
        must_contain(&info, "signer:         DKMS module signing key")
    }

    /// The log of DKMS's last build.
    fn log(&self) -> String {
        let log = "var/lib/dkms/hello_rust/0.1.0/build/make.log";
        fs::read_to_string(self.root().join(log)).unwrap_or_default()
    }

    /// Runs a job while a file of this Debian is missing.
    fn without<T>(&self, file: &str, job: impl FnOnce() -> Result<T>) -> Result<T> {
        let file = self.root().join(file);
        let aside = file.with_extension("aside");
        let moved = |from, to| fs::rename(from, to).context("cannot move a file away, or back");
        moved(&file, &aside)?;
        let outcome = job();
        moved(&aside, &file)?;
        outcome
    }

    /// Debian's modprobe finds the module in the stock kernel, and loads it.
    fn loads(&self, context: &TestContext, lab: &Lab) -> Result<()> {
        let job = "modprobe hello_rust && modprobe -r hello_rust && dmesg\n";
        let mut initramfs = Initramfs::new(&lab.programs, &format!("PATH=/usr/sbin:$PATH\n{job}"))?;
        let modules = format!("lib/modules/{}", lab.kernel.flavour.series);
        self.add(&mut initramfs, &modules, &|name| {
            name.starts_with("modules.") || name.starts_with("hello_rust.ko")
        })?;
        self.add_program(&mut initramfs, "usr/sbin/modprobe")?;
        let guest = context.machine(lab).run(initramfs, "")?;
        ensure!(
            guest.outcome == Outcome::Answered(0),
            "{:?}\n{}",
            guest.outcome,
            guest.output
        );
        lab.judge(&guest)?;
        must_contain(
            &guest.output,
            "hello_rust: Rust, called by C: hello, world! (1)",
        )
    }

    /// Adds the files of a folder and its subfolders whose names are `wanted`.
    fn add(&self, to: &mut Initramfs, folder: &str, wanted: &dyn Fn(&str) -> bool) -> Result<()> {
        to.folders(folder)?;
        for entry in fs::read_dir(self.root().join("usr").join(folder))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            match entry.file_type()? {
                kind if kind.is_dir() && ["updates", "dkms"].contains(&name.as_str()) => {
                    self.add(to, &path, wanted)?;
                }
                kind if kind.is_file() && wanted(&name) => {
                    to.file(&path, 0o644, &fs::read(entry.path())?)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds a program with its shared libraries.
    fn add_program(&self, to: &mut Initramfs, program: &str) -> Result<()> {
        let libraries = self.run(&["ldd", &format!("/{program}")])?;
        let libraries = libraries
            .split_whitespace()
            .filter(|word| word.starts_with('/'));
        for file in libraries
            .map(|name| name.trim_start_matches('/'))
            .chain([program])
        {
            let parent = Path::new(file).parent().unwrap_or(Path::new(""));
            to.folders(&parent.to_string_lossy())?;
            to.file(file, 0o755, &fs::read(self.root().join(file))?)?;
        }
        Ok(())
    }
}
