//! The report on a Rust and a C object from this host's compilers.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::{built, fresh, run, stitch, text_of};
use serde_json::Value;

fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text_of(output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn report() -> Value {
    json(&stitch(&["report", "--json"], &[built().folder.path()]))
}

/// The first line of a source that starts like this.
fn line_of(source: &str, text: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    let source = fs::read_to_string(path.join(source)).expect("a source");
    let line = source.lines().position(|line| line.starts_with(text));
    line.expect("a line that begins so") + 1
}

/// The only element of a list whose `key` is `value`.
fn one<'v>(list: &'v Value, key: &str, value: &str) -> &'v Value {
    let found = list.as_array().expect("a list").iter();
    let mut found = found.filter(|entry| entry[key] == value);
    let first = found.next().unwrap_or_else(|| panic!("{value} in {list}"));
    assert!(found.next().is_none(), "{value} twice in {list}");
    first
}

#[test]
fn parts() {
    let report = report();
    assert_eq!(report["module"], "pair");
    let rust = one(&report["parts"], "name", "pair_main.o");
    assert_eq!(rust["language"], "rust");
    let compiler = rust["compiler"].as_str().expect("a compiler");
    assert!(compiler.starts_with("rustc version 1."), "{compiler}");
    assert!(rust["source"]
        .as_str()
        .expect("a source")
        .ends_with("tests/objects/pair.rs"));
    assert_eq!(one(&rust["defined"], "name", "rust_twice")["letter"], "T");
    assert_eq!(one(&rust["needed"], "name", "c_add")["letter"], "U");
    assert_eq!(
        one(&rust["defined"], "demangled", "pair::sum")["letter"],
        "T"
    );

    let c = one(&report["parts"], "name", "pair_c.o");
    assert_eq!(c["language"], "c");
    assert_eq!(one(&c["defined"], "name", "c_times")["letter"], "D");
}

#[test]
fn stitches_of_both_directions() {
    let report = report();
    let stitches = &report["stitches"];
    assert_eq!(stitches.as_array().map(Vec::len), Some(3), "{stitches}");

    let call = one(stitches, "symbol", "c_add");
    assert_eq!(
        (&call["function"], &call["language"]),
        (&true.into(), &"c".into())
    );
    assert!(call["place"]["file"]
        .as_str()
        .expect("a file")
        .ends_with("pair.c"));
    // The declaration is on the line before.
    let declared = line_of("pair.c", "int c_add(");
    assert_eq!(call["place"]["line"], declared + 1);
    assert!(call["linked"]
        .as_str()
        .expect("linked")
        .starts_with(".text+0x"));
    let need = one(&call["uses"], "part", "pair_main.o");
    let site = &need["sites"][0];
    assert_eq!(site["relocation"], "R_X86_64_PLT32");
    assert_eq!(site["addend"], -4);
    assert_eq!(site["function"], "pair::sum");
    assert!(site["place"]["file"]
        .as_str()
        .expect("a file")
        .ends_with("pair.rs"));
    let line = line_of("pair.rs", "        unsafe { c_add(");
    assert_eq!(site["place"]["line"], line);

    let data = one(stitches, "symbol", "c_times");
    assert_eq!(data["function"], false);
    assert_eq!(data["place"]["line"], line_of("pair.c", "int c_times"));

    // The read is inlined from the core library: the line is that of the caller.
    let place = &one(&data["uses"], "part", "pair_main.o")["sites"][0]["place"];
    assert!(place["file"].as_str().expect("a file").ends_with("pair.rs"));
    assert_eq!(
        place["line"],
        line_of("pair.rs", "    unsafe { core::ptr::read_volatile")
    );

    let back = one(stitches, "symbol", "rust_twice");
    assert_eq!(
        (&back["language"], &back["definer"]),
        (&"rust".into(), &"pair_main.o".into())
    );
    let sites = one(&back["uses"], "part", "pair_c.o")["sites"]
        .as_array()
        .expect("sites");
    let stored = sites
        .iter()
        .filter(|site| site["relocation"] == "R_X86_64_64");
    assert_eq!(
        stored.map(|site| &site["function"]).collect::<Vec<_>>(),
        ["table", "table"]
    );
}

#[test]
fn imports_and_sizes() {
    let report = report();
    let shore = report["shore"].as_array().expect("a list");
    assert_eq!(shore.len(), 1, "{shore:?}");
    assert_eq!(shore[0]["symbol"], "kernel_prints");
    assert_eq!(shore[0]["gpl_only"], Value::Null);

    for kind in ["text", "rodata", "data", "bss"] {
        let sizes = report["sizes"].as_array().expect("a list");
        let owned: u64 = sizes.iter().filter_map(|size| size[kind].as_u64()).sum();
        let parts = report["parts"].as_array().expect("a list").iter();
        let there: u64 = parts
            .flat_map(|part| part["sections"].as_array().expect("a list"))
            .filter(|section| section["kind"] == kind)
            .filter_map(|section| section["size"].as_u64())
            .sum();
        assert_eq!(owned, there, "{kind}");
    }
    assert!(one(&report["sizes"], "owner", "pair")["text"].as_u64() > Some(0));
}

