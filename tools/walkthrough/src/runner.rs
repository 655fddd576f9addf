//! Runs the parts, step by step, and collects their claims.

use std::collections::HashMap;

use anyhow::Result;

use crate::check::Context;
use crate::model::{Command, Part, Step, Twin};
use crate::render::Renderer;
use crate::report::{Claim, CommandReport, Outcome, StepReport};
use crate::shell::Shell;
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
    /// The outcome of all later claims, once a preparation failed.
    stopped: Option<Outcome>,
}

/// The name of a command's whole output, for its twin.
const BEFORE: &str = "the command before";

impl StepRunner<'_> {
    fn run_step(&mut self, step: &Step, number: String) -> Result<StepReport> {
        let (mut commands, mut outcome) = (Vec::new(), Outcome::Shown);
        let mut expected = None;
        for command in step.commands {
            if command.twin == Twin::None {
                expected = Some(command);
            }
            let (report, result) = self.run_command(command, expected.unwrap_or(command))?;
            if result != Outcome::Shown && command.checks.is_empty() && command.twin == Twin::None {
                self.stopped = Some(match &result {
                    Outcome::NotShown(_) => {
                        Outcome::NotShown(vec![format!("an earlier step failed: {}", report.line)])
                    }
                    missing => missing.clone(),
                });
            }
            commands.push(report);
            outcome = result;
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

    /// Runs a command, and checks it against the expectations of another, of which it may be a twin.
    fn run_command(
        &mut self,
        command: &Command,
        expected: &Command,
    ) -> Result<(CommandReport, Outcome)> {
        let line = self.tools.fill(command.line);
        let output = self.shell.run(command.place, &line)?;
        let context = Context {
            output: &output,
            earlier: &self.earlier,
            tools: self.tools,
        };
        let mut checked = context.check(expected);
        let same = command.twin == Twin::Same;
        let all = output.stdout.clone() + &output.stderr;
        if same && self.earlier.get(BEFORE) != Some(&all) {
            let error = format!("the output differs from that of {BEFORE}");
            checked = Err(vec![error]);
        }
        let (evidence, outcome) = match (checked, output.missing()) {
            (Ok(evidence), _) => (evidence, Outcome::Shown),
            (Err(_), Some(tool)) => (Vec::new(), Outcome::Missing(tool)),
            (Err(errors), None) => (Vec::new(), Outcome::NotShown(errors)),
        };
        self.earlier.insert(BEFORE, all);
        let named = command.name.map(|name| (name, output.stdout.clone()));
        self.earlier.extend(named);
        let report = CommandReport {
            line,
            prompt: command.place.prompt(),
            output,
            evidence,
            same: same && outcome == Outcome::Shown,
        };
        Ok((report, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{like, run, same, step, Check, Place, Source};
    use crate::shell::Output;
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
            step("", &[run("one").named("one")]),
            step("", &[run("$CC").checks(&[Check::Output("clang")])]).shows("false"),
            step("", &[run("one").checks(&[Check::SameAs("one")])]).shows("true"),
        ];
        let outcomes = outcomes(STEPS);
        assert!(matches!(&outcomes[0], ("false", Outcome::NotShown(why)) if why.len() == 1));
        assert_eq!(outcomes[1..], [("true", Outcome::Shown)]);
    }

    #[test]
    fn a_failed_preparation_does() {
        const STEPS: &[Step] = &[
            step("", &[run("fail here"), run("one").checks(&[Check::Silent])]).shows("itself"),
            step("", &[run("fail there").exits(1)]).shows("later"),
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
            step(
                "",
                &[run("fail bash: ldd: command not found").checks(&[Check::Output("x")])],
            )
            .shows("libraries"),
            step("", &[run("fail bash: ar: command not found")]),
            step("", &[run("one")]).shows("archives"),
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
    fn twins() {
        const ONE: &[Check] = &[Check::Line(&["one"])];
        const STEPS: &[Step] = &[
            step(
                "",
                &[run("one").checks(ONE), like("one more"), same("one more")],
            )
            .shows("twins"),
            step("", &[run("one").checks(ONE), like("two")]).shows("not alike"),
            step("", &[run("one").checks(ONE), same("one more")]).shows("not the same"),
        ];
        let shown: Vec<bool> = outcomes(STEPS)
            .iter()
            .map(|(_, outcome)| *outcome == Outcome::Shown)
            .collect();
        assert_eq!(shown, [true, false, false]);
    }
}
