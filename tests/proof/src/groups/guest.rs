//! The module in the kernel: on each of the lab's kernels, by real loads and unloads.

use anyhow::{bail, ensure, Context, Result};

use crate::harness::test::{Case, Outcome, Test};
use crate::support::context::{flavours, must_contain, succeed, TestContext};
use lab::commands::lab::Lab;
use lab::guest::machine;
use lab::judge::ktap::{self, Status};
use lab::kernel::flavour::Flavour;
use lab::kernel::module::{self, Module};
use lab::kernel::sources::{Files, Sources, HELLO_RUST};

/// hello_rust.ko with its KUnit suite linked in.
const KUNIT: Sources = Sources {
    name: "kunit",
    files: Files::Listed(&[
        ("tests/kunit/Kbuild", "Kbuild"),
        ("Kbuild", "hello_rust.kbuild"),
        ("hello_rust.rs", "hello_rust.rs"),
        ("c_helper.c", "c_helper.c"),
        ("c_helper.h", "c_helper.h"),
        ("border", "border"),
        ("tests/kunit/kunit.c", "kunit.c"),
        ("tests/kunit/kunit.h", "kunit.h"),
        ("tests/kunit/kunit_rs.rs", "kunit_rs.rs"),
    ]),
};

/// Each kind of crossing between Rust and C, with a KUnit suite of its own.
pub const CATALOGUE: Sources = Sources {
    name: "catalogue",
    files: Files::Listed(&[
        ("tests/catalogue/Kbuild", "Kbuild"),
        ("tests/catalogue/catalogue.h", "catalogue.h"),
        ("tests/catalogue/catalogue.rs", "catalogue.rs"),
        ("tests/catalogue/exports.rs", "exports.rs"),
        ("tests/catalogue/imports.rs", "imports.rs"),
        ("tests/catalogue/checks.rs", "checks.rs"),
        ("tests/catalogue/catalogue_c.c", "catalogue_c.c"),
        ("tests/catalogue/catalogue_test.c", "catalogue_test.c"),
        ("border", "border"),
    ]),
};

/// The same in a folder of its own, where it is built from nothing.
const CATALOGUE_QUIET: Sources = Sources {
    name: "catalogue-quiet",
    ..CATALOGUE
};

/// How many cases its suite has: those that C does, and those that Rust does.
const CATALOGUE_CASES: usize = 15 + 13;

const LOADS: u32 = 200;

/// What each kernel is put through.
type Check = fn(&TestContext, &Lab) -> Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("builds without a warning", builds_without_a_warning),
    ("modinfo", modinfo),
    ("hello and goodbye", hello_and_goodbye),
    ("parameters", parameters),
    ("bad parameters", bad_parameters),
    ("loaded twice", loaded_twice),
    ("loaded and unloaded 200 times", loaded_and_unloaded),
    ("two CPUs at once", two_cpus),
    ("built for another kernel", built_for_another_kernel),
    ("the kernel was built anew", kernel_built_anew),
];

/// A KUnit suite, whose cases are those of the test.
type Suite = fn(&TestContext, &Lab) -> Result<Vec<Case>>;

/// What each kernel runs of them, the debug kernel as well.
const SUITES: &[(&str, Suite)] = &[("kunit", kunit), ("catalogue", catalogue)];

/// The tests, kernel by kernel.
pub fn tests() -> Vec<Test> {
    let on = |flavour: Flavour| {
        let group = format!("guest::{}", flavour.name());
        let suites = suites_on(&group, &flavour);
        let catalogue = Test::new(
            format!("{group}::the catalogue builds without a warning"),
            |context| must_build_quietly(context, &*context.lab()?, &CATALOGUE_QUIET),
        )
        .on(&flavour);
        let checks = checks_on(&group, &flavour).into_iter();
        checks.chain([catalogue]).chain(suites)
    };
    flavours().into_iter().flat_map(on).collect()
}

