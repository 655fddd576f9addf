// SPDX-License-Identifier: GPL-2.0

//! An object file, with the files that Kbuild and the gate wrote for it.

use std::fmt;
use std::path::PathBuf;

use crate::expanded::Expanded;
use crate::header::{place, real};
use crate::nm::Symbols;
use crate::problem::{read, Result};
use crate::tokens::{tokens, Token};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    /// Also assembly, which has C's symbols.
    C,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Language::Rust => "Rust",
            Language::C => "C",
        })
    }
}

pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) language: Language,
    pub(crate) source: String,
    pub(crate) symbols: Symbols,
    /// The contracts that it includes: the bindings for Rust, the headers for C.
    pub(crate) contracts: Vec<PathBuf>,
    /// False for assembly, and for objects without a source.
    pub(crate) is_typed: bool,
    /// The sources in the module's folder that are not generated.
    pub(crate) own: Vec<Source>,
    pub(crate) expanded: Expanded,
}

pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Object {
    /// `contracts` are the bindings of all contracts.
    pub(crate) fn of_rust(nm: &str, contracts: &[&str], path: &str) -> Result<Self> {
        let (source, deps) = made_from(path)?;
        let generated: Vec<PathBuf> = contracts.iter().map(|file| real(file)).collect();
        let (mut included, mut own) = (Vec::new(), Vec::new());
        for file in std::iter::once(&source).chain(&deps) {
            let this = real(file);
            if generated.contains(&this) {
                included.push(this);
            } else if is_source(file) && !file.ends_with("border/border.rs") {
                let (file, text) = (file.clone(), read(file)?);
                own.push(Source { file, text });
            }
        }
        let expanded = path.strip_suffix(".o").unwrap_or(path);
        Ok(Object {
            name: name_of(path),
            language: Language::Rust,
            source,
            symbols: Symbols::of(nm, path)?,
            contracts: included,
            is_typed: true,
            own,
            expanded: Expanded::new(&read(&format!("{expanded}.expanded"))?),
        })
    }

    pub(crate) fn of_c(nm: &str, path: &str) -> Result<Self> {
        let (source, _) = made_from(path)?;
        // Only objects that are compiled from C have such a list.
        let list = path.strip_suffix(".o").unwrap_or(path);
        let list = std::fs::read_to_string(format!("{list}.contracts")).ok();
        Ok(Object {
            name: name_of(path),
            language: Language::C,
            symbols: Symbols::of(nm, path)?,
            is_typed: list.is_some(),
            contracts: list
                .iter()
                .flat_map(|list| list.lines().map(real))
                .collect(),
            own: vec![Source {
                text: std::fs::read_to_string(&source).unwrap_or_default(),
                file: source.clone(),
            }],
            source,
            expanded: Expanded::default(),
        })
    }

    /// The place of a name in the sources, for messages: of its definition, or else the first.
    pub(crate) fn place(&self, name: &str) -> String {
        let item =
            |pair: &[Token<'_>]| pair[0].is_any(&["fn", "static", "mut"]) && pair[1].is(name);
        let places = |found: &dyn Fn(&[Token<'_>]) -> Option<usize>| {
            self.own.iter().find_map(|source| {
                let line = found(&tokens(&source.text, 1))?;
                Some(place(&source.file, line))
            })
        };
        places(&|tokens| {
            tokens
                .windows(2)
                .find(|pair| item(pair))
                .map(|pair| pair[1].line)
        })
        .or_else(|| places(&|tokens| tokens.iter().find(|t| t.text == name).map(|t| t.line)))
        .unwrap_or_else(|| self.name.clone())
    }

    /// Whether it has the external definitions of inline functions.
    pub(crate) fn is_extern(&self) -> bool {
        self.name.ends_with(".extern.o")
    }

    /// Whether a name is in the module's own sources, not only in the kernel's macros.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let mentions = |source: &Source| tokens(&source.text, 1).iter().any(|t| t.text == name);
        self.own.iter().any(mentions)
    }
}

/// Whether a dependency is source, which `include!` may read from a file of any name.
fn is_source(file: &str) -> bool {
    let compiled = [".rmeta", ".rlib", ".so", ".json", "/rustc_cfg"];
    !compiled.iter().any(|end| file.ends_with(end))
}

pub(crate) fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// The source and the dependencies, from the .cmd file that Kbuild keeps beside an object.
fn made_from(object: &str) -> Result<(String, Vec<String>)> {
    let (folder, name) = object.rsplit_once('/').unwrap_or((".", object));
    let cmd = read(&format!("{folder}/.{name}.cmd"))?;
    Ok(source_and_deps(&cmd))
}

pub(crate) fn source_and_deps(cmd: &str) -> (String, Vec<String>) {
    let (mut source, mut deps, mut listing) = (String::new(), Vec::new(), false);
    for line in cmd.lines() {
        if let Some((_, file)) = line
            .strip_prefix("source_")
            .and_then(|l| l.split_once(" := "))
        {
            source = file.to_owned();
        } else if line.starts_with("deps_") {
            listing = true;
        } else if line.is_empty() {
            listing = false;
        } else if listing && !line.contains("$(wildcard") {
            deps.push(line.trim_end_matches('\\').trim().to_owned());
        }
    }
    (source, deps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmd_files() {
        let cmd = "savedcmd_a.o := clang -o a.o a.c\n\nsource_a.o := a.c\n\ndeps_a.o := \\\n  \
                   /k/types.h \\\n    $(wildcard include/config/X) \\\n  b.h \\\n\na.o: $(deps_a.o)\n";
        assert_eq!(
            source_and_deps(cmd),
            (
                "a.c".to_owned(),
                vec!["/k/types.h".to_owned(), "b.h".to_owned()]
            )
        );
    }
}
