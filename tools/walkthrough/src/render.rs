//! The renderers of a run: the terminal, or a page in Markdown.

use crate::model::Part;
use crate::report::{Claim, Outcome, StepReport};
use crate::tools;

/// Renders a run, in the order of these methods.
pub trait Renderer {
    /// The beginning.
    fn opening(&mut self, parts: &[&Part]) -> String;
    /// The head of a part.
    fn part(&mut self, part: &Part) -> String;
    /// A step.
    fn step(&mut self, report: &StepReport) -> String;
    /// The end of a part.
    fn closing(&mut self, part: &Part) -> String;
    /// The end, with all claims.
    fn claims(&mut self, claims: &[Claim]) -> String;
}

/// Follows a twin's command instead of its output, if that is the same.
pub const SAME: &str = "  # the same output";

/// How many claims are shown.
pub fn shown(claims: &[Claim]) -> usize {
    let shown = |claim: &&Claim| claim.outcome == Outcome::Shown;
    claims.iter().filter(shown).count()
}

/// The outcome in a few words.
pub fn summary(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Shown => "shown".to_owned(),
        Outcome::NotShown(_) => "NOT SHOWN".to_owned(),
        Outcome::Missing(tool) => format!("not shown: {tool} is missing"),
    }
}

/// Why a claim is not shown: sentences without a full stop.
pub fn reasons(outcome: &Outcome) -> Vec<String> {
    match outcome {
        Outcome::Shown => Vec::new(),
        Outcome::NotShown(reasons) => reasons.clone(),
        Outcome::Missing(tool) => {
            let help = tools::help(tool).map(|help| format!("help: {help}"));
            help.into_iter().collect()
        }
    }
}

/// Fixtures for the tests of the renderers.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::check::Evidence;
    use crate::model::claim;
    use crate::report::CommandReport;
    use crate::shell::{Output, Status};

    pub fn not_shown() -> Outcome {
        Outcome::NotShown(vec!["for a reason".to_owned()])
    }

    pub fn missing() -> Outcome {
        Outcome::Missing("nm".to_owned())
    }

    pub fn report(outcome: Outcome) -> StepReport {
        let command = |line: &str, same| CommandReport {
            line: line.to_owned(),
            prompt: "$ ",
            output: Output {
                status: Status::Exit(0),
                stdout: "0000000000001149 T hello\n".to_owned(),
                stderr: "a warning\n".to_owned(),
            },
            evidence: vec![Evidence {
                line: 0,
                words: vec!["T hello".to_owned()],
            }],
            same,
        };
        StepReport {
            step: claim("It holds").intro("Intro.").look("Look."),
            number: "1.2".to_owned(),
            commands: vec![command("nm c.o", false), command("nm rs.o", true)],
            outcome,
        }
    }

    pub fn claims() -> Vec<Claim> {
        [
            ("1.1", "It holds", Outcome::Shown),
            ("1.2", "It does not", not_shown()),
            ("2.1", "Unknown", missing()),
        ]
        .map(|(number, text, outcome)| Claim {
            number: number.to_owned(),
            text,
            outcome,
        })
        .into()
    }

    #[test]
    fn shown_claims_are_counted() {
        assert_eq!(shown(&claims()), 1);
    }
}
