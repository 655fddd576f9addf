//! Runs the parts, step by step, and collects their claims.

use std::collections::HashMap;

use anyhow::Result;

use crate::check::Context;
use crate::model::{Command, Part, Step};
use crate::render::Renderer;
use crate::report::{Claim, CommandReport, Outcome, StepReport};
use crate::shell::{Output, Shell};
use crate::tools::Tools;

/// Runs parts, writes what the renderer makes of them, and returns the claims.
pub fn run_parts(
    parts: &[&Part],
    shell: &mut dyn Shell,
    tools: &Tools,
    renderer: &mut dyn Renderer,
    write: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    write(&renderer.opening(parts))?;
    for part in parts {
        write(&renderer.part(part))?;
        let mut report = |report: &StepReport| write(&renderer.step(report));
        claims.extend(run_part(part, shell, tools, &mut report)?);
        write(&renderer.closing(part))?;
    }
    write(&renderer.claims(&claims))?;
    Ok(claims)
}

/// Runs a part's steps in a fresh folder, reports each, and returns the claims.
///
/// A failed command without checks ends the part: it was a preparation, and what follows would prove
/// nothing, or something else.
pub fn run_part(
    part: &Part,
    shell: &mut dyn Shell,
    tools: &Tools,
    report: &mut dyn FnMut(&StepReport) -> Result<()>,
) -> Result<Vec<Claim>> {
    shell.enter(part.sources)?;
    let (mut claims, mut numbers) = (Vec::new(), part.claims());
    let mut runner = StepRunner {
        shell,
        tools,
        earlier: HashMap::new(),
        before: None,
        stopped: None,
    };
    for step in part.steps {
        let number = step
            .claim
            .and_then(|_| numbers.next())
            .unwrap_or_default()
            .0;
        let outcome = match &runner.stopped {
            Some(outcome) => outcome.clone(),
            None => {
                let done = runner.run_step(step, number.clone())?;
                report(&done)?;
                done.outcome
            }
        };
        claims.extend(step.claim.map(|text| Claim {
            number,
            text,
            outcome,
        }));
    }
    // Even if no claim follows, an early end must be visible in the table.
    claims.extend(runner.stopped.map(|outcome| Claim {
        number: part.number.to_string(),
        text: "all preparations succeeded",
        outcome,
    }));
    Ok(claims)
}

struct StepRunner<'r> {
    shell: &'r mut dyn Shell,
    tools: &'r Tools,
    /// Standard output of named commands.
    earlier: HashMap<&'static str, String>,
    /// The output of the last command.
    before: Option<Output>,
    /// The outcome of all later claims, once a preparation failed.
    stopped: Option<Outcome>,
}

