//! `make gdb`: breakpoints in both halves of a module, by a script and on a terminal.

use std::fs;
use std::process::Stdio;

use anyhow::{ensure, Context, Result};
use host::project::project;
use regex::Regex;

use crate::harness::test::Test;
use crate::support::context::{flavour, foreign_flavour, main_flavour, must_contain, TestContext};
use crate::support::processes::processes_with;
use crate::support::scratch::must_refuse;
use crate::support::terminal::talk;
use lab::kernel::flavour::Compiler;

/// A parameter is set, `init` runs, C calls Rust; and all that again, for a module that is elsewhere.
const SCRIPT: &str = "\
break whom_set
continue
backtrace 2
delete
break init_module
continue
break hello_rust_count_chars
continue
backtrace
lx-lsmod
lx-ps
delete 3
break free_module
continue
info breakpoints
continue
info breakpoints
delete
continue
";

/// What gdb prints then, in this order. Before Linux 6.13, Kbuild names the crate for its object.
const PRINTED: &[&str] = &[
    r#"Breakpoint 1, whom_set \(val=(?:val@entry=)?0x\w+ "Ada", .* at c_helper.c:\d+"#,
    r"#1 .* in parse_one .* at params.c:\d+",
    r"Breakpoint 2, .* at (hello_rust|module).rs:\d+",
    r"Breakpoint 3, (hello_rust(?:_main)?)::hello_rust_count_chars \(.*len=3\) at hello_rust.rs:\d+",
    r"#0  hello_rust\w*::hello_rust_count_chars \(text=(?:text@entry=)?0x\w+ <whom>, len=3\) at hello_rust.rs:\d+",
    r"#1  0x\w+ (?:\[PAC\] )?in c_helper_repeat \(times=1, greet=0x\w+ <hello_rust\w*::greet>, .* at c_helper.c:\d+",
    r"#2  0x\w+ (?:\[PAC\] )?in hello_rust\w*::HelloRust::greet \(self=0x\w+\) at hello_rust.rs:\d+",
    r"#3  hello_rust\w*::\{impl#0\}::init .* at hello_rust.rs:\d+",
    r"#\d+ +hello_rust\w*::__module_init::__module_init::init_module \(\) at hello_rust.rs:\d+",
    r"#\d+ +0x\w+ (?:\[PAC\] )?in do_one_initcall .* at main.c:\d+",
    r"#\d+ +0x\w+ (?:\[PAC\] )?in (?:entry_SYSCALL_64|el0t_64_sync) \(\) at entry(?:_64)?.S:\d+",
    r"0x\w+ hello_rust +\d+ +1",
    r"0x\w+ +\d+ +insmod",
    // The memory of init is gone.
    r"Breakpoint 4, free_module .*",
    r"2 +breakpoint +keep y +0xffad\w+ in ",
    r"Breakpoint 2, .* at (hello_rust|module).rs:\d+",
    r"breakpoint already hit 2 times",
    r"The guest has ended",
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let kernels = [
        main_flavour(),
        flavour("6.12", Compiler::Gcc),
        foreign_flavour(),
    ];
    let scripts = kernels.into_iter().map(|flavour| {
        let name = format!("gdb::{}::breakpoints in both halves", flavour.name());
        Test::new(name, both_halves).on(&flavour)
    });
    let mut tests: Vec<Test> = scripts.collect();
    tests.extend([
        Test::new("gdb::a module in C, in a folder with a space", folder).on(&main_flavour()),
        Test::new("gdb::Ctrl-C while it reads symbols", interrupted).on(&main_flavour()),
        Test::new("gdb::what docs/debugging.md shows", shown).on(&main_flavour()),
        Test::new("gdb::on a terminal, left by quit", on_terminal).on(&main_flavour()),
        Test::new("gdb::a stock kernel", |context| {
            must_refuse(
                &mut context.lab_command(&["gdb", "--kernel", "stock"], &[])?,
                &["a stock kernel has no debug information", "help: "],
            )
        }),
    ]);
    tests
}

/// What `lab gdb` prints, in its order, with a script of gdb's.
fn debug(context: &TestContext, script: &str, variables: &[(&str, &str)]) -> Result<String> {
    let lab = context.lab()?;
    let flavour = &lab.kernel.flavour;
    let place = tempfile::tempdir()?;
    let (script_file, printed) = (
        place.path().join("script.gdb"),
        place.path().join("printed"),
    );
    fs::write(&script_file, script)?;
    let output = fs::File::create(&printed)?;
    let status = context
        .lab_command(&["gdb", "--kernel", &flavour.series], variables)?
        .args(["--cc", flavour.compiler.name(), "--", "-batch", "-x"])
        .arg(&script_file)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status()?;
    let printed = fs::read_to_string(&printed)?;
    ensure!(status.success(), "{status}:\n{printed}");
    Ok(printed)
}

