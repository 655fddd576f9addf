//! From the paths on the command line to modules and their objects.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use super::cmd_file::CmdFile;
use super::paths::{beside, extension, stem};

/// The files of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    /// Its objects, in link order.
    pub parts: Vec<PathBuf>,
    /// The linked module, if it exists.
    pub linked: Option<PathBuf>,
}

/// The modules of these paths: those of each build directory, that of each `.ko`, and one for all `.o`
/// files together.
pub fn modules(paths: &[PathBuf]) -> Result<Vec<Module>> {
    let (mut modules, mut objects, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            modules.extend(built_in(path)?);
            continue;
        }
        match extension(path) {
            "mod" => modules.push(listed(path)?),
            "ko" => linked.push(path.clone()),
            _ => objects.extend(linked_from(path).unwrap_or_else(|| vec![path.clone()])),
        }
    }
    let mut seen = HashSet::new();
    objects.retain(|object| seen.insert(object.clone()));
    if objects.is_empty() {
        for ko in linked {
            modules.push(around(&ko)?);
        }
    } else if linked.len() > 1 {
        return Err(
            Diagnostic::new("it is not clear which module the objects belong to")
                .note(format!("{} .ko files together with .o files", linked.len()))
                .help("pass one .ko with its .o files, or .ko files alone")
                .into(),
        );
    } else {
        modules.push(of_objects(objects, linked.pop()));
    }

    let mut seen = HashSet::new();
    modules.retain(|module| seen.insert((module.linked.clone(), module.parts.clone())));
    Ok(modules)
}

/// The objects that Kbuild linked an object from, if they all exist.
fn linked_from(object: &Path) -> Option<Vec<PathBuf>> {
    let parts = CmdFile::of(object)?.linked_from();
    (!parts.is_empty() && parts.iter().all(|part| part.is_file())).then_some(parts)
}

/// All modules in a build directory, by the `NAME.mod` files that Kbuild writes.
fn built_in(folder: &Path) -> Result<Vec<Module>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut lists = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if extension(&path) == "mod" && path.is_file() {
            lists.push(path);
        }
    }
    if lists.is_empty() {
        return Err(
            Diagnostic::new(format!("no module was built in {}", folder.display()))
                .note("it has no NAME.mod, which Kbuild writes for each module")
                .help("build it first, or pass its .o files")
                .into(),
        );
    }
    lists.sort();
    lists.iter().map(|list| listed(list)).collect()
}

/// The module of a `NAME.mod`, which lists an object per line, or, before Linux 5.17, all on the first.
fn listed(list: &Path) -> Result<Module> {
    let text =
        fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let mut parts = Vec::new();
    for word in text.split_whitespace() {
        let part = beside(folder, Path::new(word));
        if seen.insert(part.clone()) {
            parts.push(part);
        }
    }
    if let Some(missing) = parts.iter().find(|part| !part.is_file()) {
        return Err(Diagnostic::new(format!("{} is missing", missing.display()))
            .note(format!("{} lists it", list.display()))
            .help("build the module again")
            .into());
    }
    if parts.is_empty() {
        return Err(
            Diagnostic::new(format!("{} lists no objects", list.display()))
                .help("build the module again, or pass its .o files")
                .into(),
        );
    }
    let ko = list.with_extension("ko");
    Ok(Module {
        name: stem(list),
        parts,
        linked: ko.is_file().then_some(ko),
    })
}

/// The module of a `.ko`, with its objects if its `NAME.mod` still exists.
fn around(ko: &Path) -> Result<Module> {
    let list = ko.with_extension("mod");
    if list.is_file() {
        return listed(&list);
    }
    Ok(Module {
        name: stem(ko),
        parts: vec![ko.to_owned()],
        linked: Some(ko.to_owned()),
    })
}

/// A module of these objects, named after the `.ko`, or the first object.
fn of_objects(parts: Vec<PathBuf>, linked: Option<PathBuf>) -> Module {
    let named = linked.as_ref().or(parts.first());
    Module {
        name: named.map(|path| stem(path)).unwrap_or_default(),
        parts,
        linked,
    }
}
