//! `make run M=…`: modules in folders of the user's.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use host::project::project;

use crate::harness::test::Test;
use crate::support::context::{main_flavour, must_contain, printed, succeed, TestContext};
use crate::support::scratch::must_refuse;
use lab::exit::Exit;
use lab::kernel::flavour::Flavour;
use lab::kernel::sources::Folder;

/// A module that exports a number, which another one imports; in a subfolder.
const FIRST: &str = r#"#include <linux/module.h>
int first_number = 3;
EXPORT_SYMBOL_GPL(first_number);
module_param_named(number, first_number, int, 0444);
static int __init first_init(void) { pr_info("first: %d\n", first_number); return 0; }
static void __exit first_exit(void) { pr_info("first: exit\n"); }
module_init(first_init);
module_exit(first_exit);
MODULE_DESCRIPTION("Exports a number");
MODULE_LICENSE("GPL");
"#;

const SECOND: &str = r#"#include <linux/module.h>
extern int first_number;
static int times = 1;
module_param(times, int, 0444);
static int __init second_init(void) { pr_info("second: %d\n", first_number * times); return 0; }
static void __exit second_exit(void) { pr_info("second: exit\n"); }
module_init(second_init);
module_exit(second_exit);
MODULE_DESCRIPTION("Imports a number");
MODULE_LICENSE("GPL");
"#;

/// Each imports a number of the other one.
const ON_SECOND: &str = "#include <linux/module.h>\n\
    int first_number; EXPORT_SYMBOL_GPL(first_number); extern int second_number;\n\
    static int __init first_init(void) { return second_number; }\n\
    module_init(first_init);\nMODULE_DESCRIPTION(\"One\");\nMODULE_LICENSE(\"GPL\");\n";
const ON_FIRST: &str = "#include <linux/module.h>\n\
    int second_number; EXPORT_SYMBOL_GPL(second_number); extern int first_number;\n\
    static int __init second_init(void) { return first_number; }\n\
    module_init(second_init);\nMODULE_DESCRIPTION(\"Other\");\nMODULE_LICENSE(\"GPL\");\n";

/// The order in Kbuild is not the order in which they have to be loaded.
const KBUILD: &str = "obj-m := second.o first.o\nfirst-y := src/one.o\n";

const BOTH: &[(&str, &str)] = &[
    ("Kbuild", KBUILD),
    ("src/one.c", FIRST),
    ("second.c", SECOND),
];

/// Files of a folder, the lab's variables, the exit code, and what is printed.
struct Bad {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
    exit: Exit,
    prints: &'static [&'static str],
}

