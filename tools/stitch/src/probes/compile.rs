//! Compiles sources again with probes in them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub use super::rust::Undeclared;
use super::source::{COPIES, OBJECT};
use super::{c, rust};
use crate::input::cmd_file::CmdFile;
use crate::input::object::{MappedFile, ObjectFile};
use crate::input::producer;

/// The compilers to use.
#[derive(Debug, Clone)]
pub struct Compilers {
    pub rustc: PathBuf,
    /// clang or gcc; by default the one in the recorded command.
    pub cc: Option<PathBuf>,
}

pub struct ProbeObject {
    map: MappedFile,
    /// Functions with the Microsoft convention, which GCC does not record.
    pub microsoft: Vec<String>,
    /// Whether function pointers may have it, too.
    pub unrecorded: bool,
    /// Removed when the object is dropped.
    scratch: TempDir,
}

impl ProbeObject {
    /// The original of a copied source; `None` for a file that stitch generated.
    pub fn original(&self, copy: &Path) -> Option<PathBuf> {
        match copy.strip_prefix(self.scratch.path()) {
            Ok(inside) => Some(Path::new("/").join(inside.strip_prefix(COPIES).ok()?)),
            Err(_) => Some(copy.to_owned()),
        }
    }

    /// Reads the object.
    pub fn load(&self) -> Result<ObjectFile<'_>, String> {
        self.map.load().map_err(|error| format!("{error:#}"))
    }
}

/// Compiles the crate of an object with probes for all that it declares and exports, or, if there are
/// any, for these symbols that it does not visibly declare.
pub fn compile_rust(
    object: &ObjectFile<'_>,
    compilers: &Compilers,
    undeclared: &[Undeclared<'_>],
) -> Result<ProbeObject, String> {
    let cmd = CmdFile::of(&object.path)
        .ok_or_else(|| format!("{} has no .cmd file of Kbuild beside it", object.name))?;
    fresh(object, &cmd)?;
    same_compiler(object, &compilers.rustc)?;
    let scratch = scratch()?;
    rust::compile(object, &cmd, &compilers.rustc, undeclared, scratch.path())?;
    probe_object(scratch, c::Conventions::default())
}

/// Compiles the sources of a C object with probes for these symbols.
pub fn compile_c(
    object: &ObjectFile<'_>,
    compilers: &Compilers,
    symbols: &[&str],
) -> Vec<Result<ProbeObject, String>> {
    let Some(cmd) = CmdFile::of(&object.path) else {
        let reason = format!("{} has no .cmd file of Kbuild beside it", object.name);
        return vec![Err(reason)];
    };
    let mut units: Vec<(PathBuf, CmdFile)> = Vec::new();
    for path in cmd.linked_from() {
        units.extend(CmdFile::of(&path).map(|cmd| (path, cmd)));
    }
    if units.is_empty() {
        units.push((object.path.clone(), cmd));
    }
    let compile = |(_, cmd): (PathBuf, CmdFile)| {
        fresh(object, &cmd)?;
        let cc = match &compilers.cc {
            Some(cc) => cc.clone(),
            None => c::compiler_of(object, &cmd)?,
        };
        same_compiler(object, &cc)?;
        let scratch = scratch()?;
        let conventions = c::compile(object, &cmd, &cc, symbols, scratch.path())?;
        probe_object(scratch, conventions)
    };
    units.into_iter().map(compile).collect()
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

fn scratch() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix("stitch-")
        .tempdir()
        .map_err(|error| format!("cannot create a temporary directory: {error}"))
}

/// Fails if a source is newer than the object.
fn fresh(object: &ObjectFile<'_>, cmd: &CmdFile) -> Result<(), String> {
    match cmd.changed_since() {
        Some(file) => Err(format!(
            "{} was changed after {} was compiled: build it again",
            file.file_name().unwrap_or_default().to_string_lossy(),
            object.name
        )),
        None => Ok(()),
    }
}

/// Fails unless this is the compiler of the object: another one may lay out types differently.
fn same_compiler(object: &ObjectFile<'_>, compiler: &Path) -> Result<(), String> {
    let compiled_by = producer::compiler(&object.file, &object.debug.compile_unit());
    let Some(compiled_by) = compiled_by else {
        return Err(format!(
            "{} does not say which compiler compiled it",
            object.name
        ));
    };
    let output = Command::new(compiler)
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot run {}: {error}", compiler.display()))?;
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
    match (number(&compiled_by), number(version)) {
        (Some(one), Some(other)) if one == other => Ok(()),
        _ => Err(format!(
            "{} was compiled by {compiled_by}, but {} is {version}",
            object.name,
            compiler.display()
        )),
    }
}
