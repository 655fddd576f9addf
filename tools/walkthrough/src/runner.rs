//! Runs a part, step by step, and keeps account of its claims.

use std::collections::HashMap;

use anyhow::Result;

use crate::check::{judge, Seen, Witness};
use crate::model::{Part, Step};
use crate::shell::{Ran, Shell};
use crate::tools::Tools;

/// A step that was run.
pub struct Done {
    /// What was to be done.
    pub step: Step,
    /// The command, with the tools' names.
    pub command: String,
    /// What came of it.
    pub ran: Ran,
    /// The lines that prove it.
    pub witnesses: Vec<Witness>,
    /// Is it as the step says?
    pub outcome: Outcome,
}

/// Is it as it has to be?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Yes.
    Shown,
    /// No: why not, in sentences without a full stop.
    NotShown(Vec<String>),
    /// Nobody can tell: this program or library is missing.
    Missing(String),
}

/// A claim of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The part's number.
    pub part: u8,
    /// What is claimed.
    pub text: &'static str,
    /// Is it so?
    pub outcome: Outcome,
}

/// Runs a part's steps in a fresh folder, tells of each, and returns the claims.
///
/// A step that only prepares others ends the part if it fails: what came after it would prove
/// nothing, or the wrong thing.
pub fn run(
    part: &Part,
    shell: &mut dyn Shell,
    tools: &Tools,
    tell: &mut dyn FnMut(&Done) -> Result<()>,
) -> Result<Vec<Claim>> {
    shell.enter(part.sources)?;
    let (mut claims, mut earlier) = (Vec::new(), HashMap::new());
    let mut stopped: Option<Outcome> = None;
    for step in part.steps {
        let outcome = match &stopped {
            Some(outcome) => outcome.clone(),
            None => {
                let done = run_step(step, shell, tools, &earlier)?;
                tell(&done)?;
                if step.claim.is_none() {
                    stopped = stops(&done);
                }
                earlier.extend(step.name.map(|name| (name, done.ran.stdout)));
                done.outcome
            }
        };
        claims.extend(step.claim.map(|text| Claim {
            part: part.number,
            text,
            outcome,
        }));
    }
    // A part that ends so has to be seen in the table, even if it claims nothing after that.
    if let Some(outcome) = stopped {
        claims.push(Claim {
            part: part.number,
            text: "all steps could be run",
            outcome,
        });
    }
    Ok(claims)
}

fn run_step(
    step: &Step,
    shell: &mut dyn Shell,
    tools: &Tools,
    earlier: &HashMap<&'static str, String>,
) -> Result<Done> {
    let command = tools.fill(step.command);
    let ran = shell.run(step.place, &command)?;
    let judgement = judge(
        step,
        &Seen {
            ran: &ran,
            earlier,
            tools,
        },
    );
    let outcome = match (judgement.wrong.is_empty(), ran.missing()) {
        (true, _) => Outcome::Shown,
        (false, Some(what)) => Outcome::Missing(what),
        (false, None) => Outcome::NotShown(judgement.wrong),
    };
    Ok(Done {
        step: *step,
        command,
        ran,
        witnesses: judgement.witnesses,
        outcome,
    })
}

/// What the claims of the later steps come to, because of this one.
fn stops(done: &Done) -> Option<Outcome> {
    match &done.outcome {
        Outcome::Shown => None,
        Outcome::NotShown(_) => {
            let sentence = format!("a step before it failed: {}", done.command);
            Some(Outcome::NotShown(vec![sentence]))
        }
        missing => Some(missing.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{step, Check, Place, Source};
    use crate::shell::End;

    /// Says what it was asked to say.
    struct Echo;

    impl Shell for Echo {
        fn enter(&mut self, _: &[Source]) -> Result<()> {
            Ok(())
        }

        fn run(&mut self, _: Place, line: &str) -> Result<Ran> {
            let code = i32::from(line.starts_with("fail"));
            let (stdout, stderr) = match line.strip_prefix("fail ") {
                Some(words) => (String::new(), format!("{words}\n")),
                None => (format!("{line}\n"), String::new()),
            };
            Ok(Ran {
                end: End::Exit(code),
                stdout,
                stderr,
            })
        }
    }

    fn outcomes(steps: &'static [Step]) -> Vec<(&'static str, Outcome)> {
        let part = Part {
            number: 9,
            title: "",
            about: "",
            sources: &[],
            needs: None,
            steps,
        };
        let claims = run(&part, &mut Echo, &Tools::of(&[("CC", "gcc")]), &mut |_| {
            Ok(())
        });
        let claims = claims.expect("claims").into_iter();
        claims.map(|claim| (claim.text, claim.outcome)).collect()
    }

    #[test]
    fn a_false_claim_does_not_end_the_part() {
        const STEPS: &[Step] = &[
            step("", "one").called("one"),
            step("", "$CC")
                .checks(&[Check::Output("clang")])
                .shows("false"),
            step("", "one")
                .checks(&[Check::SameAs("one")])
                .shows("true"),
        ];
        let outcomes = outcomes(STEPS);
        assert!(matches!(&outcomes[0], ("false", Outcome::NotShown(why)) if why.len() == 1));
        assert_eq!(outcomes[1..], [("true", Outcome::Shown)]);
    }

    #[test]
    fn a_failed_preparation_does() {
        const STEPS: &[Step] = &[
            step("", "fail here"),
            step("", "fail there").ends(1).shows("it would be shown"),
        ];
        let why = vec!["a step before it failed: fail here".to_owned()];
        let not_shown = Outcome::NotShown(why);
        let expected = ["it would be shown", "all steps could be run"];
        assert_eq!(
            outcomes(STEPS),
            expected.map(|text| (text, not_shown.clone()))
        );
    }

    #[test]
    fn a_missing_program() {
        const STEPS: &[Step] = &[
            step("", "fail bash: ldd: command not found").shows("libraries"),
            step("", "fail bash: ar: command not found"),
            step("", "one").shows("archives"),
        ];
        let missing = |name: &str| Outcome::Missing(name.to_owned());
        assert_eq!(
            outcomes(STEPS),
            [
                ("libraries", missing("ldd")),
                ("archives", missing("ar")),
                ("all steps could be run", missing("ar"))
            ]
        );
    }
}