impl StepRunner<'_> {
    fn run_step(&mut self, step: &Step, number: String) -> Result<StepReport> {
        let (mut commands, mut outcome) = (Vec::new(), Outcome::Shown);
        for command in step.commands {
            let report;
            (report, outcome) = self.run_command(command)?;
            if outcome != Outcome::Shown && command.checks.is_empty() && !command.same {
                self.stopped = Some(match &outcome {
                    Outcome::Missing(_) => outcome.clone(),
                    _ => {
                        Outcome::NotShown(vec![format!("an earlier step failed: {}", report.line)])
                    }
                });
            }
            commands.push(report);
            if outcome != Outcome::Shown {
                break;
            }
        }
        Ok(StepReport {
            step: *step,
            number,
            commands,
            outcome,
        })
    }

    fn run_command(&mut self, command: &Command) -> Result<(CommandReport, Outcome)> {
        let line = self.tools.fill(command.line);
        let output = self.shell.run(command.place, &line)?;
        let context = Context {
            output: &output,
            earlier: &self.earlier,
            tools: self.tools,
        };
        let same = command.same && self.before.as_ref() == Some(&output);
        let checked = if same {
            Ok(Vec::new())
        } else if command.same {
            Err(vec![
                "the output differs from that of the command before".to_owned()
            ])
        } else {
            context.check(command)
        };
        let (evidence, outcome) = match (checked, output.missing()) {
            (Ok(evidence), _) => (evidence, Outcome::Shown),
            (Err(_), Some(tool)) => (Vec::new(), Outcome::Missing(tool)),
            (Err(errors), None) => (Vec::new(), Outcome::NotShown(errors)),
        };
        let named = command.name.map(|name| (name, output.stdout.clone()));
        self.earlier.extend(named);
        self.before = Some(output.clone());
        let report = CommandReport {
            line,
            prompt: command.place.prompt(),
            output,
            evidence,
            same,
        };
        Ok((report, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{claim, run, same, step, Check, Place, Source};

    use crate::shell::Status;

    /// Prints its command line; `fail` prints the rest to standard error, and fails.
    struct Echo;

    impl Shell for Echo {
        fn enter(&mut self, _: &[Source]) -> Result<()> {
            Ok(())
        }

        fn run(&mut self, _: Place, line: &str) -> Result<Output> {
            let failure = line.strip_prefix("fail ");
            Ok(Output {
                status: Status::Exit(i32::from(failure.is_some())),
                stdout: failure.map_or(format!("{line}\n"), |_| String::new()),
                stderr: failure.map_or(String::new(), |words| format!("{words}\n")),
            })
        }
    }

    fn outcomes(steps: &'static [Step]) -> Vec<(&'static str, Outcome)> {
        let part = Part {
            number: 9,
            title: "",
            breaks: "",
            about: "",
            sources: &[],
            requires: None,
            steps,
            closing: "",
        };
        let tools = Tools::of(&[("CC", "gcc")]);
        let claims = run_part(&part, &mut Echo, &tools, &mut |_| Ok(()));
        let claims = claims.expect("claims").into_iter();
        claims.map(|claim| (claim.text, claim.outcome)).collect()
    }

    #[test]
    fn a_false_claim_does_not_end_the_part() {
        const STEPS: &[Step] = &[
            step("").commands(&[run("one").named("one")]),
            claim("false").commands(&[run("$CC").checks(&[Check::Output("clang")])]),
            claim("true").commands(&[run("one").checks(&[Check::SameAs("one")])]),
        ];
        let outcomes = outcomes(STEPS);
        assert!(matches!(&outcomes[0], ("false", Outcome::NotShown(why)) if why.len() == 1));
        assert_eq!(outcomes[1..], [("true", Outcome::Shown)]);
    }

    #[test]
    fn a_failed_preparation_does() {
        const STEPS: &[Step] = &[
            claim("itself").commands(&[run("fail here"), run("one").checks(&[Check::Silent])]),
            claim("later").commands(&[run("fail there").exits(1)]),
        ];
        let outcomes = outcomes(STEPS);
        let why = vec!["an earlier step failed: fail here".to_owned()];
        let later = Outcome::NotShown(why);
        assert!(matches!(outcomes[0], ("itself", Outcome::NotShown(_))));
        let expected = ["later", "all preparations succeeded"];
        assert_eq!(outcomes[1..], expected.map(|text| (text, later.clone())));
    }

    #[test]
    fn a_missing_program() {
        const STEPS: &[Step] = &[
            claim("libraries").commands(&[
                run("fail bash: ldd: command not found").checks(&[Check::Output("x")])
            ]),
            step("").commands(&[run("fail bash: ar: command not found")]),
            claim("archives").commands(&[run("one")]),
        ];
        let missing = |name: &str| Outcome::Missing(name.to_owned());
        assert_eq!(
            outcomes(STEPS),
            [
                ("libraries", missing("ldd")),
                ("archives", missing("ar")),
                ("all preparations succeeded", missing("ar"))
            ]
        );
    }

    #[test]
    fn the_same_output() {
        const STEPS: &[Step] = &[
            claim("same").commands(&[run("one").checks(&[Check::Output("one")]), same("one")]),
            claim("other").commands(&[run("one"), same("two")]),
            claim("later").commands(&[run("one").checks(&[Check::Output("one")])]),
        ];
        let outcomes = outcomes(STEPS).into_iter();
        let shown = outcomes.map(|(_, outcome)| outcome == Outcome::Shown);
        assert_eq!(shown.collect::<Vec<_>>(), [true, false, true]);
    }
}
