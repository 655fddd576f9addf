//! What is left of the crossings in a module whose objects were joined as bitcode.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{json, Value};

use crate::common::{fresh, run, stitch, text_of, Built};

/// A module in which one function of C is local, and the function of Rust has no symbol. Of the two
/// units, the first has copies of a function in the second, by way of an entry that completes it; and
/// copies of functions that complete each other.
const JOINED: &str = r#"
.text
.type c_add, @function
c_add: ret
.size c_add, 1
.data
.globl c_times
c_times: .long 3

.section .debug_abbrev, "", @progbits
.byte 1, 0x11, 1, 0x13, 0x0b, 0, 0                  # compile unit: language
.byte 2, 0x2e, 0, 3, 8, 0x3f, 0x19, 0, 0            # global function: name
.byte 3, 0x2e, 0, 0x47, 0x13, 0, 0                  # function: completes one of its unit
.byte 4, 0x1d, 0, 0x31, 0x10, 0, 0                  # inlined: of any unit
.byte 5, 0x2e, 0, 3, 8, 0, 0                        # local function: name
.byte 6, 0x2e, 0, 0x6e, 8, 3, 8, 0x3f, 0x19, 0, 0   # global function: mangled name, name
.byte 0

.section .debug_info, "", @progbits
info:
.long first_end - first
first: .short 4
.long .debug_abbrev
.byte 8, 1, 0x1d
.byte 4
.long complete - info
.byte 4
.long complete - info
.byte 4
.long circle - info
.byte 4
.long 0xfffffff0
.byte 4
.long another - info
.byte 4
.long mangled - info
.byte 0
first_end:

second: .long second_end - second_start
second_start: .short 4
.long .debug_abbrev
.byte 8, 1, 0x1d
complete: .byte 3
.long named - second
named: .byte 2
.asciz "rust_twice"
circle: .byte 3
.long square - second
square: .byte 3
.long circle - second
another: .byte 5
.asciz "c_add"
mangled: .byte 6
.asciz "_RNvCs_3abc10rust_twice"
.asciz "rust_twice"
.byte 0
second_end:
"#;

fn joined() -> Built {
    let built = fresh();
    fs::write(built.path("joined.s"), JOINED).expect("written");
    let assemble = ["-c", "-o", "pair.ko", "joined.s"];
    run(Command::new("cc")
        .args(assemble)
        .current_dir(built.folder.path()));
    built
}

fn left(folder: &Path) -> Vec<(String, Value)> {
    let output = stitch(&["report", "--json"], &[folder]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let crossings = report["stitches"].as_array().expect("a list").iter();
    crossings
        .map(|one| (one["symbol"].to_string(), one["joined"].clone()))
        .collect()
}

#[test]
fn what_is_left() {
    let built = joined();
    let joined = |local, inlined| json!({"local": local, "inlined": inlined});
    assert_eq!(
        left(built.folder.path()),
        [
            ("\"c_add\"".into(), joined(true, 0)),
            ("\"c_times\"".into(), Value::Null),
            ("\"rust_twice\"".into(), joined(false, 2)),
        ]
    );
}

#[test]
fn nothing_of_a_module_that_was_linked_as_usual() {
    let built = fresh();
    let left = left(built.folder.path());
    assert_eq!(left.len(), 3);
    assert!(left.iter().all(|(_, left)| left.is_null()), "{left:?}");
}

/// Every fifth byte behind the file header, changed.
#[test]
fn damaged() {
    let built = joined();
    let ko = built.path("pair.ko");
    let whole = fs::read(&ko).expect("a module");
    for at in (0x40..whole.len()).step_by(5) {
        let mut damaged = whole.clone();
        damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
        fs::write(&ko, damaged).expect("written");
        let output = stitch(&["report"], &[built.folder.path()]);
        let code = output.status.code();
        let text = text_of(&output);
        assert!(matches!(code, Some(0 | 2)), "byte {at}: {code:?}\n{text}");
    }
}
