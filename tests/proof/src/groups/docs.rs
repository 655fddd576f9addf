//! What README.md and docs/ tell people to type works, in a copy of what git has.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use host::project::project;
use regex::Regex;

use crate::harness::test::Test;
use crate::support::context::{
    copy_of_project, fresh, main_flavour, must_contain, printed, program, succeed, tail,
    TestContext,
};

/// Words for make, and what it prints then. Benchmarks measure once, since their numbers do not matter here.
#[rustfmt::skip] // a table reads best as a table
const COMMANDS: &[(&[&str], &str)] = &[
    (&["help"],                                "make run"),
    (&["doctor"],                              "accelerator"),
    (&["new", "NAME=notes"],                   "/notes has the module notes: the character device"),
    (&["kernel"],                              "/kernel/7.3-clang-"),
    (&["run", "PARAMS=whom=Ada times=3", "MEM=128", "CPUS=2", "TIMEOUT=120", "ACCEL=tcg"], "hello, Ada! (3)"),
    (&["stitch"],                              "c_helper_repeat"),
    (&["stitch", "ARGS=--json"],               "\"stitches\":["),
    (&["walkthrough", "PART=3"],               ", 0 not shown"),
    (&["test", "LIST=1"],                      "guest::7.3-clang::modinfo"),
    (&["test", "LIST=1", "TESTS=kunit"],       "guest::6.12-gcc::kunit"),
    (&["test", "LIST=1", "TESTS==lint::shellcheck"], "lint::shellcheck"),
    (&["test", "LIST=1", "KERNEL=6.12", "CC=gcc"], "guest::6.12-gcc::modinfo"),
    (&["test", "LIST=1", "KERNEL=stock"],      "dkms::"),
    (&["test-all", "LIST=1"],                  "splats::7.3-clang-debug::leak"),
    (&["rust-analyzer"],                       "/hello_rust/rust-project.json"),
    (&["compile_commands.json"],               "/hello_rust/compile_commands.json"),
    (&["clippy"],                              ""),
    (&["doc"],                                 "/hello_rust/index.html"),
    (&["fmt", "CHECK=1"],                      ""),
    (&["bench-loop", "RUNS=1"],                "It adds at most "),
    (&["bench-stitch", "RUNS=1"],              "llvm-dwarfdump"),
];

/// Other targets of make, and the tests that run them.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "bench-crossing",
        "crossing::docs/cost.md has the tables of a run",
    ),
    ("shell", "input::make shell, left by exit"),
    ("gdb", "gdb::on a terminal, left by quit"),
    ("watch", "watch::hello_rust, left by Ctrl-C while it runs"),
    ("storm", "storm::7.3-clang-debug::hello_rust"),
    ("coverage", "coverage::7.3-clang::hello_rust"),
    ("fuzz", "fuzz::a short run finds nothing"),
    ("clean", "kdir::7.3-clang as a tree of one's own"),
    (
        "rust-metadata",
        "dkms::installed, loaded, upgraded, removed",
    ),
    ("docs/walkthrough.md", "walkthrough::docs/walkthrough.md"),
];

/// Targets of the kernel's own make.
const OF_THE_KERNEL: &[&str] = &["bindeb-pkg", "olddefconfig", "prepare", "prepare0"];

/// The pages with commands; docs/walkthrough.md is a run itself.
const PAGES: &[&str] = &[
    "README.md",
    "docs/border.md",
    "docs/cost.md",
    "docs/coverage.md",
    "docs/debugging.md",
    "docs/fuzzing.md",
    "docs/stitch.md",
    "docs/stock-kernels.md",
    "docs/storm.md",
    "docs/your-kernel.md",
    "docs/your-module.md",
    "docs/editor.md",
    "docs/security.md",
    "docs/contributing.md",
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let run = COMMANDS.iter().map(|&(words, prints)| {
        let run = move |context: &TestContext| works(context, words, prints);
        let test = Test::new(format!("docs::make {}", words.join(" ")), run).on(&main_flavour());
        if words[0] == "bench-loop" {
            // It changes the module that others build.
            test.alone()
        } else {
            test
        }
    });
    run.chain([
        Test::new("docs::each command has its test", |_| each_has_its_test()),
        Test::new("docs::stitch's own options", options_of_stitch).on(&main_flavour()),
        Test::new("docs::what stitch shows of hello_rust", shown_by_stitch).on(&main_flavour()),
    ])
    .collect()
}

fn works(context: &TestContext, words: &[&str], prints: &str) -> Result<()> {
    if words[0] == "bench-stitch" {
        // With BIN=, make builds no programs.
        let build = [
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--package",
            "stitch",
        ];
        succeed(
            fresh(project().join("tools/cargo.sh"))
                .args(build)
                .current_dir(project()),
        )?;
    }
    let folder = tempfile::tempdir()?;
    let copy = copy_of_project(&folder.path().join("hello_rust"))?;
    let output = context.make_command(&copy, words)?.output()?;
    ensure!(output.status.success(), "{}", tail(&printed(&output)));
    must_contain(&String::from_utf8_lossy(&output.stdout), prints)
}

