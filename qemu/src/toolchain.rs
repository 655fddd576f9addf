//! The toolchain: a Debian 13 root folder in the cache, with all that builds a kernel and runs it.
//!
//! One stable release whose parts fit together (rustc, bindgen, clang, gcc, QEMU), the same on any
//! host, and nothing on the host changes. The packages are only unpacked, not configured: that
//! needs no root, no subordinate user IDs, and a third of the time.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use tempfile::NamedTempFile;

use crate::cache::{self, Cache, Lock};
use crate::host;
use crate::progress::{Job, Tick};

const SUITE: &str = "trixie";

/// Bytes that the folder takes, with room for what is downloaded on the way.
const SPACE: u64 = 3 << 30;

/// Debian's packages in the folder, by what they are for. Dependencies come by themselves.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "a shell and its usual company",
        &[
            "bash",
            "coreutils",
            "dash",
            "debianutils",
            "diffutils",
            "findutils",
            "grep",
            "gzip",
            "hostname",
            "libc-bin",
            "mawk",
            "sed",
            "tar",
            "util-linux",
        ],
    ),
    (
        "fetching kernel sources",
        &[
            "apt",
            "ca-certificates",
            "debian-archive-keyring",
            "xz-utils",
        ],
    ),
    (
        "the Rust half",
        &[
            "bindgen",
            "cargo",
            "rust-clippy",
            "rust-src",
            "rustc",
            "rustfmt",
        ],
    ),
    ("the C half, by clang", &["clang", "lld", "llvm"]),
    (
        "the C half, by gcc; programs of the kernel's build",
        &["gcc", "libc6-dev"],
    ),
    (
        "the kernel's build",
        &[
            "bc",
            "bison",
            "cpio",
            "flex",
            "kmod",
            "libdw-dev",
            "libelf-dev",
            "libssl-dev",
            "make",
            "openssl",
            "pahole",
            "patch",
            "perl",
            "python3-minimal",
        ],
    ),
    (
        "the machine and its guest",
        &["busybox-static", "qemu-system-x86"],
    ),
    ("lints", &["python3-pip", "shellcheck"]),
];

/// What the packages' own installation would have made, had it run: links (name, target) ...
const LINKS: &[(&str, &str)] = &[("usr/bin/awk", "mawk"), ("usr/bin/cc", "gcc")];

/// ... and files that the host's are mounted over.
const MOUNT_POINTS: &[&str] = &["etc/hosts", "etc/passwd", "etc/group", "etc/resolv.conf"];

/// Versions that decide whether what was built before is still good.
const COMPILERS: &[&[&str]] = &[
    &["rustc", "--version"],
    &["bindgen", "--version"],
    &["clang", "--version"],
    &["gcc", "--version"],
    &["qemu-system-x86_64", "--version"],
];

/// Variables of the user's environment that reach the commands in the folder.
const ENVIRONMENT: &[&str] = &["TERM", "NO_COLOR", "http_proxy", "https_proxy", "no_proxy"];

/// The root folder, ready for use.
pub struct Toolchain {
    root: PathBuf,
    cache: PathBuf,
    name: String,
    in_use: Option<Lock>,
    /// The compilers' versions, a line each.
    pub versions: String,
}

impl Toolchain {
    /// Makes the folder, unless it is there and was made from the same list of packages.
    pub fn provide(cache: &Cache) -> Result<Self> {
        host::provide()?;
        host::enter().map_err(|said| {
            Diagnostic::new(host::NO_NAMESPACES)
                .note(said)
                .help(host::allow_namespaces())
        })?;
        let mut toolchain = Toolchain::at(cache);
        toolchain.in_use = Some(cache.share(&toolchain.name)?);

        if !toolchain.is_whole() {
            let _lock = cache.lock("toolchain")?;
            if !toolchain.is_whole() {
                cache.require_space(SPACE, "the toolchain")?;
                toolchain.make(&cache.place_for("log/toolchain")?)?;
                let stamp = recipe() + &toolchain.ask_versions()?;
                cache::write_whole(&toolchain.stamp(), stamp.as_bytes())?;
                toolchain.remove_others(cache)?;
            }
        }
        if let Some(program) = toolchain.lost() {
            return Err(
                Diagnostic::new(format!("the toolchain folder has lost {program}"))
                    .note(toolchain.root.join("usr/bin").display().to_string())
                    .help(toolchain.renewal())
                    .into(),
            );
        }
        toolchain.versions = toolchain.read_versions().context("no versions")?;
        Ok(toolchain)
    }

    /// The folder, if it is there; nothing is made.
    pub fn existing(cache: &Cache) -> Option<Self> {
        let toolchain = Toolchain::at(cache);
        let versions = toolchain.read_versions()?;
        Some(Toolchain {
            versions,
            ..toolchain
        })
    }

