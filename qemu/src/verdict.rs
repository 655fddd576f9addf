//! Judges what the guest's kernel logged: splats, and the reasons for which it refuses a module.
//!
//! Every message is matched at its very start, behind the time stamp, because that is where the
//! kernel puts it. What a module prints carries the module's name first, so it can say "BUG: x!"
//! without being taken for one.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde::Serialize;

/// One line of a console, split into the kernel's time stamp and what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Message<'a> {
    /// The stamp with its brackets; `None` for what user space wrote to the console.
    pub stamp: Option<&'a str>,
    /// What is said, with its own indentation and without the line's end.
    pub text: &'a str,
}

/// The prefix that `print_prefix` in kernel/printk/printk.c writes: the time with
/// `CONFIG_PRINTK_TIME`, thread or CPU with `CONFIG_PRINTK_CALLER`, one space.
static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\[ *\d+\.\d{6}\])(?:\[ *[TC]\d+\])?(?: |$)").expect("a valid pattern")
});

/// All lines of a log, the kernel's and user space's.
pub fn messages(log: &str) -> impl Iterator<Item = Message<'_>> {
    log.lines().map(|line| {
        let line = line.trim_end_matches('\r');
        // Not anchored: user space may have left an unfinished line, a prompt for instance.
        match STAMP.captures(line) {
            Some(found) => Message {
                stamp: found.get(1).map(|stamp| stamp.as_str()),
                text: &line[found.get_match().end()..],
            },
            None => Message {
                stamp: None,
                text: line,
            },
        }
    })
}

/// The kernel's lines only, each once: what `dmesg` repeats on the console is left out. Without a
/// single stamp in the log (`printk.time=0`, or the results file of a KUnit suite) nobody can
/// tell who speaks, and all lines count.
pub fn kernel_messages(log: &str) -> Vec<Message<'_>> {
    let mut lines: Vec<_> = messages(log).collect();
    if lines.iter().all(|line| line.stamp.is_none()) {
        return lines;
    }
    let (mut seen, mut latest, mut repeating) = (HashSet::new(), None, false);
    lines.retain(|line| line.stamp.is_some());
    lines.retain(|line| {
        // A line may well come twice in one microsecond, but only a repetition goes back in time.
        repeating = !seen.insert(*line) && (line.stamp < latest || repeating);
        latest = latest.max(line.stamp);
        !repeating
    });
    lines
}

/// What kind of splat a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A panic that no other report led to.
    Panic,
    /// The CPU faulted in kernel mode: a bad pointer, a protection fault, a stack overrun.
    Oops,
    /// A `BUG()`, or another message that the kernel itself marks as a bug.
    Bug,
    /// A `WARN()`.
    Warning,
    /// Locking or RCU rules broken, as lockdep proves.
    Lockdep,
    /// Sleeping, scheduling or per-CPU access where the context forbids it.
    Atomic,
    /// Bad memory access, found by KASAN.
    Kasan,
    /// Bad memory access, sampled by KFENCE.
    Kfence,
    /// Use of uninitialised memory, found by KMSAN.
    Kmsan,
    /// A data race, found by KCSAN.
    Kcsan,
    /// Undefined behaviour in C, found by UBSAN.
    Ubsan,
    /// A corrupted slab object, found by SLUB's checks.
    Slab,
    /// A reference count that went too low or too high.
    Refcount,
    /// A linked list whose neighbours disagree.
    List,
    /// An indirect call to a function of another type.
    Cfi,
    /// A copy that does not fit its buffer, found by FORTIFY_SOURCE or hardened usercopy.
    Fortify,
    /// Memory that nobody points to any more.
    Kmemleak,
    /// A Rust `panic!`, which the kernel turns into a `BUG()`.
    RustPanic,
    /// A lockup, an RCU stall or a hung task.
    Hang,
}

impl Kind {
    /// The field's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Panic => "kernel panic",
            Kind::Oops => "oops",
            Kind::Bug => "kernel BUG",
            Kind::Warning => "WARN",
            Kind::Lockdep => "lockdep report",
            Kind::Atomic => "wrong context",
            Kind::Kasan => "KASAN report",
            Kind::Kfence => "KFENCE report",
            Kind::Kmsan => "KMSAN report",
            Kind::Kcsan => "KCSAN report",
            Kind::Ubsan => "UBSAN report",
            Kind::Slab => "slab corruption",
            Kind::Refcount => "refcount misuse",
            Kind::List => "list corruption",
            Kind::Cfi => "CFI failure",
            Kind::Fortify => "buffer overflow",
            Kind::Kmemleak => "memory leak",
            Kind::RustPanic => "Rust panic",
            Kind::Hang => "hang",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One event in which the kernel found itself in trouble, with all that it printed about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Splat {
    /// The most specific kind of the chain: a Rust panic is also a BUG, an oops and a panic.
    pub kind: Kind,
    /// The telling line, without its time stamp.
    pub line: String,
    /// The report, from its "cut here" line to its end, without time stamps.
    pub report: String,
    /// The file in the kernel's source that prints the telling line: where to read on.
    pub source: &'static str,
}

impl fmt::Display for Splat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.kind, self.source, self.line)
    }
}

/// Where a line stands in the chain that one event prints. Only a later stage continues a report;
/// anything else is an event of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Says what is wrong, before a trap or a report says where.
    Lead,
    /// The fault or the `BUG()` that an oops will follow.
    Trap,
    /// The report proper.
    Report,
    /// The end of the machine.
    Panic,
}

/// What a telling line looks like.
struct Row {
    kind: Kind,
    stage: Stage,
    /// How the last line of the report starts; empty when the telling line is all there is.
    end: &'static str,
    pattern: &'static str,
    source: &'static str,
}

