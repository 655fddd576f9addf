//! Runs the program as a user does.

use std::process::{Command, Output};

fn walkthrough(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_walkthrough"));
    command.args(words);
    for variable in ["CC", "RUSTC", "STITCH", "NO_COLOR"] {
        command.env_remove(variable);
    }
    command
}

fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn a_part_on_a_terminal_of_80_columns() {
    let (code, said, wrong) = ended(&mut walkthrough(&["--part", "2", "--part", "1"]));
    assert_eq!((code, wrong.as_str()), (Some(0), ""), "{said}");
    let (one, two) = (said.find("Part 1: "), said.find("Part 2: "));
    assert!(one.is_some() && one < two, "{said}");
    assert!(
        !said.contains("Part 3: ") && !said.contains('\x1b'),
        "{said}"
    );
    assert!(said.contains("   $ gcc -c main.c hello.c\n"), "{said}");
    assert!(said.ends_with(" shown, 0 not shown\n"), "{said}");
    let long = said.lines().find(|line| line.chars().count() > 80);
    assert_eq!(long, None);
}

#[test]
fn a_page_is_the_same_each_time() {
    let words = ["--markdown", "--part", "3", "--part", "5"];
    let (code, page, _) = ended(&mut walkthrough(&words));
    assert_eq!(code, Some(0), "{page}");
    assert_eq!(ended(&mut walkthrough(&words)).1, page);
    for there in [
        "# The walkthrough\n",
        "(#part-3-shared-libraries) | 3.1 ",
        "**What breaks:** ",
        "  # the same output\n",
        "**In short:** ",
        "$ ./main\n",
        "<hash 1>  main_c",
        "(0x…)",
    ] {
        assert!(page.contains(there), "{there}: {page}");
    }
    let scratch = std::env::temp_dir();
    for gone in [scratch.to_str().expect("a path"), "/usr/", "0x0", "\x1b"] {
        assert!(!page.contains(gone), "{gone}: {page}");
    }
}

#[test]
fn without_stitch_its_claims_are_not_shown() {
    let (code, said, _) = ended(&mut walkthrough(&["--part", "6"]));
    assert_eq!(code, Some(1), "is stitch on PATH? {said}");
    let missing = "[not shown: stitch is missing] 6.5 The checks of this project refuse";
    assert!(said.contains(missing), "{said}");
    assert!(said.contains("help: build it with make stitch"), "{said}");
    assert!(said.ends_with(" shown, 2 not shown\n"), "{said}");
}

#[test]
fn wrong_usage() {
    for (words, there) in [
        (&["--part", "9"][..], "no part “9”"),
        (&["--part", "x"], "no part “x”"),
        (&["--cc", "no-such-cc"], "no program “no-such-cc”"),
        (&["--rustc", "no-such-rustc"], "no program “no-such-rustc”"),
        (
            &["--stitch", "/bin/sh"],
            "/bin/sh is not the program stitch",
        ),
        (&["--timeout", "0"], "--timeout"),
    ] {
        let (code, said, wrong) = ended(&mut walkthrough(words));
        assert_eq!((code, said.as_str()), (Some(2), ""), "{wrong}");
        assert!(wrong.contains(there), "{wrong}");
    }
    let (code, _, wrong) = ended(walkthrough(&[]).env("PATH", "/no"));
    assert_eq!(code, Some(2));
    assert!(wrong.contains("help: "), "{wrong}");
}

#[test]
fn variables() {
    let mut empty = walkthrough(&["--part", "1"]);
    empty.env("CC", "").env("RUSTC", "").env("STITCH", "");
    assert_eq!(ended(&mut empty).0, Some(0));
    // Variables that would affect the compilers are not passed on.
    let mut odd = walkthrough(&["--part", "1"]);
    odd.env("CPATH", "/no").env("LD_LIBRARY_PATH", "/no");
    odd.env("BASH_ENV", "/no").env("LANG", "de_DE.UTF-8");
    assert_eq!(ended(&mut odd).0, Some(0));
    let mut other = walkthrough(&["--part", "1"]);
    let (code, _, wrong) = ended(other.env("CC", "no-such-cc"));
    assert_eq!(code, Some(2), "{wrong}");
}

#[test]
fn a_folder_that_cannot_be_written() {
    // Not even root can create a file in /proc.
    let (code, said, _) = ended(walkthrough(&["--part", "4"]).current_dir("/proc"));
    assert_eq!(code, Some(0), "{said}");
    let (code, _, wrong) = ended(walkthrough(&["--part", "4"]).env("TMPDIR", "/proc"));
    assert_eq!(code, Some(2));
    assert!(wrong.contains("TMPDIR"), "{wrong}");
}

#[test]
fn a_missing_tool_is_named() {
    // All programs on PATH except ldd.
    let folder = tempfile::tempdir().expect("a folder");
    let path = std::env::var_os("PATH").expect("PATH");
    let files = std::env::split_paths(&path)
        .filter_map(|folder| folder.read_dir().ok())
        .flatten()
        .filter_map(|file| Some(file.ok()?.path()));
    for file in files {
        let name = file.file_name().expect("a name");
        let link = folder.path().join(name);
        if name != "ldd" && !link.exists() {
            // Fails for dangling links of the same name in two folders.
            let _ = std::os::unix::fs::symlink(&file, link);
        }
    }
    let (code, said, _) = ended(walkthrough(&["--part", "3"]).env("PATH", folder.path()));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("help: apt-get install libc-bin\n"), "{said}");
    assert!(said.ends_with(" shown, 2 not shown\n"), "{said}");
}
