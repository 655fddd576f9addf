//! The report as text, for a terminal of 100 columns.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};

use super::{tables, words};
use crate::elf::nm::MEANINGS;
use crate::model::{Cause, Crossing, Import, Outcome, Part, Report};
use crate::verdict::causes;

const WIDTH: u16 = 100;

/// The maximum number of relocations to list for a crossing and an object.
const MOST_SITES: usize = 12;

/// Renders a report as text.
#[derive(Debug, Clone, Copy)]
pub struct TextRenderer {
    colours: bool,
}

impl TextRenderer {
    /// With colours, or without.
    pub fn new(colours: bool) -> Self {
        TextRenderer { colours }
    }

    /// A whole report.
    pub fn report(&self, report: &Report) -> String {
        let mut text = self.bold(&format!(
            "{}: {}, {} between Rust and C, {}",
            report.module,
            words::count(report.parts.len(), "object"),
            words::count(report.crossings.len(), "crossing"),
            words::count(report.imports.len(), "kernel import"),
        )) + "\n";
        for (title, section) in [
            ("Objects", self.parts(&report.parts)),
            ("Crossings", self.crossings(report)),
            (
                "Kernel symbols that the module declares itself",
                self.alike(report.kernel.iter()),
            ),
            ("Kernel imports", self.imports(&report.imports)),
            ("Bytes in memory", self.rows(&tables::sizes(&report.sizes))),
        ] {
            text += &self.titled(title, &section);
        }
        text + &self.causes(&report.causes)
    }

    fn parts(&self, parts: &[Part]) -> String {
        let mut text = String::new();
        for part in parts {
            text += &self.bold(&part.name);
            text += "\n";
            let mut about = self.table();
            about.add_row(["language", words::language(part.language)]);
            for (what, is) in [("compiler", &part.compiler), ("source", &part.source)] {
                about.add_row([what, is.as_deref().unwrap_or("unknown")]);
            }
            about.add_row(["sections".to_owned(), sections(part)]);
            text += &lines(&about);
            text += &self.rows(&tables::symbols(part));
            text += "\n";
        }
        text + &self.meanings(parts)
    }

    /// The meanings of the letters that occur.
    fn meanings(&self, parts: &[Part]) -> String {
        let mut letters: Vec<char> = parts
            .iter()
            .flat_map(|part| part.defined.iter().chain(&part.needed))
            .map(|symbol| symbol.letter.to_ascii_uppercase())
            .collect();
        letters.sort_unstable();
        let mut table = self.table();
        for &(letter, meaning) in MEANINGS {
            if letters.binary_search(&letter).is_ok() {
                table.add_row([letter.to_string(), meaning.to_owned()]);
            }
        }
        table.add_row(["lowercase", "local to the object"]);
        lines(&table)
    }

    fn crossings(&self, report: &Report) -> String {
        if report.crossings.is_empty() {
            return "    none\n".to_owned();
        }
        self.alike(report.crossings.iter())
    }

