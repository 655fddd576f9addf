//! Runs the parts for real, on this host's compilers: as they are, and with a claim made false.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use walkthrough::host::Host;
use walkthrough::model::{step, Check, Part, Source, Step};
use walkthrough::parts::PARTS;
use walkthrough::runner::{self, Claim, Outcome};
use walkthrough::tools::{which, Tools};

/// The families of tools that are here; gcc's always is.
fn families() -> Vec<Tools> {
    let here = ["gcc", "clang"]
        .into_iter()
        .filter(|cc| which(cc).is_some());
    let tools: Vec<Tools> = here
        .map(|cc| Tools::find(Some(cc), "rustc").expect("tools"))
        .collect();
    assert!(which("gcc").is_some(), "install gcc: {tools:?}");
    tools
}

/// The folder of stitch, which part 6 needs; cargo does not build it for this test by itself.
fn stitch() -> PathBuf {
    static STITCH: OnceLock<PathBuf> = OnceLock::new();
    let built = STITCH.get_or_init(|| {
        let walkthrough = PathBuf::from(env!("CARGO_BIN_EXE_walkthrough"));
        let target = walkthrough.ancestors().nth(2).expect("a target folder");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--package", "stitch"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo");
        assert!(status.success());
        target.join("debug")
    });
    built.clone()
}

fn run(part: &Part, tools: &Tools) -> Vec<Claim> {
    let mut host = Host::new(Some(stitch()), Duration::from_secs(120)).expect("a host");
    runner::run(part, &mut host, tools, &mut |_| Ok(())).expect("a run")
}

fn not_shown(claims: &[Claim]) -> Vec<&'static str> {
    let not_shown = |claim: &&Claim| claim.outcome != Outcome::Shown;
    let claims = claims.iter().filter(not_shown);
    claims.map(|claim| claim.text).collect()
}

#[test]
fn every_claim_is_shown() {
    for tools in families() {
        for part in PARTS {
            let claims = run(part, &tools);
            assert!(!claims.is_empty());
            let wrong: Vec<&Claim> = claims
                .iter()
                .filter(|c| c.outcome != Outcome::Shown)
                .collect();
            assert!(wrong.is_empty(), "{tools:?}: {wrong:#?}");
        }
    }
}

/// A part, one of its sources, what is changed in it, and the claims that this makes false.
type Change = (
    u8,
    &'static str,
    (&'static str, &'static str),
    &'static [&'static str],
);

const CHANGES: &[Change] = &[
    (
        1,
        "hello.c",
        ("void hello(", "void hallo("),
        &[
            "C: nm shows what hello.o gives (T) and what it needs (U)",
            "Rust: nm shows the same names with the same letters",
        ],
    ),
    (
        2,
        "hello.c",
        ("hello from C", "good evening"),
        &[
            "C: the two objects make a program that runs",
            "Rust: a Rust main and a C object make a program",
        ],
    ),
    (
        3,
        "hello.rs",
        ("hello from Rust", "hello from C"),
        &["Rust: a cdylib used by C runs"],
    ),
    (
        4,
        "hello.c",
        ("void hello(", "__attribute__((weak)) void hello("),
        &["C: the code is inside", "Rust: C's code is inside"],
    ),
    (
        5,
        "hello.c",
        ("\"hello from C\"", "\"h\" \"ello from C\""),
        &[
            "The shared library changed",
            "C and Rust: the program with the shared library says the new words",
            "C: linked again, it says the new ones",
            "Rust: linked again, it says the new ones",
            "C and Rust: but then it is another program",
        ],
    ),
    (
        6,
        "wrong.rs",
        ("u32", "i32"),
        &[
            "Rust: and computes nonsense",
            "Refused by the checks of this project",
        ],
    ),
];

/// The part with that source.
fn changed((number, name, (from, to), _): &Change) -> Part {
    let part = PARTS.iter().find(|part| part.number == *number);
    let part = part.expect("a part of that number");
    let mut found = 0;
    let sources = part.sources.iter().map(|source| {
        let mut text = source.text;
        if source.name() == *name && text.contains(from) {
            found += 1;
            text = text.replace(from, to).leak();
        }
        let path = source.path;
        Source { path, text }
    });
    let sources = sources.collect::<Vec<_>>().leak();
    assert_eq!(found, 1, "{name} of part {number} has no {from}");
    Part {
        number: part.number,
        title: part.title,
        about: part.about,
        sources,
        needs: part.needs,
        steps: part.steps,
    }
}

#[test]
fn a_claim_made_false_is_told() {
    assert_eq!(CHANGES.len(), PARTS.len());
    for tools in families() {
        for change in CHANGES {
            let claims = run(&changed(change), &tools);
            assert_eq!(not_shown(&claims), change.3, "part {}: {tools:?}", change.0);
        }
    }
}

/// Each kind of check, on something real that is not so.
const FALSE: &[Step] = &[
    step("", "$CC -c hello.c").called("nothing"),
    step("", "cat hello.c").called("source"),
    step("", "cat hello.c; exit 3")
        .checks(&[Check::Line(&["hello"])])
        .shows("exit code"),
    step("", "$NM hello.o")
        .checks(&[Check::Letter("hello", 'U')])
        .shows("letter"),
    step("", "$READELF -h hello.o")
        .checks(&[Check::Line(&["DYN"])])
        .shows("line"),
    step("", "$READELF -h hello.o")
        .checks(&[Check::NoLine("REL")])
        .shows("no line"),
    step("", "echo hello")
        .checks(&[Check::Output("hell")])
        .shows("output"),
    step("", "echo a note >&2")
        .checks(&[Check::Silent])
        .shows("silent"),
    step("", "$LINK hello.o -o main")
        .ends(1)
        .checks(&[Check::Undefined("hello")])
        .shows("undefined"),
    step("", "echo other")
        .checks(&[Check::SameAs("source")])
        .shows("same"),
    step("", "cat hello.c")
        .checks(&[Check::NotAs("source")])
        .shows("not as"),
];

#[test]
fn each_kind_of_check_can_fail() {
    let part = Part {
        number: 1,
        title: "False",
        about: "",
        sources: PARTS[0].sources,
        needs: None,
        steps: FALSE,
    };
    let all = [
        "exit code",
        "letter",
        "line",
        "no line",
        "output",
        "silent",
        "undefined",
        "same",
        "not as",
    ];
    for tools in families() {
        assert_eq!(not_shown(&run(&part, &tools)), all);
    }
}
