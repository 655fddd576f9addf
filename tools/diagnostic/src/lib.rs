//! Errors as the host's programs tell them: what is wrong, where it was seen, and the one command,
//! or action, that fixes it.

use std::fmt;

/// How a program ends by a usage that it does not know, or something missing or wrong on the host.
pub const HOST: u8 = 2;

/// An error that a person can act upon.
#[derive(Debug)]
pub struct Diagnostic {
    exit: u8,
    what: String,
    notes: Vec<String>,
    help: Option<String>,
}

impl Diagnostic {
    /// What is wrong, in one sentence without a full stop.
    pub fn new(what: impl Into<String>) -> Self {
        Diagnostic {
            exit: HOST,
            what: what.into(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// How the program ends because of it, if not by [`HOST`].
    pub fn exit(mut self, code: impl Into<u8>) -> Self {
        self.exit = code.into();
        self
    }

    /// Where it was seen: a file, a line of a log. May be said more than once.
    pub fn note(mut self, place: impl Into<String>) -> Self {
        self.notes.push(place.into());
        self
    }

    /// The one command, or action, that fixes it.
    pub fn help(mut self, action: impl Into<String>) -> Self {
        self.help = Some(action.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for place in &self.notes {
            let place = place.trim_end().replace('\n', "\n        ");
            write!(f, "\n  note: {place}")?;
        }
        if let Some(action) = &self.help {
            write!(f, "\n  help: {action}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// The exit code of any error: what a [`Diagnostic`] in its chain says, else [`HOST`].
pub fn exit_of(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Diagnostic>())
        .map_or(HOST, |error| error.exit)
}

/// The error as a person sees it: a [`Diagnostic`] in its own shape, anything else with its causes.
pub fn render(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Diagnostic>() {
        Some(error) => error.to_string(),
        None => format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn as_a_person_sees_it() {
        let error = Diagnostic::new("it is gone")
            .note("a\nb\n")
            .help("make it")
            .exit(4);
        let error = anyhow::Error::from(error);
        let expected = "it is gone\n  note: a\n        b\n  help: make it";
        assert_eq!((render(&error).as_str(), exit_of(&error)), (expected, 4));
        let within = Err::<(), _>(error).context("there").expect_err("an error");
        assert_eq!(exit_of(&within), 4);
        let other = anyhow::anyhow!("low").context("high");
        assert_eq!(
            (render(&other).as_str(), exit_of(&other)),
            ("high: low", HOST)
        );
    }
}
