//! Probes in C: compiles the unit again, followed by a pointer to each symbol, of the type that it has
//! there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command;
use super::read::DECLARATIONS;
use super::source::{first_error, recorded, OBJECT};
use crate::dwarf::find::PROBE_PREFIX;
use crate::input::cmd_file::CmdFile;
use crate::input::object::ObjectFile;
use crate::input::producer;

/// Options for complete debug information in one file.
const DEBUG: &[&str] = &[
    "-w",
    "-g",
    "-gdwarf-5",
    "-gno-strict-dwarf",
    "-gno-split-dwarf",
    "-fno-debug-types-section",
    "-fno-lto",
    "-c",
];

/// The compiler that was run for an object.
pub fn compiler_of(object: &ObjectFile<'_>, cmd: &CmdFile) -> Result<PathBuf, String> {
    let (source, words) = recorded(object, cmd)?;
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let program = command::c(&words, &name).program;
    program.map(PathBuf::from).ok_or_else(|| {
        let name = &object.name;
        format!("the command in .{name}.cmd does not run clang or gcc: use --cc")
    })
}

/// Compiles the probes, and finds out which functions have the Microsoft convention.
pub fn compile(
    object: &ObjectFile<'_>,
    cmd: &CmdFile,
    cc: &Path,
    symbols: &[&str],
    scratch: &Path,
) -> Result<Conventions, String> {
    let (source, words) = recorded(object, cmd)?;
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let unit = Unit {
        cc,
        invocation: command::c(&words, &name),
        folder: cmd.folder(object.debug.compile_unit().folder.as_deref()),
        source: &source,
        scratch,
    };
    let names: Vec<&str> = symbols
        .iter()
        .copied()
        .filter(|name| is_identifier(name))
        .collect();
    let attribute = object.arch.convention.attribute;
    let checked = |name: &str| {
        let redeclared = attribute.map(|attribute| redeclaration(name, attribute));
        probe(name) + &redeclared.unwrap_or_default()
    };
    let all: String = names.iter().map(|name| checked(name)).collect();
    let mut conventions = Conventions {
        microsoft: Vec::new(),
        unrecorded: attribute.is_some() && !is_clang(object) && unit.has_microsoft(),
    };
    if unit.compile(&all).is_ok() {
        return Ok(conventions);
    }
    // One at a time: some may not be declared here.
    let mut declared = String::new();
    for name in names {
        if unit.compile(&probe(name)).is_ok() {
            declared += &probe(name);
            if unit.compile(&checked(name)).is_err() {
                conventions.microsoft.push(name.to_owned());
            }
        }
    }
    unit.compile(&declared).map(|()| conventions)
}

/// Calling conventions, which GCC does not record.
#[derive(Debug, Default)]
pub struct Conventions {
    /// Functions with the Microsoft convention.
    pub microsoft: Vec<String>,
    /// Whether the attribute is used anywhere in the unit, perhaps for function pointers.
    pub unrecorded: bool,
}

fn is_clang(object: &ObjectFile<'_>) -> bool {
    let compiler = producer::compiler(&object.file, &object.debug.compile_unit());
    compiler.is_some_and(|name| name.contains("clang"))
}

fn is_identifier(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn probe(symbol: &str) -> String {
    format!(
        "__attribute__((used, section(\"{DECLARATIONS}\")))\n\
         static __typeof__({symbol}) *{PROBE_PREFIX}{symbol} = &{symbol};\n"
    )
}

/// A declaration that is an error if the function has another convention than that of this attribute, and
/// valid for data.
fn redeclaration(symbol: &str, attribute: &str) -> String {
    format!("extern __typeof__({symbol}) {symbol} __attribute__(({attribute}));\n")
}

struct Unit<'u> {
    cc: &'u Path,
    invocation: command::Invocation,
    folder: PathBuf,
    source: &'u Path,
    scratch: &'u Path,
}

impl Unit<'_> {
    /// Whether the attribute is used: renamed to an unknown one, GCC warns about it.
    fn has_microsoft(&self) -> bool {
        const OTHER: &str = "stitch_ms_abi";
        let output = self
            .command()
            .args(["-fsyntax-only", "-Wattributes"])
            .args(["ms_abi", "__ms_abi__"].map(|name| format!("-D{name}={OTHER}")))
            .arg(self.source)
            .output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stderr).contains(OTHER))
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.cc);
        command
            .current_dir(&self.folder)
            .envs(self.invocation.environment.iter().cloned())
            .args(&self.invocation.flags);
        command
    }

    fn compile(&self, probes: &str) -> Result<(), String> {
        let file = self.scratch.join("probes.c");
        let text = format!("#include \"{}\"\n{probes}", self.source.display());
        fs::write(&file, text)
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let output = self
            .command()
            .args(DEBUG)
            .arg("-o")
            .arg(self.scratch.join(OBJECT))
            .arg(&file)
            .output()
            .map_err(|error| format!("cannot run {}: {error}", self.cc.display()))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!(
                "{} with probes does not compile: {}",
                self.source
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy(),
                first_error(&output.stderr)
            ))
        }
    }
}
