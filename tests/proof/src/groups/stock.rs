//! The module on a stock Debian kernel: the tests of the lab's own kernels, and what differs there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, ensure, Context, Result};
use host::arch::Arch;
use host::cache;
use host::project::project;

use super::guest::checks_on;
use super::kdir::{self, must_refuse_and_agree, Fixture};
use super::stitch::asked::of_the_kernel_by_hand;
use crate::harness::test::Test;
use crate::support::context::{copy_of_project, must_contain, printed, succeed, TestContext};
use crate::support::scratch::{must_refuse, Scratch};
use lab::commands::lab::Lab;
use lab::guest::machine::Outcome;
use lab::judge::refusals::explain;
use lab::kernel::archive::Archive;
use lab::kernel::flavour::{is_stock, Flavour, NEWEST};

/// What the kernel logs for a module that is out of tree and not signed.
const REMARKS: &[&str] = &[
    "loading out-of-tree module taints kernel.\n",
    "module verification failed: signature and/or required key missing - tainting kernel\n",
];

/// `TAINT_OOT_MODULE` and `TAINT_UNSIGNED_MODULE` of include/linux/panic.h.
const TAINTED: u64 = (1 << 12) | (1 << 13);

type Check = fn(&TestContext, &Lab) -> Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("the kernel is Debian's own", is_debians),
    ("the module has BTF", has_btf),
    ("taints as an unsigned module does", taints),
    ("lockdown=integrity refuses it", locked_down),
    ("stitch reads the kernel's BTF", |_, lab| {
        of_the_kernel_by_hand(lab)
    }),
    ("as a tree of one's own", kdir::tree_of_ones_own),
    ("the folder has what is asked of it", has_what_is_asked),
    ("KDIR is Debian's headers alone", headers_alone),
    ("KDIR was made for another version", of_another_version),
    ("KDIR has lost the headers", without_headers),
    ("KDIR is broken", made_again),
    ("the archive has a newer version", archive_has_newer),
    ("a kernel without Rust is refused", without_rust),
    ("its source is available", has_source),
];

/// The tests on a stock kernel: a release, or the newest.
pub fn tests_on(stock: &Flavour) -> Vec<Test> {
    let own = CHECKS.iter().map(|&(what, check)| {
        let run = move |context: &TestContext| check(context, &*context.lab()?);
        Test::new(format!("stock::{what}"), run).on(stock)
    });
    own.chain(checks_on("stock", stock)).collect()
}

/// /proc/version names the release, and the version of Debian's package.
fn is_debians(context: &TestContext, lab: &Lab) -> Result<()> {
    let version = context.boot_well(lab, &[], "cat /proc/version\n")?;
    must_contain(
        &version,
        &format!("Linux version {} (", lab.kernel.flavour.series),
    )?;
    must_contain(&version, &format!("Debian {} (", lab.kernel.source.version))
}

/// The kernel accepts the module's split BTF, and shows it next to its own.
fn has_btf(context: &TestContext, lab: &Lab) -> Result<()> {
    let job = "insmod /hello_rust.ko && [ -s /sys/kernel/btf/hello_rust ] && rmmod hello_rust\n";
    context
        .boot_well(lab, &[("hello_rust.ko", &lab.hello_rust()?)], job)
        .map(drop)
}

fn taints(context: &TestContext, lab: &Lab) -> Result<()> {
    let job = "cat /proc/sys/kernel/tainted\n\
               insmod /hello_rust.ko && rmmod hello_rust || exit 1\n\
               cat /proc/sys/kernel/tainted\n\
               dmesg\n";
    let output = context.boot_well(lab, &[("hello_rust.ko", &lab.hello_rust()?)], job)?;
    let taints: Vec<&str> = output.lines().take(2).collect();
    ensure!(taints == ["0", &TAINTED.to_string()], "{taints:?}");
    for remark in REMARKS {
        let count = output.matches(&format!("] hello_rust: {remark}")).count();
        ensure!(count == 1, "{count} times {remark:?}:\n{output}");
    }
    Ok(())
}

