//! `make KDIR=…` builds the module for a kernel tree, or reports why it cannot; `make doctor KDIR=…`
//! reports the same.
//!
//! Everything runs in the toolchain folder. There, the lab's kernels are like a user's own: they were
//! built by the installed compilers.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, ensure, Context, Result};

use crate::harness::test::Test;
use crate::support::context::{
    copy_of_project, flavours, foreign_flavour, main_flavour, must_contain, on_host, printed,
    program, programs, succeed, tail, TestContext,
};
use lab::commands::lab::Lab;

/// The tree that KDIR names.
enum Tree {
    /// A path, as it is.
    Named(&'static str),
    /// The kernel's source, not configured.
    Source,
    /// The kernel, as built.
    Built,
    /// The kernel, with a line of its configuration replaced.
    Configured(&'static str, &'static str),
    /// The kernel without a file or folder.
    Without(&'static str),
    /// The kernel, with the content of a file replaced.
    With(&'static str, Content),
}

/// The content of a file.
enum Content {
    Text(&'static str),
    /// The header of an ELF file for 64-bit Arm: `EM_AARCH64` is 183.
    OfArm64,
}

/// How PATH differs from the toolchain's.
enum Programs {
    /// It does not.
    Usual,
    /// This program is missing.
    No(&'static str),
    /// This program prints this version.
    Old(&'static str, &'static str),
}

use lab::kernel::flavour::{Compiler, Flavour};
use Compiler::{Clang, Gcc};
use Programs::{No, Old, Usual};
use Tree::{Built, Configured, Named, Source, With, Without};

/// A tree that is refused.
struct Refused {
    what: &'static str,
    /// The compiler that built the kernel.
    compiler: Compiler,
    tree: Tree,
    programs: Programs,
    /// Arguments of make besides KDIR.
    args: &'static [&'static str],
    /// Parts of the error, note and help.
    says: &'static [&'static str],
}

const fn refused(
    what: &'static str,
    compiler: Compiler,
    tree: Tree,
    programs: Programs,
    args: &'static [&'static str],
    says: &'static [&'static str],
) -> Refused {
    Refused {
        what,
        compiler,
        tree,
        programs,
        args,
        says,
    }
}

const LLVM: &[&str] = &["LLVM=1"];

#[rustfmt::skip] // a table reads best as a table
static REFUSED: &[Refused] = &[
    refused("is empty", Clang, Named(""), Usual, LLVM,
        &["KDIR is empty", "help: make KDIR="]),
    refused("does not exist", Clang, Named("/no/linux"), Usual, LLVM,
        &["KDIR does not name an existing folder", "/no/linux", "help: make KDIR="]),
    refused("is not configured", Clang, Source, Usual, LLVM,
        &["this kernel is not configured", "help: make KDIR=/the/folder/given/with/O="]),
    refused("has CONFIG_RUST off", Clang, Configured("CONFIG_RUST=y", ""), Usual, LLVM,
        &["this kernel was built without Rust", "-e RUST && make -C ", "grep CONFIG_RUST=y "]),
    refused("has no Rust metadata", Clang, Without("rust"), Usual, LLVM,
        &["the Rust half of this kernel is not built", "no rust/libcore.rmeta", "help: make -C "]),
    refused("is too old", Clang, With("include/config/kernel.release", Content::Text("6.8.0-31-generic\n")), Usual, LLVM,
        &["this kernel is older than Linux 6.12", "Linux 6.8.0-31-generic", "help: make KDIR="]),
    refused("has macros of another machine", Clang, With("rust/libmacros.so", Content::OfArm64), Usual, LLVM,
        &["was built on another kind of machine", "rust/libmacros.so, for another machine", "help: make "]),
    refused("has bitcode of another LLVM", Clang, With("rust/helpers/helpers_module.bc", Content::Text("of another LLVM")), Usual, LLVM,
        &["llvm-link cannot read ", "helpers_module.bc, which needs the LLVM that built the kernel", "install clang lld llvm"]),
    refused("lacks one crate", Gcc, Without("rust/libkernel.rmeta"), Usual, &[],
        &["the Rust half of this kernel is not built", "no rust/libkernel.rmeta in", "help: make -C "]),
    refused("was built by another rustc", Clang,
        Configured("CONFIG_RUSTC_VERSION_TEXT=", "CONFIG_RUSTC_VERSION_TEXT=\"rustc 1.84.0 (9fc6b4312 2025-01-07)\""), Usual, LLVM,
        &["this kernel was built by another rustc: rustc 1.84.0 (9fc6b4312 2025-01-07)", "note: rustc: rustc 1.85.1", "RUSTC="]),
    refused("was built by gcc, make has LLVM=1", Gcc, Built, Usual, LLVM,
        &["this kernel was built by GCC, but make would use clang", "(without LLVM=)"]),
    refused("was built by clang, make has no LLVM=1", Clang, Built, Usual, &[],
        &["this kernel was built by clang, but make would use gcc", "help: make LLVM=1 KDIR="]),
    refused("is for another architecture", Clang, Configured("CONFIG_X86=y", "CONFIG_ARM64=y"), Usual, LLVM,
        &["this kernel is for arm64, but make builds for x86", "help: make ARCH=arm64 LLVM=1 KDIR="]),
    refused("is not for ARCH=", Gcc, Built, Usual, &["ARCH=arm64"],
        &["this kernel is for x86, but make builds for arm64", "(without ARCH=)"]),
    refused("is fine, RUSTC= does not exist", Clang, Built, Usual, &["LLVM=1", "RUSTC=/no/rustc"],
        &["rustc not found: /no/rustc", "no /no/rustc in PATH", "RUSTC="]),
    refused("is fine, no bindgen", Clang, Built, No("bindgen"), LLVM,
        &["bindgen not found: bindgen", "help: cargo install --locked bindgen-cli@0.71.1"]),
    refused("is fine, bindgen is too old", Gcc, Built, Old("bindgen", "bindgen 0.66.1"), &[],
        &["bindgen is too old", "note: bindgen: bindgen 0.66.1", "help: cargo install --locked bindgen-cli@0.71.1"]),
    refused("is fine, no clang", Clang, Built, No("clang"), LLVM,
        &["C compiler not found: clang", "install clang lld llvm"]),
];

/// Names of the module's folder that Kbuild does not support.
const FOLDERS: &[(&str, &str)] = &[("a space", "a folder"), ("a colon", "a:folder")];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    let kernels = flavours().into_iter().chain([foreign_flavour()]);
    tests.extend(kernels.map(|flavour| {
        let name = format!("kdir::{} as a tree of one's own", flavour.name());
        let run = |context: &TestContext| tree_of_ones_own(context, &*context.lab()?);
        Test::new(name, run).on(&flavour)
    }));
    tests.extend(REFUSED.iter().map(|case| {
        let run = move |context: &TestContext| is_refused(context, case);
        Test::new(format!("kdir::{}", case.what), run).on(&flavour(case.compiler))
    }));
    tests.extend(FOLDERS.iter().map(|(what, name)| {
        let run = move |context: &TestContext| folder_is_refused(context, what, name);
        Test::new(format!("kdir::the module's folder has {what}"), run).on(&main_flavour())
    }));
    tests.push(
        Test::new(
            "kdir::the module's folder is read-only",
            read_only_is_refused,
        )
        .on(&main_flavour()),
    );
    tests.push(
        Test::new(
            "kdir::CC, RUSTC and BINDGEN of the environment do not count",
            environment_does_not_count,
        )
        .on(&main_flavour()),
    );
    tests
}