#[rustfmt::skip] // a table reads best as a table
const BAD: &[Bad] = &[
    Bad { what: "no Kbuild", files: &[("a.c", "")], variables: &[], exit: Exit::Host,
        prints: &["not a module's folder: no Kbuild, and no Makefile", "help: write `obj-m := NAME.o`"] },
    Bad { what: "an empty obj-m", files: &[("Kbuild", "obj-m :=\n")], variables: &[], exit: Exit::Failed,
        prints: &["the folder builds no module", "help: write `obj-m := NAME.o`"] },
    Bad { what: "two modules of one name", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := a/ first.o\n"), ("a/Kbuild", "obj-m := first.o\n"), ("first.c", FIRST), ("a/first.c", SECOND)],
        prints: &["first"] },
    Bad { what: "a name that the kernel has built in", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := kunit.o\n"), ("kunit.c", FIRST)],
        prints: &["a module of the name kunit is already loaded, or built into this kernel", "help: unload it"] },
    Bad { what: "modules that depend on each other", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := first.o second.o\n"), ("first.c", ON_SECOND), ("second.c", ON_FIRST)],
        prints: &["modules depend on each other in a circle", "first -> second -> first"] },
    Bad { what: "a module that it needs does not exist", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := first.o\nKBUILD_EXTRA_SYMBOLS := $(src)/symbols\n"), ("first.c", ON_SECOND),
            ("symbols", "0x00000000\tsecond_number\tsecond\tEXPORT_SYMBOL_GPL\t\n")],
        prints: &["first depends on a module that does not exist: second", "help: CONFIG=FILE"] },
    Bad { what: "a script that fails", files: BOTH, variables: &[("LAB_RUN", "printf half; exit 7")], exit: Exit::Failed,
        prints: &["halflab: RUN exited with 7", "second: exit", "the script in RUN= exited with 7"] },
    Bad { what: "a script that fails in the middle", exit: Exit::Failed, variables: &[("LAB_RUN", "FOLDER/test.sh")],
        files: &[("Kbuild", "obj-m := first.o\n"), ("first.c", FIRST), ("test.sh", "#!/bin/sh -e\nfalse\ntrue\n")],
        prints: &["the script in RUN= exited with 1"] },
    Bad { what: "a script that does not exist", files: BOTH, variables: &[("LAB_RUN", "tests/none.sh")], exit: Exit::Host,
        prints: &["cannot read the script", "RUN=tests/none.sh"] },
    Bad { what: "a script that does not end", files: BOTH, exit: Exit::Timeout,
        variables: &[("LAB_RUN", "sleep 600"), ("LAB_TIMEOUT", "10")], prints: &["the guest did not finish within 10 s"] },
    Bad { what: "a file that does not exist", files: BOTH, variables: &[("LAB_FILES", "/no/file")], exit: Exit::Host,
        prints: &["a file for the guest does not exist", "FILES=/no/file"] },
    Bad { what: "a parameter that it does not take", files: BOTH, variables: &[("LAB_PARAMS", "times=many")], exit: Exit::Failed,
        prints: &["\"many\" is not a valid value for the parameter times of second"] },
    Bad { what: "a file in the place of the job", exit: Exit::Host, variables: &[("LAB_FILES", "FOLDER/job")],
        files: &[("Kbuild", "obj-m := first.o\n"), ("first.c", FIRST), ("job", "")],
        prints: &["the guest already has a /job"] },
    Bad { what: "an option that the kernel does not have", exit: Exit::Host, variables: &[("LAB_CONFIG", "FOLDER/options")],
        files: &[("Kbuild", "obj-m := first.o\n"), ("first.c", FIRST), ("options", "CONFIG_NO_SUCH_OPTION=y\n")],
        prints: &["the kernel does not take these options", "CONFIG_NO_SUCH_OPTION=y", "`config NAME`"] },
    Bad { what: "a file of options that does not exist", files: BOTH, variables: &[("LAB_CONFIG", "FOLDER/options")], exit: Exit::Host,
        prints: &["cannot read the kernel options", "help: name a file with lines"] },
    Bad { what: "symbols that the kernel lacks", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := first.o\n"), ("first.c", "#include <linux/module.h>\n\
            struct kprobe; int register_kprobe(struct kprobe *p);\n\
            static int __init first_init(void) { return register_kprobe(NULL); }\nmodule_init(first_init);\nMODULE_LICENSE(\"GPL\");\n")],
        prints: &["register_kprobe", "help: CONFIG=FILE, with the kernel options CONFIG_KPROBES=y"] },
    Bad { what: "symbols of options that a file cannot set", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := first.o\n"), ("first.c", "#include <linux/module.h>\n\
            void sock_release(void *); void crypto_alloc_ahash(void);\n\
            static int __init first_init(void) { sock_release(NULL); crypto_alloc_ahash(); return 0; }\n\
            module_init(first_init);\nMODULE_LICENSE(\"GPL\");\n")],
        prints: &["with the kernel options CONFIG_NET=y and options that select CONFIG_CRYPTO_HASH2 (without a prompt)"] },
    Bad { what: "a file that its own Makefile makes", exit: Exit::Failed, variables: &[],
        files: &[("Makefile", "obj-m := first.o\nall: version.h\nversion.h:\n\techo > version.h\n"), ("first.c", "#include \"version.h\"\n")],
        prints: &["help: run `make version.h` in the module's folder"] },
    Bad { what: "a module! of earlier kernels", exit: Exit::Failed, variables: &[],
        files: &[("Kbuild", "obj-m := old.o\n"), ("old.rs", "//! Old.\nuse kernel::prelude::*;\n\
            module! {\n    type: Old,\n    name: \"old\",\n    author: \"Ada\",\n    license: \"GPL\",\n}\nstruct Old;\n\
            impl kernel::Module for Old {\n    fn init(_: &'static ThisModule) -> Result<Self> { Ok(Old) }\n}\n")],
        prints: &["help: write authors: [\"…\"] in module!"] },
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, run: fn(&TestContext) -> Result<()>| {
        Test::new(format!("modules::{what}"), run).on(&main_flavour())
    };
    let mut tests = vec![
        test("two in a folder, loaded by their dependencies", two_modules),
        test("one that is changed, and one that is gone", changed),
        test("unloaded by the script, or never", unloaded),
        test(
            "a Rust module in a folder that cannot be written",
            rust_module,
        ),
        test("halves that differ, in a subfolder", halves_that_differ),
        test("files that do not fit", files_do_not_fit),
        test("a folder that does not exist", no_folder),
        test("make doctor", doctor),
    ];
    tests.extend(BAD.iter().map(|bad| {
        let run = move |context: &TestContext| refused(context, bad);
        Test::new(format!("modules::{}", bad.what), run).on(&main_flavour())
    }));
    tests
}

