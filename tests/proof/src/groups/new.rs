//! `make new`: what it makes is built, loaded and tested; what it cannot make is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use host::project::project;

use super::lints;
use crate::harness::test::Test;
use crate::support::context::{
    flavours, foreign_flavour, main_flavour, must_contain, on_host, printed, succeed, tail,
    TestContext,
};
use crate::support::scratch::must_refuse;
use lab::kernel::flavour::{Compiler, Flavour};

/// A kind of module, and the checks of `make test` that it is put through: all, or those with this in
/// their names.
const KINDS: &[(&str, &str)] = &[("minimal", "KUnit"), ("misc", "")];

/// Arguments of `make new`, in which PLACE is an empty folder, and what is printed.
#[rustfmt::skip] // a table reads best as a table
const BAD: &[(&[&str], &[&str])] = &[
    (&[],                       &["error: the new module needs a name", "help: make new NAME=my_module"]),
    (&["NAME="],                &["error: the new module needs a name"]),
    (&["NAME=my-module"],       &["`my-module` cannot be the name of a module", "NAME=my-module", "help: make new NAME="]),
    (&["NAME=Module"],          &["small letters, digits and _"]),
    (&["NAME=7up"],             &["starts with a letter"]),
    (&["NAME=../up"],           &["`../up` cannot be the name of a module"]),
    (&["NAME=impl"],            &["`impl` is a keyword of Rust"]),
    (&["NAME=kernel"],          &["`kernel` is the name of a crate that modules are built with"]),
    (&["NAME=glob"],            &["a kernel has a module glob of its own", "kernel/lib/glob.ko"]),
    (&["NAME=pad", "KIND=usb"], &["invalid value 'usb' for '--kind", "possible values: misc, minimal"]),
    (&["NAME=pad", "DIR="],     &["a value is required for '--dir"]),
    (&["NAME=pad", "DIR=PLACE/a b"],     &["the path of the new module has a space, which Kbuild rejects", "a b"]),
    (&["NAME=pad", "DIR=PLACE/a,b"],     &["has a comma"]),
    (&["NAME=pad", "DIR=PLACE/none/pad"], &["the new module's parent folder does not exist", "help: mkdir -p "]),
    (&["NAME=pad", "DIR=PLACE"],         &["the folder of the new module exists", "DIR="]),
    (&["NAME=pad", "DIR=/proc/pad"],     &["the folder of the new module cannot be made", "/proc: "]),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let kernels = flavours().into_iter().chain([foreign_flavour()]);
    let mut tests: Vec<Test> = kernels.flat_map(|flavour| works_on(&flavour)).collect();
    tests.extend(BAD.iter().map(|(words, prints)| {
        let run = move |context: &TestContext| refused(context, words, prints);
        // The kernel has the module glob.
        Test::new(format!("new::make new {}", words.join(" ")), run).on(&main_flavour())
    }));
    tests.extend([
        Test::new("new::what M= can do is in the new Makefile", |_| {
            same_commands()
        }),
        Test::new("new::a folder that exists stays as it is", stays),
        Test::new("new::a folder that cannot be written", read_only),
        Test::new(
            "new::in the kernel's style, with short and long names",
            style,
        ),
        Test::new("new::files on the command line are its own", own_files).on(&main_flavour()),
        Test::new("new::a second module", second_module).on(&main_flavour()),
        Test::new("new::docs/your-module.md", the_page).on(&main_flavour()),
    ]);
    tests
}

/// The tests on a stock kernel.
pub fn tests_on(stock: &Flavour) -> Vec<Test> {
    works_on(stock)
}

/// The smallest kind depends on the kernel's series, and has nothing that is up to the C compiler or the
/// architecture.
fn works_on(flavour: &Flavour) -> Vec<Test> {
    let works = |&(kind, checks): &(&'static str, &'static str)| {
        let on = flavour.clone();
        let run = move |context: &TestContext| works(context, &on, kind, checks);
        Test::new(format!("new::{}::{kind}", flavour.name()), run)
            .on(flavour)
            .minutes(10)
    };
    let by_series = flavour.compiler == Compiler::Clang && !flavour.arch.is_foreign();
    let kinds = if by_series { KINDS } else { &KINDS[1..] };
    kinds.iter().map(works).collect()
}

