//! `make compile_commands.json`: the commands for the C half, for clangd.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use host::toolchain::Toolchain;
use regex::Regex;
use serde_json::{json, Value};

use super::editor;
use super::places::Places;
use super::recorded::{commands, Language, Recorded};
use crate::commands::lab::Lab;
use crate::kernel::module::Module;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// The file's name, which clangd looks for.
const FILE: &str = "compile_commands.json";

/// Flags that write files.
const WRITING: (&[&str], &[&str]) = (&["-Wp,-M", "-c"], &["-o"]);

/// Writes the file, and prints its path.
pub fn compile_commands(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref());
    let lab = Lab::provide(settings, settings.flavour())?;
    let module = Module::stage(&lab.cache, &lab.kernel, &sources)?;
    let places = Places::of(&sources, &module)?;
    let commands = commands(&module, &lab.toolchain, Language::C)?;

    let entries: Result<Vec<Value>> = commands
        .iter()
        .filter_map(|command| Some((command, places.own(&command.source)?)))
        .map(|(command, own)| entry(command, &own, &places, &lab))
        .collect();
    let file = places.write(FILE, &serde_json::to_vec_pretty(&entries?)?)?;
    println!("{}", file.display());
    editor::offer(&lab, "clangd")
}

/// The command for the user's own file, with its own headers.
fn entry(command: &Recorded, own: &Path, places: &Places, lab: &Lab) -> Result<Value> {
    let mut flags = command.without(WRITING.0, WRITING.1);
    // The name of a gcc says it.
    if !flags.iter().any(|flag| flag.starts_with("--target=")) {
        let triple = lab.kernel.flavour.arch.words().triple;
        flags.insert(0, format!("--target={triple}"));
    }
    let flags = known_to_clang(&command.dir, flags, &lab.toolchain)?;
    let copy = places.copy.to_string_lossy();
    let mut words = vec!["clang".to_owned()];
    words.extend(
        flags
            .iter()
            .map(|flag| flag.replace(&*copy, &places.home.to_string_lossy())),
    );
    // Headers that the build has generated exist in the copy only.
    let mut generated = vec![command.source.parent().context("no folder")?.to_owned()];
    generated.extend(included(command, &places.copy));
    words.extend(
        generated
            .iter()
            .map(|folder| format!("-I{}", folder.display())),
    );
    words.push(own.display().to_string());
    let dir = if command.dir == places.copy {
        &places.home
    } else {
        &command.dir
    };
    Ok(json!({ "directory": dir, "file": own, "arguments": words }))
}

/// The folders of the copy in which the compiler looks for headers.
fn included(command: &Recorded, copy: &Path) -> Vec<PathBuf> {
    let folders = command
        .flags
        .iter()
        .filter_map(|flag| flag.strip_prefix("-I"));
    let folders = folders
        .filter(|folder| !folder.is_empty())
        .map(|folder| command.dir.join(folder));
    folders.filter(|folder| folder.starts_with(copy)).collect()
}

/// Removes the flags of gcc that clang, and so clangd, rejects: clang itself says which.
fn known_to_clang(dir: &Path, flags: Vec<String>, toolchain: &Toolchain) -> Result<Vec<String>> {
    // unsupported argument 'x' to option '-f='; unknown argument: '-f'; unsupported option '-f' for ...;
    // unknown target ABI 'x'
    let value = Regex::new("argument '(?<value>[^']+)' to option '(?<flag>-[^']+)'")?;
    let abi = Regex::new("unknown target ABI '(?<abi>[^']+)'")?;
    let whole = Regex::new("'(?<flag>-[^']+)'")?;
    let mut known = flags;
    // It reports those of a later stage only when there are none of an earlier one.
    loop {
        let mut clang = toolchain.command_in(dir, &[], "clang");
        clang.args(["-fsyntax-only", "-x", "c", "/dev/null"]);
        let said = clang.args(&known).output()?.stderr;
        let before = known.len();
        for line in String::from_utf8_lossy(&said).lines() {
            if let Some(found) = value.captures(line) {
                let rejected = |flag: &str| {
                    let values = flag.strip_prefix(&found["flag"]);
                    values.is_some_and(|values| values.contains(&found["value"]))
                };
                known.retain(|flag| !rejected(flag));
            } else if let Some(found) = abi.captures(line) {
                let rejected = format!("-mabi={}", &found["abi"]);
                known.retain(|flag| *flag != rejected);
            } else if let Some(found) = whole.captures(line) {
                known.retain(|flag| *flag != found["flag"]);
            }
        }
        if known.len() == before {
            return Ok(known);
        }
    }
}