/// What the module is put through, on one kernel.
pub fn checks_on(group: &str, flavour: &Flavour) -> Vec<Test> {
    CHECKS
        .iter()
        .map(|&(what, check)| {
            let run = move |context: &TestContext| check(context, &*context.lab()?);
            Test::new(format!("{group}::{what}"), run).on(flavour)
        })
        .collect()
}

/// The KUnit suites, on one kernel.
pub fn suites_on(group: &str, flavour: &Flavour) -> Vec<Test> {
    SUITES
        .iter()
        .map(|&(what, suite)| {
            let run = move |context: &TestContext| suite(context, &*context.lab()?);
            Test::of_many(format!("{group}::{what}"), run).on(flavour)
        })
        .collect()
}

fn builds_without_a_warning(context: &TestContext, lab: &Lab) -> Result<()> {
    const QUIET: Sources = Sources {
        name: "hello_rust-quiet",
        ..HELLO_RUST
    };
    must_build_quietly(context, lab, &QUIET)
}

/// rustc, clippy, the C compiler at W=1, bindgen without rustfmt, objtool and modpost have nothing to
/// say. Others look at the module while this builds it again and again: it wants a folder of its own.
pub fn must_build_quietly(context: &TestContext, lab: &Lab, sources: &Sources) -> Result<()> {
    let module = Module::stage(&context.cache()?, &lab.kernel, sources)?;
    succeed(module.make(&lab.toolchain).arg("clean"))?;
    for (words, tool) in [
        (&["W=1", "RUSTFMT=/no/rustfmt"][..], "RUSTC"),
        (&["CLIPPY=1"], "CLIPPY"),
    ] {
        let printed = module.build(&lab.toolchain, words)?;
        let complaint = printed.lines().find(|line| {
            let line = line.to_lowercase();
            ["warning", "error:", "failed"]
                .iter()
                .any(|word| line.contains(word))
        });
        ensure!(complaint.is_none(), "make {} says:\n{printed}", words[0]);
        must_contain(&printed, tool)?;
    }
    Ok(())
}

fn modinfo(_: &TestContext, lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST)?;
    let info = succeed(
        lab.toolchain
            .command("modinfo")
            .arg(module.dir().join("hello_rust.ko")),
    )?;
    let release = lab.kernel.release()?;
    for wanted in [
        "author:         The hello_rust developers",
        "description:    Greets from Rust and from C, linked into one module",
        "version:        0.1.0",
        "license:        GPL",
        "name:           hello_rust",
        "depends:        \n",
        &format!("vermagic:       {release} "),
        "parm:           whom:Name to greet, at most 63 bytes (default: world) (string)",
        "parm:           times:Number of greetings, from 1 to 16 (default: 1) (uint)",
    ] {
        must_contain(&info, wanted)?;
    }
    Ok(())
}

/// A module that was built for a kernel of another recipe is not taken for one of this kernel.
fn kernel_built_anew(_: &TestContext, lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST)?;
    let compiles = |printed: &str| printed.contains("RUSTC");
    let printed = module.build(&lab.toolchain, &[])?;
    ensure!(!compiles(&printed), "nothing has changed, but:\n{printed}");
    is_provided_once(lab, &module)?;
    std::fs::write(module.dir().join(module::BUILT_FOR), "another kernel")?;
    let printed = module.build(&lab.toolchain, &[])?;
    ensure!(
        compiles(&printed),
        "the kernel has changed, but:\n{printed}"
    );
    Ok(())
}

/// Where nothing was touched, not even make runs; a new time of a source is enough for it to run.
fn is_provided_once(lab: &Lab, module: &Module) -> Result<()> {
    let time = |name| std::fs::metadata(module.dir().join(name)).and_then(|it| it.modified());
    module.provide(&lab.toolchain)?;
    let (text, object) = (time("lab.built")?, time("hello_rust_main.o")?);
    module.provide(&lab.toolchain)?;
    ensure!(
        time("lab.built")? == text,
        "nothing was touched, but make ran"
    );

    let source = std::fs::File::options()
        .append(true)
        .open(module.dir().join("hello_rust.rs"))?;
    source.set_modified(std::time::SystemTime::now())?;
    module.provide(&lab.toolchain)?;
    ensure!(
        time("hello_rust_main.o")? > object,
        "a source was touched, but rustc did not run"
    );
    Ok(())
}

