//! The module in the kernel: on each of the lab's kernels, by real loads and unloads.

use anyhow::{bail, ensure, Context, Result};

use super::checks::{self, builds_quietly, suites, Bench};
use crate::harness::test::{Case, Test};
use crate::support::context::{flavours, foreign_flavour, must_contain, succeed, TestContext};
use lab::commands::lab::Lab;
use lab::guest::machine;
use lab::kernel::built;
use lab::kernel::flavour::Flavour;
use lab::kernel::module::Module;
use lab::kernel::sources::{Files, Sources, HELLO_RUST, KUNIT};

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
    fused: false,
};

/// How many cases its suite has: those that C does, and those that Rust does.
pub const CATALOGUE_CASES: usize = 17 + 14;

/// What each kernel is put through.
type Check = fn(&TestContext, &Lab) -> Result<()>;

const CHECKS: &[(&str, Check)] = &[
    ("builds without a warning", builds_without_a_warning),
    ("modinfo", modinfo),
    ("hello and goodbye", hello_and_goodbye),
    ("parameters", parameters),
    ("bad parameters", bad_parameters),
    ("loaded twice", loaded_twice),
    ("built for another kernel", built_for_another_kernel),
    ("the kernel was built anew", kernel_built_anew),
];

/// A KUnit suite, whose cases are those of the test.
type Suite = fn(&TestContext, &Lab) -> Result<Vec<Case>>;

/// What each kernel runs of them, the debug kernel as well.
const SUITES: &[(&str, Suite)] = &[
    ("kunit", |context, lab| {
        suites(&Bench::of_ours(context, lab, KUNIT))
    }),
    ("catalogue", catalogue),
];

/// The tests, kernel by kernel.
pub fn tests() -> Vec<Test> {
    let on = |flavour: Flavour| {
        let group = format!("guest::{}", flavour.name());
        let catalogue = Test::new(
            format!("{group}::the catalogue builds without a warning"),
            |context| {
                builds_quietly(&Bench::of_ours(context, &*context.lab()?, CATALOGUE)).map(drop)
            },
        );
        let catalogue = catalogue.on(&flavour);
        let checks = checks_on(&group, &flavour).into_iter();
        checks.chain([catalogue]).chain(suites_on(&group, &flavour))
    };
    flavours()
        .into_iter()
        .chain([foreign_flavour()])
        .flat_map(on)
        .collect()
}

/// What the module is put through, on one kernel.
pub fn checks_on(group: &str, flavour: &Flavour) -> Vec<Test> {
    let own = CHECKS.iter().map(|&(what, check)| {
        let run = move |context: &TestContext| check(context, &*context.lab()?);
        Test::new(format!("{group}::{what}"), run).on(flavour)
    });
    let of_any = checks::CHECKS.iter().map(|&(what, check)| {
        let run = move |context: &TestContext| {
            check(&Bench::of_ours(context, &*context.lab()?, HELLO_RUST))
        };
        Test::new(format!("{group}::{what}"), run).on(flavour)
    });
    own.chain(of_any).collect()
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

/// A compiler that has not run has not warned.
fn builds_without_a_warning(context: &TestContext, lab: &Lab) -> Result<()> {
    let printed = builds_quietly(&Bench::of_ours(context, lab, HELLO_RUST))?;
    let tools = ["CC [M]", "RUSTC [M]", "CLIPPY [M]"];
    tools
        .iter()
        .try_for_each(|tool| must_contain(&printed, tool))
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
    let noted = module.dir().join(built::FILE);
    let text = std::fs::read_to_string(&noted)?;
    std::fs::write(&noted, text + "of another")?;
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
    let (text, object) = (time(built::FILE)?, time("hello_rust_main.o")?);
    module.provide(&lab.toolchain)?;
    ensure!(
        time(built::FILE)? == text,
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

fn catalogue(context: &TestContext, lab: &Lab) -> Result<Vec<Case>> {
    let cases = suites(&Bench::of_ours(context, lab, CATALOGUE))?;
    let count = cases.len();
    ensure!(count == CATALOGUE_CASES, "{count} cases ran: {cases:#?}");
    Ok(cases)
}
