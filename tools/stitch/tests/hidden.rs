//! Objects in which symbols may cross unseen: stitch says so, and reports them as unknown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{fresh, run, rustc, stitch, text_of, Built};

fn crossing(paths: &[&Path]) -> usize {
    let output = stitch(&["report", "--json"], paths);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text_of(&output)));
    report["stitches"].as_array().map_or(0, Vec::len)
}

/// Checks that `stitch check` exits with status 3 for this reason.
fn unknown_for(paths: &[&Path], reason: &str) {
    let output = stitch(&["check"], paths);
    let text = text_of(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains(reason), "{text}");
}

/// `pair.o`, linked from objects in a subdirectory.
fn linked(built: &Built) -> PathBuf {
    let folder = built.folder.path();
    let sub = built.path("sub");
    fs::create_dir(&sub).expect("made");
    for name in ["pair_main.o", "pair_c.o"] {
        fs::rename(built.path(name), sub.join(name)).expect("moved");
    }
    let words = ["-r", "-o", "pair.o", "sub/pair_main.o", "sub/pair_c.o"];
    run(Command::new("ld").args(words).current_dir(folder));
    fs::remove_file(built.path("pair.mod")).expect("removed");
    built.path("pair.o")
}

/// `stitch check pair.o`, and `stitch check pair.ko *.o`.
#[test]
fn linked_objects_are_replaced_by_their_parts() {
    let built = fresh();
    let all = crossing(&[built.folder.path()]);
    assert!(all > 0);
    let object = linked(&built);
    let note = "savedcmd_pair.o := ld -r -o pair.o sub/pair_main.o sub/pair_c.o\n";
    fs::write(built.path(".pair.o.cmd"), note).expect("written");
    let ko = built.path("pair.ko");
    assert_eq!(crossing(&[&object]), all);
    assert_eq!(crossing(&[&ko, &object]), all);
}

#[test]
fn without_its_parts_a_linked_object_is_unknown() {
    let built = fresh();
    let object = linked(&built);
    unknown_for(&[&object], "pair.o contains Rust");
}

#[test]
fn bitcode_is_named_and_the_rest_is_reported() {
    let built = fresh();
    let bitcode = built.path("lto.o");
    fs::write(&bitcode, b"BC\xc0\xde and more").expect("written");
    let (rust, c) = (built.path("pair_main.o"), built.path("pair_c.o"));
    let paths: [&Path; 3] = [&rust, &c, &bitcode];
    assert_eq!(crossing(&paths), crossing(&paths[..2]));
    unknown_for(&paths, "lto.o is LLVM bitcode");
    // Alone, it is an error.
    assert_eq!(stitch(&["check"], &[&bitcode]).status.code(), Some(2));
}

#[test]
fn intermediate_code_is_named_and_the_rest_is_reported() {
    let built = fresh();
    let assembly = ".comm __gnu_lto_slim, 1, 1\n";
    fs::write(built.path("lto.s"), assembly).expect("written");
    let words = ["-c", "-o", "lto.o", "lto.s"];
    run(Command::new("cc")
        .args(words)
        .current_dir(built.folder.path()));
    let (rust, c) = (built.path("pair_main.o"), built.path("pair_c.o"));
    let lto = built.path("lto.o");
    let paths: [&Path; 3] = [&rust, &c, &lto];
    assert_eq!(crossing(&paths), crossing(&paths[..2]));
    unknown_for(&paths, "lto.o has GCC's intermediate code");
}

/// `-gsplit-dwarf`: the types are in a .dwo file.
#[test]
fn split_debug_information_is_named() {
    let built = fresh();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects/pair.c");
    run(Command::new("cc")
        .args(["-c", "-g", "-gsplit-dwarf", "-O2", "-fno-pic"])
        .args(["-o", "pair_c.o"])
        .arg(source)
        .current_dir(built.folder.path()));
    unknown_for(
        &[built.folder.path()],
        "the debug information of pair_c.o is split",
    );
}

/// CONFIG_DEBUG_INFO_REDUCED: structs of headers have no body, and the reason is given.
#[test]
fn reduced_debug_information_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    for (name, text) in [
        ("t.h", "struct t { int a, b; };\n"),
        (
            "c.c",
            "#include \"t.h\"\nint take(struct t *t);\nint c(struct t *t) { return take(t); }\n",
        ),
        (
            "r.rs",
            "#[repr(C)] pub struct t { b: i32, a: i32 }\n\
             #[no_mangle] pub unsafe extern \"C\" fn take(t: *mut t) -> i32 { unsafe { (*t).a } }\n",
        ),
    ] {
        fs::write(path(name), text).expect("written");
    }
    let reduced = ["-c", "-g", "-O2", "-femit-struct-debug-baseonly", "c.c"];
    run(Command::new("gcc").args(reduced).current_dir(folder.path()));
    let rust = [
        "--crate-type=lib",
        "--emit=obj",
        "-g",
        "-Copt-level=2",
        "-Cpanic=abort",
    ];
    run(Command::new(rustc())
        .args(rust)
        .args(["-Anon_camel_case_types", "r.rs"])
        .current_dir(folder.path()));
    unknown_for(&[&path("c.o"), &path("r.o")], "(CONFIG_DEBUG_INFO_REDUCED)");
}
