//! How the lab ends: exit codes, and errors that tell the user what to do.

use std::fmt;

/// The exit codes of the lab, as the README lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A test failed, or the kernel refused the module.
    Failed = 1,
    /// Something is missing or wrong on the host or the command line.
    Host = 2,
    /// The guest panicked, or its log has a splat.
    Splat = 3,
    /// The guest gave no answer in time.
    Timeout = 4,
    /// QEMU itself died.
    Qemu = 5,
}

/// An error that names what is wrong, where it was seen, and the command that mends it.
#[derive(Debug)]
pub struct Trouble {
    /// How the lab ends because of it.
    pub exit: Exit,
    what: String,
    seen: Vec<String>,
    mend: Option<String>,
}

impl Trouble {
    /// What is wrong, in one sentence without a full stop.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Trouble {
            exit,
            what: what.into(),
            seen: Vec::new(),
            mend: None,
        }
    }

    /// Something wrong on the host or the command line.
    pub fn host(what: impl Into<String>) -> Self {
        Trouble::new(Exit::Host, what)
    }

    /// Where it was seen: a file, a line of a log. May be said more than once.
    pub fn seen(mut self, place: impl Into<String>) -> Self {
        self.seen.push(place.into());
        self
    }

    /// The one command, or action, that mends it.
    pub fn mend(mut self, action: impl Into<String>) -> Self {
        self.mend = Some(action.into());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for place in &self.seen {
            write!(
                f,
                "\n  seen: {}",
                place.trim_end().replace('\n', "\n        ")
            )?;
        }
        if let Some(action) = &self.mend {
            write!(f, "\n  mend: {action}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trouble {}

/// The exit code of any error: what a [`Trouble`] in its chain says, else the host is to blame.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Trouble>())
        .map_or(Exit::Host, |trouble| trouble.exit)
}

/// The error as the user sees it: a [`Trouble`] in its own shape, anything else with its causes.
pub fn told(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Trouble>() {
        Some(trouble) => trouble.to_string(),
        None => format!("{error:#}"),
    }
}
