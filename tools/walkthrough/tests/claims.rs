//! Runs the parts with this host's compilers: as they are, and with a claim made false.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use walkthrough::host::Host;
use walkthrough::model::{claim, run, same, step, Check, Part, Source, Step};
use walkthrough::parts::USER_SPACE;
use walkthrough::report::{Claim, Outcome};
use walkthrough::runner;
use walkthrough::tools::{which, Tools};

/// The installed families of tools; gcc's is required.
fn families() -> Vec<Tools> {
    let compilers = ["gcc", "clang"].into_iter();
    let tools: Vec<Tools> = compilers
        .filter(|cc| which(cc).is_some())
        .map(|cc| Tools::find(Some(cc), "rustc").expect("tools"))
        .collect();
    assert!(which("gcc").is_some(), "install gcc: {tools:?}");
    tools
}

/// Builds stitch, which part 6 requires, and returns its folder.
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

fn run_part(part: &Part, tools: &Tools) -> Vec<Claim> {
    let mut host = Host::new(Some(stitch()), Duration::from_secs(120)).expect("a host");
    runner::run_part(part, &mut host, tools, &mut |_| Ok(())).expect("a run")
}

fn not_shown(claims: &[Claim]) -> Vec<&'static str> {
    let not_shown = |claim: &&Claim| claim.outcome != Outcome::Shown;
    let claims = claims.iter().filter(not_shown);
    claims.map(|claim| claim.text).collect()
}

#[test]
fn every_claim_is_shown() {
    for tools in families() {
        for part in USER_SPACE {
            let claims = run_part(part, &tools);
            assert!(!claims.is_empty());
            let wrong: Vec<&Claim> = claims
                .iter()
                .filter(|c| c.outcome != Outcome::Shown)
                .collect();
            assert!(wrong.is_empty(), "{tools:?}: {wrong:#?}");
        }
    }
}

/// A change of a source, and the claims that it makes false.
struct Change {
    part: u8,
    source: &'static str,
    edit: [&'static str; 2],
    not_shown: &'static [&'static str],
}

const CHANGES: &[Change] = &[
    Change {
        part: 1,
        source: "hello.c",
        edit: ["void hello(", "void hallo("],
        not_shown: &["nm shows that it exports hello (T) and imports puts (U)"],
    },
    Change {
        part: 1,
        source: "hello.rs",
        edit: ["#[no_mangle]", "#[export_name = \"hallo\"]"],
        not_shown: &["nm shows that it exports hello (T) and imports puts (U)"],
    },
    Change {
        part: 2,
        source: "hello.c",
        edit: ["hello from C", "good evening"],
        not_shown: &["Two objects make a program, whatever their languages"],
    },
    Change {
        part: 3,
        source: "hello.rs",
        edit: ["hello from Rust", "hello from C"],
        not_shown: &["A C program uses a cdylib like any shared library"],
    },
    Change {
        part: 4,
        source: "hello.c",
        edit: ["void hello(", "__attribute__((weak)) void hello("],
        not_shown: &["Linked with it, the program runs by itself: the code is inside"],
    },
    Change {
        part: 5,
        source: "hello.c",
        edit: ["\"hello from C\"", "\"h\" \"ello from C\""],
        not_shown: &[
            "The shared library changed",
            "Programs that load the library print the new words; those that contain it, the old ones",
            "Linked again, those print the new words, and are different files",
        ],
    },
    Change {
        part: 6,
        source: "wrong.rs",
        edit: ["i64", "i32"],
        not_shown: &[
            "A wrong declaration compiles and links without a warning, and computes garbage",
            "The checks of this project refuse the wrong declaration",
        ],
    },
    Change {
        part: 6,
        source: "lost.rs",
        edit: ["pub fn", "pub extern \"C\" fn"],
        not_shown: &[
            "A lost `extern \"C\"` links without a warning, too, and mixes up the arguments",
        ],
    },
];

/// The part with the change.
fn changed(change: &Change) -> Part {
    let mut parts = USER_SPACE.iter();
    let part = parts
        .find(|part| part.number == change.part)
        .expect("a part");
    let [from, to] = change.edit;
    let mut found = 0;
    let sources = part.sources.iter().map(|source| {
        let mut text = source.text;
        if source.name() == change.source && text.contains(from) {
            found += 1;
            text = text.replace(from, to).leak();
        }
        let path = source.path;
        Source { path, text }
    });
    let sources = sources.collect::<Vec<_>>().leak();
    assert_eq!(found, 1, "{} of part {}", change.source, change.part);
    Part { sources, ..**part }
}

#[test]
fn a_claim_made_false_is_reported() {
    for tools in families() {
        for change in CHANGES {
            let claims = run_part(&changed(change), &tools);
            let (part, source) = (change.part, change.source);
            assert_eq!(
                not_shown(&claims),
                change.not_shown,
                "part {part}: {source}"
            );
        }
    }
}

/// Each kind of check, on real output that it rejects.
const FALSE: &[Step] = &[
    step("").commands(&[
        run("$CC -c hello.c").named("nothing"),
        run("cat hello.c").named("source"),
    ]),
    claim("exit status").commands(&[run("cat hello.c; exit 3").checks(&[Check::Line(&["hello"])])]),
    claim("letter").commands(&[run("$NM hello.o").checks(&[Check::Letter("hello", 'U')])]),
    claim("line").commands(&[run("$READELF -h hello.o").checks(&[Check::Line(&["DYN"])])]),
    claim("no line").commands(&[run("$READELF -h hello.o").checks(&[Check::NoLine("REL")])]),
    claim("output").commands(&[run("echo hello").checks(&[Check::Output("hell")])]),
    claim("silent").commands(&[run("echo a note >&2").checks(&[Check::Silent])]),
    claim("undefined").commands(&[run("$LINK hello.o -o main")
        .exits(1)
        .checks(&[Check::Undefined("hello")])]),
    claim("same as").commands(&[run("echo other").checks(&[Check::SameAs("source")])]),
    claim("not as").commands(&[run("cat hello.c").checks(&[Check::NotAs("source")])]),
    claim("same").commands(&[
        run("cat hello.c").checks(&[Check::Line(&["hello"])]),
        same("cat hello.c hello.c"),
    ]),
];

#[test]
fn each_kind_of_check_can_fail() {
    let part = Part {
        steps: FALSE,
        ..*USER_SPACE[0]
    };
    let all: Vec<&str> = part.claims().map(|(_, claim)| claim).collect();
    for tools in families() {
        assert_eq!(not_shown(&run_part(&part, &tools)), all);
    }
}
