//! rust-metadata on a kernel of the lab: compiled, interrupted, refused, made and used.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{ensure, Context, Result};
use host::project::project;
use rustix::process::{kill_process_group, Signal};

use super::fixture::{Fixture, Packages};
use super::{must_refuse, OTHER_RUSTC};
use crate::harness::test::{Case, Outcome};
use crate::support::context::{copy_of_project, must_contain, printed, succeed, TestContext};
use crate::support::processes::wait_for;

type Step = (&'static str, fn(&TestContext, &Fixture) -> Result<()>);

const BY_GCC: &[Step] = &[
    ("named by make doctor", named_by_doctor),
    ("interrupted, it goes on", interrupted_twice),
    ("the disk is full at the end", full_at_the_end),
    ("refused: symbols differ", symbols_differ),
    ("refused: something cannot be compared", not_compared),
    ("refused: a structure has another layout", layout_differs),
    ("refused: a header is not made", header_not_made),
    ("made from what is there", made_from_what_is_there),
    ("complete", has_what_a_build_has),
    ("used", used),
];

const BY_CLANG: &[Step] = &[
    ("refused: another clang", another_clang),
    ("made by the kernel's clang beside another", made_by_clang),
    ("complete", has_what_a_build_has),
    ("used", used),
];

/// The steps share a fixture, so that the Rust half is compiled only once. It is laid out as by
/// `make bindeb-pkg`.
pub fn by_gcc(context: &TestContext) -> Result<Vec<Case>> {
    steps(context, Packages::Debian, BY_GCC)
}

/// The same for headers in the folder of the modules.
pub fn by_clang(context: &TestContext) -> Result<Vec<Case>> {
    steps(context, Packages::Arch, BY_CLANG)
}

fn steps(context: &TestContext, packages: Packages, steps: &[Step]) -> Result<Vec<Case>> {
    let fixture = Fixture::of_lab(context, packages)?;
    let mut cases = Vec::new();
    for (name, step) in steps {
        step(context, &fixture).with_context(|| (*name).to_owned())?;
        cases.push(Case::of_many(*name, Outcome::Passed));
    }
    Ok(cases)
}

/// The help is the command that makes it.
fn named_by_doctor(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let headers = fixture.headers();
    let mut check = Command::new(project().join("tools/check-kernel.sh"));
    let text = printed(&check.arg(headers).output()?);
    must_contain(&text, "its header package lacks the metadata against which")?;
    let makes = format!("\tmake rust-metadata KDIR={} KSRC=", headers.display());
    must_contain(&text, &makes)
}

/// Ends the tool by SIGINT and SIGKILL while rustc runs.
fn interrupted_twice(_: &TestContext, fixture: &Fixture) -> Result<()> {
    for (signal, ends) in [
        (Signal::INT, "run the same command again to continue"),
        (Signal::KILL, ""),
    ] {
        let text = interrupted(fixture, signal)?;
        must_contain(&text, ends)?;
        ensure!(
            !fixture.kdir().exists(),
            "half of the metadata counts as complete: {text}"
        );
    }
    Ok(())
}

/// The objects stay, and the incomplete result is not moved into place.
fn full_at_the_end(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let full = "[ $1 != -R ] && exec /usr/bin/cp \"$@\"; echo 'cp: no space' >&2; exit 1";
    fixture.script("cp", full)?;
    let says = [
        "the metadata was made, but could not be stored",
        "cp: no space",
    ];
    must_refuse(&fixture.make().output()?, 2, &says)?;
    ensure!(
        !fixture.kdir().exists(),
        "half of the metadata counts as complete"
    );
    fs::remove_file(fixture.path("bin/cp"))?;
    Ok(())
}

/// The objects of the steps before are used again.
fn made_from_what_is_there(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let text = made(fixture)?;
    ensure!(
        !text.contains("RUSTC L rust/core.o"),
        "compiled again: {text}"
    );
    Ok(())
}

fn made(fixture: &Fixture) -> Result<String> {
    let output = fixture.make().output()?;
    let text = printed(&output);
    ensure!(output.status.success(), "{text}");
    must_contain(&text, "Rust symbols that the kernel exports match")?;
    let kdir = fixture.kdir().display().to_string();
    ensure!(
        String::from_utf8_lossy(&output.stdout).trim_end() == kdir,
        "{text}"
    );
    Ok(text)
}

/// Both the usual clang and the one with the version in its name.
fn another_clang(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let clangs = ["clang".to_owned(), versioned_clang(fixture)?];
    for clang in &clangs {
        fixture.program(clang, "Debian clang version 18.1.8 (1)")?;
    }
    let says = [
        "was built by another clang",
        ": Debian clang version 18.1.8 (1); the kernel's: Debian clang version ",
        "and name it: CC=/path/to/it",
    ];
    must_refuse(&fixture.make().output()?, 2, &says)?;
    fs::remove_file(fixture.path("bin").join(&clangs[1])).context("cannot remove the program")
}

/// As `CONFIG_CLANG_VERSION` has it.
fn versioned_clang(fixture: &Fixture) -> Result<String> {
    let options = fs::read_to_string(fixture.headers().join("include/config/auto.conf"))?;
    let version = options
        .lines()
        .find_map(|line| line.strip_prefix("CONFIG_CLANG_VERSION="));
    let version: u32 = version.context("no clang")?.parse()?;
    Ok(format!("clang-{}", version / 10_000))
}

/// The headers have what Arch Linux's PKGBUILD puts into them, but not the helpers that are inlined.
fn made_by_clang(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let rust = fixture.headers().join("rust");
    fs::create_dir(&rust)?;
    for entry in fs::read_dir(fixture.lab.kernel.dir.join("rust"))? {
        let file = entry?.path();
        let ships = |extension| extension == "rmeta" || extension == "so";
        if file.extension().is_some_and(ships) {
            fs::copy(&file, rust.join(file.file_name().context("no name")?))?;
        }
    }
    ensure!(rust.join("libkernel.rmeta").exists(), "no metadata");
    made(fixture)?;
    fs::remove_file(fixture.path("bin/clang")).context("cannot remove the program")
}

/// What the folder need not have of a kernel's build or source.
const NOT_NEEDED: &[&str] = &["rust/modules.order"];

/// The folder has the files that `make modules_prepare` makes, and the scripts and Rust files of the source.
fn has_what_a_build_has(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let kernel = &fixture.lab.kernel;
    let made = [
        "arch/x86/include/generated",
        "include/generated",
        "rust",
        "scripts",
        "tools/objtool/objtool",
    ];
    let mut files = files_of(&kernel.dir, &made)?;
    files.extend(files_of(&kernel.source.dir, &["rust", "scripts"])?);
    ensure!(files.len() > 500, "only {} files", files.len());
    let kdir = fixture.kdir();
    let is_needed = |file: &String| !NOT_NEEDED.iter().any(|start| file.starts_with(start));
    files.retain(|file| is_needed(file) && !kdir.join(file).exists());
    ensure!(files.is_empty(), "missing:\n{}", files.join("\n"));
    Ok(())
}

/// All but objects, and what only Kbuild reads.
fn files_of(folder: &Path, below: &[&str]) -> Result<Vec<String>> {
    let mut find = Command::new("find");
    find.current_dir(folder).args(below);
    find.args("-type f ! -name .* ! -name *.o ! -name *.a".split(' '));
    Ok(succeed(&mut find)?.lines().map(str::to_owned).collect())
}

/// A module that is built with the metadata loads; the metadata is made only once, and can be removed.
fn used(context: &TestContext, fixture: &Fixture) -> Result<()> {
    let again = fixture.make().output()?;
    ensure!(
        again.status.success() && again.stderr.is_empty(),
        "{}",
        printed(&again)
    );
    is_a_kdir(context, fixture)?;

    // Another rustc cannot read it.
    fixture.program("rustc", OTHER_RUSTC)?;
    let output = fixture.make().output()?;
    must_refuse(&output, 2, &["was built by another rustc", OTHER_RUSTC])?;
    ensure!(fixture.kdir().exists(), "it was removed");

    let removed = fixture
        .tool()
        .args(["--remove", &fixture.release])
        .output()?;
    ensure!(removed.status.success(), "{}", printed(&removed));
    ensure!(!fixture.path("into").exists(), "something is left");
    Ok(())
}

/// Starts the tool, waits until it compiles core, and sends a signal to its process group.
fn interrupted(fixture: &Fixture, signal: Signal) -> Result<String> {
    let log = fixture.path("text");
    let file = fs::File::create(&log)?;
    let mut child = fixture
        .make()
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()?;
    let printed = || fs::read_to_string(&log).unwrap_or_default();
    let compiles = || {
        let over = matches!(child.try_wait(), Ok(Some(_)));
        let compiles = printed().contains("RUSTC L rust/core.o");
        (over || compiles).then_some(compiles)
    };
    let compiles = wait_for("rustc to compile core", compiles)?;
    ensure!(compiles, "it ended before that:\n{}", printed());
    let ended = fixture
        .group()
        .and_then(|group| Ok(kill_process_group(group, signal)?));
    child.wait()?;
    ended?;
    Ok(printed())
}

/// The module builds with it, and the kernel loads the module.
fn is_a_kdir(context: &TestContext, fixture: &Fixture) -> Result<()> {
    let project = copy_of_project(&fixture.path("hello_rust"))?;
    let mut make = fixture
        .lab
        .toolchain
        .command_in(&project, &[&project], "make");
    make.arg(format!("KDIR={}", fixture.kdir().display()));
    make.args(fixture.lab.kernel.flavour.make_options());
    succeed(&mut make)?;
    let ko = fs::read(project.join("hello_rust.ko"))?;
    let job = "insmod /hello_rust.ko && rmmod hello_rust && dmesg\n";
    let dmesg = context.boot_well(&fixture.lab, &[("hello_rust.ko", &ko)], job)?;
    must_contain(&dmesg, "hello_rust: Rust, called by C: hello, world! (1)")
}

/// Saves the objects for the next step: a refusal deletes them.
fn refused_again(fixture: &Fixture, exit: i32, says: &[&str]) -> Result<()> {
    let work = fixture
        .path("into")
        .join(format!("{}.work", fixture.release));
    let aside = fixture.path("aside");
    succeed(Command::new("cp").arg("-a").args([&work, &aside]))?;
    let output = fixture.make().output()?;
    must_refuse(&output, exit, says)?;
    ensure!(
        fixture.is_empty()?,
        "something is left: {}",
        printed(&output)
    );
    fs::rename(&aside, &work).context("cannot restore the objects")
}

/// A symbol with another name, and one with another checksum: both are counted.
fn symbols_differ(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let file = fixture.headers().join("Module.symvers");
    let symvers = fs::read_to_string(&file)?;
    let mut symbols = symvers.lines().filter(|line| line.contains("\t_RNv"));
    let (first, second) = (symbols.next(), symbols.next());
    let (first, second) = (
        first.context("no symbol")?,
        second.context("no other symbol")?,
    );
    let total = symvers
        .lines()
        .filter(|line| line.contains("\t_R") || line.contains("\trust_helper_"))
        .count();
    fixture.change("Module.symvers", first, &first.replace("\t_RNv", "\t_RNvX"))?;
    let checksum = second.split('\t').next().context("no checksum")?;
    ensure!(checksum != "0x00000000", "no checksums: {second}");
    fixture.change(
        "Module.symvers",
        second,
        &second.replace(checksum, "0x00000001"),
    )?;

    let counted = format!("{} of the kernel's {total} Rust symbols match", total - 2);
    let says = [&counted, "only in the kernel: ", "=0x00000001", "_RNvX"];
    refused_again(fixture, 1, &says)?;
    fs::write(&file, symvers).context("cannot restore the symbols")
}

/// A program that fails, or prints nothing, and the error. What cannot be compared counts as different.
#[rustfmt::skip] // a table reads best as a table
const NOT_COMPARED: &[(&str, &str, &str)] = &[
    ("comm", "exit 1", "0 of the kernel's"),
    ("cmp", "exit 2", "include/generated/"),
    ("find", "[ $1 != include/generated ] && exec /usr/bin/find \"$@\"; echo include/generated/asm-offsets.h; exit 1", "the generated headers cannot be listed"),
    ("find", "[ $1 != include/generated ] && exec /usr/bin/find \"$@\"; exit 0", "the generated headers cannot be listed"),
];

fn not_compared(_: &TestContext, fixture: &Fixture) -> Result<()> {
    for (program, does, says) in NOT_COMPARED {
        fixture.script(program, does)?;
        refused_again(fixture, 1, &[says]).with_context(|| (*program).to_owned())?;
        fs::remove_file(fixture.path("bin").join(program)).context("cannot remove the program")?;
    }
    Ok(())
}

/// A structure with another layout, whether diff shows it or not.
fn layout_differs(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let header = "include/generated/asm-offsets.h";
    let file = fixture.headers().join(header);
    let text = fs::read_to_string(&file)?;
    fixture.change(header, "#define TASK_threadsp ", "#define TASK_threadsp 1")?;
    let differs = format!("{header} differs");
    refused_again(fixture, 1, &[&differs, "TASK_threadsp 1"])?;
    fixture.script("diff", "exit 2")?;
    refused_again(fixture, 1, &[&differs])?;
    fs::remove_file(fixture.path("bin/diff"))?;
    fs::write(&file, text).context("cannot restore the header")
}

/// A header that the build does not generate, but that the kernel has.
fn header_not_made(_: &TestContext, fixture: &Fixture) -> Result<()> {
    let header = "include/generated/vdso-offsets.h";
    let file = fixture.headers().join(header);
    fs::write(&file, "#define offset 1\n")?;
    refused_again(fixture, 1, &[&format!("{header} differs")])?;
    fs::remove_file(file).context("cannot remove the header")
}
