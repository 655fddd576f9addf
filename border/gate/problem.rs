// SPDX-License-Identifier: GPL-2.0

//! The gate's error messages, and file access that reports errors in this form.

use std::fmt;

/// Which check found the problem: the beginning of each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The header declares something that the two languages cannot share.
    Contract,
    /// Rust code disagrees with the header, or bypasses it.
    Rust,
    /// C code disagrees with the header, or bypasses it.
    C,
    /// The finished objects disagree with the header.
    Objects,
    /// Not a disagreement: a file cannot be read, a tool does not run.
    Gate,
}

impl Layer {
    pub(crate) fn error(self, what: impl Into<String>) -> Problem {
        Problem {
            layer: self,
            what: what.into(),
            notes: Vec::new(),
            help: None,
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::Contract => "border: the contract",
            Layer::Rust => "border: Rust against the contract",
            Layer::C => "border: C against the contract",
            Layer::Objects => "border: the objects against the contract",
            Layer::Gate => "border",
        })
    }
}

/// An error message, as rustc would lay it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    layer: Layer,
    what: String,
    notes: Vec<String>,
    help: Option<String>,
}

impl Problem {
    /// Adds a place, and what was found there.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds how to fix it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: error: {}", self.layer, self.what)?;
        for note in &self.notes {
            writeln!(f, "  note: {note}")?;
        }
        match &self.help {
            Some(help) => writeln!(f, "  help: {help}"),
            None => Ok(()),
        }
    }
}

pub(crate) type Result<T = ()> = std::result::Result<T, Vec<Problem>>;

pub(crate) fn fail_if_any(problems: Vec<Problem>) -> Result {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// A single problem that is not a disagreement.
pub(crate) fn failure(what: impl Into<String>) -> Vec<Problem> {
    vec![Layer::Gate.error(what)]
}

pub(crate) fn read(path: &str) -> Result<String> {
    // The comments of a header need not be UTF-8.
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(failure(format!("cannot read {path}: {error}"))),
    }
}

/// Writes a file atomically, so that an interrupted build leaves no partial file.
pub(crate) fn write(path: &str, content: &str) -> Result {
    let draft = format!("{path}.draft");
    std::fs::write(&draft, content)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| failure(format!("cannot write {path}: {error}")))
}