#[test]
fn symvers() {
    let built = fresh();
    let symvers = built.path("Module.symvers");
    let words = [
        "report",
        "--json",
        "--symvers",
        symvers.to_str().expect("UTF-8"),
    ];
    fs::write(
        &symvers,
        "0x12345678\tkernel_prints\tvmlinux\tEXPORT_SYMBOL_GPL\t\n",
    )
    .expect("written");
    let report = json(&stitch(&words, &[built.folder.path()]));
    assert_eq!(report["shore"][0]["gpl_only"], true);
    assert_eq!(report["shore"][0]["crc"], 0x1234_5678);

    fs::write(&symvers, "no list\n").expect("written");
    let output = stitch(&words, &[built.folder.path()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text_of(&output).contains("is not a Module.symvers"),
        "{}",
        text_of(&output)
    );
}

/// As modpost writes them with `CONFIG_MODVERSIONS`, in the old section or the new ones.
#[test]
fn crcs_that_the_module_expects() {
    let old = ".section __versions, \"a\"\n.quad 0x12345678\n\
               name: .asciz \"kernel_prints\"\n.skip 56 - (. - name)\n";
    let new = ".section __version_ext_crcs, \"a\"\n.long 0x1, 0x12345678\n\
               .section __version_ext_names, \"a\"\n.asciz \"other\", \"kernel_prints\"\n";
    for sections in [old, new] {
        let built = fresh();
        let folder = built.folder.path();
        fs::write(built.path("versions.s"), sections).expect("written");
        run(Command::new("cc")
            .args(["-c", "versions.s"])
            .current_dir(folder));
        let link = [
            "-r",
            "-o",
            "pair.ko",
            "pair_main.o",
            "pair_c.o",
            "versions.o",
        ];
        run(Command::new("ld").args(link).current_dir(folder));
        let report = json(&stitch(&["report", "--json"], &[folder]));
        let taken = one(&report["shore"], "symbol", "kernel_prints");
        assert_eq!(taken["crc"], 0x1234_5678, "{sections}");
    }
}

#[test]
fn modules_by_any_of_their_files() {
    let built = built();
    let (ko, list) = (built.path("pair.ko"), built.path("pair.mod"));
    let (rust, c) = (built.path("pair_main.o"), built.path("pair_c.o"));
    let expected = report();
    for paths in [
        vec![&ko],
        vec![&list],
        vec![&ko, &rust, &c],
        vec![&ko, &list],
    ] {
        let paths: Vec<&Path> = paths.into_iter().map(|path| path.as_path()).collect();
        let found = json(&stitch(&["report", "--json"], &paths));
        assert_eq!(found["stitches"], expected["stitches"], "{paths:?}");
        assert_eq!(found["module"], "pair");
    }
    // Without the linked module, its offsets are unknown.
    let found = json(&stitch(&["report", "--json"], &[&rust, &c]));
    assert_eq!(
        one(&found["stitches"], "symbol", "c_add")["linked"],
        Value::Null
    );
    assert_eq!(found["shore"], expected["shore"]);
}

/// `stitch report pair.ko *.o` in a build directory.
#[test]
fn linked_and_generated_objects_are_ignored() {
    let built = fresh();
    let folder = built.folder.path();
    fs::copy(built.path("pair.ko"), built.path("pair.o")).expect("copied");
    let generated = "__attribute__((section(\".gnu.linkonce.this_module\")))\n\
                     struct { int (*init)(int); } __this_module = { 0 };\n";
    fs::write(built.path("pair.mod.c"), generated).expect("written");
    let compile = ["-c", "-o", "pair.mod.o", "pair.mod.c"];
    run(Command::new("cc").args(compile).current_dir(folder));

    let names = ["pair.ko", "pair.o", "pair.mod.o", "pair_c.o", "pair_main.o"];
    let paths = names.map(|name| built.path(name));
    let paths: Vec<&Path> = paths.iter().map(|path| path.as_path()).collect();
    for paths in [&paths[..], &paths[1..]] {
        let output = stitch(&["report", "--json"], paths);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("pair.o is ignored: it is linked"), "{text}");
        assert!(text.contains("pair.mod.o is ignored: modpost"), "{text}");
        let found = json(&output);
        let parts = found["parts"].as_array().map(Vec::len);
        assert_eq!(parts, Some(2), "{}", found["parts"]);
        let call = one(&found["stitches"], "symbol", "c_add");
        assert!(call["linked"].is_string(), "{call}");
    }
    // A single object is never ignored.
    let found = json(&stitch(&["report", "--json"], &[&built.path("pair.mod.o")]));
    assert_eq!(found["parts"][0]["name"], "pair.mod.o");
}

#[test]
fn text_fits_a_terminal() {
    let output = stitch(&["report"], &[built().folder.path()]);
    let text = text_of(&output);
    assert!(text.starts_with("pair: 2 objects, 3 crossings between Rust and C, 1 kernel import"));
    assert!(!text.contains('\x1b'), "colours without a terminal");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for word in [
        "a function",
        "undefined: another object has to define it",
        "R_X86_64_PLT32 -4 at .text",
    ] {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
}

#[test]
fn a_linked_module_alone_is_unknown() {
    let built = fresh();
    for file in ["pair.mod", "pair_main.o", "pair_c.o"] {
        fs::remove_file(built.path(file)).expect("removed");
    }
    let ko = built.path("pair.ko");
    assert_eq!(stitch(&["check"], &[&ko]).status.code(), Some(3));
    assert_eq!(
        stitch(&["check", "--allow-unknown"], &[&ko]).status.code(),
        Some(0)
    );
    let output = stitch(&["report"], &[&ko]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text_of(&output).contains("the objects that it was linked from are missing"));
}

#[test]
fn c_alone_has_nothing_to_check() {
    let output = stitch(&["check"], &[&built().path("pair_c.o")]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text_of(&output), "");
}
