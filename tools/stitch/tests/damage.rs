//! stitch reports or rejects any input: no panic, no endless loop, no unbounded memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{built, fresh, run, stitch, text_of};

/// How many times each object is damaged in each way; `STITCH_DAMAGE=10000` searches longer, with
/// another seed.
fn times() -> u64 {
    match std::env::var("STITCH_DAMAGE") {
        Ok(times) => times.parse().expect("STITCH_DAMAGE is a number"),
        Err(_) => 60,
    }
}

/// A deterministic generator, so that failures can be reproduced.
struct Numbers(u64);

impl Numbers {
    fn new(which: u64) -> Self {
        Numbers(which + (times() << 8))
    }

    fn below(&mut self, limit: usize) -> usize {
        // Knuth's MMIX generator; its low bits are poor.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Reports on a damaged object together with a valid one: stitch has to accept or reject it.
fn survives(bytes: &[u8], what: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let damaged = folder.path().join("damaged.o");
    fs::write(&damaged, bytes).expect("written");
    let other = built().path("pair_c.o");
    let paths: [&Path; 2] = [&damaged, &other];
    let page = folder.path().join("page.html");
    let words = ["report", "--json", "--html", page.to_str().expect("UTF-8")];
    let output = stitch(&words, &paths);
    let code = output.status.code();
    assert!(
        matches!(code, Some(0 | 2)),
        "{what}: exit status {code:?}\n{}",
        text_of(&output)
    );
    if code == Some(2) {
        let text = text_of(&output);
        assert!(text.starts_with("stitch: error: "), "{what}: {text}");
    }
}

/// The objects to damage; `STITCH_OBJECTS=a.o:b.ko` names others.
fn objects() -> Vec<Vec<u8>> {
    let paths: Vec<PathBuf> = match std::env::var_os("STITCH_OBJECTS") {
        Some(paths) => std::env::split_paths(&paths).collect(),
        None => ["pair_main.o", "pair_c.o"]
            .map(|name| built().path(name))
            .into(),
    };
    let read = |path| fs::read(path).expect("an object");
    paths.iter().map(read).collect()
}

#[test]
fn cut_short() {
    for object in objects() {
        let mut numbers = Numbers::new(1);
        for length in (0..70).chain((0..times()).map(|_| numbers.below(object.len()))) {
            survives(&object[..length], &format!("cut to {length} bytes"));
        }
    }
}

#[test]
fn single_bytes_changed() {
    for (which, object) in objects().into_iter().enumerate() {
        let mut numbers = Numbers::new(2);
        for time in 0..times() {
            let mut damaged = object.clone();
            for _ in 0..=numbers.below(20) {
                let at = numbers.below(damaged.len());
                damaged[at] = numbers.below(256) as u8;
            }
            survives(&damaged, &format!("object {which}, change {time}"));
        }
    }
}

/// Most bytes are in strings, where a change has no effect; here it is in the headers, or in one place.
#[test]
fn one_place_changed() {
    for (which, object) in objects().into_iter().enumerate() {
        let mut numbers = Numbers::new(3);
        for time in 0..times() {
            let mut damaged = object.clone();
            let start = match time % 3 {
                0 => 0,
                // The section headers are at the end.
                1 => object.len() - 64 * 30,
                _ => numbers.below(object.len()),
            };
            for _ in 0..=numbers.below(8) {
                let at = (start + numbers.below(64 * 30)).min(object.len() - 1);
                damaged[at] = [0, 0xff, 0x7f, 0x80][numbers.below(4)];
            }
            survives(&damaged, &format!("object {which}, place {time}"));
        }
    }
}

#[test]
fn other_files_are_rejected() {
    let built = fresh();
    let rejected = |name: &str, content: &[u8], reason: &str| {
        let file = built.path(name);
        fs::write(&file, content).expect("written");
        let output = stitch(&["report"], &[&file]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{name}: {}",
            text_of(&output)
        );
        let text = text_of(&output);
        assert!(text.contains(reason), "{name}: {reason:?} is not in {text}");
        assert!(text.contains("\n  help: "), "{name}: {text}");
    };
    let object = fs::read(built.path("pair_c.o")).expect("an object");
    let changed = |at: usize, byte: u8| {
        let mut changed = object.clone();
        changed[at] = byte;
        changed
    };
    rejected("empty.o", b"", "is empty");
    rejected("text.o", b"int main(void);\n", "is not an ELF file");
    rejected("archive.a", b"!<arch>\n...", "an archive");
    rejected("module.ko.xz", b"\xfd7zXZ\0...", "compressed by xz");
    rejected(
        "module.ko.zst",
        b"\x28\xb5\x2f\xfd...",
        "compressed by zstd",
    );
    rejected("module.ko.gz", b"\x1f\x8b...", "compressed by gzip");
    rejected("bitcode.o", b"BC\xc0\xde...", "LLVM bitcode");
    rejected("narrow.o", &changed(4, 1), "a 32-bit");
    rejected("big.o", &changed(5, 2), "big-endian");
    rejected("risc.o", &changed(18, 243), "for RISC-V");
    rejected("risc.o", &changed(18, 243), "for x86-64 and arm64 only");
    rejected("program.o", &changed(16, 2), "an executable, not an object");
    rejected(
        "half.o",
        &object[..object.len() / 2],
        "damaged or cut short",
    );

    for (paths, reason) in [
        (vec!["nowhere.o"], "cannot read"),
        (vec!["empty_folder"], "no module was built in"),
        (vec!["pair.ko", "other.ko", "pair_c.o"], "which module"),
        (vec!["lacking.mod"], "is missing"),
        (vec!["void.mod"], "lists no objects"),
    ] {
        fs::create_dir_all(built.path("empty_folder")).expect("made");
        fs::write(built.path("lacking.mod"), "nowhere.o\n").expect("written");
        fs::write(built.path("void.mod"), "\n").expect("written");
        let paths: Vec<_> = paths.into_iter().map(|path| built.path(path)).collect();
        let paths: Vec<&Path> = paths.iter().map(|path| path.as_path()).collect();
        let output = stitch(&["report"], &paths);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{paths:?}: {}",
            text_of(&output)
        );
        assert!(
            text_of(&output).contains(reason),
            "{reason}: {}",
            text_of(&output)
        );
    }
}

/// Objects for several machines cannot be of one module.
#[test]
fn objects_for_several_machines() {
    let built = fresh();
    let mut object = fs::read(built.path("pair_c.o")).expect("an object");
    object[18] = 183;
    let (arm, x86) = (built.path("arm.o"), built.path("pair_main.o"));
    fs::write(&arm, object).expect("written");
    let output = stitch(&["check"], &[&arm]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let output = stitch(&["check"], &[&arm, &x86]);
    assert_eq!(output.status.code(), Some(2), "{}", text_of(&output));
    let text = text_of(&output);
    assert!(text.contains("arm.o is for arm64, but "), "{text}");
    assert!(text.contains("pair_main.o is for x86-64"), "{text}");
}

#[test]
fn no_debug_information_at_all() {
    let built = fresh();
    let stripped = built.path("pair_main.o");
    let status = Command::new("strip")
        .arg("--strip-debug")
        .arg(&stripped)
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let output = stitch(&["report"], &[built.folder.path()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text_of(&output).contains("3 crossings between Rust and C"),
        "{}",
        text_of(&output)
    );
}

/// Without symbols and relocations nothing crosses.
#[test]
fn stripped_objects_have_no_crossings() {
    let built = fresh();
    for section in [".symtab", ".rela.text", ".rela.data", ".rela.rodata"] {
        let remove = ["--strip-all", "--remove-section", section, "pair_c.o"];
        let mut objcopy = Command::new("objcopy");
        run(objcopy.args(remove).current_dir(built.folder.path()));
    }
    assembled(built.folder.path(), "plain.o", ".data\n.long 1\n");
    for name in ["pair_c.o", "plain.o"] {
        let output = stitch(&["report"], &[&built.path(name)]);
        let text = text_of(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(text.contains("0 crossings between Rust and C"), "{text}");
        assert_eq!(
            stitch(&["check"], &[&built.path(name)]).status.code(),
            Some(0)
        );
    }
}

#[test]
fn compressed_debug_information() {
    let expected = stitch(&["report", "--json"], &[built().folder.path()]);
    for way in ["zlib", "zstd"] {
        let built = fresh();
        for name in ["pair_main.o", "pair_c.o"] {
            let status = Command::new("objcopy")
                .arg(format!("--compress-debug-sections={way}"))
                .arg(built.path(name))
                .output()
                .expect("objcopy starts");
            // binutils supports zstd since 2.40 (Debian 12).
            assert!(status.status.success(), "{way}: {}", text_of(&status));
        }
        let output = stitch(&["report", "--json"], &[built.folder.path()]);
        assert_eq!(places(&output.stdout), places(&expected.stdout), "{way}");
    }
}

/// What no compiler writes: types that are defined as themselves, infinite arrays, and a tree with a
/// depth of 100,000.
const ABSURD: &str = r#"
.text
.globl c_add
.type c_add, @function
c_add: ret
.data
.globl c_times
c_times: .long 0

.section .debug_abbrev, "", @progbits
.byte 1, 0x11, 1, 0x13, 0x0b, 0, 0                                  # compile unit: language
.byte 2, 0x2e, 1, 3, 8, 0x3f, 0x19, 0x27, 0x19, 0x49, 0x13, 0, 0    # function: name, type
.byte 3, 0x05, 0, 0x49, 0x13, 0, 0                                  # parameter: type
.byte 4, 0x16, 0, 3, 8, 0x49, 0x13, 0, 0                            # typedef: name, type
.byte 5, 0x13, 1, 3, 8, 0x0b, 0x0b, 0, 0                            # struct: name, size
.byte 6, 0x0d, 0, 3, 8, 0x49, 0x13, 0x38, 0x0b, 0, 0                # member: name, type, place
.byte 7, 0x0f, 0, 0x49, 0x13, 0, 0                                  # pointer: type
.byte 8, 0x01, 1, 0x49, 0x13, 0, 0                                  # array: type
.byte 9, 0x21, 0, 0x37, 0x07, 0, 0                                  # its length
.byte 10, 0x0b, 1, 0, 0                                             # block
.byte 0

.section .debug_info, "", @progbits
unit: .long end - start
start: .short 4
.long 0
.byte 8, 1, 0x1d
.byte 2
.asciz "c_add"
.long itself - unit
.byte 3
.long inside - unit
.byte 3
.long rows - unit
.byte 3
.long round - unit
.rept 100000
.byte 10
.endr
.rept 100001
.byte 0
.endr
itself: .byte 4
.asciz "itself"
.long itself - unit
inside: .byte 5
.asciz "inside"
.byte 8, 6
.asciz "inside"
.long inside - unit
.byte 0, 0
rows: .byte 8
.long rows - unit
.byte 9
.quad -1
.byte 0
round: .byte 7
.long round - unit
.byte 0
end:
"#;

/// 64 KB of zstd that stand for 2 GB: blocks of 128 KB that repeat one byte.
const ENDLESS: &str = r#"
.text
.globl c_add
.type c_add, @function
c_add: ret
.section .debug_info, "0x800", @progbits
.long 2, 0                          # zstd
.quad 4096, 1                       # the size that it claims, and the alignment
.byte 0x28, 0xb5, 0x2f, 0xfd, 0, 0x50
.rept 16384
.byte 0x02, 0x00, 0x10, 0x00
.endr
.byte 0x03, 0x00, 0x10, 0x00        # the last
"#;

#[test]
fn more_than_it_claims() {
    let built = fresh();
    assembled(built.folder.path(), "pair_c.o", ENDLESS);
    let output = stitch(&["report", "--json"], &[built.folder.path()]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
}

fn assembled(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join("absurd.s"), text).expect("written");
    let assemble = ["-c", "-o", name, "absurd.s"];
    run(Command::new("cc").args(assemble).current_dir(folder));
}

#[test]
fn absurd_debug_information() {
    let built = fresh();
    assembled(built.folder.path(), "pair_c.o", ABSURD);
    let output = stitch(&["report", "--json"], &[built.folder.path()]);
    let text = text_of(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let stitches = places(&output.stdout);
    let calls = stitches.as_array().expect("a list");
    let call = calls.iter().find(|stitch| stitch["symbol"] == "c_add");
    let verdict = &call.expect("it crosses")["verdict"];
    assert_eq!(verdict["outcome"], "unknown", "{verdict}");
    let views = verdict["views"].to_string();
    assert!(views.contains("itself c_add("), "{views}");
}

#[test]
fn a_hundred_thousand_symbols() {
    let built = fresh();
    let line = |n: u32| format!(".globl f{n}\nf{n}: .quad g{n}\n");
    let text = (0..50_000).map(line).collect::<Vec<_>>().concat();
    assembled(built.folder.path(), "pair_c.o", &text);
    let page = built.path("page.html");
    let words = ["report", "--json", "--html", page.to_str().expect("UTF-8")];
    let objects = [built.path("pair_main.o"), built.path("pair_c.o")];
    let output = stitch(&words, &[&objects[0], &objects[1]]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        report["parts"][1]["defined"].as_array().map(Vec::len),
        Some(50_000)
    );
    assert!(report["shore"]
        .as_array()
        .is_some_and(|shore| shore.len() >= 50_000));
}

/// Linkers accept any bytes in names.
#[test]
fn names_that_are_not_utf_8() {
    let built = fresh();
    for name in ["pair_main.o", "pair_c.o"] {
        let mut object = fs::read(built.path(name)).expect("an object");
        let name_of_it = b"\0c_add\0";
        let places: Vec<usize> = (0..object.len() - name_of_it.len())
            .filter(|&at| object[at..].starts_with(name_of_it))
            .collect();
        assert!(!places.is_empty());
        for at in places {
            object[at + 2] = 0xff;
        }
        fs::write(built.path(name), object).expect("written");
    }
    let output = stitch(&["report"], &[built.folder.path()]);
    assert_eq!(output.status.code(), Some(0), "{}", text_of(&output));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("\nc\u{fffd}add\n"), "{text}");
}

/// What comes from debug information.
fn places(json: &[u8]) -> serde_json::Value {
    let mut report: serde_json::Value = serde_json::from_slice(json).expect("JSON");
    report["stitches"].take()
}
