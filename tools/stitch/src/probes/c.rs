//! Asks a compiler of C: the unit is compiled again with a pointer to each symbol behind it, of the
//! type that the symbol has there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::command;
use super::compile::{first_error, recorded, OBJECT};
use super::read::DECLARATIONS;
use crate::dwarf::find::NAMED;
use crate::input::cmd_file::CmdFile;
use crate::input::object::ObjectFile;
use crate::input::producer;

/// Debug information with everything in it, in one file.
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

/// The program that made an object, by the name that it most often has.
pub fn compiler_of(object: &ObjectFile<'_>) -> PathBuf {
    if is_clang(object) {
        PathBuf::from("clang")
    } else {
        PathBuf::from("gcc")
    }
}

/// Compiles the probes, and says which functions are called as Microsoft has it.
pub fn compile(
    object: &ObjectFile<'_>,
    made: &CmdFile,
    cc: &Path,
    symbols: &[&str],
    scratch: &Path,
) -> Result<Conventions, String> {
    let (source, words) = recorded(object, made)?;
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let unit = Unit {
        cc,
        invocation: command::c(&words, &name),
        folder: made.folder(object.debug.compile_unit().folder.as_deref()),
        source: &source,
        scratch,
    };
    let names: Vec<&str> = symbols
        .iter()
        .copied()
        .filter(|name| is_identifier(name))
        .collect();
    let all: String = names
        .iter()
        .map(|name| probe(name) + &system_v(name))
        .collect();
    let mut conventions = Conventions {
        microsoft: Vec::new(),
        unrecorded: !is_clang(object) && unit.has_microsoft(),
    };
    if unit.compile(&all).is_ok() {
        return Ok(conventions);
    }
    // One at a time: not each is declared there.
    let mut declared = String::new();
    for name in names {
        if unit.compile(&probe(name)).is_ok() {
            declared += &probe(name);
            if unit.compile(&(probe(name) + &system_v(name))).is_err() {
                conventions.microsoft.push(name.to_owned());
            }
        }
    }
    unit.compile(&declared).map(|()| conventions)
}

/// What GCC does not record of how functions are called.
#[derive(Debug, Default)]
pub struct Conventions {
    /// Functions that are called as Microsoft has it.
    pub microsoft: Vec<String>,
    /// Whether the attribute stands anywhere in the unit.
    pub unrecorded: bool,
}

fn is_clang(object: &ObjectFile<'_>) -> bool {
    let made_by = producer::compiler(&object.file, &object.debug.compile_unit());
    made_by.is_some_and(|made_by| made_by.contains("clang"))
}

fn is_identifier(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn probe(symbol: &str) -> String {
    format!(
        "__attribute__((used, section(\"{DECLARATIONS}\")))\n\
         static __typeof__({symbol}) *{NAMED}{symbol} = &{symbol};\n"
    )
}

/// What a compiler refuses of a function that is called otherwise. Of data it says nothing.
fn system_v(symbol: &str) -> String {
    format!("extern __typeof__({symbol}) {symbol} __attribute__((sysv_abi));\n")
}

struct Unit<'u> {
    cc: &'u Path,
    invocation: command::Invocation,
    folder: PathBuf,
    source: &'u Path,
    scratch: &'u Path,
}

impl Unit<'_> {
    /// Whether GCC sees the attribute: by another name, it has a warning for it.
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
            .map_err(|error| format!("{} does not run: {error}", self.cc.display()))?;
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