/// The module's lines of dmesg, without time stamps and the module's name.
fn spoken(dmesg: &str) -> Vec<&str> {
    dmesg
        .lines()
        .filter_map(|line| line.split_once("] hello_rust: "))
        .map(|(_, spoken)| spoken)
        // What the kernel says of it in the same way; groups/stock.rs tests the second.
        .filter(|spoken| !spoken.starts_with("loading out-of-tree module"))
        .filter(|spoken| !spoken.starts_with("module verification failed: signature"))
        .collect()
}

/// What the module says to `whom` and `times`, in the order of the calls.
fn expected(whom: &str, times: usize, pid: &str) -> Vec<String> {
    let mut lines = vec![
        "Rust, called by the kernel: hello_rust is loading".to_owned(),
        format!("C, called by Rust: insmod (pid {pid}) is running on CPU 0"),
        format!(
            "C, called by Rust: {} characters to greet, {times} time(s)",
            whom.chars().count()
        ),
    ];
    lines.extend((1..=times).map(|nth| format!("Rust, called by C: hello, {whom}! ({nth})")));
    lines.push(format!("Rust, back from C: pid {pid} was greeted"));
    lines.push(format!(
        "Rust, called by the kernel: goodbye, {whom}! Greetings counted: {times}"
    ));
    lines
}

/// Loads with parameters, asks sysfs for them, unloads; compares every line of dmesg.
fn greet(context: &TestContext, lab: &Lab, words: &str, whom: &str, times: usize) -> Result<()> {
    let job = format!(
        "insmod /hello_rust.ko {words} || exit 1\n\
         cd /sys/module/hello_rust/parameters && cat whom times && cd / || exit 1\n\
         rmmod hello_rust || exit 1\n\
         [ ! -e /sys/module/hello_rust ] || exit 1\n\
         dmesg\n"
    );
    let output = context.boot_well(lab, &[("hello_rust.ko", &lab.hello_rust()?)], &job)?;
    ensure!(
        output.starts_with(&format!("{whom}\n{times}\n")),
        "sysfs says {output}"
    );

    let spoken = spoken(&output);
    let pid = spoken
        .get(1)
        .and_then(|line| line.split_once("(pid ")?.1.split_once(')'))
        .map_or("", |(pid, _)| pid);
    let expected = expected(whom, times, pid);
    ensure!(
        spoken == expected,
        "expected {expected:#?}\ndmesg has {spoken:#?}"
    );
    Ok(())
}

fn hello_and_goodbye(context: &TestContext, lab: &Lab) -> Result<()> {
    greet(context, lab, "", "world", 1)
}

/// The longest and the shortest, and what is not ASCII.
fn parameters(context: &TestContext, lab: &Lab) -> Result<()> {
    let longest = "x".repeat(63);
    greet(
        context,
        lab,
        &format!("whom={longest} times=16"),
        &longest,
        16,
    )?;
    greet(
        context,
        lab,
        "times=0x2 'whom=\"Ada Lövelace\"'",
        "Ada Lövelace",
        2,
    )?;
    // One byte of "à" is a space to the kernel, unless it stands in quotes.
    greet(context, lab, "'whom=\"voilà\"'", "voilà", 1)?;
    greet(context, lab, "whom= times=1", "", 1)
}

