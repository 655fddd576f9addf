//! What docs/security.md says.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{chown, symlink, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use host::project::project;
use regex::Regex;
use rustix::process::{getuid, Pid};

use super::cargo::Copy;
use super::modules::write;
use crate::harness::test::{CannotRun, Test};
use crate::support::context::{
    copy_of_project, fresh, main_flavour, must_contain, on_host, printed, program, succeed,
    TestContext,
};
use crate::support::processes::{processes_with, wait_for};
use crate::support::proxy::{Fault, Proxy};
use crate::support::scratch::{must_refuse, Scratch};
use lab::guest::initramfs::{Archive, Initramfs};
use lab::guest::machine::Outcome;

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, run: fn(&TestContext) -> Result<()>| {
        Test::new(format!("security::{what}"), run)
    };
    let kernel = main_flavour();
    vec![
        test("the page has a test or a reason for each sentence", |_| {
            page()
        }),
        test("a forged list of packages, for the toolchain", |context| {
            forged(context, &[])
        }),
        test("a forged list of packages, for a kernel", forged_for_kernel),
        test("the cache is closed to others", |_| closed()),
        test("a cache that others can change", open_caches),
        test("links in the cache", links),
        test("what the build of a module can do", build_of_module).on(&kernel),
        test("PARAMS and RUN stay in the guest", stay_in_guest).on(&kernel),
        test("PARAMS and RUN of a new module", |_| of_new_module()),
        test("what QEMU has", what_qemu_has).on(&kernel),
    ]
}

/// Each row of its tables names a test that exists, or begins with a reason.
fn page() -> Result<()> {
    let page = fs::read_to_string(project().join("docs/security.md"))?;
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let rows = rows.filter(|row| !row.starts_with("| ---") && !row.ends_with("| shown by |"));
    let all = super::all(&[]);
    let name = Regex::new("`([a-z]+::[^`]+)`")?;
    let mut named = 0;
    for row in rows {
        let shown = row.trim_end_matches(" |").rsplit_once(" | ");
        let (_, shown) = shown.with_context(|| format!("not a row of two: {row}"))?;
        let tests: Vec<_> = name.captures_iter(shown).collect();
        for test in &tests {
            let exists = all.iter().any(|one| one.name == test[1]);
            ensure!(exists, "there is no test {}", &test[1]);
        }
        let reason = shown.starts_with("no test: ");
        ensure!(reason || !tests.is_empty(), "no test, no reason: {row}");
        named += tests.len();
    }
    ensure!(named > 15, "only {named} tests are named");
    Ok(())
}

/// What this host's apt may be told to accept.
const CARELESS: &str = "Acquire::AllowInsecureRepositories \"true\";\n\
    Acquire::AllowDowngradeToInsecureRepositories \"true\";\n\
    APT::Get::AllowUnauthenticated \"true\";\n";

/// One letter of the signed text is changed; nothing is fetched after it.
fn forged(context: &TestContext, parts: &[&str]) -> Result<()> {
    let (scratch, careless) = (
        Scratch::with(context, parts)?,
        tempfile::NamedTempFile::new()?,
    );
    fs::write(careless.path(), CARELESS)?;
    let lists = Proxy::start("InRelease", Fault::Forge)?;
    let mut lab = scratch.lab(&["source"])?;
    lab.env("http_proxy", lists.url())
        .env("APT_CONFIG", careless.path());
    must_refuse(
        &mut lab,
        &["is not signed", "help: run the same command again; if it"],
    )?;
    ensure!(lists.damaged() > 0, "the list did not go through the proxy");
    let other = lists.intact();
    ensure!(other == 0, "{other} more files were asked for");
    Ok(())
}

/// With as much of the toolchain as apt needs.
fn forged_for_kernel(context: &TestContext) -> Result<()> {
    let toolchain = context.toolchain()?;
    let root = toolchain.file("");
    let root = root.strip_prefix(toolchain.cache())?;
    let parts = "usr/bin usr/lib usr/lib64 usr/share/apt usr/share/dpkg usr/share/keyrings etc var/lib/dpkg";
    let parts = parts.split(' ').map(|part| root.join(part));
    let parts: Vec<PathBuf> = parts.chain([root.with_file_name("recipe")]).collect();
    let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
    forged(
        context,
        &parts.iter().map(|part| &**part).collect::<Vec<_>>(),
    )
}

fn mode(path: &Path) -> Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o7777)
}