fn flavour(compiler: Compiler) -> Flavour {
    Flavour {
        compiler,
        ..main_flavour()
    }
}

/// A copy of the project in a temporary folder, with room for trees and programs.
pub struct Fixture {
    /// Deleted with this.
    pub folder: tempfile::TempDir,
    project: PathBuf,
    read_only: bool,
}

impl Fixture {
    /// Copies the project to a folder of this name.
    pub fn new(name: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let project = copy_of_project(&folder.path().join(name))?;
        Ok(Fixture {
            folder,
            project,
            read_only: false,
        })
    }

    /// A program of the toolchain, run in the copy with these variables.
    fn command(&self, lab: &Lab, variables: &[&str], words: &[&str]) -> Result<Command> {
        let program = program("lab")?;
        let folders = [self.folder.path(), program.parent().context("no folder")?];
        let mut command = lab.toolchain.command_in(&self.project, &folders, "env");
        command.args(variables).args(words).stdin(Stdio::null());
        let project = self.project.to_string_lossy();
        Ok(if self.read_only {
            on_host(&["--ro-bind", &project, &project], &command)
        } else {
            command
        })
    }

    fn make(&self, lab: &Lab, variables: &[&str], kdir: &str, words: &[&str]) -> Result<Command> {
        let kdir = format!("KDIR={kdir}");
        self.command(lab, variables, &[&["make", &kdir], words].concat())
    }

