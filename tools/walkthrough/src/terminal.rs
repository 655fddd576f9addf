//! Renders a run for a terminal of 80 columns.

use std::io::IsTerminal;

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, Color, ContentArrangement, Table};

use crate::excerpt::excerpt;
use crate::model::Part;
use crate::render::{reasons, shown, summary, Renderer, SAME};
use crate::report::{Claim, CommandReport, Outcome, StepReport};
use crate::wrap;

const WIDTH: usize = 80;
/// Before commands and outputs.
const INDENT: &str = "   ";

const BOLD: &str = "1";
const GREEN: &str = "32";
const RED: &str = "1;31";
const CYAN: &str = "36";

/// Whether colours are wanted: see <https://no-color.org>.
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

    fn command(&self, report: &CommandReport) -> String {
        let prompt = report.prompt;
        let mut text = String::new();
        let width = WIDTH - INDENT.len() - prompt.len();
        for (number, line) in wrap::command(&report.line, width).iter().enumerate() {
            let before = if number == 0 { prompt } else { "" };
            let line = self.paint(CYAN, line);
            text += &format!("{INDENT}{before:width$}{line}\n", width = prompt.len());
        }
        if report.same {
            return format!("{text}{INDENT}{}\n", SAME.trim_start());
        }
        let width = WIDTH - INDENT.len();
        for line in excerpt(report.output.lines(), &report.evidence, width) {
            let line = if line.evidence {
                self.paint(BOLD, &line.text)
            } else {
                line.text
            };
            text += &format!("{INDENT}{line}\n");
        }
        text
    }

    /// The claim with its outcome; nothing for a preparation that succeeded.
    fn claim(&self, report: &StepReport) -> String {
        let claim = match (report.step.claim, &report.outcome) {
            (Some(claim), _) => format!("{} {claim}", report.number),
            (None, Outcome::Shown) => return String::new(),
            (None, _) => "this step failed, and with it the rest of the part".to_owned(),
        };
        let text = format!("[{}] {claim}", summary(&report.outcome));
        let mut lines = wrap::words(&text, WIDTH);
        for sentence in reasons(&report.outcome) {
            lines.extend(wrap::words(&sentence, WIDTH));
        }
        let colour = if report.outcome == Outcome::Shown {
            GREEN
        } else {
            RED
        };
        let lines = lines.iter().map(|line| self.paint(colour, line) + "\n");
        lines.collect()
    }
}

fn paragraph(text: &str) -> String {
    wrap::paragraph(text, WIDTH)
}

impl Renderer for Terminal {
    fn opening(&mut self, _: &[&Part]) -> String {
        String::new()
    }

    fn part(&mut self, part: &Part) -> String {
        let heading = format!("Part {}: {}", part.number, part.title);
        let line = "=".repeat(wrap::length(&heading));
        let heading = self.paint(BOLD, &heading);
        let breaks = paragraph(&format!("What breaks: {}", part.breaks));
        format!("{heading}\n{line}\n\n{breaks}{}\n", paragraph(part.about))
    }

    fn step(&mut self, report: &StepReport) -> String {
        let commands = report.commands.iter();
        let commands: String = commands.map(|command| self.command(command)).collect();
        let (intro, look) = (report.step.intro, report.step.look.unwrap_or_default());
        let (intro, look) = (paragraph(intro), paragraph(look));
        format!("{intro}{commands}{look}{}\n", self.claim(report))
    }

    fn closing(&mut self, part: &Part) -> String {
        paragraph(&format!("In short: {}", part.closing)) + "\n"
    }

    fn claims(&mut self, claims: &[Claim]) -> String {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(80)
            .set_header(["", "claim", ""]);
        for claim in claims {
            let mut outcome = Cell::new(summary(&claim.outcome));
            if self.colours {
                table.enforce_styling();
                outcome = outcome.fg(match claim.outcome {
                    Outcome::Shown => Color::Green,
                    _ => Color::Red,
                });
            }
            table.add_row([Cell::new(&claim.number), Cell::new(claim.text), outcome]);
        }
        let lines: String = table
            .lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect();
        let shown = shown(claims);
        let not_shown = claims.len() - shown;
        format!("{lines}\nclaims: {shown} shown, {not_shown} not shown\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::tests::{claims, missing, not_shown, report};

    #[test]
    fn a_step() {
        let text = Terminal::new(false).step(&report(Outcome::Shown));
        assert_eq!(
            text,
            "Intro.\n   $ nm c.o\n   0000000000001149 T hello\n   a warning\n   $ nm rs.o\n   \
             # the same output\nLook.\n[shown] 1.2 It holds\n\n"
        );
        let text = Terminal::new(false).step(&report(not_shown()));
        let expected = "[NOT SHOWN] 1.2 It holds\nfor a reason\n\n";
        assert!(text.ends_with(expected), "{text}");
        let text = Terminal::new(false).step(&report(missing()));
        let expected =
            "[not shown: nm is missing] 1.2 It holds\nhelp: apt-get install binutils\n\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn a_preparation() {
        let mut step = report(Outcome::Shown);
        step.step.claim = None;
        assert!(Terminal::new(false).step(&step).ends_with("Look.\n\n"));
        step.outcome = not_shown();
        let text = Terminal::new(false).step(&step);
        assert!(text.contains("[NOT SHOWN] this step failed"), "{text}");
    }

    #[test]
    fn colours_only_if_wanted() {
        let render = |colours: bool| {
            let mut terminal = Terminal::new(colours);
            let step = terminal.step(&report(Outcome::Shown));
            (step, terminal.claims(&claims()))
        };
        let (step, table) = render(true);
        let evidence = "\x1b[1m0000000000001149 T hello\x1b[0m\n";
        assert!(step.contains(evidence), "{step}");
        let claim = "\x1b[32m[shown] 1.2 It holds\x1b[0m\n";
        assert!(step.contains(claim), "{step}");
        assert!(table.contains("\x1b[38;5;9m"), "{table:?}");
        let (step, table) = render(false);
        assert!(!step.contains('\x1b') && !table.contains('\x1b'));
    }

    #[test]
    fn the_claims() {
        let table = Terminal::new(false).claims(&claims());
        let rows: Vec<&str> = table.lines().map(str::trim).collect();
        assert_eq!(rows[1], "1.1  It holds     shown");
        assert_eq!(rows[2], "1.2  It does not  NOT SHOWN");
        assert_eq!(rows[3], "2.1  Unknown      not shown: nm is missing");
        assert_eq!(rows[5], "claims: 1 shown, 2 not shown");
    }
}