    /// The crossings; those without any other cause are only listed by name.
    pub fn alike<'s>(&self, crossings: impl Iterator<Item = &'s Crossing>) -> String {
        let groups = causes::alike(crossings).into_iter();
        let texts: Vec<String> = groups
            .map(|(first, others)| self.crossing(first, &others))
            .collect();
        texts.join("\n")
    }

    fn crossing(&self, crossing: &Crossing, alike: &[&Crossing]) -> String {
        let outcome = crossing.verdict.outcome;
        let mut table = self.table();
        let verdict = Cell::new(words::outcome(outcome)).fg(colour(outcome));
        table.add_row([Cell::new("verdict"), verdict]);
        for reason in &crossing.verdict.reasons {
            table.add_row(["", reason]);
        }
        for view in &crossing.verdict.views {
            table.add_row([words::language(view.language), &words::view(view)]);
        }
        table.add_row(["defined", &words::defined(crossing)]);
        let used = words::used(&crossing.uses, MOST_SITES);
        for (nth, text) in used.iter().enumerate() {
            table.add_row([if nth == 0 { "used" } else { "" }, text]);
        }
        if let Some(joined) = &crossing.joined {
            table.add_row(["joined", &words::joined(joined, crossing.function)]);
        }
        if !alike.is_empty() {
            let names: Vec<&str> = alike.iter().map(|one| one.symbol.as_str()).collect();
            table.add_row(["same for", &names.join(", ")]);
        }
        format!("{}\n{}", self.bold(&crossing.symbol), lines(&table))
    }

    /// The causes of all that is not the same.
    pub fn causes(&self, causes: &[Cause]) -> String {
        if causes.is_empty() {
            String::new()
        } else {
            self.titled("Causes", &self.rows(&tables::causes(causes)))
        }
    }

    fn imports(&self, imports: &[Import]) -> String {
        if imports.is_empty() {
            "    none\n".to_owned()
        } else {
            self.rows(&tables::imports(imports))
        }
    }

    fn titled(&self, title: &str, section: &str) -> String {
        if section.is_empty() {
            String::new()
        } else {
            format!("\n{}\n\n{section}", self.bold(title))
        }
    }

    fn rows(&self, rows: &tables::Table) -> String {
        let mut table = self.table();
        let is_number = |column: &&str| column.starts_with('#');
        table.set_header(rows.columns.iter().map(|column| {
            let cell = Cell::new(column.trim_start_matches('#'));
            if is_number(column) {
                cell.set_alignment(CellAlignment::Right)
            } else {
                cell
            }
        }));
        for row in &rows.rows {
            table.add_row(row.iter().map(|cell| match cell {
                tables::Cell::Text(text) | tables::Cell::Code { text, .. } => Cell::new(text),
                tables::Cell::Number(number) => {
                    Cell::new(number).set_alignment(CellAlignment::Right)
                }
                tables::Cell::Language(language) => Cell::new(words::language(*language)),
                tables::Cell::Outcome(outcome) => {
                    Cell::new(words::json_word(*outcome)).fg(colour(*outcome))
                }
            }));
        }
        lines(&table)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(WIDTH - INDENT.len() as u16);
        if self.colours {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        table
    }

    fn bold(&self, text: &str) -> String {
        if self.colours {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

const INDENT: &str = "   ";

/// The lines of a table, indented.
fn lines(table: &Table) -> String {
    table.lines().fold(String::new(), |text, line| {
        text + INDENT + line.trim_end() + "\n"
    })
}

fn colour(outcome: Outcome) -> Color {
    match outcome {
        Outcome::Same => Color::Green,
        Outcome::Language | Outcome::Unknown => Color::Yellow,
        Outcome::Differs => Color::Red,
    }
}

/// `.text 1027, .rodata 456`
fn sections(part: &Part) -> String {
    let all: Vec<String> = part
        .sections
        .iter()
        .map(|section| format!("{} {}", section.name, section.size))
        .collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_causes_are_shown_once() {
        let crossing = |symbol: &str| {
            let mut crossing = Crossing::example(symbol, Outcome::Differs, &["too wide"]);
            crossing.verdict.reasons = vec![format!("parameter 1 of {symbol}: too wide")];
            crossing
        };
        let all: Vec<Crossing> = ["a", "b", "c"].map(crossing).into();
        let renderer = TextRenderer::new(false);
        let text = renderer.alike(all.iter());
        assert_eq!(text.matches("verdict").count(), 1, "{text}");
        assert!(text.contains("parameter 1 of a: too wide"), "{text}");
        assert!(text.contains("same for  b, c\n"), "{text}");
        let causes = renderer.causes(&causes::of(all.iter()));
        assert!(
            causes.contains("3  differs  too wide  a, b, c\n"),
            "{causes}"
        );
    }
}