/// Whatever the umask of the user is, and no matter which makes it first: tools/cargo.sh or the lab.
fn closed() -> Result<()> {
    let place = tempfile::tempdir()?;
    let cache = place.path().join("hello_rust");
    let open = ["-c", "umask 0; exec \"$@\"", "sh"];
    let doctor = || -> Result<()> {
        let mut lab = fresh("sh");
        lab.args(open).arg(program("lab")?).arg("doctor");
        lab.env("XDG_CACHE_HOME", place.path()).output()?;
        let mode = mode(&cache)?;
        ensure!(mode == 0o700, "the lab makes it with {mode:o}");
        Ok(())
    };
    doctor()?;
    fs::set_permissions(&cache, Permissions::from_mode(0o755))?;
    doctor()?;

    let copy = Copy::with_cargo("#!/bin/sh\necho cargo 1.99.0\n")?;
    let build = ["tools/cargo.sh", "build", "--package", "lab"];
    copy.command("sh", &[&open[..], &build].concat()).output()?;
    let folder = copy.target.parent().context("no folder")?;
    let mode = mode(folder)?;
    ensure!(mode == 0o700, "cargo.sh makes it with {mode:o}");
    Ok(())
}

/// A user and a group other than those of this process: Debian's nobody and nogroup,
const OTHER: u32 = 65534;

/// and what is neither here. Such are the owners of folders that a container has from its host.
const UNKNOWN: u32 = 123456;

/// A folder, its mode, its user and its group if they are others', and whether others can change the cache.
type Folder = (&'static str, u32, Option<u32>, Option<u32>, bool);

#[rustfmt::skip] // a table reads best as a table
const FOLDERS: &[Folder] = &[
    ("a",            0o755,  None,        None,        false),
    ("a",            0o775,  None,        None,        false), // a group of this user's own
    ("a",            0o1777, None,        None,        false), // as /tmp
    ("a",            0o777,  None,        None,        true),
    ("a",            0o775,  None,        Some(OTHER), true),
    ("a",            0o755,  Some(OTHER), None,        true),
    ("a",            0o755,  Some(UNKNOWN), None,      false),
    ("a",            0o775,  None,        Some(UNKNOWN), false),
    ("a/hello_rust", 0o777,  None,        None,        true),
    ("a/hello_rust", 0o755,  Some(OTHER), None,        true),
];

/// Its programs are not run: neither make nor the lab goes on. A link to it is no way around.
fn open_caches(context: &TestContext) -> Result<()> {
    if !getuid().is_root() {
        return Err(CannotRun("only root can give folders to other users".to_owned()).into());
    }
    let copies = tempfile::tempdir()?;
    let copy = copy_of_project(&copies.path().join("hello_rust"))?;
    for row in FOLDERS {
        let (folder, mode, user, group, open) = *row;
        let place = tempfile::tempdir()?;
        let folder = place.path().join(folder);
        fs::create_dir_all(place.path().join("a/hello_rust"))?;
        symlink("a", place.path().join("link"))?;
        chown(&folder, user, group)?;
        fs::set_permissions(&folder, Permissions::from_mode(mode))?;
        for cache in ["a", "link"] {
            let cache = place.path().join(cache);
            let mut make = context.make_command(&copy, &["-n", "kernel"])?;
            make.env("XDG_CACHE_HOME", &cache);
            if !open {
                succeed(&mut make).with_context(|| format!("{row:?}"))?;
                continue;
            }
            let mut lab = context.lab_command(&["doctor"], &[])?;
            let note = format!("note: {}, ", folder.display());
            let words = [
                "another user can change what is in it",
                &note,
                "help: set XDG_CACHE_HOME",
            ];
            for command in [&mut make, lab.env("XDG_CACHE_HOME", &cache)] {
                must_refuse(command, &words).with_context(|| format!("{row:?}"))?;
            }
        }
    }
    Ok(())
}

/// Neither a folder nor a file; and what they lead to is as before.
fn links(context: &TestContext) -> Result<()> {
    let toolchain = context.toolchain()?;
    let own = toolchain.file("");
    let own = own.strip_prefix(toolchain.cache())?.with_file_name("");
    let own = own.to_string_lossy();
    let own = own.trim_end_matches('/');
    let lock = format!("lock/{}", own.replace('/', "-"));
    for link in ["log", "log/toolchain", "lock", &lock, "toolchain", own] {
        let (scratch, place) = (Scratch::with(context, &[])?, tempfile::tempdir()?);
        let outside = place.path().join("outside");
        if link.contains('/') && link != own {
            fs::write(&outside, "mine")?;
        } else {
            fs::create_dir(&outside)?;
        }
        let path = scratch.dir().join(link);
        fs::create_dir_all(path.with_file_name(""))?;
        symlink(&outside, &path)?;
        let help = format!("help: rm {};", path.display());
        must_refuse(
            &mut on_host(&["--unshare-net"], &scratch.lab(&["source"])?),
            &["the cache has a symbolic link", &help],
        )
        .with_context(|| link.to_owned())?;
        let untouched = match fs::read_dir(&outside) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => fs::read_to_string(&outside)? == "mine",
        };
        ensure!(untouched, "{link} was followed");
    }
    Ok(())
}

