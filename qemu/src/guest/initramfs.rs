//! The guest's disk: an initramfs with busybox, our init and insmod, and what the job needs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cpio::newc::{Builder, ModeFileType};
use host::cache::{self, Cache};
use host::toolchain::Toolchain;

use crate::kernel::build::Kernel;
use crate::kernel::foreign;

/// Our own programs: the name, where it is in the guest, and the source.
const OWN: [(&str, &str, &str); 3] = [
    ("init", "init", include_str!("../../guest/init.c")),
    ("insmod", "bin/insmod", include_str!("../../guest/insmod.c")),
    ("storm", "bin/storm", include_str!("../../guest/storm.c")),
];

/// busybox's shell would prefer its own insmod, which tries everything twice.
const PRELUDE: &str = "insmod() { /bin/insmod \"$@\"; }\n";

/// The programs of every guest, made once.
pub struct Programs {
    busybox: Vec<u8>,
    applets: Vec<String>,
    own: Vec<(&'static str, Vec<u8>)>,
}

impl Programs {
    /// busybox from the toolchain, and our own, compiled by its clang against the kernel's nolibc.
    pub fn provide(cache: &Cache, toolchain: &Toolchain, kernel: &Kernel) -> Result<Self> {
        // The host's own busybox runs here; the guest's has the same commands.
        let list = Command::new(toolchain.file("usr/bin/busybox"))
            .arg("--list")
            .output()
            .context("cannot run busybox")?;
        let mut own = Vec::new();
        for (name, place, source) in OWN {
            own.push((
                place,
                fs::read(compiled(cache, toolchain, kernel, name, source)?)?,
            ));
        }
        Ok(Programs {
            busybox: fs::read(foreign::busybox(toolchain, kernel.flavour.arch))
                .context("no busybox in the toolchain")?,
            applets: String::from_utf8_lossy(&list.stdout)
                .lines()
                .filter(|applet| !["busybox", "insmod"].contains(applet))
                .map(str::to_owned)
                .collect(),
            own,
        })
    }
}

fn compiled(
    cache: &Cache,
    toolchain: &Toolchain,
    kernel: &Kernel,
    name: &str,
    text: &str,
) -> Result<PathBuf> {
    let arch = kernel.flavour.arch.words();
    // Each source has its own program: other checkouts use the same cache.
    let name_of_source = format!(
        "guest/{name}-{}-{}.c",
        arch.kernel,
        cache::fingerprint(text)
    );
    let source = cache.place_for(&name_of_source)?;
    let program = source.with_extension("");
    let _lock = cache.lock("guest programs")?;

    if !cache::holds(&source, text) || !is_whole(&program) {
        // The source is written last: it marks the program as made from it.
        let draft = source.with_file_name(format!("{name}.draft.c"));
        cache::write_whole(&draft, text.as_bytes())?;
        let nolibc = kernel.source.dir.join("tools/include/nolibc/nolibc.h");
        let folders = [kernel.source.dir.as_path()];
        let output = toolchain
            .command_in(cache.dir(), &folders, "clang")
            .arg(format!("--target={}", arch.triple))
            .args(["-Os", "-static", "-nostdlib", "-fuse-ld=lld", "-s"])
            .args(["-ffreestanding", "-fno-stack-protector"])
            .args(["-fno-asynchronous-unwind-tables"])
            .args(["-Wall", "-Wextra", "-Werror"])
            .arg(format!("-DPORT=\"/dev/{}1\"", arch.tty))
            // Debian's linux-libc-dev has the headers of all architectures.
            .arg(format!("-isystem/usr/lib/linux/uapi/{}", arch.kernel))
            .arg("-include")
            .arg(nolibc)
            .arg("-o")
            .args([&program, &draft])
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "the guest's {name} does not compile: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        cache::write_whole(&source, text.as_bytes())?;
    }
    Ok(program)
}

/// Whether it is a program to its end, where the table of its sections is.
fn is_whole(program: &Path) -> bool {
    fs::read(program).is_ok_and(|content| object::File::parse(&*content).is_ok())
}

/// The files of a guest.
pub struct Initramfs {
    /// Those that it boots with.
    pub boot: Archive,
    /// Those that it gets afterwards.
    pub job: Archive,
}

impl Initramfs {
    /// Those of a guest that runs the shell script `job`.
    pub fn new(programs: &Programs, job: &str) -> Result<Self> {
        Ok(Initramfs {
            boot: Archive::bootable(programs)?,
            job: Archive::job(job)?,
        })
    }

    /// Adds a folder and its parents to the job.
    pub fn folders(&mut self, name: &str) -> Result<()> {
        self.job.folders(name)
    }

    /// Adds a file to the job.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.job.file(name, mode, content)
    }

    /// All of them as the initramfs of a guest that gets nothing afterwards: the kernel unpacks one archive
    /// after the other.
    pub fn whole(self) -> Result<Vec<u8>> {
        Ok([self.boot.finish()?, self.job.finish()?].concat())
    }
}

/// Files for the guest's root folder, in the format of an initramfs.
#[derive(Default)]
pub struct Archive {
    bytes: Vec<u8>,
    inode: u32,
}

impl Archive {
    /// What every guest boots with; init waits for a job if there is none.
    pub fn bootable(programs: &Programs) -> Result<Self> {
        let mut new = Archive::default();
        for folder in ["bin", "dev", "proc", "sys", "tmp"] {
            new.entry(folder, ModeFileType::Directory, 0o755, b"")?;
        }
        // init's output needs a console before devtmpfs is mounted.
        new.console()?;
        new.file("bin/busybox", 0o755, &programs.busybox)?;
        for applet in &programs.applets {
            new.entry(
                &format!("bin/{applet}"),
                ModeFileType::Symlink,
                0o777,
                b"busybox",
            )?;
        }
        for (place, program) in &programs.own {
            new.file(place, 0o755, program)?;
        }
        Ok(new)
    }

    /// A job: this shell script, to which its files are added.
    pub fn job(script: &str) -> Result<Self> {
        let mut new = Archive::default();
        new.file("job", 0o644, format!("{PRELUDE}{script}").as_bytes())?;
        Ok(new)
    }

    /// Adds a folder and its parents.
    pub fn folders(&mut self, name: &str) -> Result<()> {
        let mut path = String::new();
        for part in name.split('/').filter(|part| !part.is_empty()) {
            path = if path.is_empty() {
                part.to_owned()
            } else {
                format!("{path}/{part}")
            };
            self.entry(&path, ModeFileType::Directory, 0o755, b"")?;
        }
        Ok(())
    }

    /// Adds a file.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.entry(name, ModeFileType::Regular, mode, content)
    }

    /// The whole archive.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        cpio::newc::trailer(&mut self.bytes)?;
        Ok(self.bytes)
    }

    fn console(&mut self) -> Result<()> {
        let console = Builder::new("dev/console")
            .mode(0o600)
            .rdev_major(5)
            .rdev_minor(1);
        self.add(console.set_mode_file_type(ModeFileType::Char), b"")
    }

    fn entry(&mut self, name: &str, kind: ModeFileType, mode: u32, content: &[u8]) -> Result<()> {
        self.add(
            Builder::new(name).mode(mode).set_mode_file_type(kind),
            content,
        )
    }

    fn add(&mut self, builder: Builder, content: &[u8]) -> Result<()> {
        self.inode += 1;
        let mut entry = builder
            .ino(self.inode)
            .write(&mut self.bytes, content.len() as u32);
        entry.write_all(content)?;
        entry.finish()?;
        Ok(())
    }
}