const fn row(
    kind: Kind,
    stage: Stage,
    end: &'static str,
    pattern: &'static str,
    source: &'static str,
) -> Row {
    Row {
        kind,
        stage,
        end,
        pattern,
        source,
    }
}

/// `CUT_HERE` of include/asm-generic/bug.h, the line above a `BUG()`, a `WARN()` and UBSAN.
const CUT: &str = "------------[ cut here ]";
/// `print_oops_end_marker` of kernel/panic.c.
const TRACE: &str = "---[ end trace";
/// `vpanic` of kernel/panic.c.
const PANIC: &str = "---[ end Kernel panic";
/// The end of a task's call trace: arch/x86/kernel/dumpstack.c.
const STACK: &str = "</TASK>";
/// The ruler around the sanitizers' reports, and above those of lockdep and SLUB.
const RULE: &str = "====================";

/// Every splat this lab knows. The first row that matches wins, so the general ones come last.
/// Read in Linux 6.12 and 7.3; where their words differ, the pattern takes both.
#[rustfmt::skip] // a table reads best as a table
static ROWS: &[Row] = &[
    row(Kind::RustPanic, Stage::Lead,   TRACE, r"^rust_kernel: panicked at ", "rust/kernel/lib.rs"),
    row(Kind::Kasan,     Stage::Lead,   RULE,  r"^BUG: KASAN: ", "mm/kasan/report.c"),
    row(Kind::Kfence,    Stage::Lead,   RULE,  r"^BUG: KFENCE: ", "mm/kfence/report.c"),
    row(Kind::Kmsan,     Stage::Lead,   RULE,  r"^BUG: KMSAN: ", "mm/kmsan/report.c"),
    row(Kind::Kcsan,     Stage::Lead,   RULE,  r"^BUG: KCSAN: ", "kernel/kcsan/report.c"),
    row(Kind::Ubsan,     Stage::Lead,   TRACE, r"^(?:traps: )?UBSAN: ", "lib/ubsan.c"),
    row(Kind::Slab,      Stage::Lead,   STACK, r"^BUG .+ \((?:Not tainted|Tainted: .+?)\): ", "mm/slub.c"),
    row(Kind::Refcount,  Stage::Lead,   TRACE, r"^refcount_t: ", "lib/refcount.c"),
    row(Kind::List,      Stage::Lead,   TRACE, r"^list_(?:(?:add|del) corruption[.,]|add double add:) ", "lib/list_debug.c"),
    row(Kind::Cfi,       Stage::Lead,   TRACE, r"^CFI failure at ", "kernel/cfi.c"),
    row(Kind::Fortify,   Stage::Lead,   TRACE, r"^\w+: detected buffer overflow: \d+ byte ", "lib/string_helpers.c"),
    row(Kind::Fortify,   Stage::Lead,   TRACE, r"^usercopy: Kernel memory (?:exposure|overwrite) attempt ", "mm/usercopy.c"),
    row(Kind::Oops,      Stage::Lead,   TRACE, r"^kernel tried to execute NX-protected page|^unable to execute userspace code", "arch/x86/mm/fault.c"),

    row(Kind::Bug,       Stage::Trap,   TRACE, r"^[kK]ernel BUG at ", "lib/bug.c"),
    row(Kind::Oops,      Stage::Trap,   TRACE, r"^BUG: (?:kernel NULL pointer dereference|unable to handle) ?", "arch/x86/mm/fault.c"),
    row(Kind::Oops,      Stage::Trap,   TRACE, r"^BUG: .+ stack guard page was hit at ", "arch/x86/kernel/traps.c"),
    row(Kind::Oops,      Stage::Trap,   TRACE, r"^(?:traps: )?PANIC: double fault", "arch/x86/kernel/traps.c"),
    row(Kind::Oops,      Stage::Trap,   TRACE, r"^Unable to handle kernel .+ at virtual address ", "arch/arm64/mm/fault.c"),

    // Before 6.10, a fault other than a page fault had no "Oops: " in front.
    row(Kind::Oops,      Stage::Report, TRACE, r"^(?:Oops: )?[A-Za-z][A-Za-z0-9, -]*: [0-9a-f]{4} \[#\d+\]", "arch/x86/kernel/dumpstack.c"),
    row(Kind::Oops,      Stage::Report, TRACE, r"^Internal error: .+ \[#\d+\]", "arch/arm64/kernel/traps.c"),
    // "WARNING: CPU: 0 PID: 1 at file:line" in 6.12, "WARNING: file:line at" in 7.3. Other texts
    // that start with WARNING, on mitigations for instance, are no splats.
    row(Kind::Warning,   Stage::Report, TRACE, r"^WARNING: (?:CPU: \d+ PID: \d+ at |(?:\S+:\d+ )?at .+, CPU#\d+: )", "kernel/panic.c"),
    row(Kind::Lockdep,   Stage::Report, STACK, r"^WARNING: (?:possible .+ detected|inconsistent lock state|suspicious RCU usage|.+-safe -> .+-unsafe lock order detected)", "kernel/locking/lockdep.c"),
    row(Kind::Lockdep,   Stage::Report, STACK, r"^WARNING: (?:bad (?:unlock balance|contention) detected|held lock freed|lock held when returning|.+/\d+ still has locks held|Nested lock was not taken|chain_key collision)", "kernel/locking/lockdep.c"),
    row(Kind::Lockdep,   Stage::Report, STACK, r"^(?:\[ BUG: .+ \]|INFO: trying to register non-static key|BUG: (?:looking up invalid subclass|key \S+ has not been registered|MAX_\w+ too low))", "kernel/locking/lockdep.c"),
    row(Kind::Atomic,    Stage::Report, STACK, r"^BUG: (?:sleeping function called from invalid context|scheduling (?:while atomic|in a non-blocking section)|assuming (?:atomic|non migratable) context)", "kernel/sched/core.c"),
    row(Kind::Atomic,    Stage::Report, STACK, r"^BUG: using .+ in preemptible ", "lib/smp_processor_id.c"),
    row(Kind::Atomic,    Stage::Report, STACK, r"^BUG: workqueue leaked atomic, lock or RCU", "kernel/workqueue.c"),
    row(Kind::Hang,      Stage::Report, STACK, r"^watchdog: (?:BUG: soft lockup|(?:CPU\d+: )?Watchdog detected hard LOCKUP)", "kernel/watchdog.c"),
    row(Kind::Hang,      Stage::Report, STACK, r"^(?:rcu: )?INFO: \S+ (?:self-)?detected (?:expedited )?stall", "kernel/rcu/tree_stall.h"),
    row(Kind::Hang,      Stage::Report, STACK, r"^INFO: task .+ blocked.* for more than \d+ seconds", "kernel/hung_task.c"),
    row(Kind::Hang,      Stage::Report, "",    r"^BUG: workqueue lockup", "kernel/workqueue.c"),
    row(Kind::Kmemleak,  Stage::Report, "",    r"^kmemleak: \d+ new suspected memory leaks", "mm/kmemleak.c"),
    // "Bad page state", "spinlock bad magic" and the like.
    row(Kind::Bug,       Stage::Report, STACK, r"^BUG: ", "the kernel"),

    row(Kind::Panic,     Stage::Panic,  PANIC, r"^Kernel panic - not syncing", "kernel/panic.c"),
];