/// The targets of make that the pages name are those of the tables.
fn each_has_its_test() -> Result<()> {
    let target = Regex::new(r"(?m)(?:`|^\$ |^)make ([a-z][a-z_./-]*)(?:[ `]|$)")?;
    let all = super::all(&[]);
    let mut named = 0;
    for page in PAGES {
        let text = fs::read_to_string(project().join(page))?;
        for found in target.captures_iter(&code_of(&text)) {
            let target = &found[1];
            if OF_THE_KERNEL.contains(&target) {
                continue;
            }
            let here = COMMANDS.iter().any(|(words, _)| words[0] == target);
            let there = ELSEWHERE.iter().find(|(name, _)| *name == target);
            let there = there.is_some_and(|(_, test)| all.iter().any(|one| one.name == *test));
            ensure!(here || there, "{page}: no test runs `make {target}`");
            named += 1;
        }
    }
    ensure!(named > 20, "only {named} commands were found");
    Ok(())
}

/// The lines of the blocks of code, and the rest's spans of code.
fn code_of(page: &str) -> String {
    let mut code = String::new();
    for (nth, part) in page.split("\n```").enumerate() {
        for line in part.lines() {
            if nth % 2 == 1 {
                code += line;
            } else {
                let spans = line.split('`').skip(1).step_by(2);
                code.extend(spans.flat_map(|span| ["`", span, "`\n"]));
            }
            code += "\n";
        }
    }
    code
}

/// As docs/stitch.md names them.
fn options_of_stitch(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let module = lab.module(&lab::kernel::sources::HELLO_RUST)?;
    let folder = tempfile::tempdir()?;
    let [svg, html] = ["a.svg", "a.html"].map(|name| folder.path().join(name));
    let page = fs::read_to_string(project().join("docs/stitch.md"))?;
    let stitch = |words: &[&str], file: Option<&Path>| -> Result<String> {
        for word in words {
            must_contain(&page, word)?;
        }
        succeed(
            fresh(program("stitch")?)
                .args(words)
                .args(file)
                .arg(module.dir()),
        )
    };
    stitch(&["report", "--svg"], Some(&svg))?;
    must_contain(&fs::read_to_string(&svg)?, "<svg")?;
    stitch(&["report", "--html"], Some(&html))?;
    must_contain(&fs::read_to_string(&html)?, "<html")?;
    let symvers = lab.kernel.dir.join("Module.symvers");
    must_contain(
        &stitch(&["report", "--symvers"], Some(&symvers))?,
        "c_helper_repeat",
    )?;
    let silent = stitch(&["check"], None)?;
    ensure!(silent.is_empty(), "{silent}");
    stitch(&["check", "--allow-unknown"], None)
        .map(drop)
        .context("--allow-unknown")
}

/// The outputs in docs/stitch.md and the picture are those of a run. Another kernel than that in
/// README.md may have other numbers.
fn shown_by_stitch(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let module = lab.module(&lab::kernel::sources::HELLO_RUST)?;
    let folder = tempfile::tempdir()?;
    let svg = folder.path().join("hello_rust.svg");
    let mut stitch = fresh(program("stitch")?);
    stitch.arg("report").arg(module.dir()).arg("--symvers");
    stitch.arg(lab.kernel.dir.join("Module.symvers"));
    let report = succeed(&mut stitch)?;
    succeed(stitch.arg("--svg").arg(&svg))?;
    let page = |name: &str| fs::read_to_string(project().join(name));
    let readme = page("README.md")?;
    let version = lab.kernel.source.version.split('-').next();
    let same_kernel = version.is_some_and(|version| readme.contains(&format!("Linux {version}")));
    let numbers = Regex::new(r"(?:0x)?[0-9a-f]*[0-9][0-9a-f]*\s*")?;
    let plain = |text: &str| {
        if same_kernel {
            text.to_owned()
        } else {
            numbers.replace_all(text, "N").into_owned()
        }
    };

    let stitch = page("docs/stitch.md")?;
    let blocks = stitch.split("\n```").skip(1).step_by(2);
    let shown: Vec<&str> = blocks
        .filter(|block| block.contains("verdict  the same") || block.contains("language  crate"))
        .collect();
    ensure!(shown.len() == 2, "{} outputs", shown.len());
    for block in shown {
        must_contain(&plain(&report), plain(block).trim())?;
    }
    ensure!(
        plain(&fs::read_to_string(svg)?) == plain(&page("docs/hello_rust.svg")?),
        "docs/hello_rust.svg is another picture: stitch report {} --symvers {}/Module.symvers --svg \
         docs/hello_rust.svg",
        module.dir().display(),
        lab.kernel.dir.display()
    );
    Ok(())
}
