//! Splats in the kernel's log: panics, oopses, warnings, and the reports of its checkers.
//!
//! Every message is matched at its very start, behind the time stamp, because that is where the
//! kernel puts it. What a module prints starts with the module's name, so it can say "BUG: x!"
//! without being mistaken for one.

use std::fmt;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde::Serialize;

use super::console::kernel_messages;

/// The kind of a splat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A panic without another report before it.
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
    /// A linked list whose neighbours do not match.
    List,
    /// An indirect call to a function of another type.
    Cfi,
    /// A copy that does not fit its buffer, found by FORTIFY_SOURCE or hardened usercopy.
    Fortify,
    /// Memory that nothing points to any more.
    Kmemleak,
    /// A Rust `panic!`, which the kernel turns into a `BUG()`.
    RustPanic,
    /// A lockup, an RCU stall or a hung task.
    Hang,
}

impl Kind {
    /// Its usual name.
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

/// One event, with everything that the kernel printed about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Splat {
    /// The most specific kind of the chain: a Rust panic is also a BUG, an oops and a panic.
    pub kind: Kind,
    /// The line that names the problem, without its time stamp.
    pub line: String,
    /// The report, from its "cut here" line to its end, without time stamps.
    pub report: String,
    /// The kernel's source file that prints this line: where to read on.
    pub source: &'static str,
}

impl fmt::Display for Splat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.kind, self.source, self.line)
    }
}

/// The position of a line in the chain that one event prints. Only a later stage continues a report;
/// anything else is another event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Says what is wrong, before a trap or a report says where it happened.
    Lead,
    /// The fault or the `BUG()` that an oops will follow.
    Trap,
    /// The report proper.
    Report,
    /// The end of the machine.
    Panic,
}

/// A line that starts or continues a splat.
struct Row {
    kind: Kind,
    stage: Stage,
    /// How the last line of the report starts; empty if the report is one line.
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
/// The start of one that has no such end: arch/arm64/kernel/stacktrace.c.
const ENDLESS: &str = "Call trace:";
/// The ruler around the sanitizers' reports, and above those of lockdep and SLUB.
const RULE: &str = "====================";

/// Every splat that the lab knows. The first row that matches wins, so the general ones come last.
/// From the sources of Linux 6.12 and 7.3; where they differ, the pattern matches both.
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
    // that start with WARNING, on mitigations for instance, are not splats.
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

/// Panics that follow from a report, because the kernel is configured so: `check_panic_on_warn` in
/// kernel/panic.c, kernel/watchdog.c, kernel/hung_task.c, kernel/rcu/tree_stall.h, mm/kasan/report.c.
static CONSEQUENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"panic_on_\w+ set|fault=panic|softlockup:|Hard LOCKUP|hung_task:|RCU Stall")
        .expect("a valid pattern")
});

/// The limit for a report without an end, in lines.
const LONGEST: usize = 200;
/// An oops this many lines after a leading report belongs to the same event.
const SOON: usize = 4;

/// The row that a line matches.
fn telling(text: &str) -> Option<&'static Row> {
    PATTERNS.matches(text).iter().next().map(|row| &ROWS[row])
}

/// All splats of a log, in order: the first is the cause, later ones are often its consequences.
pub fn splats(log: &str) -> Vec<Splat> {
    let mut reader = Reader::default();
    for message in kernel_messages(log) {
        reader.read(message.text);
    }
    reader.reports.iter().map(Report::splat).collect()
}

/// Collects lines into reports.
#[derive(Default)]
struct Reader<'a> {
    reports: Vec<Report<'a>>,
    /// A "cut here" or ruler and what followed it, until a line matches a row.
    opener: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, text: &'a str) {
        match telling(text) {
            Some(row) => self.tell(row, text),
            None => self.follow(text),
        }
    }

    /// A line that matches a row: it continues the report, or starts another.
    fn tell(&mut self, row: &'static Row, text: &'a str) {
        let opener = std::mem::take(&mut self.opener);
        match self.reports.last_mut() {
            Some(report) if report.leads_to(row, text) => report.extend(row, opener, text),
            _ => self.reports.push(Report::new(row, opener, text)),
        }
    }

    /// Any other line: it opens, continues or ends a report, or is unrelated.
    fn follow(&mut self, text: &'a str) {
        let opens = text.starts_with(CUT) || text.starts_with(RULE);
        if let Some(report) = self.reports.last_mut() {
            report.open &= !report.ends_before(text);
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
            // The message of a WARN() comes between "cut here" and the line that matches.
            self.opener.push(text);
        } else {
            self.opener.clear();
        }
    }
}

/// A report that is being collected.
struct Report<'a> {
    /// The rows of the first and of the latest line that matched one.
    first: &'static Row,
    last: &'static Row,
    lines: Vec<&'a str>,
    /// The index of the first line that matched a row.
    telling: usize,
    open: bool,
    /// How many lines ago it ended.
    since: usize,
    /// Whether the kernel killed a task because of it.
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

    /// Whether a line that matches a row belongs to the same event.
    fn leads_to(&self, row: &Row, text: &str) -> bool {
        let open = self.open && (self.last.stage == Stage::Panic || row.stage > self.last.stage);
        let oops = self.first.stage == Stage::Lead && row.deadly() && self.since <= SOON;
        let panic = row.stage == Stage::Panic && (self.deadly || CONSEQUENCE.is_match(text));
        open || (!self.open && oops) || panic
    }

    /// Whether this line follows the last function of a call trace that has no end of its own.
    fn ends_before(&self, text: &str) -> bool {
        let traced = self.last.end == STACK && self.lines.contains(&ENDLESS);
        traced && !text.starts_with(' ')
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
        // A Rust panic prints the place first, and the message on the next line.
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
    /// Whether the kernel kills the task, or panics, after such a line.
    fn deadly(&self) -> bool {
        self.stage == Stage::Trap || self.kind == Kind::Oops
    }
}

#[cfg(test)]
mod tests;
