//! A module as the lab reads it: its notes, its parameters, and its symbols for a call trace.

#![no_main]

use std::cell::LazyCell;

use fuzz::Folder;
use lab::commands::storm::parameters::Parameter;
use lab::judge::callers::named;
use lab::kernel::load::Ko;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FOLDER: LazyCell<Folder> = LazyCell::new(|| Folder::new("module"));
}

/// Frames of a trace whose callers are looked up: functions of tests/objects/pair.c, and of the seeds.
const REPORT: &str =
    " c_add+0x0/0x18 [input]\n c_twice+0x0/0x18 [input]\n f+0x0/0x18 [input]\n g+0x0/0x18\n";

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    FOLDER.with(|folder| {
        let file = folder.write("input.ko", input);
        let _ = Ko::read(&file);
        let _ = Parameter::all_of(input);
        let report = named(REPORT, &file, folder.dir());
        assert_eq!(report.lines().count(), REPORT.lines().count());
    });
});