/// `make new` with these words.
fn make_new(context: &TestContext, words: &[&str]) -> Result<Command> {
    context.make_command(&project(), &[&["new"], words].concat())
}

/// Makes the module `pad` in an empty folder.
fn new_pad(context: &TestContext, place: &Path, kind: &str) -> Result<PathBuf> {
    new_module(context, place, "pad", kind)
}

fn new_module(context: &TestContext, place: &Path, name: &str, kind: &str) -> Result<PathBuf> {
    let folder = place.join(name);
    let words = [
        format!("NAME={name}"),
        format!("KIND={kind}"),
        format!("DIR={}", folder.display()),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let printed = succeed(&mut make_new(context, &words)?)?;
    must_contain(&printed, &format!("cd {}\n", folder.display()))?;
    Ok(folder)
}

/// All files of a folder, with their contents.
fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(contents(&path)?);
        } else {
            files.insert(path.clone(), fs::read(&path)?);
        }
    }
    Ok(files)
}

/// As its README.md says: the commands are those of its Makefile.
fn works(context: &TestContext, on: &Flavour, kind: &str, checks: &str) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = new_pad(context, place.path(), kind)?;
    let before = contents(&folder)?;
    let kernel = format!("KERNEL={}", on.series);
    let arch = format!("ARCH={}", on.arch.words().kernel);
    let cc = match on.compiler {
        Compiler::Clang => "CC=clang",
        Compiler::Gcc => "CC=gcc",
    };
    let (tests, junit) = (
        format!("TESTS={checks}"),
        format!("JUNIT={}/junit.xml", place.path().display()),
    );
    let words = ["test", &kernel, cc, &arch, &tests, &junit];
    let output = context.make_command(&folder, &words)?.output()?;
    let text = printed(&output);
    ensure!(output.status.success(), "{}", tail(&text));
    ensure!(!text.contains("FAIL"), "{text}");
    // Debian's kernel has no KUnit.
    if !on.is_stock() {
        must_contain(&text, " KUnit ")?;
        must_contain(&text, "pad.")?;
    }
    ensure!(contents(&folder)? == before, "the folder was written to");
    Ok(())
}

fn refused(context: &TestContext, words: &[&str], prints: &[&str]) -> Result<()> {
    let place = tempfile::tempdir()?;
    let path = place.path().to_string_lossy();
    let mut words: Vec<String> = words.iter().map(|it| it.replace("PLACE", &path)).collect();
    // If it is not refused, not beside the project.
    if !words.iter().any(|word| word.starts_with("DIR=")) {
        words.push(format!("DIR={path}/new"));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    must_refuse(&mut make_new(context, &words)?, prints)?;
    ensure!(contents(place.path())?.is_empty(), "something was written");
    Ok(())
}

/// Except that there, `clean` is Kbuild's.
fn same_commands() -> Result<()> {
    let list = |file: &str, variable: &str| -> Result<Vec<String>> {
        let text = fs::read_to_string(project().join(file))?;
        let line = text.lines().find_map(|line| line.strip_prefix(variable));
        let words = line.with_context(|| format!("{file} has no {variable}"))?;
        let words = words.split_whitespace().filter(|word| *word != "clean");
        Ok(words.map(str::to_owned).collect())
    };
    let (here, new) = (
        list("Makefile", "WITH_M :=")?,
        list("tools/new/common/Makefile", "LAB :=")?,
    );
    ensure!(
        here == new,
        "M= is for {here:?}, LAB of the new Makefile is {new:?}"
    );
    Ok(())
}

fn stays(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = new_pad(context, place.path(), "misc")?;
    fs::write(folder.join("pad.rs"), "// My work.\n")?;
    std::os::unix::fs::symlink("nowhere", place.path().join("link"))?;
    let before = contents(&folder)?;
    for dir in [folder.clone(), place.path().join("link")] {
        let dir = format!("DIR={}", dir.display());
        let mut again = make_new(context, &["NAME=pad", "KIND=minimal", &dir])?;
        must_refuse(&mut again, &["the folder of the new module exists", &dir])?;
    }
    ensure!(contents(&folder)? == before, "the folder was written to");
    Ok(())
}

/// Nor is anything left in it.
fn read_only(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (path, dir) = (
        place.path().to_string_lossy(),
        format!("DIR={}/pad", place.path().display()),
    );
    let make = make_new(context, &["NAME=pad", &dir])?;
    must_refuse(
        &mut on_host(&["--ro-bind", &path, &path], &make),
        &[
            "the folder of the new module cannot be made",
            "Read-only file system",
            "help: make new NAME=pad DIR=",
        ],
    )
}

/// checkpatch and rustfmt look at the lengths of lines, and those depend on the name.
fn style(context: &TestContext) -> Result<()> {
    let place = context.cache()?.place_for("lint/new")?;
    let place = tempfile::tempdir_in(place.with_file_name(""))?;
    for name in ["a", "water_meter"] {
        for (kind, _) in KINDS {
            let place = place.path().join(kind);
            fs::create_dir_all(&place)?;
            let folder = new_module(context, &place, name, kind)?;
            let files = contents(&folder)?.into_keys();
            let own = files.filter(|file| !file.starts_with(folder.join("border")));
            let ends = |end: &'static str| {
                move |file: &&PathBuf| file.extension().is_some_and(|is| is == end)
            };
            let own: Vec<PathBuf> = own.collect();
            let rust: Vec<PathBuf> = own.iter().filter(ends("rs")).cloned().collect();
            let c = own.iter().filter(|file| ends("c")(file) || ends("h")(file));
            let all: Vec<PathBuf> = c.chain(&rust).cloned().collect();
            ensure!(rust.len() == 1 && all.len() > 3, "only {all:?}");
            lints::kernel_rustfmt(context, &rust)?;
            lints::checkpatch(context, &all)?;
        }
    }
    Ok(())
}

