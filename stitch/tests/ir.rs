//! Rust's view as rustc compiled it: the declarations in LLVM IR.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{run, rustc, said, stitch};

const C: &str = "
void c_none(void) {}
struct pair { unsigned char first, second; };
int c_pair(struct pair pair) { return pair.first; }
void c_byte(unsigned char byte) { (void)byte; }
int c_count(int number) { return number; }
long c_width(long number) { return number; }
double c_float(double number) { return number; }
int c_pointer(const char *text) { return *text; }
int c_address(long number) { return (int)number; }
void c_more(int number, ...) { (void)number; }
int c_sign(int number) { return number; }
void c_behind(char *text) { *text = 0; }
unsigned int c_table[2];
";

/// A macro makes the declarations: no source has them.
const RUST: &str = "
#![no_std]
#![allow(missing_docs)]
#[repr(C)]
pub struct Wide { first: u64, second: u64 }
macro_rules! declare { ($($item:item)*) => { extern \"C\" { $($item)* } } }
";

const DECLARED: &str = "
declare! {
    fn c_none();
    fn c_pair(pair: Wide) -> i32;
    fn c_byte(byte: u8);
    fn c_count(number: i32, more: i32) -> i32;
    fn c_width(number: i32) -> i64;
    fn c_float(number: f32) -> f64;
    fn c_pointer(text: u64) -> i32;
    fn c_address(number: *const u8) -> i32;
    fn c_more(number: i32);
    fn c_sign(number: i32) -> i32;
    fn c_behind(text: *mut u8);
    static c_table: [u32; 3];
}
/// # Safety
/// None needed.
pub unsafe fn all(text: *mut u8) -> i64 {
    c_none();
    c_pair(Wide { first: 1, second: 2 });
    c_behind(text);
    c_more(1);
    c_byte(1);
    i64::from(c_count(1, 2)) + c_width(1) + c_float(1.0) as i64
        + i64::from(c_pointer(1)) + i64::from(c_address(text)) + i64::from(c_sign(1))
        + i64::from(c_table[2])
}
";

/// (symbol, what comes of it by IR alone, a word of the reason)
const OUTCOMES: &[(&str, &str, &str)] = &[
    ("c_none", "agrees", ""),
    ("c_byte", "agrees-in-abi", "what the machine sees"),
    (
        "c_pair",
        "disagrees",
        "a struct of 2 bytes in C, `{ i64, i64 }` in m.ll",
    ),
    ("c_count", "disagrees", "the number of parameters"),
    ("c_width", "disagrees", "8 bytes signed in C, `i32` in m.ll"),
    ("c_float", "disagrees", "parameter 1"),
    ("c_pointer", "disagrees", "parameter 1"),
    ("c_address", "disagrees", "parameter 1"),
    ("c_more", "disagrees", "any more (`...`) in C"),
    ("c_sign", "cannot-tell", "whether `i32` is signed"),
    ("c_behind", "cannot-tell", "what it points to"),
    ("c_table", "disagrees", "8 bytes in C"),
];

fn built() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("c.c"), C).expect("written");
    fs::write(folder.path().join("m.rs"), RUST.to_owned() + DECLARED).expect("written");
    run(Command::new("cc")
        .args(["-c", "-g", "-O2", "c.c"])
        .current_dir(folder.path()));
    for form in ["obj", "llvm-ir"] {
        run(Command::new(rustc())
            .args(["--edition=2021", "--crate-type=lib", "-g", "-Copt-level=2"])
            .args(["-Cpanic=abort", "-Ccodegen-units=1", "m.rs"])
            .arg(format!("--emit={form}"))
            .current_dir(folder.path()));
    }
    folder
}

