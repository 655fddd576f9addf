//! Compiles sources again with probes in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{c, rust};
use crate::input::cmd_file::CmdFile;
use crate::input::object::{MappedFile, ObjectFile};
use crate::input::producer;

/// The compilers that stitch may start.
#[derive(Debug, Clone)]
pub struct Compilers {
    /// Rust's.
    pub rustc: PathBuf,
    /// C's; by default that of the object.
    pub cc: Option<PathBuf>,
}

/// A symbol that the sources of a Rust object do not visibly declare: a macro may, or another crate.
#[derive(Debug, Clone, Copy)]
pub struct Undeclared<'s> {
    /// Its name.
    pub name: &'s str,
    /// Whether it is a function; else it is data.
    pub function: bool,
}

/// An object that was compiled to ask.
pub struct ProbeObject {
    map: MappedFile,
    /// Functions that are called as Microsoft has it, which GCC does not record.
    pub microsoft: Vec<String>,
    /// Whether there are such among those of which there are addresses only: GCC records nothing.
    pub unrecorded: bool,
    /// Kept as long as the object is read.
    scratch: TempDir,
}

impl ProbeObject {
    /// The file of which this is the copy; none for what stitch wrote itself.
    pub fn original(&self, copy: &Path) -> Option<PathBuf> {
        match copy.strip_prefix(self.scratch.path()) {
            Ok(inside) => Some(Path::new("/").join(inside.strip_prefix(COPIES).ok()?)),
            Err(_) => Some(copy.to_owned()),
        }
    }

    /// Reads it.
    pub fn load(&self) -> Result<ObjectFile<'_>, String> {
        self.map.load().map_err(|error| format!("{error:#}"))
    }
}

/// Asks rustc for all that the crate of an object declares and defines for others; and for these
/// symbols, which it may declare where that cannot be seen.
pub fn compile_rust(
    object: &ObjectFile<'_>,
    compilers: &Compilers,
    undeclared: &[Undeclared<'_>],
) -> Result<ProbeObject, String> {
    let made = CmdFile::of(&object.path)
        .ok_or_else(|| format!("Kbuild's note on {} is not beside it", object.name))?;
    fresh(object, &made)?;
    same_compiler(object, &compilers.rustc)?;
    let scratch = scratch()?;
    rust::compile(object, &made, &compilers.rustc, undeclared, scratch.path())?;
    probe_object(scratch, c::Conventions::default())
}

/// Asks the compiler of C for what an object declares and defines: these symbols.
pub fn compile_c(
    object: &ObjectFile<'_>,
    compilers: &Compilers,
    symbols: &[&str],
) -> Vec<Result<ProbeObject, String>> {
    let Some(made) = CmdFile::of(&object.path) else {
        let reason = format!("Kbuild's note on {} is not beside it", object.name);
        return vec![Err(reason)];
    };
    let mut units: Vec<(PathBuf, CmdFile)> = Vec::new();
    for path in made.linked_from() {
        units.extend(CmdFile::of(&path).map(|made| (path, made)));
    }
    if units.is_empty() {
        units.push((object.path.clone(), made));
    }
    let ask = |(_, made): (PathBuf, CmdFile)| {
        fresh(object, &made)?;
        let cc = compilers
            .cc
            .clone()
            .unwrap_or_else(|| c::compiler_of(object));
        same_compiler(object, &cc)?;
        let scratch = scratch()?;
        let conventions = c::compile(object, &made, &cc, symbols, scratch.path())?;
        probe_object(scratch, conventions)
    };
    units.into_iter().map(ask).collect()
}

fn probe_object(scratch: TempDir, conventions: c::Conventions) -> Result<ProbeObject, String> {
    let map =
        MappedFile::open(&scratch.path().join(OBJECT)).map_err(|error| format!("{error:#}"))?;
    Ok(ProbeObject {
        map,
        microsoft: conventions.microsoft,
        unrecorded: conventions.unrecorded,
        scratch,
    })
}

/// The folder of copies there.
pub const COPIES: &str = "root";

/// What a compiler makes in the scratch folder.
pub const OBJECT: &str = "probes.o";

fn scratch() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix("stitch-")
        .tempdir()
        .map_err(|error| format!("cannot make a scratch folder: {error}"))
}

/// What was changed since is no evidence.
fn fresh(object: &ObjectFile<'_>, made: &CmdFile) -> Result<(), String> {
    match made.changed_since() {
        Some(file) => Err(format!(
            "{} was changed after {} was made of it: build it again",
            file.file_name().unwrap_or_default().to_string_lossy(),
            object.name
        )),
        None => Ok(()),
    }
}

/// Only the compiler that made an object knows what it believed.
fn same_compiler(object: &ObjectFile<'_>, compiler: &Path) -> Result<(), String> {
    let made_by = producer::compiler(&object.file, &object.debug.compile_unit());
    let Some(made_by) = made_by else {
        return Err(format!("nothing in {} tells what compiled it", object.name));
    };
    let output = Command::new(compiler)
        .arg("--version")
        .output()
        .map_err(|error| format!("{} does not run: {error}", compiler.display()))?;
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.lines().next().unwrap_or_default();
    let number = |text: &str| {
        let mut words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
        words
            .find(|word| {
                word.split('.').count() > 2 && word.starts_with(|c: char| c.is_ascii_digit())
            })
            .map(|word| word.split(['-', '+']).next().unwrap_or_default().to_owned())
    };
    match (number(&made_by), number(version)) {
        (Some(one), Some(other)) if one == other => Ok(()),
        _ => Err(format!(
            "{} was made by {made_by}, and {} is {version}",
            object.name,
            compiler.display()
        )),
    }
}

/// The source of an object, and the words of the command that compiled it.
pub fn recorded(object: &ObjectFile<'_>, cmd: &CmdFile) -> Result<(PathBuf, Vec<String>), String> {
    let name = &object.name;
    let source = cmd.source_file().and_then(|it| it.canonicalize().ok());
    let source = source.ok_or_else(|| format!("the source of {name} is missing"))?;
    let words = cmd.command();
    let words = words.ok_or_else(|| format!("the command in .{name}.cmd cannot be parsed"))?;
    Ok((source, words))
}

/// The first line of a compiler's output that has an error.
pub fn first_error(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let mut lines = text.lines().filter(|line| line.contains("error"));
    lines.next().unwrap_or_default().trim().to_owned()
}
