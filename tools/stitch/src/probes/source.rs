//! What the probes of both languages share: the recorded source and command, and names of files.

use std::path::PathBuf;

use crate::input::cmd_file::CmdFile;
use crate::input::object::ObjectFile;

/// The subdirectory for copied sources.
pub const COPIES: &str = "root";

/// The name of the compiled object.
pub const OBJECT: &str = "probes.o";

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
