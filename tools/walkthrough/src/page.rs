//! A run as a page of documentation, in Markdown. It is the same for each run with the same tools.

use crate::excerpt::excerpt;
use crate::model::Part;
use crate::paper::{shown, why, word, Paper};
use crate::placeholders::Placeholders;
use crate::runner::{Claim, Done};
use crate::wrap;

const WIDTH: usize = 100;

/// The page.
#[derive(Default)]
pub struct Page {
    placeholders: Placeholders,
}

impl Page {
    /// Placeholders come first: what they replace may be long.
    fn output(&mut self, done: &Done) -> String {
        let lines = done.ran.lines();
        let lines: Vec<String> = lines.map(|line| self.placeholders.put(line)).collect();
        let shown = excerpt(lines.iter().map(String::as_str), &done.witnesses, WIDTH);
        let lines = shown.into_iter().map(|line| line.text + "\n");
        lines.collect()
    }
}

impl Paper for Page {
    fn opening(&mut self) -> String {
        OPENING.to_owned()
    }

    fn part(&mut self, part: &Part) -> String {
        let about = paragraph(part.about);
        let sources: Vec<String> = part
            .sources
            .iter()
            .map(|source| format!("[{}](../walkthrough/{})", source.name(), source.path))
            .collect();
        let sources = if sources.is_empty() {
            paragraph("The sources are those of [hello_rust](../hello_rust.rs).")
        } else {
            paragraph(&format!("The sources: {}.", sources.join(", ")))
        };
        format!(
            "## Part {}: {}\n\n{about}\n{sources}\n",
            part.number, part.title
        )
    }

    fn step(&mut self, done: &Done) -> String {
        let why_it = paragraph(&escaped(done.step.why));
        let prompt = done.step.place.prompt();
        let command = wrap::command(&done.command, WIDTH - prompt.len());
        let command = command.join(&format!("\n{:width$}", "", width = prompt.len()));
        let output = self.output(done);
        let look = paragraph(&escaped(done.step.look.unwrap_or_default()));
        let mut text = format!("{why_it}\n```console\n{prompt}{command}\n{output}```\n\n");
        if !look.is_empty() {
            text += &format!("{look}\n");
        }
        let mark = match done.step.claim {
            Some(claim) => format!("**{}**: {}", word(&done.outcome), escaped(claim)),
            None => String::new(),
        };
        let whys = why(&done.outcome).join("; ");
        match (mark.is_empty(), whys.is_empty()) {
            (true, true) => text,
            (false, true) => text + &paragraph(&mark) + "\n",
            _ => text + &paragraph(&format!("{mark} ({whys})")) + "\n",
        }
    }

    fn claims(&mut self, claims: &[Claim]) -> String {
        let mut text = "## The claims\n\n| part | claim | |\n| --- | --- | --- |\n".to_owned();
        for claim in claims {
            let (claimed, outcome) = (escaped(claim.text), word(&claim.outcome));
            text += &format!("| {} | {claimed} | {outcome} |\n", claim.part);
        }
        let shown = shown(claims);
        text + &format!("\n{shown} shown, {} not shown.\n", claims.len() - shown)
    }
}

const OPENING: &str = "\
# The walkthrough

Object files, linking, shared and static libraries, in C and each time with Rust in it. All that
follows was run: a sentence, a command, what it really said, what to look at in it, and a claim that
was checked. `make walkthrough` does it again, before your eyes; `make walkthrough PART=3` one part.

This page was made by `make docs/walkthrough.md`. Addresses, hashes, folders and other things that
differ on each machine are replaced: `<address>`, `<hash 1>`, `/…/`. Long outputs are cut: `…`. What
begins with `guest#` was typed in a virtual machine.

";

fn paragraph(text: &str) -> String {
    let lines = wrap::words(text, WIDTH);
    lines.into_iter().map(|line| line + "\n").collect()
}

/// What Markdown would not take for text, outside of code.
fn escaped(text: &str) -> String {
    text.replace('<', "\\<")
        .replace('_', "\\_")
        .replace('*', "\\*")
        .replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::tests::{claims, done, not_shown};
    use crate::runner::Outcome;

    #[test]
    fn a_step() {
        let told = Page::default().step(&done(Outcome::Shown));
        assert_eq!(
            told,
            "Why.\n\n```console\n$ nm hello.o\n<address>        T hello\nsaid\n```\n\n\
             Look.\n\n**shown**: It is so\n\n"
        );
        let told = Page::default().step(&done(not_shown()));
        assert!(
            told.ends_with("\n**NOT SHOWN**: It is so (for a reason)\n\n"),
            "{told}"
        );
    }

    #[test]
    fn the_claims() {
        let told = Page::default().claims(&claims());
        assert!(told.contains("| 1 | It is not | NOT SHOWN |\n"), "{told}");
        assert!(told.ends_with("\n1 shown, 2 not shown.\n"), "{told}");
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("#[no_mangle] <a> *"), "\\#[no\\_mangle] \\<a> \\*");
    }
}
