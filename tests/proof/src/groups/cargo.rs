//! tools/cargo.sh: when cargo is asked, for which programs, and what is done meanwhile.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};
use host::project::project;
use tempfile::TempDir;

use crate::harness::test::Test;
use crate::support::context::{copy_of_project, fresh, must_contain, succeed};

/// The tests.
pub fn tests() -> Vec<Test> {
    type Check = fn() -> Result<()>;
    let checks: [(&str, Check); 4] = [
        ("make asks what is stale", cargo_is_asked),
        ("not asked when nothing has changed", cargo_is_asked_once),
        (
            "the toolchain is made meanwhile",
            toolchain_is_made_meanwhile,
        ),
        ("each checkout has its own programs", own_programs),
    ];
    checks
        .map(|(what, check)| Test::new(format!("cargo::{what}"), move |_| check()))
        .into()
}

/// (a target, the packages whose programs it runs)
const PROGRAMS: &[(&str, &[&str])] = &[
    ("run", &["lab"]),
    ("new", &["lab"]),
    ("shell", &["lab"]),
    ("gdb", &["lab"]),
    ("watch", &["lab"]),
    ("fuzz", &["lab"]),
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

/// A copy of the project, where a script plays cargo.
pub struct Copy {
    _folder: TempDir,
    project: PathBuf,
    /// Where its programs are made.
    pub target: PathBuf,
    path: String,
}

impl Copy {
    /// With a script as cargo.
    pub fn with_cargo(script: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let project = copy_of_project(&folder.path().join("a copy"))?;
        // A rustup without toolchains.
        for (program, text) in [("rustup", "#!/bin/sh\nexit 1\n"), ("cargo", script)] {
            let file = folder.path().join(program).join(program);
            fs::create_dir(file.with_file_name(""))?;
            fs::write(&file, text)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        }
        let path = ["rustup", "cargo"].map(|name| folder.path().join(name).display().to_string());
        Ok(Copy {
            target: folder.path().join("targets/target"),
            _folder: folder,
            project,
            path: format!("{}:/usr/bin:/bin", path.join(":")),
        })
    }

    /// A command in the copy.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = fresh(program);
        command.args(words).current_dir(&self.project);
        command.env("PATH", &self.path);
        command.env("HELLO_RUST_DIR", &self.project);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// What `cargo` has written, a line each time that it was started.
    fn asked(&self) -> Result<Vec<String>> {
        let asked = fs::read_to_string(self.project.join("asked"))?;
        Ok(asked.lines().map(str::to_owned).collect())
    }
}

/// What cargo has listed is enough to know that.
fn cargo_is_asked_once() -> Result<()> {
    let copy = Copy::with_cargo(CARGO)?;
    let build = ["build", "--quiet", "--locked", "--package", "lab"];
    fs::write(copy.project.join("meanwhile"), "")?;
    succeed(&mut copy.command("tools/cargo.sh", &build))?;
    for (change, expected) in CHANGES {
        succeed(&mut copy.command("sh", &["-c", change]))?;
        succeed(&mut copy.command("tools/cargo.sh", &build))?;
        let asked = copy.asked()?.len();
        ensure!(asked == *expected, "after {change:?}, asked {asked} times");
    }
    Ok(())
}

/// A cargo that makes the program of the last package, which writes its name and runs its arguments.
const CARGO_AND_TOOLCHAIN: &str = "#!/bin/sh\n\
    [ \"$1\" != --version ] || { echo 'cargo 1.99.0'; exit; }\n\
    echo \"cargo $*\" >>asked\n\
    for word; do program=$word; done\n\
    [ $program = host ] && program=toolchain\n\
    mkdir -p \"$CARGO_TARGET_DIR/debug\"\n\
    cd \"$CARGO_TARGET_DIR/debug\"\n\
    printf '#!/bin/sh\\necho ${0##*/} >>asked\\nexec \"$@\"\\n' >$program\n\
    chmod +x $program\n";

const HOST: &str = "cargo build --quiet --locked --package host";
const LAB: &str = "cargo build --quiet --locked --package lab";
const WALKTHROUGH: &str = "cargo build --quiet --locked --package stitch --package walkthrough";

/// (a target of make, what builds its programs on a new machine)
const FIRST: &[(&str, &[&str])] = &[
    ("run", &[HOST, "toolchain", LAB, "lab"]),
    ("doctor", &[LAB, "lab"]),
    ("walkthrough PART=3", &[WALKTHROUGH, "walkthrough"]),
];

/// The toolchain is made while cargo builds the lab; but not for what does without it, and not again.
fn toolchain_is_made_meanwhile() -> Result<()> {
    for (target, expected) in FIRST {
        let copy = Copy::with_cargo(CARGO_AND_TOOLCHAIN)?;
        let mut words: Vec<&str> = target.split(' ').collect();
        let cache = copy.target.with_file_name("cache");
        let target_dir = format!("CARGO_TARGET_DIR={}", copy.target.display());
        words.push(&target_dir);
        let build = || {
            copy.command("make", &words)
                .env("XDG_CACHE_HOME", &cache)
                .output()
        };
        // It fails in the end: the script that plays the program finds none to run.
        build()?;
        let asked = copy.asked()?;
        ensure!(asked == *expected, "make {target}: {asked:?}");
        build()?;
        let again = copy.asked()?.split_off(asked.len());
        ensure!(again == expected[expected.len() - 2..], "again: {again:?}");
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