/// The lab runs in a folder of its own.
fn own_files(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = new_pad(context, place.path(), "minimal")?;
    fs::write(folder.join("mine.sh"), "cat /one /other\n")?;
    for (name, text) in [("one", "first file\n"), ("other", "second file\n")] {
        fs::write(folder.join(name), text)?;
    }
    for run in [
        "RUN=mine.sh",
        "RUN=cat /one /other; echo \"it's $((6 * 7))\"",
    ] {
        let words = ["run", run, "FILES=one other"];
        let output = context.make_command(&folder, &words)?.output()?;
        let text = printed(&output);
        ensure!(output.status.success(), "{text}");
        must_contain(&text, "first file\nsecond file\n")?;
        ensure!(run.ends_with(".sh") || text.contains("it's 42\n"), "{text}");
        must_contain(&text, "pad: Rust: goodbye")?;
    }
    let mut elsewhere = context.make_command(&folder, &["run", "HELLO_RUST=/no/lab"])?;
    must_refuse(
        &mut elsewhere,
        &[
            "pad: error: no lab in /no/lab",
            "help: make run HELLO_RUST=/path/to/",
        ],
    )
}

const OTHER: &str = r#"#include <linux/module.h>
#include "pad_exports.h"
static int __init other_init(void) { pr_info("other: %d\n", pad_answer()); return 0; }
static void __exit other_exit(void) { }
module_init(other_init);
module_exit(other_exit);
MODULE_DESCRIPTION("Uses another module");
MODULE_LICENSE("GPL");
"#;

