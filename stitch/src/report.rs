//! The report as text, for a terminal of 100 columns.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table};

use crate::model::{
    Language, Outcome, Part, Place, Report, Site, Size, Stitch, Symbol, Taken, Use, View,
};
use crate::nm::MEANINGS;
use crate::stitches;

const WIDTH: u16 = 100;

/// What a stitch has left to say of more places that need it.
const MOST_SITES: usize = 12;

/// What a report is written on.
#[derive(Debug, Clone, Copy)]
pub struct Paper {
    colours: bool,
}

impl Paper {
    /// With colours, or without any.
    pub fn new(colours: bool) -> Self {
        Paper { colours }
    }

    /// All of a report.
    pub fn report(&self, report: &Report) -> String {
        let mut text = self.bold(&format!(
            "{}: {}, {} between Rust and C, {} from the kernel",
            report.module,
            count(report.parts.len(), "object"),
            count(report.stitches.len(), "stitch"),
            count(report.shore.len(), "symbol"),
        )) + "\n";
        for (title, section) in [
            ("The parts", self.parts(&report.parts)),
            ("The stitches", self.stitches(report)),
            (
                "To the kernel, as the module itself declares it",
                self.kernel(report),
            ),
            ("From the kernel", self.shore(&report.shore)),
            ("Bytes in memory", self.sizes(&report.sizes)),
        ] {
            if !section.is_empty() {
                text += &format!("\n{}\n\n{section}", self.bold(title));
            }
        }
        text
    }

    fn parts(&self, parts: &[Part]) -> String {
        let mut text = String::new();
        for part in parts {
            text += &self.bold(&part.name);
            text += "\n";
            let mut about = self.table();
            about.add_row(["language", word(part.language)]);
            for (what, is) in [("compiler", &part.compiler), ("source", &part.source)] {
                about.add_row([what, is.as_deref().unwrap_or("unknown")]);
            }
            about.add_row(["sections".to_owned(), sections(part)]);
            text += &lines(&about);
            let mut symbols = self.table();
            symbols.set_header(["", "bytes", "symbol"]);
            for symbol in part.defined.iter().chain(&part.needed) {
                symbols.add_row([
                    Cell::new(symbol.letter),
                    number(symbol.size),
                    Cell::new(readable(symbol)),
                ]);
            }
            text += &lines(&symbols);
            text += "\n";
        }
        text + &self.meanings(parts)
    }

