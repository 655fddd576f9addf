//! From the guest's output to what LLVM says of each source file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{ensure, Context, Result};
use diagnostic::Diagnostic;
use host::cache;
use host::toolchain::Toolchain;
use serde::Deserialize;

use super::places::{unreached, Place, Segment};
use crate::exit::Exit;
use crate::guest::job::PROFILE;
use crate::guest::machine::Guest;
use crate::kernel::load::Ko;
use crate::kernel::module::Module;

/// A source file of the module's.
pub struct File {
    /// Its path in the module's folder.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The lines with code,
    pub lines: u64,
    /// and those that have run.
    pub reached: u64,
    /// What has not run.
    pub unreached: Vec<Place>,
}

/// What llvm-cov exports: a part of it.
#[derive(Deserialize)]
struct Export {
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    files: Vec<Exported>,
}

#[derive(Deserialize)]
struct Exported {
    filename: PathBuf,
    segments: Vec<Segment>,
}

/// What else a guest has printed, and the profile, as base64; no profile if the guest ended before that was
/// complete.
pub fn split(guest: &Guest) -> (&str, Option<&str>) {
    let [begin, end] = PROFILE;
    match guest.output.split_once(begin) {
        Some((before, after)) => (
            before,
            after.split_once(end).map(|(profile, _)| profile.trim()),
        ),
        None => (&guest.output, None),
    }
}

/// Those of the module's `own` files that have code, in the order of their paths.
pub fn files(
    toolchain: &Toolchain,
    built: &Module,
    modules: &[Ko],
    own: &BTreeSet<PathBuf>,
    profile: &str,
) -> Result<Vec<File>> {
    let scratch = cache::scratch_in(&toolchain.cache().join(cache::RUNS))?;
    let profile = indexed(toolchain, scratch.path(), profile)?;
    let export = |format: &str| -> Result<Vec<u8>> {
        let mut cov = toolchain.command("llvm-cov");
        cov.args(["export", "--skip-expansions", "--skip-functions"])
            .arg(format!("--format={format}"))
            .arg("--instr-profile")
            .arg(&profile);
        for path in own_modules(built.dir(), modules) {
            cov.arg("--object").arg(path);
        }
        Ok(run(&mut cov)?.stdout)
    };
    let lines = lines_of(&String::from_utf8_lossy(&export("lcov")?));
    let exported: Export =
        serde_json::from_slice(&export("text")?).context("llvm-cov has written no JSON")?;

    let mut files = Vec::new();
    for exported in exported.data.into_iter().flat_map(|data| data.files) {
        let Ok(path) = exported.filename.strip_prefix(built.dir()) else {
            continue;
        };
        let lines = lines.get(&exported.filename);
        let Some(&(lines, reached)) = lines.filter(|_| own.contains(path)) else {
            continue;
        };
        let text = fs::read(&exported.filename)
            .with_context(|| format!("cannot read {}", exported.filename.display()))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        files.push(File {
            path: path.to_owned(),
            lines,
            reached,
            unreached: unreached(&exported.segments, &text),
            text,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Writes the profile into a folder, in the format that llvm-cov reads; returns its path.
fn indexed(toolchain: &Toolchain, folder: &Path, profile: &str) -> Result<PathBuf> {
    if profile.is_empty() {
        return Err(Diagnostic::new("no code of the module counts")
            .exit(Exit::Failed)
            .note("neither rustc nor clang has compiled a function in it")
            .into());
    }
    let names = ["profile.base64", "profile.raw", "profile"];
    let [text, raw, indexed] = names.map(|name| folder.join(name));
    fs::write(&text, profile)?;
    let decoded = run(toolchain.command("base64").arg("--decode").arg(&text))?;
    fs::write(&raw, decoded.stdout)?;
    let mut merge = toolchain.command("llvm-profdata");
    run(merge.arg("merge").arg(&raw).arg("-o").arg(&indexed))?;
    Ok(indexed)
}

/// The lines with code of each file that has any, and how many of them have run, from lcov's format: `SF:` and
/// the file, then `DA:` for each line, its number, a comma, and how often it has run.
fn lines_of(lcov: &str) -> BTreeMap<PathBuf, (u64, u64)> {
    let mut files = BTreeMap::new();
    let mut file = None;
    for line in lcov.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            file = Some(PathBuf::from(path));
        } else if let (Some(data), Some(file)) = (line.strip_prefix("DA:"), &file) {
            let has_run = data.split(',').nth(1).is_some_and(|count| count != "0");
            let (lines, reached) = files.entry(file.clone()).or_insert((0, 0));
            *lines += 1;
            *reached += u64::from(has_run);
        }
    }
    files
}

/// The files of the modules that are built there, and no modules of the kernel's own.
fn own_modules<'a>(built: &'a Path, modules: &'a [Ko]) -> impl Iterator<Item = &'a Path> {
    let paths = modules.iter().map(|ko| ko.path.as_path());
    paths.filter(move |path| path.starts_with(built))
}

fn run(command: &mut Command) -> Result<Output> {
    let output = command.output().context("cannot start bwrap")?;
    ensure!(
        output.status.success(),
        "cannot read the profile: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_files() {
        let lcov = "SF:/m/a.c\nFN:3,f\nDA:3,2\nDA:4,0\nDA:5,10\nLF:3\nLH:2\nend_of_record\n\
                    SF:/m/b.h\nend_of_record\nSF:/m/c.rs\nDA:1,0\nend_of_record\n";
        let expected = [("/m/a.c", (3, 2)), ("/m/c.rs", (1, 0))];
        let expected = expected.map(|(path, lines)| (PathBuf::from(path), lines));
        assert_eq!(lines_of(lcov), BTreeMap::from(expected));
    }
}
