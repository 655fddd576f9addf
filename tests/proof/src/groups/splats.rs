//! Faults in the kernel: each is committed for real, and seen by the kernel and by the lab.

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use host::arch::Arch;
use host::project::project;

use super::checks::{builds_quietly, is_clean, Bench};
use super::{guest, joined};
use crate::harness::test::Test;
use crate::support::context::{
    debug_flavour, foreign_flavour, main_flavour, must_contain, tail, TestContext,
};
use lab::commands::lab::Lab;
use lab::exit::Exit;
use lab::guest::initramfs::Initramfs;
use lab::guest::machine::{Guest, Outcome};
use lab::judge::splats::{splats, Kind, Splat};
use lab::kernel::flavour::Flavour;
use lab::kernel::sources::{Files, Sources, HELLO_RUST};

/// The module that commits them.
const FAULTS: Sources = Sources {
    name: "faults",
    files: Files::Listed(&[
        ("tests/faults/Kbuild", "Kbuild"),
        ("border", "border"),
        ("tests/faults/faults.c", "faults.c"),
        ("tests/faults/faults.h", "faults.h"),
        ("tests/faults/faults_rs.rs", "faults_rs.rs"),
    ]),
    fused: false,
};

/// The same, fused: the Rust half is inlined into C.
const FUSED: Sources = Sources {
    fused: true,
    ..FAULTS
};

/// A fault, and what must come of it.
struct Fault {
    /// `kind=` of fault.ko.
    name: &'static str,
    /// What the kernel's command line says in addition.
    append: &'static str,
    /// What the lab takes it for.
    kind: Kind,
    /// What becomes of the guest.
    outcome: Outcome,
    /// The code that the lab's report must lead to: how its line starts in faults.c or faults_rs.rs.
    at: &'static str,
}

const fn fault(
    name: &'static str,
    append: &'static str,
    kind: Kind,
    outcome: Outcome,
    at: &'static str,
) -> Fault {
    Fault {
        name,
        append,
        kind,
        outcome,
        at,
    }
}

/// The kernel goes on, and insmod too.
const WELL: Outcome = Outcome::Answered(0);
/// The kernel kills insmod and goes on: 128 + SIGKILL after a page fault ...
const KILLED: Outcome = Outcome::Answered(137);
/// ... and 128 + SIGSEGV after a trap.
const TRAPPED: Outcome = Outcome::Answered(139);
/// It is the kernel's end.
const CRASH: Outcome = Outcome::Silent;

/// What any kernel sees.
#[rustfmt::skip] // a table reads best as a table
static FAULTS_OF_ANY: &[Fault] = &[
    fault("panic",           "",                  Kind::Panic,     CRASH,   "panic("),
    fault("null",            "",                  Kind::Oops,      KILLED,  "WRITE_ONCE("),
    fault("null",            "oops=panic",        Kind::Oops,      CRASH,   "WRITE_ONCE("),
    fault("bug",             "",                  Kind::Bug,       TRAPPED, "BUG("),
    fault("warn",            "",                  Kind::Warning,   WELL,    "WARN("),
    fault("warn",            "panic_on_warn=1",   Kind::Warning,   CRASH,   "WARN("),
    fault("rust_panic",      "",                  Kind::RustPanic, TRAPPED, "PRIMES[index]"),
    fault("refcount",        "",                  Kind::Refcount,  WELL,    "refcount_inc("),
    fault("schedule_atomic", "",                  Kind::Atomic,    WELL,    "schedule("),
    fault("spin",            "watchdog_thresh=1", Kind::Hang,      CRASH,   "cpu_relax("),
];

/// What arm64's kernel says when a task has died in a `BUG()`, and another one runs: `__switch_to()` finds
/// debug exceptions off.
const AFTER_BUG: &str = "WARNING: arch/arm64/kernel/process.c:";