/// As with Secure Boot, the kernel refuses the module, and the lab explains why.
fn locked_down(context: &TestContext, lab: &Lab) -> Result<()> {
    let guest = context.boot(
        lab,
        &[("hello_rust.ko", &lab.hello_rust()?)],
        "insmod /hello_rust.ko\n",
        "lockdown=integrity",
    )?;
    ensure!(guest.outcome == Outcome::Answered(1), "{:?}", guest.outcome);
    must_contain(
        &guest.output,
        "insmod: /hello_rust.ko: error 1: Operation not permitted",
    )?;
    match explain(&guest.console).first() {
        Some(known) => {
            must_contain(
                &known.meaning,
                "the kernel is locked down, as with Secure Boot",
            )?;
            must_contain(&known.help, "scripts/sign-file")
        }
        None => bail!("not explained:\n{}", guest.console),
    }
}

/// What other people's modules, their packages and editors ask of a kernel's folder: the last one is asked by
/// bcachefs.
const ASKED: &[&str] = &[
    "make -s -C $KDIR M=$PWD modules",
    "make -s -C $KDIR M=$PWD compile_commands.json && [ -s compile_commands.json ]",
    "make -s -C $KDIR M=$PWD rust-analyzer && [ -s rust-project.json ]",
    "make -s -C $KDIR M=$PWD clean && make -s -C $KDIR M=$PWD CLIPPY=1 modules",
    "RUSTC=rustc BINDGEN=bindgen CC=gcc $KDIR/scripts/rust_is_available.sh",
    "[ -r $KDIR/include/generated/rustc_cfg ]",
    "head -c 4096 $KDIR/rust/libcore.rmeta | grep -aq \"$(rustc --version | cut -d ' ' -f 1,2)\"",
];

fn has_what_is_asked(context: &TestContext, lab: &Lab) -> Result<()> {
    let folder = cache::scratch_in(&context.cache()?.dir().join("metadata-tests"))?;
    let module = copy_of_project(&folder.path().join("hello_rust"))?;
    for question in ASKED {
        let kdir = format!("KDIR={}", lab.kernel.dir.display());
        let mut ask = lab.toolchain.command_in(&module, &[&module], "env");
        succeed(ask.args([&kdir, "sh", "-c", question])).context(*question)?;
    }
    Ok(())
}

/// make reports what is missing, and the command that makes it.
fn headers_alone(_: &TestContext, lab: &Lab) -> Result<()> {
    let release = &lab.kernel.flavour.series;
    let packages = lab.cache.dir().join("stock").join(release).join("root");
    let headers = packages.join(format!("usr/src/linux-headers-{release}"));
    let fixture = Fixture::new("hello_rust")?;
    let kdir = fixture.folder.path().join("headers");
    link_all(&headers, &kdir)?;
    // As if the packages were installed.
    let makefile = fs::read_to_string(headers.join("Makefile"))?;
    let include = format!("include {}", packages.display());
    fs::remove_file(kdir.join("Makefile"))?;
    fs::write(
        kdir.join("Makefile"),
        makefile.replace("include ", &include),
    )?;
    let says = [
        "its header package lacks the metadata against which Rust modules are compiled",
        &format!("help: make rust-metadata KREL={release}"),
    ];
    let arch = format!("ARCH={}", lab.kernel.flavour.arch.words().kernel);
    must_refuse_and_agree(lab, &fixture, &[], &kdir.to_string_lossy(), &[&arch], &says)
}

/// The headers were upgraded after the metadata was made.
fn of_another_version(_: &TestContext, lab: &Lab) -> Result<()> {
    let (fixture, kdir) = metadata(lab)?;
    fs::write(
        kdir.join("../made-for"),
        "#1 SMP Debian 7.3.4-0 (2026-11-01)\n",
    )?;
    let release = &lab.kernel.flavour.series;
    let says = [
        &format!(
            "the Rust metadata of the kernel {release} was made for another version of its headers"
        ),
        "made for #1 SMP Debian 7.3.4-0 (2026-11-01); the headers: #1 ",
        &format!("help: make rust-metadata KREL={release}"),
    ];
    must_refuse_and_agree(lab, &fixture, &[], &kdir.to_string_lossy(), &[], &says)
}