/// Uses a module that Debian's kernel has.
const WITH_CONFIGFS: &[(&str, &str)] = &[
    ("Kbuild", "obj-m := group.o\n"),
    (
        "group.c",
        r#"#include <linux/configfs.h>
#include <linux/module.h>
static struct config_group group;
static const struct config_item_type type = { .ct_owner = THIS_MODULE };
static int __init group_init(void)
{
	config_group_init_type_name(&group, "group", &type);
	pr_info("group: init\n");
	return 0;
}
static void __exit group_exit(void) { }
module_init(group_init);
module_exit(group_exit);
MODULE_DESCRIPTION("Needs configfs");
MODULE_LICENSE("GPL");
"#,
    ),
];

/// The tests on a stock kernel.
pub fn tests_on(stock: &Flavour) -> Vec<Test> {
    let run = in_tree;
    let name = "modules::stock::one that needs a module of the kernel's own";
    vec![Test::new(name, run).on(stock)]
}

fn in_tree(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(place.path(), WITH_CONFIGFS)?;
    let lab = context.lab()?;
    let folder = place.path().to_string_lossy();
    let variables = [
        ("LAB_M", &*folder),
        ("LAB_KERNEL", lab.kernel.flavour.series.as_str()),
        ("LAB_RUN", "cut -d ' ' -f 1,4 /proc/modules"),
    ];
    let output = context.lab_command(&["run"], &variables)?.output()?;
    let text = printed(&output);
    ensure!(output.status.success(), "{text}");
    must_contain(&text, "group -\nconfigfs group,\n")?;
    must_contain(&text, "group: init")?;
    // It keeps the signature that the kernel trusts.
    ensure!(
        !text.contains("configfs: module verification failed"),
        "{text}"
    );
    Ok(())
}

/// Writes files with these texts.
pub fn write(folder: &Path, files: &[(&str, &str)]) -> Result<()> {
    for (name, text) in files {
        let file = folder.join(name);
        fs::create_dir_all(file.with_file_name(""))?;
        fs::write(file, text)?;
    }
    Ok(())
}

/// All files of a folder, to see that nothing was written.
fn listing(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(listing(&path)?);
        }
        paths.push(path);
    }
    paths.sort();
    Ok(paths)
}