    /// Of the letters that occur.
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
        table.add_row(["a small letter", "for the object itself only"]);
        lines(&table)
    }

    fn stitches(&self, report: &Report) -> String {
        if report.stitches.is_empty() {
            return "    nothing crosses between Rust and C here\n".to_owned();
        }
        let stitches = report.stitches.iter().map(|stitch| self.stitch(stitch));
        stitches.collect::<Vec<_>>().join("\n")
    }

    /// Nothing, in most modules: they use the kernel crate.
    fn kernel(&self, report: &Report) -> String {
        let stitches = report.kernel.iter().map(|stitch| self.stitch(stitch));
        stitches.collect::<Vec<_>>().join("\n")
    }

    /// One stitch, with both views of it.
    pub fn stitch(&self, stitch: &Stitch) -> String {
        let (outcome, colour) = match stitch.verdict.outcome {
            Outcome::Same => ("the same", Color::Green),
            Outcome::Language => (
                "the same for the machine, not for the language",
                Color::Yellow,
            ),
            Outcome::Unknown => ("unknown", Color::Yellow),
            Outcome::Differs => ("differs", Color::Red),
        };
        let mut table = self.table();
        table.add_row([Cell::new("verdict"), Cell::new(outcome).fg(colour)]);
        for reason in &stitch.verdict.reasons {
            table.add_row(["", reason]);
        }
        for view in &stitch.verdict.views {
            table.add_row([word(view.language).to_owned(), seen(view)]);
        }
        table.add_row(["defined".to_owned(), defined(stitch)]);
        for (index, text) in needed(&stitch.uses).into_iter().enumerate() {
            table.add_row([if index == 0 { "needed" } else { "" }.to_owned(), text]);
        }
        format!("{}\n{}", self.bold(&stitch.symbol), lines(&table))
    }

    fn shore(&self, shore: &[Taken]) -> String {
        if shore.is_empty() {
            return "    nothing\n".to_owned();
        }
        let mut table = self.table();
        table.set_header(["symbol", "in", "for", "CRC", "needed by (times)"]);
        for taken in shore {
            let uses: Vec<String> = taken
                .uses
                .iter()
                .map(|need| format!("{} ({})", need.part, need.sites.len()))
                .collect();
            table.add_row([
                taken.demangled.as_ref().unwrap_or(&taken.symbol).clone(),
                word(taken.language).to_owned(),
                match taken.gpl_only {
                    Some(true) => "GPL only",
                    Some(false) => "any",
                    None => "?",
                }
                .to_owned(),
                taken
                    .crc
                    .map_or_else(|| "-".to_owned(), |crc| format!("{crc:#010x}")),
                uses.join(", "),
            ]);
        }
        lines(&table)
    }

    fn sizes(&self, sizes: &[Size]) -> String {
        let mut table = self.table();
        table.set_header(["language", "crate", "text", "rodata", "data", "bss", "sum"]);
        let mut row = |first: &str, second: &str, bytes: [u64; 4]| {
            let sum = bytes.iter().fold(0, |sum: u64, b| sum.saturating_add(*b));
            let cells = [Cell::new(first), Cell::new(second)];
            let numbers = bytes.into_iter().chain([sum]).map(number);
            table.add_row(cells.into_iter().chain(numbers));
        };
        let mut all = [0_u64; 4];
        for size in sizes {
            let bytes = [size.text, size.rodata, size.data, size.bss];
            for (sum, bytes) in all.iter_mut().zip(bytes) {
                *sum = sum.saturating_add(bytes);
            }
            let owner = match (size.language, size.owner.as_str()) {
                (Language::Rust, "") => "(without a symbol)",
                (_, owner) => owner,
            };
            row(word(size.language), owner, bytes);
        }
        row("all", "", all);
        lines(&table)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(WIDTH - INDENT.len() as u16);
        match self.colours {
            true => table.enforce_styling(),
            false => table.force_no_tty(),
        };
        table
    }

    fn bold(&self, text: &str) -> String {
        match self.colours {
            true => format!("\x1b[1m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

const INDENT: &str = "   ";

/// A table's lines, indented.
fn lines(table: &Table) -> String {
    table.lines().fold(String::new(), |text, line| {
        text + INDENT + line.trim_end() + "\n"
    })
}

fn number(bytes: u64) -> Cell {
    Cell::new(bytes).set_alignment(CellAlignment::Right)
}

/// `1 object`, `2 objects`
fn count(number: usize, what: &str) -> String {
    match (number, what.ends_with('h')) {
        (1, _) => format!("1 {what}"),
        (_, true) => format!("{number} {what}es"),
        (_, false) => format!("{number} {what}s"),
    }
}

fn word(language: Language) -> &'static str {
    match language {
        Language::Rust => "Rust",
        Language::C => "C",
        Language::Assembly => "assembly",
        Language::Unknown => "unknown",
    }
}

/// `.text 1027 (text), .rodata 456 (rodata)`
fn sections(part: &Part) -> String {
    let all: Vec<String> = part
        .sections
        .iter()
        .map(|section| format!("{} {}", section.name, section.size))
        .collect();
    all.join(", ")
}

fn readable(symbol: &Symbol) -> &str {
    symbol.demangled.as_ref().unwrap_or(&symbol.name)
}

fn place(place: &Place) -> String {
    format!("{}:{}", place.file, place.line)
}

/// `int f(int)  (DWARF, definition, c_helper.c:7)`
fn seen(view: &View) -> String {
    let from = match &view.place {
        Some(seen) => format!("{}, {}", view.source, place(seen)),
        None => view.source.clone(),
    };
    format!("{}  ({from})", view.says)
}

/// `c_helper.c:20, in c_helper.o (C), linked at .text+0x4a0`
fn defined(stitch: &Stitch) -> String {
    let mut text = match &stitch.place {
        Some(line) => format!("{}, ", place(line)),
        None => String::new(),
    };
    text += &match stitch.definer.as_str() {
        stitches::NOTHING => stitch.definer.clone(),
        definer => format!("in {definer} ({})", word(stitch.language)),
    };
    if let Some(linked) = &stitch.linked {
        text += &format!(", linked at {linked}");
    }
    text
}

/// A line for each site, up to a number that a person still reads.
fn needed(uses: &[Use]) -> Vec<String> {
    let mut texts = Vec::new();
    for need in uses {
        if need.sites.is_empty() {
            texts.push(format!("by {}, which only names it", need.part));
        }
        for found in need.sites.iter().take(MOST_SITES) {
            texts.push(site(&need.part, found));
        }
        if need.sites.len() > MOST_SITES {
            let more = need.sites.len() - MOST_SITES;
            texts.push(format!("at {more} more places of {}", need.part));
        }
    }
    texts
}

/// `a.c:7: R_X86_64_PLT32 -4 at .text+0x40 of a.o, in f`
fn site(part: &str, site: &Site) -> String {
    let mut text = match &site.place {
        Some(line) => format!("{}: ", place(line)),
        None => String::new(),
    };
    text += &format!(
        "{} {:+} at {}+{:#x} of {part}",
        site.relocation, site.addend, site.section, site.offset
    );
    if let Some(function) = &site.function {
        text += &format!(", in {function}");
    }
    text
}
