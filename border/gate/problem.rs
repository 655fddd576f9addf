// SPDX-License-Identifier: GPL-2.0

//! What is wrong, in the words of the person who has to fix it.

use std::fmt;

/// Who found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// What the header says is nothing that both languages can share.
    Contract,
    /// A Rust source goes around the header.
    Rust,
    /// A C source goes around the header.
    C,
    /// The finished objects and the header do not fit together.
    Objects,
    /// No disagreement: a file that cannot be read, a tool that does not run.
    Gate,
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

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    layer: Layer,
    what: String,
    notes: Vec<String>,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(layer: Layer, what: impl Into<String>) -> Self {
        Problem {
            layer,
            what: what.into(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// The gate was called in a way that it does not know.
    pub(crate) fn of_use(usage: &str) -> Self {
        Problem::new(Layer::Gate, usage)
    }

    /// Where it was seen, and what stands there.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// What to write instead.
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

/// A list of them, or none.
pub(crate) type Checked<T = ()> = Result<T, Vec<Problem>>;

/// All is well unless something was found.
pub(crate) fn none(problems: Vec<Problem>) -> Checked {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Reads a file that the build has just made.
pub(crate) fn read(path: &str) -> Checked<String> {
    // Whatever is no UTF-8 in a header's comments is none of the gate's business.
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .map_err(|error| {
            vec![Problem::new(
                Layer::Gate,
                format!("cannot read {path}: {error}"),
            )]
        })
}

/// Writes a file whole or not at all, so that nobody takes half of one for good.
pub(crate) fn write(path: &str, content: &str) -> Checked {
    let draft = format!("{path}.draft");
    std::fs::write(&draft, content)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| {
            vec![Problem::new(
                Layer::Gate,
                format!("cannot write {path}: {error}"),
            )]
        })
}
