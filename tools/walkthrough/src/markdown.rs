//! Renders a run as a page in Markdown, which is the same for each run with the same tools.

use crate::excerpt::excerpt;
use crate::model::{Part, Source};
use crate::placeholders::Placeholders;
use crate::render::{reasons, shown, summary, Renderer, SAME};
use crate::report::{Claim, CommandReport, Outcome, StepReport};
use crate::wrap;

const WIDTH: usize = 100;

/// The page.
#[derive(Default)]
pub struct Markdown {
    placeholders: Placeholders,
}

impl Markdown {
    fn command(&mut self, report: &CommandReport) -> String {
        let prompt = report.prompt;
        let comment = if report.same { SAME } else { "" };
        let line = wrap::command(&report.line, WIDTH - prompt.len() - comment.len());
        let line = line.join(&format!("\n{:width$}", "", width = prompt.len()));
        if report.same {
            return format!("{prompt}{line}{comment}\n");
        }
        // Before the lines are cut, as what is replaced may be long.
        let lines = report.output.lines();
        let lines: Vec<String> = lines.map(|line| self.placeholders.replace(line)).collect();
        let lines = excerpt(lines.iter().map(String::as_str), &report.evidence, WIDTH);
        let lines: String = lines.into_iter().map(|line| line.text + "\n").collect();
        format!("{prompt}{line}\n{lines}")
    }
}

impl Renderer for Markdown {
    fn opening(&mut self, parts: &[&Part]) -> String {
        let mut text = OPENING.to_owned();
        for part in parts {
            let title = format!("Part {}: {}", part.number, part.title);
            let claims = part.claims().map(|(n, claim)| format!("{n} {claim}"));
            let claims = claims.collect::<Vec<_>>().join("<br>");
            text += &format!("| [{title}](#{}) | {claims} |\n", anchor(&title));
        }
        text + "\n"
    }

    fn part(&mut self, part: &Part) -> String {
        let mut text = format!("**What breaks:** {} {}", part.breaks, part.about);
        let sources = part.sources.iter().map(|source| source_link(part, source));
        let sources = sources.collect::<Vec<_>>().join(", ");
        if !sources.is_empty() {
            text += &format!(" Sources: {sources}.");
        }
        let (number, title) = (part.number, part.title);
        format!("## Part {number}: {title}\n\n{}", paragraph(&text))
    }

    fn step(&mut self, report: &StepReport) -> String {
        let step = &report.step;
        let intro = match step.claim {
            Some(claim) => format!("**{} {claim}.** {}", report.number, step.intro),
            None => step.intro.to_owned(),
        };
        let commands = report.commands.iter();
        let commands: String = commands.map(|command| self.command(command)).collect();
        let mut text = format!("{}```console\n{commands}```\n\n", paragraph(&intro));
        text += &step.look.map(paragraph).unwrap_or_default();
        if report.outcome != Outcome::Shown {
            let (summary, reasons) = (summary(&report.outcome), reasons(&report.outcome));
            text += &paragraph(&format!("**{summary}** ({})", reasons.join("; ")));
        }
        text
    }

    fn closing(&mut self, part: &Part) -> String {
        paragraph(&format!("**In short:** {}", part.closing))
    }

    fn claims(&mut self, claims: &[Claim]) -> String {
        let (shown, all) = (shown(claims), claims.len());
        format!("Claims: {shown} shown, {} not shown.\n", all - shown)
    }
}

fn paragraph(text: &str) -> String {
    wrap::paragraph(text, WIDTH) + "\n"
}

const OPENING: &str = "\
# The walkthrough

This page shows what object files, linking, and shared and static libraries are, in C and in Rust,
and what becomes of them in the kernel. Each claim was run: a command, its real output, and a check
that would have failed otherwise. `make walkthrough` runs all of it, `make walkthrough PART=3` one part.

`make docs/walkthrough.md` generated this page. `<address>`, `<hash 1>` and `/…/` replace what
differs between machines, and `…` what was cut. `# the same output`: exactly that of the command
before. Commands after `guest#` ran in a freshly booted virtual machine.

| part | claims |
| --- | --- |
";

/// A link to a source that is new in this part; the name of another.
fn source_link(part: &Part, source: &Source) -> String {
    let (name, path) = (source.name(), source.path);
    if path.starts_with(&format!("{}-", part.number)) {
        return format!("[{name}](../tools/walkthrough/{path})");
    }
    name.to_owned()
}

/// The anchor that GitHub gives to a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.to_lowercase().replace(' ', "-");
    let part = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
    heading.chars().filter(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::{claims, not_shown, report};

    #[test]
    fn a_step() {
        let text = Markdown::default().step(&report(Outcome::Shown));
        assert_eq!(
            text,
            "**1.2 It holds.** Intro.\n\n```console\n$ nm c.o\n<address>        T hello\n\
             a warning\n$ nm rs.o  # the same output\n```\n\nLook.\n\n"
        );
        let text = Markdown::default().step(&report(not_shown()));
        assert!(
            text.ends_with("\n**NOT SHOWN** (for a reason)\n\n"),
            "{text}"
        );
    }

    #[test]
    fn the_claims() {
        let text = Markdown::default().claims(&claims());
        assert_eq!(text, "Claims: 1 shown, 2 not shown.\n");
    }

    #[test]
    fn an_anchor() {
        assert_eq!(
            anchor("Part 7: The kernel: a module"),
            "part-7-the-kernel-a-module"
        );
    }
}