/// What takes the debug kernel to see.
#[rustfmt::skip] // a table reads best as a table
static FAULTS_OF_DEBUG: &[Fault] = &[
    fault("inversion",       "",                  Kind::Lockdep,   WELL,    "mutex_lock(inner"),
    fault("sleep_atomic",    "",                  Kind::Atomic,    WELL,    "kfree(kmalloc("),
    fault("use_after_free",  "",                  Kind::Kasan,     WELL,    "*text ="),
    fault("bounds",          "",                  Kind::Ubsan,     WELL,    "numbers.four["),
    fault("list",            "",                  Kind::List,      WELL,    "list_add_tail("),
];

/// The tests, on the main kernel, on its debug twin, and on another architecture.
pub fn tests() -> Vec<Test> {
    let (plain, debug) = (main_flavour(), debug_flavour());
    let mut tests = vec![test(&plain, "builds without a warning", |context, lab| {
        builds_quietly(&Bench::of_ours(context, lab, FAULTS)).map(drop)
    })];
    for flavour in [&plain, &foreign_flavour()] {
        tests.extend(FAULTS_OF_ANY.iter().map(|fault| test_of(flavour, fault)));
    }
    tests.push(test(&plain, "rust_panic, fused", |context, lab| {
        let mut faults = FAULTS_OF_ANY.iter();
        let fault = faults.find(|fault| fault.name == "rust_panic");
        committed(context, lab, fault.context("no rust_panic")?, &FUSED)
    }));
    tests.extend([
        test(&plain, "sysrq c", sysrq),
        test(&plain, "hung task", hung_task),
        test(&plain, "spin_irqs_off", spin_irqs_off),
    ]);
    tests.extend(FAULTS_OF_DEBUG.iter().map(|fault| test_of(&debug, fault)));
    tests.extend([
        test(&debug, "leak", leak),
        test(&debug, "hello_rust is clean", |context, lab| {
            is_clean(&Bench::of_ours(context, lab, HELLO_RUST))
        }),
        test(&debug, "the catalogue sleeps in atomic", sleep_in_atomic),
    ]);
    tests.extend(guest::suites_on(
        &format!("splats::{}", debug.name()),
        &debug,
    ));
    tests.extend(joined::on(&debug));
    tests
}

fn test(flavour: &Flavour, what: &str, check: fn(&TestContext, &Lab) -> Result<()>) -> Test {
    let name = format!("splats::{}::{what}", flavour.name());
    Test::new(name, move |context| check(context, &*context.lab()?)).on(flavour)
}

fn test_of(flavour: &Flavour, fault: &'static Fault) -> Test {
    let what = format!("{} {}", fault.name, fault.append);
    let name = format!("splats::{}::{}", flavour.name(), what.trim_end());
    Test::new(name, move |context| {
        committed(context, &*context.lab()?, fault, &FAULTS)
    })
    .on(flavour)
}

/// Commits a fault of the tables.
fn committed(context: &TestContext, lab: &Lab, fault: &Fault, sources: &Sources) -> Result<()> {
    let job = format!("insmod /fault.ko kind={}\n", fault.name);
    let append = format!("kunit.enable=0 {}", fault.append);
    let ko = lab.module(sources)?.stripped(&lab.toolchain, "fault.ko")?;
    let guest = context.boot(lab, &[("fault.ko", &ko)], &job, &append)?;

    must_contain(&guest.console, &format!("fault: committing {}", fault.name))?;
    let outcome = match (&fault.outcome, lab.kernel.flavour.arch) {
        // arm64 ends a task with the same signal after both.
        (&KILLED, Arch::Arm64) => &TRAPPED,
        (outcome, _) => outcome,
    };
    must_end(&guest, outcome)?;
    let places = [place(fault.at)?, place("fault->commit(")?];
    must_be_in(sources, lab, &guest, fault.kind, &places)
}