/// It tries to write outside of its folder, and tells what it is.
const KBUILD: &str = "obj-m := sly.o\n\
    $(obj)/sly.o: $(obj)/tried.h\n\
    $(obj)/tried.h: FORCE\n\
    \t@touch CACHE/sly CACHE/toolchain/sly CACHE/module/sly /dev/shm/../sly || :\n\
    \t@cat OUTSIDE >$(src)/read || :\n\
    \t@{ ls /dev; grep CapEff /proc/self/status; } >$(src)/has\n\
    \t@ln -sf OUTSIDE $(src)/lab.built\n\
    \t@echo >$@\n";

/// Its Makefile can write in its own folder alone, and the lab does not follow what it has left there.
fn build_of_module(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (folder, outside) = (place.path().join("sly"), place.path().join("outside"));
    let cache = context.cache()?;
    let kbuild = KBUILD.replace("CACHE", &cache.dir().to_string_lossy());
    let kbuild = kbuild.replace("OUTSIDE", &outside.to_string_lossy());
    let module = "#include <linux/module.h>\n#include \"tried.h\"\n\
        MODULE_DESCRIPTION(\"Is sly\");\nMODULE_LICENSE(\"GPL\");\n";
    write(&folder, &[("Kbuild", &kbuild), ("sly.c", module)])?;
    fs::write(&outside, "mine")?;

    let lab = |word| context.lab_command(&[word], &[("LAB_M", &folder.to_string_lossy())]);
    let built = succeed(&mut lab("module")?)?;
    let built = Path::new(built.trim());
    // As one that was killed leaves it.
    for link in ["lab.built", "sly.c"] {
        let link = built.join(link);
        let _ = fs::remove_file(&link);
        symlink(&outside, &link)?;
    }
    succeed(&mut lab("module")?)?;
    let text = |name: &str| fs::read_to_string(built.join(name));
    let (has, read) = (text("has")?, text("read")?);
    succeed(&mut lab("clean")?)?;

    ensure!(
        fs::read_to_string(&outside)? == "mine",
        "a link was followed"
    );
    for written in ["sly", "toolchain/sly", "module/sly"] {
        let written = cache.dir().join(written);
        ensure!(!written.exists(), "it has made {}", written.display());
    }
    ensure!(read.is_empty(), "it has read a file of the host");
    must_contain(&has, "CapEff:\t0000000000000000")?;
    let devices: BTreeSet<&str> = has.lines().filter(|line| !line.contains(':')).collect();
    let disks = devices
        .iter()
        .any(|it| it.starts_with("loop") || *it == "kvm" || *it == "mem");
    ensure!(devices.contains("null") && !disks, "{devices:?}");
    Ok(())
}

/// What make, a shell or the guest's shell would run, each to make a file in a folder of the host.
const SLY: &str = "$(shell touch HERE/1) $(touch HERE/2) `touch HERE/3` '; touch HERE/4; ' \
    \"; touch HERE/5; \" & touch HERE/6 &";

fn sly(place: &Path) -> [String; 2] {
    let text = SLY.replace("HERE", &place.to_string_lossy());
    [
        format!("PARAMS=whom={text}"),
        format!("RUN=touch {}/7; echo {text}", place.display()),
    ]
}

fn must_be_empty(place: &Path) -> Result<()> {
    let made: Vec<_> = fs::read_dir(place)?.flatten().collect();
    ensure!(made.is_empty(), "on the host: {made:?}");
    Ok(())
}

/// They come there as they are.
fn stay_in_guest(context: &TestContext) -> Result<()> {
    let (place, copies) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let copy = copy_of_project(&copies.path().join("hello_rust"))?;
    let mut make = context.make_command(&copy, &["run"])?;
    let text = printed(&make.args(sly(place.path())).output()?);
    must_contain(&text, "unknown parameter '$(touch' ignored")?;
    for nth in [2, 3, 7] {
        must_contain(&text, &format!("touch: {}/{nth}: ", place.path().display()))?;
    }
    must_be_empty(place.path())
}