/// The headers were removed after the metadata was made.
fn without_headers(_: &TestContext, lab: &Lab) -> Result<()> {
    let (fixture, kdir) = metadata(lab)?;
    fs::remove_file(kdir.join("include"))?;
    symlink("/no/headers", kdir.join("include"))?;
    let release = &lab.kernel.flavour.series;
    let says = [
        &format!("the headers of the kernel {release} are gone"),
        "a broken link to /no/headers",
        &format!("install linux-headers-{release}"),
    ];
    must_refuse_and_agree(lab, &fixture, &[], &kdir.to_string_lossy(), &[], &says)
}

/// Each folder is made again by what has made it.
fn made_again(_: &TestContext, lab: &Lab) -> Result<()> {
    let cache = tempfile::tempdir()?;
    let release = &lab.kernel.flavour.series;
    for (place, command) in [
        ("stock/metadata", "make run KERNEL="),
        ("rust-metadata", "make rust-metadata KREL="),
    ] {
        let made = cache.path().join("hello_rust").join(place).join(release);
        link_all(&lab.kernel.dir, &made.join("build"))?;
        fs::copy(lab.kernel.dir.join("../made-for"), made.join("made-for"))?;
        fs::remove_file(made.join("build/rust"))?;
        let check = Command::new(project().join("tools/check-kernel.sh"))
            .arg(made.join("build"))
            .env("XDG_CACHE_HOME", cache.path())
            .env("ARCH", lab.kernel.flavour.arch.words().kernel)
            .output()?;
        let text = printed(&check);
        must_contain(&text, "libcore.rmeta in ")?;
        must_contain(&text, &format!("\t{command}{release}"))?;
    }
    Ok(())
}

/// The output of tools/stock/rust-metadata as links, which tests can modify.
fn metadata(lab: &Lab) -> Result<(Fixture, PathBuf)> {
    let fixture = Fixture::new("hello_rust")?;
    let made = fixture.folder.path().join(&lab.kernel.flavour.series);
    let kdir = made.join("build");
    link_all(&lab.kernel.dir, &kdir)?;
    fs::copy(lab.kernel.dir.join("../made-for"), made.join("made-for"))?;
    Ok((fixture, kdir))
}

/// A folder with a link to each entry of another.
fn link_all(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        symlink(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The chosen version was never fetched, and the archive no longer has it.
fn archive_has_newer(context: &TestContext, lab: &Lab) -> Result<()> {
    let scratch = Scratch::with(context, &["toolchain"])?;
    let release = &lab.kernel.flavour.series;
    fs::create_dir(scratch.dir().join("stock"))?;
    let chosen = scratch.dir().join("stock/stock.chosen");
    fs::write(chosen, format!("{release} 7.3.4-0\n"))?;
    must_refuse(
        &mut scratch.lab(&["run", "--kernel", NEWEST])?,
        &[
            &format!("the archive no longer has linux-headers-{release} 7.3.4-0"),
            &format!("it has {}", lab.kernel.source.version),
            "/stock, then make run KERNEL=stock",
        ],
    )
}

/// Debian 13's own kernel, Linux 6.12.
fn without_rust(context: &TestContext, lab: &Lab) -> Result<()> {
    let scratch = Scratch::with(context, &["toolchain"])?;
    let log = scratch.dir().join("archive.log");
    let archive = Archive::ask(&lab.cache, &lab.toolchain, Arch::NATIVE, "test", log)?;
    let headers = archive.names("linux-headers-6.")?;
    let releases = headers
        .iter()
        .filter_map(|name| name.strip_prefix("linux-headers-"));
    let release = releases.filter(|name| is_stock(name)).min();
    let release = release.context("the archive has no kernel of Debian 13's own")?;
    must_refuse(
        &mut scratch.lab(&["run", "--kernel", release])?,
        &[
            &format!("Debian built the kernel {release} without Rust"),
            "note: no CONFIG_RUST=y in ",
            "help: make run KERNEL=stock",
        ],
    )
}

fn has_source(context: &TestContext, lab: &Lab) -> Result<()> {
    let words = ["source", "--kernel", &lab.kernel.flavour.series];
    let printed = succeed(&mut context.lab_command(&words, &[])?)?;
    ensure!(
        Path::new(printed.trim()) == lab.kernel.source.dir,
        "printed {printed}"
    );
    Ok(())
}
