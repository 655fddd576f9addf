//! Probes: types that the objects do not record.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{run, rustc, stitch, text_of};

const C: &str = "
struct point { long x, y; };
int c_move(struct point *point, int by) { return point->x + by; }
int c_width(short number) { return number; }
int c_within(unsigned char byte) { return byte; }
int c_macro(int number) { return number; }
int c_deep(int number) { return number; }
unsigned int c_table[2];
";

const RUST: &str = "
#![no_std]
#![allow(improper_ctypes, missing_docs)]
mod abi;
pub mod ffi {
    extern \"C\" {
        pub fn c_move(point: *mut crate::abi::Point, by: i32) -> i32;
        pub fn c_width(number: i32) -> i32;
        pub static c_table: [u32; 1 + 2];
    }
}
macro_rules! declare { ($name:ident) => { extern \"C\" { fn $name(number: i32) -> i32; } } }
declare!(c_macro);
mod deep { declare!(c_deep); pub unsafe fn call() -> i32 { c_deep(1) } }
/// # Safety
/// None needed.
pub unsafe fn all(point: *mut abi::Point) -> i32 {
    extern \"C\" { fn c_within(byte: u8) -> i32; }
    ffi::c_move(point, 1) + ffi::c_width(2) + c_within(3) + c_macro(5) + deep::call() + ffi::c_table[0] as i32
}
";

const ABI: &str = "#[repr(C)] pub struct Point { x: i64, y: i64 }";

/// (symbol, outcome, part of the reason)
const OUTCOMES: &[(&str, &str, &str)] = &[
    ("c_move", "language", "`Point` in Rust"),
    ("c_width", "differs", "2 bytes signed in C"),
    ("c_within", "same", ""),
    ("c_table", "differs", "3 elements in Rust"),
    ("c_macro", "same", ""),
    ("c_deep", "unknown", "do not declare `c_deep`"),
];

/// A build directory as Kbuild would leave it: sources, objects, and their .cmd files.
fn built() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("written");
    };
    for (name, text) in [("c.c", C), ("m.rs", RUST), ("abi.rs", ABI)] {
        write(name, text);
    }
    let c = ["-c", "-g", "-O2", "c.c"];
    let rust = [
        "--edition=2021",
        "--crate-type=lib",
        "--emit=obj",
        "-g",
        "-Copt-level=2",
        "-Cpanic=abort",
        "m.rs",
    ];
    for (program, words, name, needs) in [
        (Path::new("cc"), &c[..], "c", ""),
        (&rustc(), &rust[..], "m", "  abi.rs \\\n"),
    ] {
        run(Command::new(program).args(words).current_dir(folder.path()));
        let source = words.last().expect("a source");
        write(
            &format!(".{name}.o.cmd"),
            &format!(
                "savedcmd_{name}.o := {} {}\n\nsource_{name}.o := {source}\n\n\
                 deps_{name}.o := \\\n{needs}\n{name}.o: $(deps_{name}.o)\n",
                program.display(),
                words.join(" ")
            ),
        );
    }
    folder
}

fn verdicts(folder: &Path, words: &[&str]) -> Vec<Value> {
    let words = [&["report", "--json"], words].concat();
    let output = stitch(&words, &[&folder.join("m.o"), &folder.join("c.o")]);
    let mut report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text_of(&output)));
    match report["stitches"].take() {
        Value::Array(stitches) => stitches,
        other => panic!("{other}"),
    }
}

fn verdict<'v>(stitches: &'v [Value], symbol: &str) -> &'v Value {
    let stitch = stitches.iter().find(|stitch| stitch["symbol"] == symbol);
    &stitch.unwrap_or_else(|| panic!("{symbol} does not cross"))["verdict"]
}

fn probe() -> [String; 3] {
    let rustc = rustc();
    ["--probe", "--rustc", &rustc.display().to_string()].map(str::to_owned)
}

/// Checks that all crossings are unknown, for this reason.
fn all_unknown(stitches: &[Value], reason: &str) {
    assert_eq!(stitches.len(), OUTCOMES.len());
    for stitch in stitches {
        let verdict = &stitch["verdict"];
        assert_eq!(verdict["outcome"], "unknown", "{verdict:#}");
        let reasons = verdict["reasons"].to_string();
        assert!(reasons.contains(reason), "{reasons}");
    }
}

#[test]
fn probes_find_the_types() {
    let folder = built();
    let words = probe();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let before = fs::read_dir(folder.path()).expect("a folder").count();
    let stitches = verdicts(folder.path(), &words);
    for (symbol, outcome, reason) in OUTCOMES {
        let verdict = verdict(&stitches, symbol);
        assert_eq!(verdict["outcome"], *outcome, "{symbol}: {verdict:#}");
        let reasons = verdict["reasons"].to_string();
        assert!(reasons.contains(reason), "{symbol}: {reasons}");
    }
    assert_eq!(stitches.len(), OUTCOMES.len());
    let view = &verdict(&stitches, "c_move")["views"][1];
    assert_eq!(view["source"], "m.o, probe, declaration", "{view:#}");
    assert_eq!(view["place"]["file"], "m.rs", "{view:#}");
    assert_eq!(view["place"]["line"], 7, "{view:#}");
    let after = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(before, after, "a file was created beside the objects");
}

#[test]
fn no_probes_unless_requested() {
    all_unknown(&verdicts(built().path(), &[]), "use --probe");
}

#[test]
fn no_probes_of_modified_sources() {
    let folder = built();
    let later = SystemTime::now() + Duration::from_secs(60);
    let file = File::options()
        .append(true)
        .open(folder.path().join("abi.rs"));
    file.and_then(|file| file.set_modified(later))
        .expect("a later time");
    let words = probe();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let reason = "abi.rs was changed after m.o was compiled";
    all_unknown(&verdicts(folder.path(), &words), reason);
}

#[test]
fn no_probes_by_another_compiler() {
    let folder = built();
    let other = folder.path().join("other");
    fs::write(&other, "#!/bin/sh\necho rustc 1.2.3\n").expect("written");
    run(Command::new("chmod").arg("+x").arg(&other));
    let other = other.display().to_string();
    let stitches = verdicts(folder.path(), &["--probe", "--rustc", &other]);
    all_unknown(&stitches, "is rustc 1.2.3");
}

#[test]
fn no_probes_if_the_copy_does_not_compile() {
    let folder = built();
    let note = folder.path().join(".m.o.cmd");
    let text = fs::read_to_string(&note).expect("a note");
    // A flag that this rustc does not support.
    let text = text.replace(
        "--edition=2021",
        "--edition=2021 --extern gone=gone.rmeta -Zcrate-attr=no_core",
    );
    fs::write(&note, text).expect("written");
    let words = probe();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    all_unknown(
        &verdicts(folder.path(), &words),
        "m.rs with probes does not compile",
    );
}