static PATTERNS: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new(ROWS.iter().map(|row| row.pattern)).expect("every row has a valid pattern")
});

/// Panics that name the report which the kernel was told not to survive: `check_panic_on_warn` in
/// kernel/panic.c, kernel/watchdog.c, kernel/hung_task.c, kernel/rcu/tree_stall.h, mm/kasan/report.c.
static CONSEQUENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"panic_on_\w+ set|fault=panic|softlockup:|Hard LOCKUP|hung_task:|RCU Stall")
        .expect("a valid pattern")
});

/// No report is followed further than this, lest one without an end swallows the log.
const LONGEST: usize = 200;
/// This soon after a report that only led up to something, an oops is the same event.
const SOON: usize = 4;

/// The row of a telling line.
fn telling(text: &str) -> Option<&'static Row> {
    PATTERNS.matches(text).iter().next().map(|row| &ROWS[row])
}

/// All splats of a log, in order: the first is the cause, later ones are often its fallout.
pub fn splats(log: &str) -> Vec<Splat> {
    let mut reader = Reader::default();
    for message in kernel_messages(log) {
        reader.read(message.text);
    }
    reader.reports.iter().map(Report::splat).collect()
}

/// Reads line after line, and gathers them into reports.
#[derive(Default)]
struct Reader<'a> {
    reports: Vec<Report<'a>>,
    /// A "cut here" or ruler, and what followed it, while no telling line has come yet.
    opener: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, text: &'a str) {
        match telling(text) {
            Some(row) => self.tell(row, text),
            None => self.follow(text),
        }
    }

    /// A telling line: the next link of the report's chain, or a report of its own.
    fn tell(&mut self, row: &'static Row, text: &'a str) {
        let opener = std::mem::take(&mut self.opener);
        match self.reports.last_mut() {
            Some(report) if report.leads_to(row, text) => report.extend(row, opener, text),
            _ => self.reports.push(Report::new(row, opener, text)),
        }
    }

    /// Any other line: it opens, continues or ends a report, or has nothing to do with one.
    fn follow(&mut self, text: &'a str) {
        let opens = text.starts_with(CUT) || text.starts_with(RULE);
        if let Some(report) = self.reports.last_mut() {
            if report.open && (!opens || report.expects(text)) {
                report.push(text);
                return;
            }
            report.open = false;
            report.since += 1;
        }
        if opens {
            self.opener = vec![text];
        } else if (1..8).contains(&self.opener.len()) {
            // The words of a WARN() stand between its "cut here" and the telling line.
            self.opener.push(text);
        } else {
            self.opener.clear();
        }
    }
}

/// A report in the making.
struct Report<'a> {
    /// What the first telling line was, and what the latest one was.
    first: &'static Row,
    last: &'static Row,
    lines: Vec<&'a str>,
    /// Which of the lines is the first telling one.
    telling: usize,
    open: bool,
    /// How many lines ago it ended.
    since: usize,
    /// Whether somebody was killed by it.
    deadly: bool,
}

impl<'a> Report<'a> {
    fn new(row: &'static Row, opener: Vec<&'a str>, text: &'a str) -> Self {
        let mut report = Report {
            first: row,
            last: row,
            telling: opener.len(),
            lines: Vec::new(),
            open: true,
            since: 0,
            deadly: false,
        };
        report.extend(row, opener, text);
        report
    }

    /// Whether a telling line belongs to this very event.
    fn leads_to(&self, row: &Row, text: &str) -> bool {
        let open = self.open && (self.last.stage == Stage::Panic || row.stage > self.last.stage);
        let oops = self.first.stage == Stage::Lead && row.deadly() && self.since <= SOON;
        let panic = row.stage == Stage::Panic && (self.deadly || CONSEQUENCE.is_match(text));
        open || (!self.open && oops) || panic
    }

    /// Whether a "cut here" or ruler is part of this report rather than the start of another.
    fn expects(&self, text: &str) -> bool {
        matches!(self.last.stage, Stage::Lead | Stage::Panic) || text.starts_with(self.last.end)
    }

