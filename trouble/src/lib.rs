//! Errors as the host's programs tell them: what is wrong, where it was seen, and the one command,
//! or action, that mends it.

use std::fmt;

/// How a program ends by a usage that it does not know, or something missing or wrong on the host.
pub const HOST: u8 = 2;

/// An error that a person can act upon.
#[derive(Debug)]
pub struct Trouble {
    exit: u8,
    what: String,
    seen: Vec<String>,
    mend: Option<String>,
}

impl Trouble {
    /// What is wrong, in one sentence without a full stop.
    pub fn new(what: impl Into<String>) -> Self {
        Trouble {
            exit: HOST,
            what: what.into(),
            seen: Vec::new(),
            mend: None,
        }
    }

    /// How the program ends because of it, if not by [`HOST`].
    pub fn exit(mut self, code: impl Into<u8>) -> Self {
        self.exit = code.into();
        self
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
            let place = place.trim_end().replace('\n', "\n        ");
            write!(f, "\n  seen: {place}")?;
        }
        if let Some(action) = &self.mend {
            write!(f, "\n  mend: {action}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Trouble {}

/// The exit code of any error: what a [`Trouble`] in its chain says, else [`HOST`].
pub fn exit_of(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Trouble>())
        .map_or(HOST, |trouble| trouble.exit)
}

/// The error as a person sees it: a [`Trouble`] in its own shape, anything else with its causes.
pub fn told(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Trouble>() {
        Some(trouble) => trouble.to_string(),
        None => format!("{error:#}"),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn as_a_person_sees_it() {
        let trouble = Trouble::new("it is gone")
            .seen("a\nb\n")
            .mend("make it")
            .exit(4);
        let error = anyhow::Error::from(trouble);
        let expected = "it is gone\n  seen: a\n        b\n  mend: make it";
        assert_eq!((told(&error).as_str(), exit_of(&error)), (expected, 4));
        let within = Err::<(), _>(error).context("there").expect_err("an error");
        assert_eq!(exit_of(&within), 4);
        let other = anyhow::anyhow!("low").context("high");
        assert_eq!(
            (told(&other).as_str(), exit_of(&other)),
            ("high: low", HOST)
        );
    }
}