/// (the parameters for insmod, the line of dmesg that says why it refused)
const BAD_PARAMETERS: &[(&str, &str)] = &[
    ("times=0", "times: not a number from 1 to 16"),
    ("times=17", "times: not a number from 1 to 16"),
    ("times=-1", "times: not a number from 1 to 16"),
    ("times=4294967297", "times: not a number from 1 to 16"),
    (
        "times=99999999999999999999",
        "times: not a number from 1 to 16",
    ),
    ("times=three", "times: not a number from 1 to 16"),
    ("times=", "times: not a number from 1 to 16"),
    ("times=2x", "times: not a number from 1 to 16"),
    (
        "whom=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "whom: too long (64 bytes, maximum 63)",
    ),
    ("whom=$(printf '\\377')", "whom: not printable UTF-8"),
    ("whom=$(printf 'a\\033b')", "whom: not printable UTF-8"),
];

/// Each is refused with EINVAL, says why in one line, and leaves nothing behind: the same guest
/// loads the module afterwards.
fn bad_parameters(context: &TestContext, lab: &Lab) -> Result<()> {
    let mut job = String::new();
    for (words, _) in BAD_PARAMETERS {
        job += &format!(
            "dmesg -c >/dev/null\n\
             echo '== {}'\n\
             insmod /hello_rust.ko \"{words}\" 2>&1\n\
             [ -e /sys/module/hello_rust ] && echo left behind\n\
             dmesg\n",
            words.replace('\'', "")
        );
    }
    job += "insmod /hello_rust.ko && rmmod hello_rust\n";
    let output = context.boot_well(lab, &[("hello_rust.ko", &lab.hello_rust()?)], &job)?;

    let answers: Vec<&str> = output.split("== ").skip(1).collect();
    ensure!(answers.len() == BAD_PARAMETERS.len(), "{output}");
    for ((words, why), answer) in BAD_PARAMETERS.iter().zip(answers) {
        must_contain(answer, "insmod: /hello_rust.ko: error 22: Invalid argument")?;
        ensure!(
            !answer.contains("left behind"),
            "{words}: left behind\n{answer}"
        );
        let own: Vec<&str> = spoken(answer)
            .into_iter()
            .filter(|line| !line.contains("invalid for parameter"))
            .collect();
        ensure!(own == [*why], "{words}: dmesg has {own:?}, not {why:?}");
    }
    Ok(())
}

fn loaded_twice(context: &TestContext, lab: &Lab) -> Result<()> {
    let job = "insmod /hello_rust.ko || exit 1\n\
               insmod /hello_rust.ko 2>&1 && exit 1\n\
               rmmod hello_rust\n";
    let output = context.boot_well(lab, &[("hello_rust.ko", &lab.hello_rust()?)], job)?;
    must_contain(&output, "insmod: /hello_rust.ko: error 17: File exists")
}

fn loaded_and_unloaded(context: &TestContext, lab: &Lab) -> Result<()> {
    let job = format!(
        "n=0\n\
         while [ $n -lt {LOADS} ]; do\n\
         insmod /hello_rust.ko times=16 && rmmod hello_rust || exit 1\n\
         n=$((n + 1))\n\
         done\n\
         dmesg | grep -c 'goodbye, world! Greetings counted: 16'\n"
    );
    let guest = context.boot(
        lab,
        &[("hello_rust.ko", &lab.hello_rust()?)],
        &job,
        // All of it has to be in dmesg at once.
        "kunit.enable=0 log_buf_len=8M",
    )?;
    ensure!(
        guest.outcome == machine::Outcome::Answered(0),
        "{:?}",
        guest.outcome
    );
    lab.judge(&guest)?;
    ensure!(
        guest.output.trim() == LOADS.to_string(),
        "counted {}",
        guest.output
    );
    Ok(())
}

