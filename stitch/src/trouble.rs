//! What stops stitch: a usage it does not know, or a file that it cannot read.

use std::fmt;

/// An error that names what is wrong, where it was seen, and what mends it.
#[derive(Debug)]
pub struct Trouble {
    what: String,
    seen: Option<String>,
    mend: Option<String>,
}

impl Trouble {
    /// What is wrong, in one sentence without a full stop.
    pub fn new(what: impl Into<String>) -> Self {
        Trouble {
            what: what.into(),
            seen: None,
            mend: None,
        }
    }

    /// Where it was seen.
    pub fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = Some(seen.into());
        self
    }

    /// The one command, or action, that mends it.
    pub fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = Some(mend.into());
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(seen) = &self.seen {
            write!(f, "\n  seen: {seen}")?;
        }
        if let Some(mend) = &self.mend {
            write!(f, "\n  mend: {mend}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trouble {}

/// The error as a person sees it: a [`Trouble`] in its own shape, anything else with its causes.
pub fn told(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Trouble>() {
        Some(trouble) => trouble.to_string(),
        None => format!("{error:#}"),
    }
}