    /// `make doctor` with JSON as its output. The variables are those that make would export.
    fn doctor(&self, lab: &Lab, variables: &[&str], kdir: &str) -> Result<Command> {
        let program = program("lab")?;
        let project = format!("HELLO_RUST_DIR={}", self.project.display());
        let words = [
            &program.to_string_lossy(),
            "doctor",
            "--json",
            "--kdir",
            kdir,
        ];
        self.command(lab, &[&[project.as_str()], variables].concat(), &words)
    }

    /// Fails if git reports a new file.
    fn must_be_clean(&self, options: &[&str]) -> Result<()> {
        let others = succeed(self.git("ls-files").arg("--others").args(options))?;
        ensure!(others.is_empty(), "git {options:?} sees\n{others}");
        Ok(())
    }

    fn git(&self, word: &str) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.project).arg(word);
        git
    }
}

/// The module builds and loads, and the build leaves nothing behind.
pub fn tree_of_ones_own(context: &TestContext, lab: &Lab) -> Result<()> {
    let fixture = Fixture::new("hello_rust")?;
    succeed(fixture.git("init").arg("--quiet"))?;
    succeed(fixture.git("add").arg("--all"))?;
    fixture.must_be_clean(&[])?;
    let kdir = lab.kernel.dir.to_string_lossy();
    let options = lab.kernel.flavour.make_options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();

    succeed(&mut fixture.make(lab, &[], &kdir, &options)?)?;
    fixture.must_be_clean(&["--exclude-standard"])?;
    let ko = fs::read(fixture.project.join("hello_rust.ko"))?;
    let job = "insmod /hello_rust.ko && rmmod hello_rust && dmesg";
    let dmesg = context.boot_well(lab, &[("hello_rust.ko", &ko)], job)?;
    must_contain(&dmesg, "hello_rust: Rust, called by C: hello, world! (1)")?;

    succeed(&mut fixture.make(lab, &[], &kdir, &[options.as_slice(), &["clean"]].concat())?)?;
    fixture.must_be_clean(&[])
}

fn is_refused(context: &TestContext, case: &Refused) -> Result<()> {
    let lab = context.lab()?;
    let fixture = Fixture::new("hello_rust")?;
    let kdir = tree(&lab, &fixture, &case.tree)?;
    let path = path(&lab, &fixture, &case.programs)?;
    let variables: Vec<&str> = path.iter().map(String::as_str).collect();
    must_refuse_and_agree(&lab, &fixture, &variables, &kdir, case.args, case.says)
}

/// make exits with 2 and prints these texts, and the doctor reports each of make's errors.
pub fn must_refuse_and_agree(
    lab: &Lab,
    fixture: &Fixture,
    variables: &[&str],
    kdir: &str,
    words: &[&str],
    says: &[&str],
) -> Result<()> {
    let output = fixture.make(lab, variables, kdir, words)?.output()?;
    let text = printed(&output);
    ensure!(
        output.status.code() == Some(2),
        "{}:\n{text}",
        output.status
    );
    says.iter().try_for_each(|word| must_contain(&text, word))?;

    let causes: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("hello_rust: error: "))
        .collect();
    ensure!(!causes.is_empty(), "no cause is named:\n{text}");
    let helps = text.matches("\n  help: ").count();
    ensure!(helps == causes.len(), "{helps} helps:\n{text}");

    let doctor = fixture
        .doctor(lab, &[variables, words].concat(), kdir)?
        .output()?;
    ensure!(doctor.status.code() == Some(2), "{}", printed(&doctor));
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&doctor.stdout)?;
    for cause in causes {
        let known = findings
            .iter()
            .any(|finding| finding["state"] == "bad" && finding["remark"] == cause);
        ensure!(
            known,
            "the doctor does not say {cause:?}:\n{}",
            printed(&doctor)
        );
    }
    Ok(())
}

/// The value of KDIR.
fn tree(lab: &Lab, fixture: &Fixture, tree: &Tree) -> Result<String> {
    let copy = || links_to(&lab.kernel.dir, &fixture.folder.path().join("linux"));
    let dir = match tree {
        Named(name) => PathBuf::from(name),
        Source => lab.kernel.source.dir.clone(),
        Built => lab.kernel.dir.clone(),
        Configured(old, new) => {
            let dir = copy()?;
            for file in [".config", "include/config/auto.conf"] {
                replace_line(&dir.join(file), old, new)?;
            }
            dir
        }
        With(name, content) => {
            let dir = copy()?;
            let file = dir.join(name);
            fs::remove_file(&file)?;
            fs::write(&file, content.bytes())?;
            dir
        }
        Without(name) => {
            let dir = copy()?;
            let lost = dir.join(name);
            if lost.is_dir() {
                fs::remove_dir_all(lost)?
            } else {
                fs::remove_file(lost)?
            }
            dir
        }
    };
    Ok(dir.display().to_string())
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Text(text) => text.as_bytes().to_vec(),
            Content::OfArm64 => {
                let mut head = b"\x7fELF\x02\x01\x01".to_vec();
                head.resize(18, 0);
                head.extend(183_u16.to_le_bytes());
                head
            }
        }
    }
}

