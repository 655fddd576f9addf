//! `make watch`: a change on disk is in dmesg without a key pressed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{ensure, Context, Result};
use rustix::process::{kill_process_group, Signal};

use crate::harness::test::Test;
use crate::support::context::{copy_of_project, main_flavour, tail, TestContext};
use crate::support::processes::{says, wait_for, Started};

/// A module that prints a text, and does what else is to be done.
fn module(text: &str, rest: &str) -> String {
    format!(
        "#include <linux/module.h>\n\
         static int __init w_init(void) {{ pr_info(\"watched: {text}\\n\"); {rest} }}\n\
         static void __exit w_exit(void) {{ }}\n\
         module_init(w_init);\n\
         module_exit(w_exit);\n\
         MODULE_DESCRIPTION(\"Prints a text\");\n\
         MODULE_LICENSE(\"GPL\");\n"
    )
}

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, run: fn(&TestContext) -> Result<()>| {
        Test::new(format!("watch::{what}"), run).on(&main_flavour())
    };
    vec![
        test("a folder that is changed, broken and fixed", folder),
        test("hello_rust, left by Ctrl-C while it runs", hello_rust),
    ]
}

/// A watch that runs, and what it prints.
struct Watch {
    started: Started,
    printed: PathBuf,
}

impl Watch {
    fn start(command: &mut Command, printed: PathBuf) -> Result<Self> {
        let output = fs::File::create(&printed)?;
        command.stdin(Stdio::null()).stderr(output.try_clone()?);
        let started = Started::printing(command.stdout(output))?;
        Ok(Watch { started, printed })
    }

    /// Waits until it has printed a text so many times.
    fn prints(&mut self, text: &str, times: usize) -> Result<()> {
        let shown = wait_for(text, || {
            let over = matches!(self.started.child.try_wait(), Ok(Some(_)));
            let shown = says(&self.printed, text, times).is_some();
            (over || shown).then_some(shown)
        });
        let text = || format!("{text:?}, {times} times:\n{}", tail(&self.text()));
        ensure!(shown.with_context(text)?, "it ended before {}", text());
        Ok(())
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.printed).unwrap_or_default()
    }

    /// Ctrl-C.
    fn interrupt(&self) -> Result<()> {
        kill_process_group(self.started.group, Signal::INT)?;
        self.started.wait_until_gone()
    }
}

/// As many editors write a file.
fn replace(file: &Path, content: &str) -> Result<()> {
    let new = file.with_extension("c~");
    fs::write(&new, content)?;
    Ok(fs::rename(new, file)?)
}

fn folder(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("folder");
    fs::create_dir(&folder)?;
    let source = folder.join("w.c");
    fs::write(folder.join("Kbuild"), "obj-m := w.o\n")?;
    fs::write(&source, module("one", "return 0;"))?;
    let folder_name = folder.to_string_lossy();
    let mut lab = context.lab_command(&["watch"], &[("LAB_M", &folder_name)])?;
    let mut watch = Watch::start(&mut lab, place.path().join("printed"))?;

    watch.prints("watched: one", 1)?;
    watch.prints("lab: watching 2 files of ", 1)?;
    // Neither a product nor a file of an editor's.
    fs::write(folder.join("w.o"), "")?;
    fs::write(folder.join(".w.c.swp"), "")?;
    replace(&source, &module("two", "return 0;"))?;
    watch.prints("lab: changed: w.c\n", 1)?;
    watch.prints("watched: two", 1)?;
    watch.prints(" s from the change to dmesg", 1)?;
    watch.prints("lab: watching", 2)?;

    fs::write(&source, module("three", "return none;"))?;
    watch.prints("use of undeclared identifier 'none'", 1)?;
    watch.prints("lab: watching", 3)?;
    fs::write(&source, module("four", "return -ENODEV;"))?;
    watch.prints("lab: error: the kernel refused the module", 1)?;
    watch.prints("lab: watching", 4)?;
    fs::write(&source, module("five", "panic(\"on purpose\");"))?;
    watch.prints("log has a splat: Kernel panic - not syncing: on purpose", 1)?;
    watch.prints("lab: watching", 5)?;

    // In a new folder, and while the guest runs.
    let header = folder.join("new/text.h");
    fs::create_dir(folder.join("new"))?;
    fs::write(&header, "#define TEXT \"six\"\n")?;
    let included = module("\" TEXT \"", "return 0;");
    fs::write(&source, format!("#include \"new/text.h\"\n{included}"))?;
    watch.prints("watched: six", 1)?;
    let changed = watch.text().matches("lab: changed: ").count();
    fs::write(&header, "#define TEXT \"seven\"\n")?;
    watch.prints("lab: changed: new/text.h", 1)?;
    fs::write(&header, "#define TEXT \"number eight\"\n")?;
    watch.prints("watched: number eight", 1)?;
    // Two files were written after another, which may have been two changes.
    ensure!(changed == 5 || changed == 6, "{}", watch.text());
    watch.interrupt()
}

/// Of the project's folder, only the module's sources are watched.
fn hello_rust(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let copy = copy_of_project(&place.path().join("hello_rust"))?;
    let mut make = context.make_command(&copy, &["watch", "PARAMS=times=2"])?;
    let mut watch = Watch::start(&mut make, place.path().join("printed"))?;
    watch.prints("hello, world! (2)", 1)?;
    watch.prints("lab: watching ", 1)?;

    fs::write(copy.join("README.md"), "another\n")?;
    let source = copy.join("border/border.mk");
    let text = fs::read_to_string(&source)?;
    replace(&source, &format!("{text}\n# Watched.\n"))?;
    watch.prints("lab: changed: border/border.mk\n", 1)?;
    watch.started.wait_for_process("qemu-system-x86")?;
    watch.interrupt()
}