fn both_halves(context: &TestContext) -> Result<()> {
    let variables = [
        ("LAB_PARAMS", "whom=Ada"),
        ("LAB_RUN", "rmmod hello_rust; insmod /hello_rust.ko"),
    ];
    let printed = debug(context, SCRIPT, &variables)?;
    let mut rest = printed.as_str();
    for wanted in PRINTED {
        let found = Regex::new(wanted)?.find(rest);
        let found = found.with_context(|| format!("{wanted:?} is not in:\n{rest}"))?;
        rest = &rest[found.end()..];
    }
    Ok(())
}

const IN_C: &str = "#include <linux/module.h>
static int __init c_init(void) { return 0; }
static void __exit c_exit(void) { }
module_init(c_init);
module_exit(c_exit);
MODULE_LICENSE(\"GPL\");
";

/// gdb shows the user's own file, and not the lab's copy.
fn folder(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("in \"C\"");
    fs::create_dir(&folder)?;
    let source = folder.join("in_c.c");
    fs::write(folder.join("Kbuild"), "obj-m := in_c.o\n")?;
    fs::write(&source, IN_C)?;
    let script = "break c_init\ncontinue\nlist\ninfo source\nbreak c_exit\ncontinue\n";
    let printed = debug(context, script, &[("LAB_M", &folder.to_string_lossy())])?;
    must_contain(&printed, "Breakpoint 1, c_init () at in_c.c:2")?;
    must_contain(&printed, "2\tstatic int __init c_init(void) { return 0; }")?;
    must_contain(&printed, &format!("Located in {}\n", source.display()))?;
    must_contain(&printed, "Breakpoint 2, c_exit () at in_c.c:3")
}

/// Presses Ctrl-C whenever gdb is about to read a module's symbols.
const INTERRUPTED: &str = "\
python
import os, signal
def press(file, add=add):
    os.kill(os.getpid(), signal.SIGINT)
    add(file)
add = press
end
break whom_get
continue
python print('stopped at', gdb.selected_frame().name())
continue
python print('stopped at', gdb.selected_frame().name())
continue
";

/// The guest stops, and the symbols are there.
fn interrupted(context: &TestContext) -> Result<()> {
    let run = [("LAB_RUN", "cat /sys/module/hello_rust/parameters/whom")];
    let printed = debug(context, INTERRUPTED, &run)?;
    must_contain(&printed, "stopped at module_bug_finalize\n")?;
    must_contain(&printed, "stopped at trim_init_extable\n")?;
    must_contain(&printed, "Breakpoint 1, whom_get (")
}

/// What gdb prints only on a terminal.
const ON_A_TERMINAL: &[&str] = &["Continuing.\n", "(More stack frames follow...)\n"];

/// Addresses differ.
fn shown(context: &TestContext) -> Result<()> {
    let page = fs::read_to_string(project().join("docs/debugging.md"))?;
    let session = page.split("\n```").nth(1).context("no session")?;
    let session = session.split_once("$ make gdb\n").context("no command")?.1;
    let typed = session
        .lines()
        .filter_map(|line| line.strip_prefix("(gdb) "));
    let script: String = typed.flat_map(|line| [line, "\n"]).collect();
    let printed = debug(context, &format!("set trace-commands on\n{script}"), &[])?;

    let address = Regex::new("0x[0-9a-f]+")?;
    let plain = |text: &str| address.replace_all(text, "0x").into_owned();
    let mut wanted = plain(session.trim());
    for line in ON_A_TERMINAL {
        must_contain(session, line)?;
        wanted = wanted.replace(line, "");
    }
    must_contain(&plain(&printed.replace("\n+", "\n(gdb) ")), &wanted)
}

/// Ctrl-C stops the guest, and nothing else; at the end, nothing is left.
fn on_terminal(context: &TestContext) -> Result<()> {
    let printed = talk(
        context,
        &[
            "gdb",
            "RUN=cat /sys/module/hello_rust/parameters/whom; while :; do :; done",
        ],
        &[
            ("(gdb) ", "break c_helper_current\n"),
            ("(gdb) ", "break whom_get\n"),
            ("(gdb) ", "continue\n"),
            ("Breakpoint 1, ", "continue\n"),
            // While gdb reads the module's symbols, a Ctrl-C stops the guest where it is.
            ("Breakpoint 2, ", "continue\n"),
            ("Continuing.", "\x03"),
            ("received signal SIGINT", "\x1a"),
            ("(gdb) ", "lx-lsmod\n"),
            ("hello_rust ", "quit\n"),
        ],
        "left with 0",
    )?;
    let log = printed
        .lines()
        .find_map(|line| line.split_once("the kernel's log: "));
    let (_, log) = log.context("no log")?;
    must_contain(&fs::read_to_string(log.trim())?, "hello_rust is loading")?;
    let left = processes_with("chardev:gdb");
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}