/// Copies a kernel tree as links to its files.
fn links_to(tree: &Path, to: &Path) -> Result<PathBuf> {
    succeed(Command::new("cp").arg("-as").arg(tree).arg(to))?;
    Ok(to.to_owned())
}

/// Replaces the only line that starts with `old`, and the link by a file.
fn replace_line(file: &Path, old: &str, new: &str) -> Result<()> {
    let text = fs::read_to_string(file)?;
    let found = text.lines().filter(|line| line.starts_with(old)).count();
    ensure!(
        found == 1,
        "{found} lines of {} start with {old}",
        file.display()
    );
    let lines = text
        .lines()
        .map(|line| if line.starts_with(old) { new } else { line });
    let changed = lines.collect::<Vec<_>>().join("\n") + "\n";
    fs::remove_file(file)?;
    fs::write(file, changed).with_context(|| format!("cannot write {}", file.display()))
}

/// PATH, if it is not the toolchain's: a folder of links to the toolchain's programs.
fn path(lab: &Lab, fixture: &Fixture, programs: &Programs) -> Result<Option<String>> {
    let lost = match programs {
        Usual => return Ok(None),
        No(program) | Old(program, _) => program,
    };
    let folder = fixture.folder.path().join("bin");
    fs::create_dir(&folder)?;
    for entry in fs::read_dir(lab.toolchain.file("usr/bin"))? {
        let name = entry?.file_name();
        if name != **lost {
            symlink(Path::new("/usr/bin").join(&name), folder.join(&name))?;
        }
    }
    if let Old(program, version) = programs {
        let program = folder.join(program);
        fs::write(&program, format!("#!/bin/sh\necho '{version}'\n"))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    Ok(Some(format!("PATH={}", folder.display())))
}

fn folder_is_refused(context: &TestContext, what: &str, name: &str) -> Result<()> {
    let lab = context.lab()?;
    let fixture = Fixture::new(name)?;
    let kdir = lab.kernel.dir.to_string_lossy();
    let cause = format!("the path of the module has {what}, which Kbuild does not support");
    let says = [
        cause.as_str(),
        "help: move the module to a folder with a plain name",
    ];
    must_refuse_and_agree(&lab, &fixture, &[], &kdir, LLVM, &says)
}

fn read_only_is_refused(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let mut fixture = Fixture::new("hello_rust")?;
    fixture.read_only = true;
    let kdir = lab.kernel.dir.to_string_lossy();
    let says = [
        "you cannot write to the folder of the module",
        "help: copy the folder to a place of your own",
    ];
    must_refuse_and_agree(&lab, &fixture, &[], &kdir, LLVM, &says)
}

/// Kbuild ignores them there, so the check must, too. On the command line, both use them.
fn environment_does_not_count(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let fixture = Fixture::new("hello_rust")?;
    let kdir = lab.kernel.dir.to_string_lossy();
    let nowhere = ["CC=/no/cc", "RUSTC=/no/rustc", "BINDGEN=/no/bindgen"];

    let output = fixture.make(&lab, &nowhere, &kdir, LLVM)?.output()?;
    ensure!(output.status.success(), "{}", tail(&printed(&output)));
    ensure!(fixture.project.join("hello_rust.ko").is_file());

    let bin = format!("BIN={}", programs()?.display());
    let words = ["doctor", "LLVM=1", &bin];
    let by_environment = fixture.make(&lab, &nowhere, &kdir, &words)?.output()?;
    let by_words = fixture
        .make(&lab, &[], &kdir, &[&words[..], &nowhere].concat())?
        .output()?;
    for name in ["/no/cc", "/no/rustc", "/no/bindgen"] {
        must_contain(&printed(&by_words), name)?;
        if printed(&by_environment).contains(name) {
            bail!(
                "{name} is from the environment:\n{}",
                printed(&by_environment)
            );
        }
    }
    must_contain(&printed(&by_environment), "Module.symvers")
}