/// Boots with fault.ko at hand.
fn boot(context: &TestContext, lab: &Lab, job: &str, append: &str) -> Result<Guest> {
    let append = format!("kunit.enable=0 {append}");
    context.boot(lab, &[("fault.ko", &fault_ko(lab)?)], job, &append)
}

/// The module that commits the faults.
pub fn fault_ko(lab: &Lab) -> Result<Vec<u8>> {
    lab.module(&FAULTS)?.stripped(&lab.toolchain, "fault.ko")
}

fn must_end(guest: &Guest, outcome: &Outcome) -> Result<()> {
    ensure!(
        guest.outcome == *outcome,
        "the guest ended with {:?}, not {outcome:?}\n{}\n{}",
        guest.outcome,
        guest.output,
        tail(&guest.console)
    );
    Ok(())
}

/// The log has this one splat, and the lab fails because of it, with a report that names `places`.
fn must_be(lab: &Lab, guest: &Guest, kind: Kind, places: &[String]) -> Result<()> {
    must_be_in(&FAULTS, lab, guest, kind, places)
}

fn must_be_in(
    sources: &Sources,
    lab: &Lab,
    guest: &Guest,
    kind: Kind,
    places: &[String],
) -> Result<()> {
    let found = splats(&guest.console);
    let (first, rest) = found.split_first().context("no splat")?;
    let follows = |splat: &Splat| splat.line.starts_with(AFTER_BUG);
    ensure!(
        first.kind == kind && rest.iter().all(follows),
        "expected {kind:?}, found {found:#?}\n{}",
        guest.console
    );

    let report = must_fail_in(sources, lab, guest, Exit::Splat)?;
    let line = &first.line;
    ensure!(report.contains(line), "{line:?} is not in:\n{report}");
    for place in places {
        ensure!(names(&report, place), "{place} is not in:\n{report}");
    }
    Ok(())
}

/// Whether a report has a place; `faults.c:70` is not `faults.c:7`.
fn names(report: &str, place: &str) -> bool {
    report
        .match_indices(place)
        .any(|(at, _)| !report[at + place.len()..].starts_with(|next: char| next.is_ascii_digit()))
}

/// The lab fails with this exit code; what it tells the user.
fn must_fail(lab: &Lab, guest: &Guest, exit: Exit) -> Result<String> {
    must_fail_in(&FAULTS, lab, guest, exit)
}

fn must_fail_in(sources: &Sources, lab: &Lab, guest: &Guest, exit: Exit) -> Result<String> {
    let error = lab
        .judge_module(guest, sources)
        .err()
        .context("the lab has not noticed")?;
    let exited = diagnostic::exit_of(&error);
    ensure!(
        exited == exit as u8,
        "the lab ends with {exited}, not {exit:?}"
    );
    Ok(diagnostic::render(&error))
}

/// `/faults.c:7` for the line of code that starts so.
fn place(at: &str) -> Result<String> {
    for name in ["faults.c", "faults_rs.rs"] {
        let source = std::fs::read_to_string(project().join("tests/faults").join(name))?;
        let found = source
            .lines()
            .position(|line| line.trim_start().starts_with(at));
        if let Some(index) = found {
            return Ok(format!("/{name}:{}", index + 1));
        }
    }
    bail!("{at} is nowhere in tests/faults");
}

/// No module is needed to crash a kernel.
fn sysrq(context: &TestContext, lab: &Lab) -> Result<()> {
    let guest = boot(context, lab, "echo c > /proc/sysrq-trigger\n", "")?;
    must_end(&guest, &CRASH)?;
    must_be(
        lab,
        &guest,
        Kind::Panic,
        &["drivers/tty/sysrq.c".to_owned()],
    )
}

/// A task that never wakes is reported, and everything else goes on.
fn hung_task(context: &TestContext, lab: &Lab) -> Result<()> {
    let job = "echo 1 > /proc/sys/kernel/hung_task_timeout_secs\n\
               insmod /fault.ko kind=sleep_forever &\n\
               until dmesg | grep 'blocked for more than'; do usleep 100000; done\n";
    let guest = boot(context, lab, job, "")?;
    must_end(&guest, &WELL)?;
    must_be(lab, &guest, Kind::Hang, &[place("wait_for_completion(")?])
}