    /// Each recipe has a folder of its own, so that no run takes away what another one is using.
    fn at(cache: &Cache) -> Self {
        let name = format!("toolchain/{}", cache::fingerprint(&recipe()));
        Toolchain {
            root: cache.dir().join(&name).join("root"),
            cache: cache.dir().to_owned(),
            versions: String::new(),
            name,
            in_use: None,
        }
    }

    /// Where the recipe stands, followed by the versions, once the folder is whole.
    fn stamp(&self) -> PathBuf {
        self.root.with_file_name("recipe")
    }

    fn read_versions(&self) -> Option<String> {
        let stamp = fs::read_to_string(self.stamp()).ok()?;
        stamp.strip_prefix(&recipe()).map(str::to_owned)
    }

    fn is_whole(&self) -> bool {
        self.read_versions().is_some()
    }

    /// A compiler or QEMU that is no longer where it was unpacked.
    pub fn lost(&self) -> Option<&'static str> {
        COMPILERS.iter().map(|words| words[0]).find(|program| {
            self.root
                .join("usr/bin")
                .join(program)
                .symlink_metadata()
                .is_err()
        })
    }

    /// How a user has the folder made anew.
    pub fn renewal(&self) -> String {
        format!(
            "rm -r {}, then make run, which makes it anew",
            self.root.with_file_name("").display()
        )
    }

    /// Removes the folders of other recipes, but for those that somebody is using.
    fn remove_others(&self, cache: &Cache) -> Result<()> {
        for entry in fs::read_dir(cache.place_for("toolchain/x")?.with_file_name(""))? {
            let entry = entry?;
            let name = format!("toolchain/{}", entry.file_name().to_string_lossy());
            if name != self.name && entry.file_type()?.is_dir() {
                if let Some(_lock) = cache.try_lock(&name) {
                    remove(&entry.path())?;
                }
            }
        }
        Ok(())
    }

    /// The cache's folder, which its commands see.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// A path inside the folder, as the host sees it.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Makes the folder beside its place and moves it there when it is whole.
    fn make(&self, log: &Path) -> Result<()> {
        let new = self.root.with_file_name("root.new");
        remove(&new)?;
        remove(&self.root)?;
        fs::create_dir_all(self.root.with_file_name(""))
            .context("cannot make the toolchain's place")?;

        let options = apt_options()?;
        let mut command = contained("mmdebstrap", &self.cache);
        command.args([
            "--mode=chrootless",
            "--variant=extract",
            "--format=directory",
        ]);
        debian(&mut command, &options, packages(), &new);
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
        fs::rename(&new, &self.root).context("cannot move the toolchain to its place")
    }

    fn ask_versions(&self) -> Result<String> {
        let mut versions = String::new();
        for words in COMPILERS {
            let output = self.command(words[0]).args(&words[1..]).output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            if !output.status.success() || text.is_empty() {
                return Err(Diagnostic::new(format!(
                    "{} does not run in the toolchain folder",
                    words[0]
                ))
                .note(String::from_utf8_lossy(&output.stderr))
                .help(format!("delete {} and try again", self.root.display()))
                .into());
            }
            versions.push_str(text.lines().next().unwrap_or_default());
            versions.push('\n');
        }
        Ok(versions)
    }

    /// A command that runs in the folder. It sees the cache at its usual place, and nothing of the
    /// host but its devices and its network; it dies with the lab, and so does all that it starts.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.command_in(&self.cache, &[], program)
    }

    /// The same, started in `dir`, with folders of the host that it may also read and write.
    pub fn command_in(&self, dir: &Path, folders: &[&Path], program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("bwrap");
        command.args(["--die-with-parent", "--unshare-pid", "--clearenv"]);
        for (name, value) in [
            ("PATH", "/usr/bin:/usr/sbin"),
            ("HOME", "/tmp"),
            ("LANG", "C.UTF-8"),
            ("KBUILD_BUILD_USER", "hello_rust"),
            ("KBUILD_BUILD_HOST", "lab"),
        ] {
            command.args(["--setenv", name, value]);
        }
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.arg("--setenv").arg(name).arg(value);
            }
        }
        command.args(["--tmpfs", "/", "--tmpfs", "/tmp", "--tmpfs", "/run"]);
        for folder in ["usr", "etc", "var/lib/dpkg"] {
            command
                .arg("--ro-bind")
                .arg(self.root.join(folder))
                .arg(Path::new("/").join(folder));
        }
        for folder in ["bin", "sbin", "lib", "lib64"] {
            command.args(["--symlink", &format!("usr/{folder}"), &format!("/{folder}")]);
        }
        for file in MOUNT_POINTS {
            let file = Path::new("/").join(file);
            command.arg("--ro-bind-try").arg(&file).arg(&file);
        }
        command.args(["--ro-bind-try", "/etc/ssl/certs", "/etc/ssl/certs"]);
        command.args(["--proc", "/proc", "--dev-bind", "/dev", "/dev"]);
        for folder in [self.cache.as_path()].iter().chain(folders) {
            command.arg("--bind").arg(folder).arg(folder);
        }
        command.arg("--chdir").arg(dir).arg("--").arg(program);
        command
    }

    /// The folder's own apt, started in `dir`, with its lists and archives in the cache.
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
            // The sandbox has one user; apt must not look for another to fetch as.
            .args(["-o", "APT::Sandbox::User="]);
        Ok(command)
    }
}

