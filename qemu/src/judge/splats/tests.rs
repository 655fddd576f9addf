//! Logs of Linux 6.12 and 7.3, and the splats in them.

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
fn a_report_without_an_end_is_bounded() {
    let endless = "BUG: scheduling while atomic: insmod/57/0x00000002\n".to_string()
        + &"hello_rust: still here\n".repeat(1000);
    assert_eq!(only(&endless).report.lines().count(), LONGEST);
}

#[test]
fn what_dmesg_repeats_counts_once() {
    let log = stamped(RUST_PANIC);
    assert_eq!(kinds(&log.repeat(2)), [Kind::RustPanic]);
    let twice_at_boot = "[    0.000000] BUG: x\n[    0.000000] BUG: x\n";
    assert_eq!(kinds(twice_at_boot), [Kind::Bug, Kind::Bug]);
}

#[test]
fn a_call_trace_of_arm64_ends_with_its_last_function() {
    let splat = only(
        "BUG: scheduling while atomic: insmod/26/0x00000002
Modules linked in: fault(O+)
Hardware name: linux,dummy-virt (DT)
Call trace:
 show_stack+0x1c/0x30 (C)
 __schedule_bug+0x58/0x78
hello_rust: after",
    );
    assert_eq!(splat.kind, Kind::Atomic);
    assert!(splat.report.ends_with("__schedule_bug+0x58/0x78"));
}