/// With interrupts off, only the lab with its clock can notice.
fn spin_irqs_off(context: &TestContext, lab: &Lab) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(10);
    // Changing the terminal waits until it has written everything.
    let job = "echo committing; stty raw </dev/ttyS1; insmod /fault.ko kind=spin_irqs_off\n";
    let mut initramfs = Initramfs::new(&lab.programs, job)?;
    initramfs.file("fault.ko", 0o644, &fault_ko(lab)?)?;
    let mut machine = context.machine(lab);
    machine.size.limit = LIMIT;
    let guest = machine.run(initramfs, "kunit.enable=0")?;

    must_end(&guest, &Outcome::TimedOut)?;
    ensure!(guest.output == "committing\n", "it says {}", guest.output);
    ensure!(
        guest.wall >= LIMIT && guest.wall < 2 * LIMIT,
        "stopped after {:?}",
        guest.wall
    );
    let text = must_fail(lab, &guest, Exit::Timeout)?;
    must_contain(&text, "the guest did not finish within 10 s")
}

/// C calls Rust where the contract forbids it, Rust calls C, and C notices: a splat that leads
/// through both halves.
fn sleep_in_atomic(context: &TestContext, lab: &Lab) -> Result<()> {
    let catalogue = &guest::CATALOGUE;
    let ko = lab
        .module(catalogue)?
        .stripped(&lab.toolchain, "catalogue.ko")?;
    let job = "insmod /catalogue.ko sleep_in_atomic=1\n";
    let guest = context.boot(lab, &[("catalogue.ko", &ko)], job, "kunit.enable=0")?;

    must_end(&guest, &WELL)?;
    let found = splats(&guest.console);
    ensure!(
        found.len() == 1 && found[0].kind == Kind::Atomic,
        "found {found:#?}\n{}",
        guest.console
    );
    must_contain(
        &found[0].line,
        "BUG: sleeping function called from invalid context at ",
    )?;
    let error = lab
        .judge_module(&guest, catalogue)
        .err()
        .context("the lab has not noticed")?;
    let report = diagnostic::render(&error);
    for file in [
        "/catalogue_c.c:",
        "/imports.rs:",
        "/exports.rs:",
        "/catalogue_test.c:",
    ] {
        must_contain(&report, file)?;
    }
    Ok(())
}

/// Leaks on purpose, and waits until kmemleak knows: that takes until an object is 5 s old, and two looks
/// at it.
pub const LEAK: &str = "\
    insmod /fault.ko kind=leak || exit 1\n\
    until grep -q commit_leak /sys/kernel/debug/kmemleak; do\n\
    echo scan > /sys/kernel/debug/kmemleak\n\
    done\n\
    cat /sys/kernel/debug/kmemleak\n";

fn leak(context: &TestContext, lab: &Lab) -> Result<()> {
    let guest = boot(context, lab, LEAK, "")?;
    must_be_the_leak(lab, &guest)
}

/// kmemleak has found something, and nothing but what commit_leak lost.
pub fn must_be_the_leak(lab: &Lab, guest: &Guest) -> Result<()> {
    must_end(guest, &WELL)?;
    let reports = guest.output.split("unreferenced object ").skip(1);
    let (known, others): (Vec<&str>, Vec<&str>) =
        reports.partition(|report| report.contains("commit_leak+"));
    ensure!(
        !known.is_empty(),
        "it has not found the leak:\n{}",
        guest.output
    );
    if let Some(first) = others.first() {
        bail!(
            "memory is lost, {} times; first:\nunreferenced object {first}",
            others.len()
        );
    }
    must_be(lab, guest, Kind::Kmemleak, &[])
}
