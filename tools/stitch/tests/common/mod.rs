//! Objects from this host's compilers, and stitch, run on them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A build directory as Kbuild would leave it: `pair.ko`, its objects, and `pair.mod`.
pub struct Built {
    pub folder: TempDir,
}

impl Built {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Shared by all tests; use [`fresh`] to modify one.
pub fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(fresh)
}

pub fn fresh() -> Built {
    let built = Built {
        folder: tempfile::tempdir().expect("a temporary folder"),
    };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    let folder = built.folder.path();
    run(Command::new("cc")
        .args(["-c", "-g", "-O2", "-fno-pic", "-mcmodel=kernel"])
        .args(["-o", "pair_c.o"])
        .arg(sources.join("pair.c"))
        .current_dir(folder));
    run(Command::new(rustc())
        .args(["--edition=2021", "--crate-type=lib", "--emit=obj", "-g"])
        .args([
            "-Copt-level=2",
            "-Cpanic=abort",
            "-Crelocation-model=static",
        ])
        .args(["-Csymbol-mangling-version=v0", "-Ccodegen-units=1"])
        .args(["-o", "pair_main.o"])
        .arg(sources.join("pair.rs"))
        .current_dir(folder));
    run(Command::new("ld")
        .args(["-r", "-o", "pair.ko", "pair_main.o", "pair_c.o"])
        .current_dir(folder));
    fs::write(
        built.path("pair.mod"),
        "/moved/away/pair_main.o\n./pair_c.o\n",
    )
    .expect("written");
    built
}

/// The rustc that belongs to the cargo which runs these tests.
pub fn rustc() -> PathBuf {
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    cargo
        .map(|cargo| cargo.with_file_name("rustc"))
        .filter(|rustc| rustc.is_file())
        .unwrap_or_else(|| PathBuf::from("rustc"))
}

pub fn run(command: &mut Command) {
    let output = command.output().expect("a compiler on this host");
    assert!(output.status.success(), "{command:?}: {}", text_of(&output));
}

/// Runs stitch, with limits for memory and time.
pub fn stitch(words: &[&str], paths: &[&Path]) -> Output {
    Command::new("timeout")
        .args(["20", "sh", "-c", "ulimit -v 1000000; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_stitch"))
        .args(words)
        .args(paths)
        .output()
        .expect("stitch starts")
}

pub fn text_of(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}
