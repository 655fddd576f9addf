//! What README.md and docs/ tell people to type works, in a copy of what git has.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
    ("clean", "kdir::7.3-clang as a tree of one's own"),
    (
        "rust-metadata",
        "dkms::installed, loaded, upgraded, removed",
    ),
    ("docs/walkthrough.md", "walkthrough::docs/walkthrough.md"),
];

/// Targets of the kernel's own make.
const OF_THE_KERNEL: &[&str] = &["olddefconfig", "prepare", "prepare0"];

/// The pages with commands; docs/walkthrough.md is a run itself.
const PAGES: &[&str] = &[
    "README.md",
    "docs/border.md",
    "docs/cost.md",
    "docs/debugging.md",
    "docs/stitch.md",
    "docs/stock-kernels.md",
    "docs/your-kernel.md",
    "docs/your-module.md",
    "docs/editor.md",
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
        Test::new("docs::make asks cargo what is stale", |_| cargo_is_asked()),
        Test::new("docs::cargo is not asked when nothing has changed", |_| {
            cargo_is_asked_once()
        }),
        Test::new("docs::each checkout has its own programs", |_| {
            own_programs()
        }),
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

/// (a target, the packages whose programs it runs)
const PROGRAMS: &[(&str, &[&str])] = &[
    ("run", &["lab"]),
    ("new", &["lab"]),
    ("shell", &["lab"]),
    ("gdb", &["lab"]),
    ("watch", &["lab"]),
    ("stitch", &["lab", "stitch"]),
    ("walkthrough", &["lab", "stitch"]),
    ("walkthrough PART=3", &["walkthrough", "stitch"]),
    ("docs/walkthrough.md", &["lab", "stitch"]),
    ("test", &["lab", "stitch", "walkthrough", "proof"]),
    ("test-all", &["lab", "stitch", "walkthrough", "proof"]),
];

/// Whatever is there already: only cargo knows all that a program is made of.
fn cargo_is_asked() -> Result<()> {
    for (target, packages) in PROGRAMS {
        let mut make = fresh("make");
        make.arg("-n")
            .args(target.split(' '))
            .current_dir(project());
        let printed = succeed(&mut make)?;
        let build = printed
            .lines()
            .find(|line| line.starts_with("tools/cargo.sh build "));
        let build = build.with_context(|| format!("make {target} builds nothing:\n{printed}"))?;
        for package in *packages {
            must_contain(build, &format!("--package {package}"))?;
        }
    }
    Ok(())
}

/// A cargo that makes the program `lab` from two files, and calls a script meanwhile.
const CARGO: &str = "#!/bin/sh\n\
    [ \"$1\" != --version ] || { echo 'cargo 1.99.0'; exit; }\n\
    echo asked >>asked\n\
    lab=$CARGO_TARGET_DIR/debug/lab\n\
    mkdir -p \"${lab%/*}\"\n\
    echo \"$lab: qemu/src/main.rs tools/path.sh\" >\"$lab.d\"\n\
    echo '#!/bin/sh' >\"$lab\"\n\
    chmod +x \"$lab\"\n\
    . ./meanwhile\n";

/// (what happens then, how often cargo was asked in the end)
const CHANGES: &[(&str, usize)] = &[
    ("", 1),
    ("echo >>README.md", 1),
    ("echo >>qemu/src/main.rs", 2),
    ("touch tools/path.sh", 3),
    ("touch Cargo.lock", 4),
    ("touch border/gate/Cargo.toml tools/stitch/Cargo.toml", 5),
    ("rm \"$CARGO_TARGET_DIR/debug/lab\"", 6),
    // While cargo runs, which may have read it already.
    (
        "echo 'echo >>qemu/src/main.rs' >meanwhile; touch Cargo.lock",
        7,
    ),
    (": >meanwhile", 8),
    ("", 8),
    // cargo says what is missing.
    ("rm qemu/src/main.rs", 9),
    ("", 10),
];

/// What cargo has listed is enough to know that.
fn cargo_is_asked_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let copy = copy_of_project(&folder.path().join("a copy"))?;
    let target = folder.path().join("targets/target");
    // A rustup without toolchains.
    for (program, text) in [("rustup", "#!/bin/sh\nexit 1\n"), ("cargo", CARGO)] {
        let file = folder.path().join(program).join(program);
        fs::create_dir(file.with_file_name(""))?;
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    }
    let path = ["rustup", "cargo"].map(|name| folder.path().join(name).display().to_string());
    let path = format!("{}:/usr/bin:/bin", path.join(":"));
    let run = |program: &str, words: &[&str]| {
        let mut command = fresh(program);
        command.args(words).current_dir(&copy).env("PATH", &path);
        command.env("HELLO_RUST_DIR", &copy);
        succeed(command.env("CARGO_TARGET_DIR", &target))
    };
    let build = ["build", "--quiet", "--locked", "--package", "lab"];
    fs::write(copy.join("meanwhile"), "")?;
    run("tools/cargo.sh", &build)?;
    for (change, expected) in CHANGES {
        run("sh", &["-c", change])?;
        run("tools/cargo.sh", &build)?;
        let asked = fs::read_to_string(copy.join("asked"))?.lines().count();
        ensure!(asked == *expected, "after {change:?}, asked {asked} times");
    }
    Ok(())
}

/// What one checkout has built, another one never runs; and it goes with it.
fn own_programs() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    let mut targets = Vec::new();
    for name in ["one", "other"] {
        let copy = copy_of_project(&folder.path().join(name))?;
        let make = |copy: &Path| {
            let mut make = fresh("make");
            make.current_dir(copy).env("XDG_CACHE_HOME", &cache);
            make
        };
        // cargo.sh marks the folder before cargo has anything to do.
        let print = "print:;@tools/cargo.sh --version >/dev/null && echo $(CARGO_TARGET_DIR)";
        let printed = succeed(make(&copy).args(["--eval", print, "print"]))?;
        let last = printed.lines().last().context("make prints nothing")?;
        targets.push((copy, PathBuf::from(last)));
    }
    let [(one, of_one), (_, of_other)] = &targets[..] else {
        anyhow::bail!("two checkouts, but {targets:?}");
    };
    ensure!(of_one != of_other && of_one.starts_with(&cache) && of_other.is_dir());
    ensure!(of_one.is_dir(), "{} went too early", of_one.display());

    fs::remove_dir_all(one)?;
    let mut cargo = fresh(project().join("tools/cargo.sh"));
    cargo.arg("--version").env("CARGO_TARGET_DIR", of_other);
    succeed(cargo.env("HELLO_RUST_DIR", project()))?;
    ensure!(!of_one.exists(), "{} is still there", of_one.display());
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