    fn extend(&mut self, row: &'static Row, opener: Vec<&'a str>, text: &'a str) {
        self.last = row;
        self.open = true;
        self.since = 0;
        self.deadly |= row.deadly();
        self.lines.extend(opener);
        self.push(text);
    }

    fn push(&mut self, text: &'a str) {
        self.lines.push(text);
        let ended = text.trim_start().starts_with(self.last.end);
        self.open = !ended && self.lines.len() < LONGEST;
    }

    fn splat(&self) -> Splat {
        let mut line = self.lines[self.telling].to_string();
        // Rust's panics tell the place first and the message on the line below.
        if self.first.kind == Kind::RustPanic && line.ends_with(':') {
            if let Some(message) = self.lines.get(self.telling + 1) {
                line = format!("{line} {message}");
            }
        }
        Splat {
            kind: self.first.kind,
            line,
            report: self.lines.join("\n"),
            source: self.first.source,
        }
    }
}

impl Row {
    /// Whether the kernel kills the task, or itself, after such a line.
    fn deadly(&self) -> bool {
        self.stage == Stage::Trap || self.kind == Kind::Oops
    }
}

/// Why the kernel refused a module, or had a remark on it, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The line of the log, without its time stamp.
    pub line: String,
    /// What it means, in one sentence without a full stop.
    pub meaning: String,
    /// The one command, or action, that fixes it.
    pub help: String,
}

impl Explanation {
    fn new(line: &str, pattern: &Regex, (_, meaning, help): &Reason) -> Option<Self> {
        let groups = pattern.captures(line)?;
        let fill = |template: &str| {
            let mut text = String::new();
            groups.expand(template, &mut text);
            text
        };
        Some(Explanation {
            line: line.to_string(),
            meaning: fill(meaning),
            help: fill(help),
        })
    }
}