/// As the new README.md describes it: in the same folder, and in another one.
fn second_module(context: &TestContext) -> Result<()> {
    let place = context.cache()?.place_for("lint/new")?;
    let place = tempfile::tempdir_in(place.with_file_name(""))?;
    let folder = new_pad(context, place.path(), "minimal")?;
    let readme = fs::read_to_string(folder.join("README.md"))?;
    let blocks: Vec<&str> = readme.split("```c\n").skip(1).collect();
    let blocks = blocks.iter().filter_map(|rest| rest.split("```").next());
    let [header, source] = blocks.collect::<Vec<_>>()[..] else {
        anyhow::bail!("README.md has other examples:\n{readme}");
    };
    let helper = folder.join("pad_helper.c");
    let text = fs::read_to_string(&helper)?;
    let text = text.replacen(
        "#include",
        "#include \"pad_exports.h\"\n#include <linux/export.h>\n#include",
        1,
    );
    fs::write(&helper, text + "\n" + source)?;
    fs::write(folder.join("pad_exports.h"), header)?;

    let lab = context.lab()?;
    let other = place.path().join("other");
    fs::create_dir(&other)?;
    fs::write(other.join("Kbuild"), "obj-m := other.o\n")?;
    fs::write(other.join("other.c"), OTHER)?;
    fs::copy(folder.join("pad_exports.h"), other.join("pad_exports.h"))?;
    let build = |folder: &Path, more: &[&str]| {
        let mut make = lab.toolchain.command("make");
        make.arg("-C").arg(&lab.kernel.dir);
        make.arg(format!("M={}", folder.display()));
        make.args(lab.kernel.flavour.make_options()).args(more);
        succeed(&mut make)
    };
    build(&folder, &[])?;
    let symbols = folder.join("Module.symvers");
    build(
        &other,
        &[&format!("KBUILD_EXTRA_SYMBOLS={}", symbols.display())],
    )?;
    let mut modinfo = lab.toolchain.command("modinfo");
    let depends = succeed(modinfo.args(["-F", "depends"]).arg(other.join("other.ko")))?;
    ensure!(depends.trim() == "pad", "depends on {depends}");

    let kbuild = fs::read_to_string(folder.join("Kbuild"))?;
    let both = kbuild.replace("obj-m := pad.o", "obj-m := pad.o other.o");
    ensure!(both != kbuild && readme.contains("`obj-m := pad.o other.o`"));
    fs::write(folder.join("Kbuild"), both)?;
    fs::write(folder.join("other.c"), OTHER)?;
    let output = context.make_command(&folder, &["run"])?.output()?;
    ensure!(output.status.success(), "{}", printed(&output));
    must_contain(&printed(&output), "other: 42")
}

/// After which line of a file a line of the page belongs.
const PLACES: &[(&str, &str)] = &[
    (
        "notes_uapi.h",
        "#define NOTES_IOC_SET\t\t_IOW(NOTES_IOC_MAGIC, 1, struct notes_size)\n",
    ),
    ("notes_device.h", "\tNOTES_CMD_SET = NOTES_IOC_SET,\n"),
    (
        "notes_test.c",
        "\tCHECK(size_of(fd).limit == 3 && size_of(fd).used == 3);\n",
    ),
    (
        "notes.rs",
        "NOTES_CMD_SET => file.lock().set_limit(argument.limit)?,\n",
    ),
];

/// The mismatch, and the command of ioctl(), first without its line in Rust.
fn the_page(context: &TestContext) -> Result<()> {
    let page = fs::read_to_string(project().join("docs/your-module.md"))?;
    let place = tempfile::tempdir()?;
    let folder = new_module(context, place.path(), "notes", "misc")?;
    let run = |words: &[&str], shown: &str| -> Result<()> {
        let output = context.make_command(&folder, words)?.output()?;
        must_contain(&page, shown)?;
        must_contain(&printed(&output), shown)
    };
    let rust = folder.join("notes.rs");
    let right = fs::read_to_string(&rust)?;
    let wrong = right.replacen("    at: u64,\n", "    at: u32,\n", 1);
    ensure!(wrong != right, "notes_read() has another parameter");
    fs::write(&rust, wrong)?;
    let shown = "border: Rust against the contract: error: notes_read does not fit its declaration";
    run(&["run"], shown)?;
    fs::write(&rust, right)?;

    let junit = format!("JUNIT={}/junit.xml", place.path().display());
    for (file, after) in PLACES {
        let row = page
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| `{file}`")));
        let code = row.and_then(|row| row.split_once("| `")?.1.strip_suffix("` |"));
        let code = code.with_context(|| format!("the page has no line for {file}"))?;
        let path = folder.join(file);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(after), "{file} has no {after}");
        if *file == "notes.rs" {
            let shown = "size_of(fd).used == 0 (errno: Inappropriate ioctl for device)";
            run(&["test", "TESTS=test.sh", &junit], shown)?;
        }
        fs::write(path, text.replacen(after, &format!("{after}{code}\n"), 1))?;
    }
    let words = ["test", "TESTS=test.sh", &junit];
    let output = context.make_command(&folder, &words)?.output()?;
    ensure!(output.status.success(), "{}", tail(&printed(&output)));
    Ok(())
}