/// Two CPUs load and unload against each other: each attempt works, or finds it loaded or gone.
fn two_cpus(context: &TestContext, lab: &Lab) -> Result<()> {
    let job = "hammer() {\n\
               for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n\
               insmod /hello_rust.ko 2>/dev/null\n\
               rmmod hello_rust 2>/dev/null\n\
               done\n\
               }\n\
               hammer & hammer & wait\n\
               [ ! -e /sys/module/hello_rust ] || rmmod hello_rust\n\
               grep -c ^processor /proc/cpuinfo\n";
    let mut initramfs = lab::guest::initramfs::Initramfs::new(&lab.programs, job)?;
    initramfs.file("hello_rust.ko", 0o644, &lab.hello_rust()?)?;
    let mut machine = context.machine(lab);
    machine.size.cpus = 2;
    let guest = machine.run(initramfs, "kunit.enable=0")?;
    ensure!(
        guest.outcome == machine::Outcome::Answered(0),
        "{:?}",
        guest.outcome
    );
    lab.judge(&guest)?;
    ensure!(
        guest.output.trim().ends_with('2'),
        "not two CPUs: {}",
        guest.output
    );
    Ok(())
}

/// A module of another vermagic is refused, and the lab says what that means. Where the kernel has
/// checksums of its symbols, it does not look at the release, but at the rest.
fn built_for_another_kernel(context: &TestContext, lab: &Lab) -> Result<()> {
    let mut module = lab.hello_rust()?;
    let vermagic = find(&module, b"vermagic=").context("no vermagic")?;
    let rest = find(&module[vermagic..], b" mod_unload").context("no mod_unload")?;
    module[vermagic + rest..][..4].copy_from_slice(b" not");
    let guest = context.boot(
        lab,
        &[("other.ko", &module)],
        "insmod /other.ko\n",
        "kunit.enable=0",
    )?;

    let outcome = &guest.outcome;
    ensure!(*outcome == machine::Outcome::Answered(1), "{outcome:?}");
    must_contain(
        &guest.output,
        "insmod: /other.ko: error 8: Exec format error: see dmesg",
    )?;
    let Err(text) = lab.judge(&guest) else {
        bail!("nothing is wrong, says the lab:\n{}", guest.console);
    };
    let text = diagnostic::render(&text);
    must_contain(&text, "built for ")?;
    must_contain(&text, "KDIR")
}

/// Where some bytes begin.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut windows = bytes.windows(wanted.len());
    windows.position(|window| window == wanted)
}

fn kunit(context: &TestContext, lab: &Lab) -> Result<Vec<Case>> {
    suite(context, lab, &KUNIT, "hello_rust")
}

fn catalogue(context: &TestContext, lab: &Lab) -> Result<Vec<Case>> {
    let cases = suite(context, lab, &CATALOGUE, "catalogue")?;
    let names = cases.iter().map(|case| &case.name);
    let count = names.filter(|name| name.starts_with("catalogue.")).count();
    ensure!(count == CATALOGUE_CASES, "{count} cases ran: {cases:#?}");
    Ok(cases)
}

/// A module's suite runs, and its cases are the cases of the test.
fn suite(context: &TestContext, lab: &Lab, sources: &Sources, name: &str) -> Result<Vec<Case>> {
    let file = format!("{name}.ko");
    let ko = lab.module(sources)?.stripped(&lab.toolchain, &file)?;
    let job = format!("insmod /{file} && rmmod {name} && dmesg\n");
    let guest = context.boot(lab, &[(&file, &ko)], &job, "")?;
    ensure!(
        guest.outcome == machine::Outcome::Answered(0),
        "{:?}\n{}",
        guest.outcome,
        guest.console
    );
    lab.judge_module(&guest, sources)?;

    let cases = ktap::parse(&guest.output)?;
    ensure!(
        cases
            .iter()
            .any(|case| case.name.starts_with(&format!("{name}."))),
        "the suite did not run:\n{}",
        guest.output
    );
    Ok(cases
        .into_iter()
        .map(|case| {
            let outcome = match case.status {
                Status::Pass => Outcome::Passed,
                Status::Fail => Outcome::Failed(case.diagnostics.join("\n")),
                Status::Skip(why) => Outcome::Skipped(why),
            };
            Case::of_many(case.name, outcome)
        })
        .collect())
}