fn two_modules(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("a folder");
    write(&folder, BOTH)?;
    let before = listing(&folder)?;
    let data = place.path().join("data");
    write(&data, &[("below/word", "from a file\n")])?;

    let words = [
        "run",
        &format!("M={}", folder.display()),
        "PARAMS=first.number=7 times=2",
        "RUN=cat /data/below/word; cut -d ' ' -f 1,4 /proc/modules; echo $((6 * 7))",
        &format!("FILES={}", data.display()),
    ];
    let output = context.make_command(&project(), &words)?.output()?;
    let text = printed(&output);
    ensure!(output.status.success(), "{text}");
    for line in [
        "from a file\nsecond -\nfirst second,\n42\n",
        "first: 7\n",
        "second: 14\n",
    ] {
        must_contain(&text, line)?;
    }
    let (second, first) = (text.find("second: exit"), text.find("first: exit"));
    ensure!(
        second.is_some() && second < first,
        "unloaded in this order:\n{text}"
    );
    ensure!(listing(&folder)? == before, "the folder was written to");

    let m = format!("M={}", folder.display());
    succeed(&mut context.make_command(&project(), &["clean", &m])?)?;
    let name = format!("{}-", Folder::new(&folder)?.sources().name);
    let left = context.cache()?.folders("module").into_iter();
    let left: Vec<_> = left.filter(|(it, _)| it.starts_with(&name)).collect();
    ensure!(left.is_empty(), "left after make clean: {left:?}");
    Ok(())
}

fn run(context: &TestContext, folder: &Path, script: &str) -> Result<String> {
    let folder = folder.to_string_lossy();
    let variables = [("LAB_M", &*folder), ("LAB_RUN", script)];
    let output = context.lab_command(&["run"], &variables)?.output()?;
    ensure!(output.status.success(), "{}", printed(&output));
    Ok(printed(&output))
}

/// Whatever it is called, and although Kbuild leaves its last .ko.
fn changed(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(
        place.path(),
        &[
            ("Kbuild", "obj-m := lab.o first.o\n"),
            ("lab.c", &FIRST.replace("first", "lab")),
            ("first.c", FIRST),
        ],
    )?;
    let script = "cut -d ' ' -f 1 /proc/modules";
    must_contain(&run(context, place.path(), script)?, "first\nlab\n")?;
    write(
        place.path(),
        &[
            ("Kbuild", "obj-m := lab.o\n"),
            (
                "lab.c",
                &FIRST.replace("first", "lab").replace("= 3", "= 33"),
            ),
        ],
    )?;
    let text = run(context, place.path(), script)?;
    must_contain(&text, "lab: 33")?;
    ensure!(!text.contains("first"), "it is no longer built:\n{text}");
    Ok(())
}

fn unloaded(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let exit = FIRST.find("static void __exit").unwrap_or_default();
    let info = FIRST.find("MODULE_DESCRIPTION").unwrap_or_default();
    let init = "module_init(first_init);\n";
    let permanent = [&FIRST[..exit], init, &FIRST[info..]].concat();
    let files = [
        ("Kbuild", KBUILD),
        ("src/one.c", &permanent),
        ("second.c", SECOND),
    ];
    write(place.path(), &files)?;
    let text = run(context, place.path(), "rmmod second; cat /proc/modules")?;
    must_contain(&text, " [permanent]")?;
    must_contain(&text, "second: exit")
}

fn rust_module(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("mine");
    for name in ["Kbuild", "hello_rust.rs", "c_helper.c", "c_helper.h"] {
        let text = fs::read_to_string(project().join(name))?;
        write(&folder, &[(name, &text)])?;
    }
    let border = project().join("border");
    for file in listing(&border)?.iter().filter(|file| file.is_file()) {
        let name = Path::new("border").join(file.strip_prefix(&border)?);
        if name.extension().is_some_and(|is| is == "rs" || is == "mk") {
            write(
                &folder,
                &[(&name.to_string_lossy(), &fs::read_to_string(file)?)],
            )?;
        }
    }
    let mut read_only = fs::metadata(&folder)?.permissions();
    read_only.set_readonly(true);
    fs::set_permissions(&folder, read_only)?;

    let m = folder.to_string_lossy();
    let variables = [("LAB_M", &*m), ("LAB_PARAMS", "whom=Ada")];
    let output = context.lab_command(&["run"], &variables)?.output()?;
    ensure!(output.status.success(), "{}", printed(&output));
    must_contain(&printed(&output), "Rust, called by C: hello, Ada! (1)")
}