fn packages() -> impl Iterator<Item = &'static str> {
    PACKAGES.iter().flat_map(|(_, names)| names.iter().copied())
}

/// What the folder is made from; another recipe makes another folder.
fn recipe() -> String {
    format!(
        "{SUITE}\n{}\n{LINKS:?}\n{MOUNT_POINTS:?}\n",
        packages().collect::<Vec<_>>().join("\n")
    )
}

/// A command of the host that sees all of the host, and dies with the lab together with all that
/// it started.
fn contained(program: &str, writable: &Path) -> Command {
    let mut command = Command::new("bwrap");
    command
        .args(["--die-with-parent", "--unshare-pid", "--ro-bind", "/", "/"])
        .args([
            "--dev-bind",
            "/dev",
            "/dev",
            "--proc",
            "/proc",
            "--bind",
            "/tmp",
            "/tmp",
        ])
        .arg("--bind")
        .arg(writable)
        .arg(writable)
        .args(["--", program]);
    command
}

/// The mirrors that this host's own apt uses, for Debian 13; empty on a host without Debian's apt.
fn host_mirrors() -> Vec<String> {
    let (Some(main), Some(security)) = (host_mirror(false), host_mirror(true)) else {
        return Vec::new();
    };
    vec![
        format!("deb {main} {SUITE} main"),
        format!("deb {main} {SUITE}-updates main"),
        format!("deb {main} {SUITE}-backports main"),
        format!("deb {security} {SUITE}-security main"),
    ]
}

/// The address of Debian's archive, or of its security updates, in this host's apt sources.
fn host_mirror(security: bool) -> Option<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(SITE) $(CODENAME)"])
        .args(["Created-By: Packages", "Origin: Debian"])
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, codename)| codename.ends_with("-security") == security)
        .map(|(site, _)| site.trim_end_matches('/').to_owned())
}

/// Where packages come from, as `host:port`, if this host's apt tells.
pub fn mirror_address() -> Option<String> {
    let proxy = std::env::var("http_proxy").ok();
    let url = proxy
        .filter(|proxy| !proxy.is_empty())
        .or_else(|| host_mirror(false))?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(match (host.contains(':'), scheme) {
        (true, _) => host.to_owned(),
        (_, "https") => format!("{host}:443"),
        _ => format!("{host}:80"),
    })
}

/// Where mmdebstrap chooses the mirrors: add the suite that has the newest kernels.
const BACKPORTS_HOOK: &str = "--setup-hook=cd \"$1/etc/apt\" && \
    sed -n 's/ trixie main/ trixie-backports main/p' sources.list >> sources.list";

/// Has mmdebstrap make a folder with these packages of Debian 13, and no others that they do not need.
pub fn debian<'a>(
    mmdebstrap: &mut Command,
    options: &NamedTempFile,
    packages: impl Iterator<Item = &'a str>,
    folder: &Path,
) {
    mmdebstrap
        .arg(format!("--aptopt={}", options.path().display()))
        .arg("--aptopt=Apt::Install-Recommends \"false\"")
        .arg("--aptopt=Acquire::Languages \"none\"")
        .arg(format!(
            "--include={}",
            packages.collect::<Vec<_>>().join(",")
        ))
        .arg(SUITE)
        .arg(folder);
    match host_mirrors() {
        mirrors if !mirrors.is_empty() => mmdebstrap.args(mirrors),
        _ => mmdebstrap.arg(BACKPORTS_HOOK),
    };
}

/// A file with how the host's apt reaches its mirrors (proxies, certificates, clocks).
pub fn apt_options() -> Result<NamedTempFile> {
    const REACHING: &[&str] = &[
        "Acquire::http::",
        "Acquire::https::",
        "Acquire::Check-",
        "Acquire::Retries",
    ];
    let file = NamedTempFile::new()?;
    if let Ok(output) = Command::new("apt-config").arg("dump").output() {
        let text: String = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| REACHING.iter().any(|option| line.starts_with(option)))
            .flat_map(|line| [line, "\n"])
            .collect();
        fs::write(file.path(), text)?;
    }
    Ok(file)
}

/// Removes a folder and all in it, if it is there.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}