/// A reason: how its line looks, what it means, how to fix it. `$1` and so on stand for the
/// groups of the pattern, `$$` for a dollar.
type Reason = (&'static str, &'static str, &'static str);

const REBUILD: &str = "make clean && make KDIR=/lib/modules/$$(uname -r)/build";
const SIGN: &str = "sign it with a key the kernel trusts: scripts/sign-file sha256 KEY.pem CERT.x509 MODULE.ko, in the kernel's tree";

/// What the kernel itself says: kernel/module/main.c, version.c and signing.c, kernel/params.c,
/// security/lockdown/lockdown.c and arch/x86/kernel/module.c of Linux 6.12 and 7.3.
static REFUSALS: &[Reason] = &[
    (
        r"^(\S+): version magic '(.*?) ?' should be '(.*?) ?'",
        "$1.ko was built for another kernel (\"$2\") than the one that runs (\"$3\")",
        REBUILD,
    ),
    (
        r"^module (\S+): .* section size must match the kernel's built struct module size",
        "$1.ko was built for a kernel with other options, in which struct module has another size",
        REBUILD,
    ),
    (
        r"^(\S+): disagrees about version of symbol (\S+)",
        "$1.ko believes that $2 has another type than it has in this kernel (CONFIG_MODVERSIONS)",
        REBUILD,
    ),
    (
        r"^(\S+): no (?:extended )?symbol version for (\S+)",
        "$1.ko carries no version of $2: it was built without the kernel's Module.symvers",
        "build the kernel first, or install all of its headers, then: make clean && make KDIR=KERNEL_BUILD",
    ),
    (
        r"^(\S+): Unknown symbol (_R\S+) \(err -2\)",
        "$1.ko calls a Rust function that this kernel does not export; such a name changes with the compiler and with the kernel's crates, and none exists without CONFIG_RUST",
        "build against this very kernel, with the rustc that built it: make clean && make KDIR=/lib/modules/$$(uname -r)/build",
    ),
    (
        r"^(\S+): Unknown symbol (\S+) \(err -2\)",
        "$1.ko needs $2, which neither the kernel nor a loaded module exports, or only to modules under the GPL",
        "load the modules that it depends on first: modinfo -F depends $1.ko",
    ),
    (
        r"^(\S+): Unknown symbol (\S+) \(err (-\d+)\)",
        "$1.ko needs $2, which exists but was refused (error $3); the line above it in the log says why",
        REBUILD,
    ),
    (
        r"^(\S+): module uses symbol \((\S+)\) from namespace (\S+), but does not import it",
        "$1.ko uses $2, which is reserved for those who import the namespace $3",
        "add MODULE_IMPORT_NS(\"$3\"); to the C half and rebuild",
    ),
    (
        r"^(\S+): exports duplicate symbol (\S+)\s+\(owned by kernel\)",
        "$1.ko exports $2, a name that the kernel itself has taken",
        "rename $2 in the module",
    ),
    (
        r"^(\S+): exports duplicate symbol (\S+)\s+\(owned by (\S+)\)",
        "$1.ko exports $2, a name that the loaded module $3 has taken",
        "rmmod $3",
    ),
    (
        r"^Loading of (.+) is rejected",
        "the kernel accepts signed modules only (CONFIG_MODULE_SIG_FORCE or module.sig_enforce) and would not have this one: $1",
        SIGN,
    ),
    (
        r"^Lockdown: .*unsigned module loading is restricted",
        "the kernel is locked down, as with Secure Boot, and the module carries no signature it trusts",
        SIGN,
    ),
    (
        r"^(\S+): `(.*)' (?:invalid|too large) for parameter `(\S+)'",
        "\"$2\" is no value that the parameter $3 of $1 can take",
        "see what it takes: modinfo -p $1.ko",
    ),
    (
        r"^Invalid (?:module )?architecture in ELF header: (\d+)",
        "the module was built for another machine (ELF machine $1)",
        "see for which one: readelf -h MODULE.ko; then rebuild with the kernel's ARCH=",
    ),
    (
        r"^Invalid ELF ",
        "the file is no whole ELF object: cut short, compressed, or not a module",
        "see what it is: file MODULE.ko",
    ),
    (
        r"^module (\S+): Exactly one \.gnu\.linkonce\.this_module section must exist|^Only one \.modinfo section must exist",
        "this is an object file, not a module: modpost has not completed it",
        "load the .ko rather than a .o, as made by: make",
    ),
    (
        r"^(\S+): module has no symbols \(stripped\?\)",
        "$1.ko was stripped of the symbols that the kernel links it by",
        "rebuild it, and strip no more than debug information: strip -g $1.ko",
    ),
    (
        r"^(?:module: )?overflow in relocation type",
        "a part of the module was compiled for another code model than the kernel's",
        "compile every part through Kbuild, with the kernel's own flags: make clean && make",
    ),
    (
        r"^Module (\S+) is blacklisted",
        "the kernel's command line forbids $1 (module_blacklist=)",
        "boot without module_blacklist=$1",
    ),
];

/// What is left to user space to say when the kernel gave no reason: the errno of
/// `finit_module`, in the words of busybox (modutils/modutils.c) or kmod.
static COMPLAINTS: &[Reason] = &[
    (
        r"\b(?:insmod|modprobe): .*(?:Key was rejected by service|Required key not available)",
        "the kernel accepts signed modules only, and this one carries no signature it trusts",
        SIGN,
    ),
    (
        r"\b(?:insmod|modprobe): .*(?:[Ii]nvalid module format|Exec format error)",
        "the kernel takes this file for no module of its own: built for another kernel, or damaged",
        REBUILD,
    ),
    (
        r"\b(?:insmod|modprobe): .*[Uu]nknown symbol in module",
        "the module needs a symbol that nobody exports, or was given a parameter it does not have",
        "let the kernel tell which: dmesg | grep -e symbol -e parameter",
    ),
    (
        r"\b(?:insmod|modprobe): .*module has wrong symbol version",
        "the module was built against another version of a symbol that it uses",
        REBUILD,
    ),
    (
        r"\b(?:insmod|modprobe): .*File exists",
        "a module of this name is loaded already, or part of the kernel",
        "unload it first: rmmod MODULE",
    ),
    (
        r"\b(?:insmod|modprobe): .*Operation not permitted",
        "loading modules takes root, and a kernel that is not locked down",
        "try again as root, and see: cat /sys/kernel/security/lockdown",
    ),
];

/// Remarks of kernel/module/main.c on a module that it loads all the same.
static REMARKS: &[Reason] = &[
    (
        r"^(\S+): module verification failed: signature and/or required key missing",
        "$1.ko is not signed; the kernel notes that as a taint and loads it all the same",
        "nothing to fix: look for another reason if it was refused",
    ),
    (
        r"^(\S+): unknown parameter '(\S+)' ignored",
        "$1 has no parameter $2; the kernel loads it all the same",
        "see which it has: modinfo -p $1.ko",
    ),
];

/// Known reasons for which the kernel refuses a module, told in words with what to do.
///
/// The kernel's own reasons come in the log's order; `insmod`'s complaint is considered only when
/// there is none. Remarks that would not keep a module out come last.
pub fn explain(log: &str) -> Vec<Explanation> {
    let lines: Vec<_> = messages(log).map(|message| message.text).collect();
    let mut told = explain_by(REFUSALS, &lines);
    if told.is_empty() {
        told = explain_by(COMPLAINTS, &lines);
    }
    told.extend(explain_by(REMARKS, &lines));
    told
}

/// The first reason that fits, of each line, in the log's order and without repetition.
fn explain_by(reasons: &[Reason], lines: &[&str]) -> Vec<Explanation> {
    let patterns: Vec<_> = reasons
        .iter()
        .map(|(pattern, ..)| Regex::new(pattern).expect("every reason has a valid pattern"))
        .collect();
    let mut told = Vec::new();
    for line in lines {
        let mut reasons = patterns.iter().zip(reasons);
        let fits = reasons.find_map(|(pattern, reason)| Explanation::new(line, pattern, reason));
        told.extend(fits.filter(|reason| !told.contains(reason)));
    }
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Puts the kernel's prefix in front of each line, a little later each time, as a serial
    /// console shows it.
    fn stamped(text: &str) -> String {
        let stamp = |(number, line)| format!("[    0.5{number:05}] {line}\r\n");
        text.lines().enumerate().map(stamp).collect()
    }

    fn kinds(log: &str) -> Vec<Kind> {
        splats(log).iter().map(|splat| splat.kind).collect()
    }

    /// The one splat of a log that has no more than one.
    fn only(text: &str) -> Splat {
        let mut found = splats(&stamped(text));
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    const RUST_PANIC: &str = "\
hello_rust: loading out-of-tree module taints kernel.
rust_kernel: panicked at hello_rust.rs:42:9:
assertion `left == right` failed
  left: 1
 right: 2
------------[ cut here ]------------
kernel BUG at rust/helpers/bug.c:7!
Oops: invalid opcode: 0000 [#1] SMP NOPTI
CPU: 0 UID: 0 PID: 57 Comm: insmod Tainted: G           O        7.3.4 #1 PREEMPT
RIP: 0010:rust_helper_BUG+0x4/0x10
Call Trace:
 <TASK>
 rust_begin_unwind+0x6f/0x80
 </TASK>
Modules linked in: hello_rust(O+)
---[ end trace 0000000000000000 ]---
RIP: 0010:rust_helper_BUG+0x4/0x10
Code: 0f 0b
note: insmod[57] exited with irqs disabled
Kernel panic - not syncing: Fatal exception
Kernel Offset: disabled
---[ end Kernel panic - not syncing: Fatal exception ]---";

    #[test]
    fn a_rust_panic_is_one_splat_up_to_the_kernel_panic() {
        let splat = only(RUST_PANIC);
        assert_eq!(splat.kind, Kind::RustPanic);
        assert_eq!(
            splat.line,
            "rust_kernel: panicked at hello_rust.rs:42:9: assertion `left == right` failed"
        );
        assert!(splat.report.starts_with("rust_kernel: panicked at"));
        assert!(splat.report.contains("kernel BUG at rust/helpers/bug.c:7!"));
        assert!(splat.report.ends_with("Fatal exception ]---"));
    }

    #[test]
    fn a_warning_is_told_by_both_kernels() {
        let old = "WARNING: CPU: 0 PID: 57 at c_helper.c:12 c_helper_add+0x1c/0x30 [hello_rust]";
        let new = "WARNING: c_helper.c:12 at c_helper_add+0x1c/0x30 [hello_rust], CPU#0: insmod/57";
        for line in [old, new] {
            let splat = only(&format!(
                "hello_rust: before
------------[ cut here ]------------
the words of the WARN
{line}
Modules linked in: hello_rust(O+)
Call Trace:
 <TASK>
 do_one_initcall+0x5a/0x1f0
 </TASK>
---[ end trace 0000000000000000 ]---
hello_rust: after"
            ));
            assert_eq!((splat.kind, splat.line.as_str()), (Kind::Warning, line));
            assert!(splat.report.starts_with("------------[ cut here ]"));
            assert!(splat.report.contains("the words of the WARN"));
            assert!(splat
                .report
                .ends_with("---[ end trace 0000000000000000 ]---"));
        }
    }

    #[test]
    fn a_null_pointer_is_one_oops() {
        let splat = only(
            "BUG: kernel NULL pointer dereference, address: 0000000000000000
#PF: supervisor write access in kernel mode
#PF: error_code(0x0002) - not-present page
PGD 0 P4D 0
Oops: Oops: 0002 [#1] SMP NOPTI
Call Trace:
 <TASK>
 </TASK>
CR2: 0000000000000000
---[ end trace 0000000000000000 ]---
RIP: 0010:c_helper_add+0x5/0x10 [hello_rust]
hello_rust: something else goes on
Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009
---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000009 ]---",
        );
        assert_eq!(splat.kind, Kind::Oops);
        assert_eq!(splat.source, "arch/x86/mm/fault.c");
        assert!(!splat.report.contains("something else"));
    }

    #[test]
    fn kasan_ends_at_its_ruler_and_takes_the_oops_with_it() {
        let splat = only(
            "==================================================================
BUG: KASAN: null-ptr-deref in c_helper_add+0x20/0x40 [hello_rust]
Write of size 4 at addr 0000000000000000 by task insmod/57

Call Trace:
 <TASK>
 </TASK>
==================================================================
Disabling lock debugging due to kernel taint
BUG: kernel NULL pointer dereference, address: 0000000000000000
Oops: Oops: 0002 [#1] SMP KASAN NOPTI
---[ end trace 0000000000000000 ]---",
        );
        assert_eq!(splat.kind, Kind::Kasan);
        assert!(splat.report.starts_with("====="));
        assert!(splat
            .report
            .ends_with("---[ end trace 0000000000000000 ]---"));
    }

    #[test]
    fn a_kasan_report_and_a_later_warning_are_two() {
        let log = stamped(
            "==================================================================
BUG: KASAN: slab-use-after-free in c_helper_add+0x20/0x40 [hello_rust]
==================================================================
------------[ cut here ]------------
WARNING: c_helper.c:12 at c_helper_add+0x1c/0x30 [hello_rust], CPU#0: insmod/57
---[ end trace 0000000000000000 ]---",
        );
        assert_eq!(kinds(&log), [Kind::Kasan, Kind::Warning]);
    }

    #[test]
    fn the_words_before_the_trap_tell_the_kind() {
        for (kind, lead) in [
            (Kind::Refcount, "refcount_t: underflow; use-after-free."),
            (
                Kind::List,
                "list_del corruption, ffff888001234560->next is NULL",
            ),
            (Kind::List, "list_add corruption. prev is NULL."),
            (
                Kind::Fortify,
                "strcpy: detected buffer overflow: 9 byte write of buffer size 8",
            ),
        ] {
            let warned = only(&format!(
                "------------[ cut here ]------------
{lead}
WARNING: CPU: 0 PID: 57 at lib/some.c:28 some_function+0xba/0x110
---[ end trace 0000000000000000 ]---"
            ));
            assert_eq!((warned.kind, warned.line.as_str()), (kind, lead));
            // The same under CONFIG_BUG_ON_DATA_CORRUPTION.
            let killed = only(&format!(
                "{lead}
------------[ cut here ]------------
kernel BUG at lib/some.c:28!
Oops: invalid opcode: 0000 [#1] SMP NOPTI
---[ end trace 0000000000000000 ]---"
            ));
            assert_eq!((killed.kind, killed.line.as_str()), (kind, lead));
        }
    }

    #[test]
    fn a_slab_report_of_7_3_ends_in_a_warning_of_its_own() {
        let splat = only(
            "=============================================================================
BUG kmalloc-64 (Tainted: G           O       ): Right Redzone overwritten
-----------------------------------------------------------------------------

Object   ffff888001234560: 6b 6b 6b 6b
------------[ cut here ]------------
WARNING: mm/slub.c:1180 at object_err+0x4a/0x60, CPU#0: insmod/57
---[ end trace 0000000000000000 ]---
FIX kmalloc-64: Restoring Right Redzone 0xffff888001234560-0xffff888001234567=0xcc",
        );
        assert_eq!(splat.kind, Kind::Slab);
    }

    #[test]
    fn panic_on_warn_belongs_to_the_warning() {
        let splat = only(
            "------------[ cut here ]------------
WARNING: CPU: 0 PID: 57 at c_helper.c:12 c_helper_add+0x1c/0x30 [hello_rust]
Kernel panic - not syncing: kernel: panic_on_warn set ...
CPU: 0 UID: 0 PID: 57 Comm: insmod
---[ end Kernel panic - not syncing: kernel: panic_on_warn set ... ]---",
        );
        assert_eq!(splat.kind, Kind::Warning);
    }

    #[test]
    fn a_lockup_and_its_panic_are_one_hang() {
        let splat = only(
            "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [insmod:57]
Call Trace:
 <TASK>
 </TASK>
Kernel panic - not syncing: softlockup: hung tasks
---[ end Kernel panic - not syncing: softlockup: hung tasks ]---",
        );
        assert_eq!(splat.kind, Kind::Hang);
    }

    #[test]
    fn a_warning_does_not_explain_a_later_panic() {
        let log = stamped(
            "------------[ cut here ]------------
WARNING: CPU: 0 PID: 1 at init/main.c:12 start+0x1c/0x30
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        );
        assert_eq!(kinds(&log), [Kind::Warning, Kind::Panic]);
    }

    #[test]
    fn every_message_has_its_kind() {
        let messages = [
            (Kind::Panic, "Kernel panic - not syncing: No working init found."),
            (Kind::Bug, "kernel BUG at c_helper.c:12!"),
            (Kind::Bug, "BUG: Bad page state in process insmod  pfn:01234"),
            (Kind::Bug, "BUG: spinlock bad magic on CPU#0, insmod/57"),
            (Kind::Oops, "BUG: unable to handle page fault for address: ffffc90000123000"),
            (Kind::Oops, "Oops: general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP NOPTI"),
            (Kind::Oops, "general protection fault: 0000 [#1] PREEMPT SMP"),
            (Kind::Oops, "BUG: TASK stack guard page was hit at ffffc90000123ff8 (stack is ffffc90000124000..ffffc90000128000)"),
            (Kind::Oops, "traps: PANIC: double fault, error_code: 0x0"),
            (Kind::Oops, "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000"),
            (Kind::Oops, "Internal error: Oops: 0000000096000044 [#1] SMP"),
            (Kind::Lockdep, "WARNING: possible circular locking dependency detected"),
            (Kind::Lockdep, "WARNING: possible recursive locking detected"),
            (Kind::Lockdep, "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected"),
            (Kind::Lockdep, "WARNING: insmod/57 still has locks held!"),
            (Kind::Lockdep, "WARNING: suspicious RCU usage"),
            (Kind::Lockdep, "[ BUG: Invalid wait context ]"),
            (Kind::Lockdep, "INFO: trying to register non-static key."),
            (Kind::Lockdep, "BUG: MAX_LOCKDEP_KEYS too low!"),
            (Kind::Atomic, "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:575"),
            (Kind::Atomic, "BUG: scheduling while atomic: insmod/57/0x00000002"),
            (Kind::Atomic, "BUG: using smp_processor_id() in preemptible [00000000] code: insmod/57"),
            (Kind::Kfence, "BUG: KFENCE: out-of-bounds read in c_helper_add+0x20/0x40"),
            (Kind::Kcsan, "BUG: KCSAN: data-race in c_helper_add / rust_twice"),
            (Kind::Kmsan, "BUG: KMSAN: uninit-value in c_helper_add+0x20/0x40"),
            (Kind::Ubsan, "UBSAN: array-index-out-of-bounds in c_helper.c:12:9"),
            (Kind::Ubsan, "traps: UBSAN: shift out of bounds at c_helper_add+0x20/0x40"),
            (Kind::Slab, "BUG kmalloc-64 (Not tainted): Poison overwritten"),
            (Kind::Cfi, "CFI failure at do_one_initcall+0x5a/0x1f0 (target: init_module+0x0/0x10; expected type: 0x12345678)"),
            (Kind::Fortify, "usercopy: Kernel memory exposure attempt detected from SLUB object 'kmalloc-64' (offset 0, size 65)!"),
            (Kind::Kmemleak, "kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)"),
            (Kind::Hang, "watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 0"),
            (Kind::Hang, "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!"),
            (Kind::Hang, "rcu: INFO: rcu_preempt self-detected stall on CPU"),
            (Kind::Hang, "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... } 21002 jiffies s: 37 root: 0x1/."),
            (Kind::Hang, "INFO: rcu_tasks detected stalls on tasks:"),
            (Kind::Hang, "INFO: task insmod:57 blocked in I/O wait for more than 120 seconds."),
        ];
        for (kind, line) in messages {
            assert_eq!(only(line).kind, kind, "{line}");
            // Behind a module's name the same words are the module's business.
            assert_eq!(splats(&stamped(&format!("hello_rust: {line}"))), []);
        }
    }

    #[test]
    fn ordinary_lines_are_no_splats() {
        let log = stamped(
            "Command line: console=ttyS0 panic=-1 oops=panic panic_on_warn=1
WARNING: kernel not compiled with MITIGATION_SRSO.
WARNING: Flushing system-wide workqueues will be prohibited in near future.
WARNING: 'bootconfig' found on the kernel command line but CONFIG_BOOT_CONFIG is not set.
Warning: unable to open an initial console.
hello_rust: loading out-of-tree module taints kernel.
hello_rust: module verification failed: signature and/or required key missing - tainting kernel
hello_rust: Rust, called by C: hello, BUG: x! (1)
hello_rust: Kernel panic - not syncing: only a joke
INFO: lockdep is turned off.
Disabling lock debugging due to kernel taint
kmemleak: Kernel memory leak detector initialized (mem pool available: 15776)
watchdog: Delayed init of the lockup detector failed: -19
insmod[57]: segfault at 0 ip 0000000000401000 sp 00007ffd00000000 error 4",
        );
        assert_eq!(splats(&log), []);
    }

    #[test]
    fn user_space_cannot_cry_wolf() {
        let log = "[    0.500000] Run /init as init process\nBUG: KASAN: says the user's script\n";
        assert_eq!(splats(log), []);
        // Without any stamp, the kernel's words have to be taken as they are.
        assert_eq!(
            kinds("BUG: KASAN: slab-out-of-bounds in f+0x1/0x2"),
            [Kind::Kasan]
        );
    }

    #[test]
    fn prefixes_are_stripped_wherever_they_stand() {
        let text = |log| messages(log).next().unwrap().text;
        assert_eq!(text("[    0.532101] text\r\n"), "text");
        assert_eq!(
            text("[    0.532101][   T42]     # indented"),
            "    # indented"
        );
        assert_eq!(text("[12345.532101][    C0] text"), "text");
        assert_eq!(text("<4>[    0.532101] text"), "text");
        assert_eq!(text("/ # [    0.532101] BUG: x"), "BUG: x");
        assert_eq!(text("[    0.532101]"), "");
        assert_eq!(text("[mem 0x0-0x1] text"), "[mem 0x0-0x1] text");
    }

    #[test]
    fn what_dmesg_repeats_counts_once() {
        let log = stamped(RUST_PANIC);
        assert_eq!(kinds(&log.repeat(2)), [Kind::RustPanic]);
        let twice_at_boot = "[    0.000000] BUG: x\n[    0.000000] BUG: x\n";
        assert_eq!(kinds(twice_at_boot), [Kind::Bug, Kind::Bug]);
    }

    #[test]
    fn a_report_without_an_end_is_bounded() {
        let endless = "BUG: scheduling while atomic: insmod/57/0x00000002\n".to_string()
            + &"hello_rust: still here\n".repeat(1000);
        assert_eq!(only(&endless).report.lines().count(), LONGEST);
    }

    #[test]
    fn refusals_are_explained() {
        let refusals = [
            ("hello_rust: version magic '6.12.1 SMP mod_unload ' should be '7.3.4 SMP mod_unload '", "another kernel (\"6.12.1 SMP mod_unload\")", "make KDIR=/lib/modules/$(uname -r)/build"),
            ("hello_rust: Unknown symbol c_helper_add (err -2)", "needs c_helper_add, which neither", "modinfo -F depends hello_rust.ko"),
            ("hello_rust: Unknown symbol _RNvNtCs1_6kernel5print11call_printk (err -2)", "a Rust function", "rustc"),
            ("hello_rust: Unknown symbol _printk (err -22)", "was refused (error -22)", "make"),
            ("hello_rust: disagrees about version of symbol _printk", "believes that _printk", "make"),
            ("hello_rust: no symbol version for _printk", "Module.symvers", "build the kernel"),
            ("hello_rust: module uses symbol (f) from namespace NS, but does not import it.", "namespace NS", "MODULE_IMPORT_NS(\"NS\")"),
            ("Loading of unsigned module is rejected", "unsigned module", "scripts/sign-file"),
            ("Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7", "locked down", "scripts/sign-file"),
            ("hello_rust: module verification failed: signature and/or required key missing - tainting kernel", "taint", "nothing to fix"),
            ("hello_rust: `many' invalid for parameter `times'", "\"many\" is no value that the parameter times", "modinfo -p"),
            ("hello_rust: unknown parameter 'tiems' ignored", "has no parameter tiems", "modinfo -p"),
            ("Invalid ELF header magic: != \u{7f}ELF", "no whole ELF object", "file "),
            ("Invalid architecture in ELF header: 183", "another machine", "readelf"),
            ("hello_rust: exports duplicate symbol rust_twice (owned by hello_other)", "the loaded module hello_other", "rmmod hello_other"),
            ("hello_rust: exports duplicate symbol _printk (owned by kernel)", "the kernel itself", "rename"),
            ("module hello_rust: .gnu.linkonce.this_module section size must match the kernel's built struct module size at run time", "struct module", "make"),
            ("insmod: can't insert 'hello_rust.ko': invalid module format", "no module of its own", "make"),
            ("insmod: ERROR: could not insert module hello_rust.ko: Key was rejected by service", "signed", "sign-file"),
        ];
        for (line, meaning, help) in refusals {
            let told = explain(&stamped(line));
            assert_eq!(told.len(), 1, "{line}");
            assert_eq!(told[0].line, line);
            assert!(told[0].meaning.contains(meaning), "{}", told[0].meaning);
            assert!(told[0].help.contains(help), "{}", told[0].help);
        }
    }

    #[test]
    fn refusals_come_before_remarks_and_complaints() {
        let told = explain(
            "[    0.532100] hello_rust: module verification failed: signature and/or required key missing - tainting kernel\r\n\
             [    0.532101] hello_rust: Unknown symbol f (err -2)\r\n\
             [    0.532102] hello_rust: Unknown symbol g (err -2)\r\n\
             insmod: can't insert 'hello_rust.ko': unknown symbol in module, or unknown parameter\n",
        );
        let lines: Vec<_> = told.iter().map(|reason| reason.line.as_str()).collect();
        assert_eq!(
            lines,
            [
                "hello_rust: Unknown symbol f (err -2)",
                "hello_rust: Unknown symbol g (err -2)",
                "hello_rust: module verification failed: signature and/or required key missing - tainting kernel"
            ]
        );
        assert_eq!(explain("[    0.5] hello_rust: hello from C\n"), []);
    }
}