/// Two halves without the border: the C function returns an int, which the Rust half drops.
const DIFFERENT: &[(&str, &str)] = &[
    ("Kbuild", "obj-m := below/\n"),
    (
        "below/Kbuild",
        "obj-m := halves.o\nhalves-y := rust.o c.o\n",
    ),
    (
        "below/c.c",
        "#include <linux/errno.h>\n#include <linux/linkage.h>\n\
         int start(void);\nint start(void) { return -ENOMEM; }\n",
    ),
    (
        "below/rust.rs",
        r#"//! Halves.
use kernel::prelude::*;
module! {
    type: Halves,
    name: "halves",
    license: "GPL",
}
extern "C" {
    fn start();
}
struct Halves;
impl kernel::Module for Halves {
    fn init(_: &'static ThisModule) -> Result<Self> {
        // SAFETY: It takes nothing.
        unsafe { start() };
        Ok(Halves)
    }
}
"#,
    ),
];

fn halves_that_differ(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (folder, page) = (place.path().join("module"), place.path().join("page.html"));
    write(&folder, DIFFERENT)?;
    let m = format!("M={}", folder.display());
    let html = format!("ARGS=--html {}", page.display());
    let stitch = |words: &[&str]| succeed(&mut context.make_command(&project(), words)?);
    let report = stitch(&["stitch", &m])?;
    must_contain(&report, "the result: 4 bytes signed in C, nothing in Rust")?;
    must_contain(&report, "fn start()  (rust.o, probe, declaration")?;
    stitch(&["stitch", &m, &html])?;
    ensure!(page.is_file(), "there is no page");
    Ok(())
}

fn files_do_not_fit(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(&place.path().join("module"), BOTH)?;
    let (m, file) = (place.path().join("module"), place.path().join("large"));
    // It takes no space on the disk.
    fs::File::create(&file)?.set_len(3 << 30)?;
    let (m, file) = (m.to_string_lossy(), file.to_string_lossy());
    let variables = [("LAB_M", &*m), ("LAB_FILES", &*file)];
    must_refuse(
        &mut context.lab_command(&["run"], &variables)?,
        &[
            "the files do not fit into the guest",
            "FILES= needs 6208 MB, the guest has 256 MB",
            "help: make run MEM=6208",
        ],
    )
}

fn no_folder(context: &TestContext) -> Result<()> {
    let variables = [("LAB_M", "/no/folder")];
    must_refuse(
        &mut context.lab_command(&["run"], &variables)?,
        &["the module's folder does not exist", "M=/no/folder"],
    )
}

/// What is found, and what is not.
fn doctor(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(place.path(), BOTH)?;
    write(place.path(), &[("test.sh", "")])?;
    let m = place.path().to_string_lossy();
    let variables = [("LAB_M", &*m), ("LAB_FILES", "/no/file")];
    let output = context
        .lab_command(&["doctor", "--json"], &variables)?
        .output()?;
    let text = printed(&output);
    ensure!(!output.status.success(), "{text}");
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let findings = findings.as_array().context("no list")?;
    for (what, state, found) in [
        ("M", "ok", &*m),
        ("CONFIG", "ok", "none"),
        ("RUN", "ok", "/test.sh"),
        ("FILES", "bad", "not usable"),
        ("the lab's builds of it", "note", "none yet"),
    ] {
        let row = findings.iter().find(|row| row["what"] == what);
        let row = row.with_context(|| format!("{what} is not in:\n{text}"))?;
        let ends = row["found"].as_str().is_some_and(|is| is.ends_with(found));
        ensure!(row["state"] == state && ends, "{row}");
    }
    Ok(())
}

fn refused(context: &TestContext, bad: &Bad) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(place.path(), bad.files)?;
    let folder = place.path().to_string_lossy();
    let mut command = context.lab_command(&["run"], &[("LAB_M", &*folder)])?;
    for (name, value) in bad.variables {
        command.env(name, value.replace("FOLDER", &folder));
    }
    let output = command.output()?;
    let text = printed(&output);
    let expected = i32::from(u8::from(bad.exit));
    ensure!(
        output.status.code() == Some(expected),
        "{}, not {expected}:\n{text}",
        output.status
    );
    bad.prints
        .iter()
        .try_for_each(|words| must_contain(&text, words))
}
