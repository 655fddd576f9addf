//! Whatever stitch is given, it answers or says why not: no panic, no endless loop, no memory
//! without bound.

use std::fs;
use std::path::Path;

use crate::common::{built, fresh, said, stitch};

/// How many times each object is spoilt in each way.
const TIMES: u64 = 60;

/// The same numbers every time: a failure can be looked at again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        // Knuth's; the low bits are worse than the others.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// Reads it alone and beside a sound object; it may be read or refused, and nothing else.
fn survives(bytes: &[u8], what: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let spoilt = folder.path().join("spoilt.o");
    fs::write(&spoilt, bytes).expect("written");
    let other = built().path("pair_c.o");
    let paths: [&Path; 2] = [&spoilt, &other];
    let output = stitch(&["report"], &paths);
    let code = output.status.code();
    assert!(
        matches!(code, Some(0 | 2)),
        "{what}: ended with {code:?}\n{}",
        said(&output)
    );
    if code == Some(2) {
        let told = said(&output);
        assert!(told.starts_with("stitch: error: "), "{what}: {told}");
    }
}

fn objects() -> Vec<Vec<u8>> {
    ["pair_main.o", "pair_c.o"]
        .iter()
        .map(|name| fs::read(built().path(name)).expect("an object"))
        .collect()
}

#[test]
fn cut_short() {
    for object in objects() {
        let mut numbers = Numbers(1);
        for length in (0..70).chain((0..TIMES).map(|_| numbers.below(object.len()))) {
            survives(&object[..length], &format!("cut to {length} bytes"));
        }
    }
}

#[test]
fn single_bytes_changed() {
    for (which, object) in objects().into_iter().enumerate() {
        let mut numbers = Numbers(2);
        for time in 0..TIMES {
            let mut spoilt = object.clone();
            for _ in 0..=numbers.below(20) {
                let at = numbers.below(spoilt.len());
                spoilt[at] = numbers.below(256) as u8;
            }
            survives(&spoilt, &format!("object {which}, change {time}"));
        }
    }
}

/// Most bytes are in strings, where a change does nothing: here the headers, or one section.
#[test]
fn one_place_changed() {
    for (which, object) in objects().into_iter().enumerate() {
        let mut numbers = Numbers(3);
        for time in 0..TIMES {
            let mut spoilt = object.clone();
            let start = match time % 3 {
                0 => 0,
                // The section headers are at the end.
                1 => object.len() - 64 * 30,
                _ => numbers.below(object.len()),
            };
            for _ in 0..=numbers.below(8) {
                let at = (start + numbers.below(64 * 30)).min(object.len() - 1);
                spoilt[at] = [0, 0xff, 0x7f, 0x80][numbers.below(4)];
            }
            survives(&spoilt, &format!("object {which}, place {time}"));
        }
    }
}

#[test]
fn what_is_no_object() {
    let built = fresh();
    let refused = |name: &str, content: &[u8], reason: &str| {
        let file = built.path(name);
        fs::write(&file, content).expect("written");
        let output = stitch(&["report"], &[&file]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", said(&output));
        let told = said(&output);
        assert!(told.contains(reason), "{name}: {reason:?} is not in {told}");
        assert!(told.contains("\n  mend: "), "{name}: {told}");
    };
    let object = fs::read(built.path("pair_c.o")).expect("an object");
    let changed = |at: usize, byte: u8| {
        let mut changed = object.clone();
        changed[at] = byte;
        changed
    };
    refused("empty.o", b"", "is empty");
    refused("text.o", b"int main(void);\n", "is no ELF file");
    refused("archive.a", b"!<arch>\n...", "an archive");
    refused("module.ko.xz", b"\xfd7zXZ\0...", "compressed by xz");
    refused(
        "module.ko.zst",
        b"\x28\xb5\x2f\xfd...",
        "compressed by zstd",
    );
    refused("module.ko.gz", b"\x1f\x8b...", "compressed by gzip");
    refused("bitcode.o", b"BC\xc0\xde...", "LLVM bitcode");
    refused("narrow.o", &changed(4, 1), "32 bits");
    refused("big.o", &changed(5, 2), "big-endian");
    refused("arm.o", &changed(18, 183), "for AArch64");
    refused("program.o", &changed(16, 2), "an executable, not an object");
    refused(
        "half.o",
        &object[..object.len() / 2],
        "damaged or cut short",
    );

    for (paths, reason) in [
        (vec!["nowhere.o"], "cannot read"),
        (vec!["empty_folder"], "no module was built in"),
        (
            vec!["pair.ko", "other.ko", "pair_c.o"],
            "which of the modules",
        ),
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
            said(&output)
        );
        assert!(
            said(&output).contains(reason),
            "{reason}: {}",
            said(&output)
        );
    }
}

#[test]
fn no_debug_information_at_all() {
    let built = fresh();
    let stripped = built.path("pair_main.o");
    let status = std::process::Command::new("strip")
        .arg("--strip-debug")
        .arg(&stripped)
        .status();
    assert!(status.is_ok_and(|status| status.success()));
    let output = stitch(&["report"], &[built.folder.path()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        said(&output).contains("3 stitches between Rust and C"),
        "{}",
        said(&output)
    );
}

#[test]
fn compressed_debug_information() {
    let expected = stitch(&["report", "--json"], &[built().folder.path()]);
    for way in ["zlib", "zstd"] {
        let built = fresh();
        for name in ["pair_main.o", "pair_c.o"] {
            let status = std::process::Command::new("objcopy")
                .arg(format!("--compress-debug-sections={way}"))
                .arg(built.path(name))
                .output()
                .expect("objcopy starts");
            // An old one knows no zstd.
            if !status.status.success() {
                return;
            }
        }
        let output = stitch(&["report", "--json"], &[built.folder.path()]);
        assert_eq!(places(&output.stdout), places(&expected.stdout), "{way}");
    }
}

/// All that came from debug information.
fn places(json: &[u8]) -> serde_json::Value {
    let mut report: serde_json::Value = serde_json::from_slice(json).expect("JSON");
    report["stitches"].take()
}