/// Its Makefile passes them on to that of the lab.
fn of_new_module() -> Result<()> {
    let (place, lab, new) = (
        tempfile::tempdir()?,
        tempfile::tempdir()?,
        tempfile::tempdir()?,
    );
    write(
        lab.path(),
        &[(
            "Makefile",
            "unexport PARAMS RUN\nrun:\n\t@echo '$(origin PARAMS) $(origin RUN)'\n",
        )],
    )?;
    let makefile = project().join("tools/new/common/Makefile");
    fs::copy(makefile, new.path().join("Makefile"))?;
    let printed = succeed(
        fresh("make")
            .arg("run")
            .arg(format!("HELLO_RUST={}", lab.path().display()))
            .args(sly(place.path()))
            .current_dir(new.path()),
    )?;
    must_contain(&printed, "command line command line")?;
    must_be_empty(place.path())
}

/// QEMU's options; those of a second kind are for gdb.
const OPTIONS: &str =
    "-accel -append -chardev -cpu -device -display -initrd -kernel -m -machine -no-reboot \
    -no-user-config -nodefaults -object -serial -smp";
const OPTIONS_FOR_GDB: &str = "-S -gdb -no-shutdown";

/// Two serial ports, and no other device: no network, no disk, no folder of the host. It listens to no port.
fn what_qemu_has(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let machine = context.machine(&lab);
    let mark = format!("lab.test={}", std::process::id());
    let booting = machine.boot(Archive::bootable(&lab.programs)?, &mark)?;
    must_be_bare(qemu_with(&mark)?)?;
    // The kernel sees none, either.
    let job = "ls /sys/class/net /sys/block /proc/net/dev; ls /sys/bus/virtio/devices\n";
    let guest = booting.run(Archive::job(job)?)?;
    ensure!(
        matches!(guest.outcome, Outcome::Answered(_)),
        "{:?}",
        guest.outcome
    );
    let found = guest.output.lines().find(|line| !line.starts_with("ls: "));
    ensure!(found.is_none(), "the guest has {}", guest.output);

    let place = tempfile::tempdir_in(lab.cache.dir())?;
    let files = ["console", "output"].map(|name| place.path().join(name));
    let initramfs = Initramfs::new(&lab.programs, "true")?;
    let mark = format!("{mark}-gdb");
    let waiting = machine.wait(initramfs, &mark, [&files[0], &files[1]])?;
    must_be_bare(qemu_with(&mark)?)?;
    drop(waiting);
    Ok(())
}

fn qemu_with(mark: &str) -> Result<Pid> {
    wait_for("QEMU", || {
        let mut all = processes_with(&format!(" {mark} ")).into_iter();
        let qemu = all.find(|(_, line)| line.starts_with("qemu-system"));
        qemu.map(|(pid, _)| pid)
    })
}

fn must_be_bare(qemu: Pid) -> Result<()> {
    let proc = PathBuf::from(format!("/proc/{}", qemu.as_raw_nonzero()));
    let words = fs::read(proc.join("cmdline"))?;
    let words = String::from_utf8_lossy(&words).into_owned();
    let words: Vec<&str> = words.split('\0').collect();
    let known = [OPTIONS, OPTIONS_FOR_GDB].join(" ");
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    let options = words.iter().filter(|word| word.starts_with('-'));
    let unknown: Vec<_> = options.filter(|option| !known.contains(*option)).collect();
    ensure!(unknown.is_empty(), "{unknown:?} in {words:?}");
    ensure!(words.contains(&"-nodefaults"), "{words:?}");
    for pair in words.windows(2) {
        let fits = match pair[0] {
            "-device" => pair[1].starts_with("isa-serial,"),
            "-object" => pair[1].starts_with("memory-backend-file,id=memory,"),
            "-gdb" => pair[1] == "chardev:gdb",
            "-chardev" => ["file,", "socket,id=answer,fd=1", "socket,id=gdb,path=gdb,"]
                .iter()
                .any(|start| pair[1].starts_with(start)),
            _ => true,
        };
        ensure!(fits, "{pair:?}");
    }
    let open = fs::read_dir(proc.join("fd"))?.flatten();
    let open = open.filter_map(|fd| fs::read_link(fd.path()).ok());
    let open: Vec<String> = open.map(|it| it.display().to_string()).collect();
    for kind in ["tcp", "tcp6", "udp", "udp6", "raw", "packet"] {
        let table = fs::read_to_string(proc.join("net").join(kind)).unwrap_or_default();
        for line in table.lines().skip(1) {
            let mut inodes = line
                .split_whitespace()
                .map(|word| format!("socket:[{word}]"));
            ensure!(!inodes.any(|it| open.contains(&it)), "{kind}: {line}");
        }
    }
    Ok(())
}
