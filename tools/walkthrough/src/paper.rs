//! What a run is told on: the terminal, or a page of documentation.

use crate::model::Part;
use crate::runner::{Claim, Done, Outcome};
use crate::tools;

/// Tells a run in the order in which it happens.
pub trait Paper {
    /// Before all.
    fn opening(&mut self) -> String;
    /// A part begins.
    fn part(&mut self, part: &Part) -> String;
    /// A step was done.
    fn step(&mut self, done: &Done) -> String;
    /// At the end: all claims.
    fn claims(&mut self, claims: &[Claim]) -> String;
}

/// How many of the claims are shown.
pub fn shown(claims: &[Claim]) -> usize {
    let shown = |claim: &&Claim| claim.outcome == Outcome::Shown;
    claims.iter().filter(shown).count()
}

/// The outcome in a word or two.
pub fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Shown => "shown".to_owned(),
        Outcome::NotShown(_) => "NOT SHOWN".to_owned(),
        Outcome::Missing(what) => format!("not shown: {what} is missing"),
    }
}

/// Why something is not shown: sentences without a full stop.
pub fn why(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Shown => Vec::new(),
        Outcome::NotShown(why) => why.clone(),
        Outcome::Missing(what) => {
            let help = tools::help(what).map(|help| format!("help: {help}"));
            help.into_iter().collect()
        }
    }
}

/// What the papers' tests are told.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::check::Witness;
    use crate::model::step;
    use crate::shell::{End, Ran};

    /// Not shown.
    pub fn not_shown() -> Outcome {
        Outcome::NotShown(vec!["for a reason".to_owned()])
    }
    /// Missing.
    pub fn missing() -> Outcome {
        Outcome::Missing("nm".to_owned())
    }

    /// A step.
    pub fn done(outcome: Outcome) -> Done {
        Done {
            step: step("Why.", "$NM hello.o").look("Look.").shows("It is so"),
            command: "nm hello.o".to_owned(),
            ran: Ran {
                end: End::Exit(0),
                stdout: "0000000000001149 T hello\n".to_owned(),
                stderr: "said\n".to_owned(),
            },
            witnesses: vec![Witness {
                line: 0,
                words: vec!["T hello".to_owned()],
            }],
            outcome,
        }
    }

    /// Claims of each outcome.
    pub fn claims() -> Vec<Claim> {
        let claim = |part, text, outcome| Claim {
            part,
            text,
            outcome,
        };
        vec![
            claim(1, "It is so", Outcome::Shown),
            claim(1, "It is not", not_shown()),
            claim(2, "Who knows", missing()),
        ]
    }

    #[test]
    fn only_what_is_shown_counts() {
        assert_eq!(shown(&claims()), 1);
    }
}