fn verdicts(folder: &Path, words: &[&str]) -> Vec<Value> {
    let paths = ["m.o", "c.o"].map(|name| folder.join(name));
    let words = [&["report", "--json"], words].concat();
    let output = stitch(&words, &[&paths[0], &paths[1]]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mut report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    match report["stitches"].take() {
        Value::Array(stitches) => stitches,
        other => panic!("{other}"),
    }
}

fn expect(stitches: &[Value], symbol: &str, outcome: &str, reason: &str) {
    let stitch = stitches.iter().find(|stitch| stitch["symbol"] == symbol);
    let verdict = &stitch.unwrap_or_else(|| panic!("{symbol} does not cross"))["verdict"];
    assert_eq!(verdict["outcome"], outcome, "{symbol}: {verdict:#}");
    let reasons = verdict["reasons"].to_string();
    assert!(reasons.contains(reason), "{symbol}: {reasons}");
}

#[test]
fn alone_it_accuses_and_hardly_acquits() {
    let folder = built();
    let stitches = verdicts(folder.path(), &[]);
    for (symbol, outcome, reason) in OUTCOMES {
        expect(&stitches, symbol, outcome, reason);
    }
    assert_eq!(stitches.len(), OUTCOMES.len());
    let views = &stitches.iter().find(|stitch| stitch["symbol"] == "c_width");
    let view = &views.expect("it crosses")["verdict"]["views"][1];
    assert_eq!(view["source"], "m.ll, LLVM IR");
    assert_eq!(view["says"], "declare i64 @c_width(i32)");
}

#[test]
fn beside_bindings_it_tells_whether_they_were_compiled() {
    let folder = built();
    let bindings = folder.path().join("c_h.rs");
    let text = "extern \"C\" {
        pub fn c_sign(number: i32) -> i32;
        pub fn c_width(number: i64) -> i64;
    }";
    fs::write(bindings, text).expect("written");
    let stitches = verdicts(folder.path(), &[]);
    expect(&stitches, "c_sign", "agrees", "");
    expect(&stitches, "c_width", "disagrees", "`i32` in m.ll");
}

#[test]
fn named_by_a_person() {
    let folder = built();
    let (ours, theirs) = (folder.path().join("m.ll"), folder.path().join("other.ll"));
    fs::rename(ours, &theirs).expect("renamed");
    expect(
        &verdicts(folder.path(), &[]),
        "c_none",
        "cannot-tell",
        "make M=… m.ll",
    );
    let words = ["--ir", theirs.to_str().expect("UTF-8"), "--"];
    expect(&verdicts(folder.path(), &words), "c_none", "agrees", "");

    let paths = [folder.path().join("m.o")];
    let output = stitch(&["report", "--ir", "nowhere.ll", "--"], &[&paths[0]]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("nowhere.ll is no file"),
        "{}",
        said(&output)
    );
}

#[test]
fn not_if_it_is_older_than_the_object() {
    let folder = built();
    let ir = File::options()
        .append(true)
        .open(folder.path().join("m.ll"));
    let before = SystemTime::now() - Duration::from_secs(3600);
    ir.and_then(|ir| ir.set_modified(before))
        .expect("an earlier time");
    let stitches = verdicts(folder.path(), &[]);
    expect(
        &stitches,
        "c_none",
        "cannot-tell",
        "m.ll is older than what it was made of",
    );
}

/// Made of what the object was not made of: it shows another module's declarations.
#[test]
fn not_if_a_source_was_changed_between_the_two() {
    let folder = built();
    let note = "source_m.o := m.rs\n\ndeps_m.o := \\\n\nm.o: $(deps_m.o)\n";
    fs::write(folder.path().join(".m.o.cmd"), note).expect("written");
    for (name, minutes) in [("m.o", 30), ("m.rs", 20), ("m.ll", 10)] {
        let time = SystemTime::now() - Duration::from_secs(60 * minutes);
        let file = File::options().append(true).open(folder.path().join(name));
        file.and_then(|file| file.set_modified(time))
            .expect("another time");
    }
    let stitches = verdicts(folder.path(), &[]);
    expect(&stitches, "c_none", "cannot-tell", "m.ll is not used");
}

#[test]
fn damaged() {
    let folder = built();
    let file = folder.path().join("m.ll");
    let text = fs::read(&file).expect("LLVM IR");
    let maker = text.windows(11).position(|word| word == b"!llvm.ident");
    fs::write(&file, &text[..maker.expect("a maker")]).expect("written");
    let stitches = verdicts(folder.path(), &[]);
    expect(&stitches, "c_none", "cannot-tell", "m.ll is not used");

    // Every so many bytes, one that changes how the rest is read.
    for (step, byte) in [
        (7, b'('),
        (11, b'"'),
        (13, b'\n'),
        (17, 0xff),
        (19, b'{'),
        (23, b'@'),
    ] {
        let mut spoilt = text.clone();
        spoilt.iter_mut().step_by(step).for_each(|at| *at = byte);
        fs::write(&file, &spoilt).expect("written");
        verdicts(folder.path(), &[]);
    }
}
