//! A run on a terminal of 80 columns.

use std::io::IsTerminal;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, Color, ContentArrangement, Table};

use crate::excerpt::excerpt;
use crate::model::Part;
use crate::paper::{shown, why, word, Paper};
use crate::runner::{Claim, Done, Outcome};
use crate::wrap;

const WIDTH: usize = 80;
/// Commands and outputs are indented by that.
const INDENT: &str = "   ";

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "1;31";
const CYAN: &str = "36";

/// Whether they are wanted: see <https://no-color.org>.
pub fn colours() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !unwanted && std::io::stdout().is_terminal()
}

/// The terminal.
pub struct Terminal {
    colours: bool,
}

impl Terminal {
    /// With colours or without.
    pub fn new(colours: bool) -> Self {
        Terminal { colours }
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn output(&self, done: &Done) -> String {
        let width = WIDTH - INDENT.len();
        let mut text = String::new();
        for line in excerpt(done.ran.lines(), &done.witnesses, width) {
            let line = if line.witness {
                self.paint(BOLD, &line.text)
            } else {
                line.text
            };
            text += &format!("{INDENT}{line}\n");
        }
        text
    }

    /// Nothing of a step that prepares others, and did.
    fn mark(&self, done: &Done) -> String {
        let claim = done.step.claim;
        let colour = match (&done.outcome, claim) {
            (Outcome::Shown, None) => return String::new(),
            (Outcome::Shown, Some(_)) => GREEN,
            _ => RED,
        };
        let claim = claim.unwrap_or("this step failed, and so the rest of the part");
        let text = format!("[{}] {claim}", word(&done.outcome));
        let mut lines = wrap::words(&text, WIDTH);
        for sentence in why(&done.outcome) {
            lines.extend(wrap::words(&format!("  {sentence}"), WIDTH));
        }
        let lines = lines.iter().map(|line| self.paint(colour, line) + "\n");
        lines.collect()
    }
}

impl Paper for Terminal {
    fn opening(&mut self) -> String {
        String::new()
    }

    fn part(&mut self, part: &Part) -> String {
        let heading = format!("Part {}: {}", part.number, part.title);
        let line = "=".repeat(wrap::length(&heading));
        let about = wrap::words(part.about, WIDTH).join("\n");
        let heading = self.paint(BOLD, &heading);
        format!("{heading}\n{line}\n\n{about}\n\n")
    }

    fn step(&mut self, done: &Done) -> String {
        let mut text = String::new();
        for line in wrap::words(done.step.why, WIDTH) {
            text += &format!("{line}\n");
        }
        let prompt = done.step.place.prompt();
        let command = wrap::command(&done.command, WIDTH - INDENT.len() - prompt.len());
        for (number, line) in command.iter().enumerate() {
            let before = if number == 0 { prompt } else { "" };
            let line = self.paint(CYAN, line);
            text += &format!("{INDENT}{before:width$}{line}\n", width = prompt.len());
        }
        text += &self.output(done);
        for line in wrap::words(done.step.look.unwrap_or_default(), WIDTH) {
            text += &format!("{line}\n");
        }
        text + &self.mark(done) + "\n"
    }

    fn claims(&mut self, claims: &[Claim]) -> String {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(80)
            .set_header(["part", "claim", ""]);
        for claim in claims {
            let mut outcome = Cell::new(word(&claim.outcome));
            if self.colours {
                table.enforce_styling();
                outcome = outcome.fg(match claim.outcome {
                    Outcome::Shown => Color::Green,
                    _ => Color::Red,
                });
            }
            let number = Cell::new(claim.part.to_string());
            table.add_row([number, Cell::new(claim.text), outcome]);
        }
        let lines: String = table
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect();
        format!(
            "{lines}\nclaims: {} shown, {} not shown\n",
            shown(claims),
            claims.len() - shown(claims)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::tests::{claims, done, missing, not_shown};

    #[test]
    fn a_step() {
        let told = Terminal::new(false).step(&done(Outcome::Shown));
        assert_eq!(
            told,
            "Why.\n   $ nm hello.o\n   0000000000001149 T hello\n   said\nLook.\n\
             [shown] It is so\n\n"
        );
        let told = Terminal::new(false).step(&done(not_shown()));
        assert!(
            told.ends_with("[NOT SHOWN] It is so\nfor a reason\n\n"),
            "{told}"
        );
        let told = Terminal::new(false).step(&done(missing()));
        let expected = "[not shown: nm is missing] It is so\nhelp: apt-get install binutils\n\n";
        assert!(told.ends_with(expected), "{told}");
    }

    #[test]
    fn a_step_that_prepares_others() {
        let mut step = done(Outcome::Shown);
        step.step.claim = None;
        assert!(Terminal::new(false).step(&step).ends_with("Look.\n\n"));
        step.outcome = not_shown();
        let told = Terminal::new(false).step(&step);
        assert!(told.contains("[NOT SHOWN] this step failed"), "{told}");
    }

    #[test]
    fn colours_only_if_wanted() {
        let told = |colours: bool| {
            let mut terminal = Terminal::new(colours);
            let step = terminal.step(&done(Outcome::Shown));
            (step, terminal.claims(&claims()))
        };
        let (step, table) = told(true);
        assert!(
            step.contains("\x1b[1m0000000000001149 T hello\x1b[0m\n"),
            "{step}"
        );
        assert!(step.contains("\x1b[32m[shown] It is so\x1b[0m\n"), "{step}");
        assert!(table.contains("\x1b[38;5;9m"), "{table:?}");
        let (step, table) = told(false);
        assert!(!step.contains('\x1b') && !table.contains('\x1b'));
    }

    #[test]
    fn the_claims() {
        let table = Terminal::new(false).claims(&claims());
        let rows: Vec<&str> = table.lines().map(str::trim).collect();
        assert_eq!(rows[1], "1     It is so   shown");
        assert_eq!(rows[2], "1     It is not  NOT SHOWN");
        assert_eq!(rows[3], "2     Who knows  not shown: nm is missing");
        assert_eq!(rows[5], "claims: 1 shown, 2 not shown");
    }
}
