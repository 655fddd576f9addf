//! Words that the report, the picture and the page share.

use crate::model::{
    Crossing, Joined, Language, Outcome, Part, Place, Report, Site, Use, View, NOTHING,
};

/// The languages: (language, name, CSS class).
pub const LANGUAGES: [(Language, &str, &str); 4] = [
    (Language::Rust, "Rust", "rust"),
    (Language::C, "C", "c"),
    (Language::Assembly, "assembly", "assembly"),
    (Language::Unknown, "unknown", "unknown"),
];

pub struct OutcomeWords {
    pub outcome: Outcome,
    pub name: &'static str,
    pub class: &'static str,
    /// Its mark: colours alone are not accessible.
    pub mark: &'static str,
    /// Singular and plural, after a number of crossings.
    verbs: [&'static str; 2],
}

/// All outcomes, the best first.
pub const OUTCOMES: [OutcomeWords; 4] = [
    OutcomeWords {
        outcome: Outcome::Same,
        name: "the same",
        class: "agrees",
        mark: "=",
        verbs: ["is the same", "are the same"],
    },
    OutcomeWords {
        outcome: Outcome::Language,
        name: "the same for the machine, not for the language",
        class: "abi",
        mark: "≈",
        verbs: [
            "differs in the language only",
            "differ in the language only",
        ],
    },
    OutcomeWords {
        outcome: Outcome::Unknown,
        name: "unknown",
        class: "unclear",
        mark: "?",
        verbs: ["is unknown", "are unknown"],
    },
    OutcomeWords {
        outcome: Outcome::Differs,
        name: "differs",
        class: "disagrees",
        mark: "≠",
        verbs: ["differs", "differ"],
    },
];

/// The name of a language.
pub fn language(language: Language) -> &'static str {
    LANGUAGES[language as usize].1
}

/// The CSS class of a language.
pub fn language_class(language: Language) -> &'static str {
    LANGUAGES[language as usize].2
}

/// The name of an outcome.
pub fn outcome(outcome: Outcome) -> &'static str {
    OUTCOMES[outcome as usize].name
}

pub fn json_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Same => "same",
        Outcome::Language => "language",
        Outcome::Unknown => "unknown",
        Outcome::Differs => "differs",
    }
}

/// The CSS class of an outcome.
pub fn outcome_class(outcome: Outcome) -> &'static str {
    OUTCOMES[outcome as usize].class
}

pub fn mark(outcome: Outcome) -> &'static str {
    OUTCOMES[outcome as usize].mark
}

/// `2 objects, 5 crossings between Rust and C: 5 are the same.`
pub fn summary(report: &Report) -> String {
    let mut text = format!(
        "{}, {} between Rust and C",
        count(report.parts.len(), "object"),
        match report.crossings.len() {
            0 => "no crossings".to_owned(),
            many => count(many, "crossing"),
        },
    );
    let outcomes: Vec<String> = OUTCOMES
        .iter()
        .map(|one| (how_many(report, one.outcome), one.verbs))
        .filter(|&(many, _)| many > 0)
        .map(|(many, [one, more])| format!("{many} {}", if many == 1 { one } else { more }))
        .collect();
    if !outcomes.is_empty() {
        text += ": ";
        text += &outcomes.join(", ");
    }
    text + "."
}

/// The number of crossings with this outcome.
pub fn how_many(report: &Report, outcome: Outcome) -> usize {
    let crossings = report.crossings.iter();
    crossings.filter(|s| s.verdict.outcome == outcome).count()
}

/// `1 object`, `2 objects`.
pub fn count(many: usize, what: &str) -> String {
    let ending = if many == 1 { "" } else { "s" };
    format!("{} {what}{ending}", number(many as u64))
}

/// `1,234,567`
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `c_helper.c:108`
pub fn place(place: &Place) -> String {
    format!("{}:{}", place.file, place.line)
}

/// The bytes of an object in memory: text, rodata, data, bss.
pub fn bytes(part: &Part) -> [u64; 4] {
    ["text", "rodata", "data", "bss"].map(|kind| {
        let sections = part.sections.iter().filter(|s| s.kind == kind);
        sections.fold(0, |sum: u64, section| sum.saturating_add(section.size))
    })
}

/// The number of relocations.
pub fn sites(uses: &[Use]) -> usize {
    uses.iter().map(|need| need.sites.len()).sum()
}

/// `R_X86_64_PLT32 ×2 +1`: the most frequent relocation type, and the number of others.
pub fn relocations(sites: &[Site]) -> String {
    let mut kinds: Vec<(usize, &str)> = Vec::new();
    for site in sites {
        match kinds.iter_mut().find(|(_, kind)| *kind == site.relocation) {
            Some((many, _)) => *many += 1,
            None => kinds.push((1, &site.relocation)),
        }
    }
    kinds.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let Some(&(many, kind)) = kinds.first() else {
        return String::new();
    };
    let mut text = shorten(kind, 20);
    if many > 1 {
        text += &format!(" ×{many}");
    }
    if many < sites.len() {
        text += &format!(" +{}", sites.len() - many);
    }
    text
}

/// `int f(void)  (f.o, DWARF, definition, f.c:3)`
pub fn view(view: &View) -> String {
    format!("{}  ({})", view.says, source(view))
}

/// `f.o, DWARF, declaration, f.h:3; and 2 more objects`
pub fn source(view: &View) -> String {
    let mut text = view.source.clone();
    if let Some(at) = &view.place {
        text += &format!(", {}", place(at));
    }
    match view.also.len() {
        0 => text,
        many => text + "; and " + &count(many, "more object"),
    }
}

/// What is left of a symbol in a fused module.
pub fn joined(joined: &Joined, function: bool) -> String {
    let places = match joined.inlined {
        1 => "1 place".to_owned(),
        inlined => format!("{inlined} places"),
    };
    let local = if function {
        "a local function"
    } else {
        "local data"
    };
    match (joined.local, joined.inlined) {
        (true, 0) => local.to_owned(),
        (true, _) => format!("{local}, and inlined in {places}"),
        (false, 0) => "nothing is left of it in the linked module".to_owned(),
        (false, _) => format!("inlined in {places}"),
    }
}

/// `c_helper.c:20, in c_helper.o (C), linked at .text+0x4a0`
pub fn defined(crossing: &Crossing) -> String {
    let mut text = match &crossing.place {
        Some(line) => format!("{}, ", place(line)),
        None => String::new(),
    };
    text += &match crossing.definer.as_str() {
        NOTHING => crossing.definer.clone(),
        definer => format!("in {definer} ({})", language(crossing.language)),
    };
    if let Some(linked) = &crossing.linked {
        text += &format!(", linked at {linked}");
    }
    text
}

/// `a.c:7: R_X86_64_PLT32 -4 at .text+0x40 of a.o, in f`
pub fn site(site: &Site, part: &str) -> String {
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

/// A line per relocation, with a limit for each object.
pub fn used(uses: &[Use], most: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for need in uses {
        if need.sites.is_empty() {
            texts.push(format!("{}, without a relocation", need.part));
        }
        let shown = need.sites.iter().take(most);
        texts.extend(shown.map(|one| site(one, &need.part)));
        if need.sites.len() > most {
            let more = number((need.sites.len() - most) as u64);
            texts.push(format!("{more} more in {}", need.part));
        }
    }
    texts
}

/// The tooltip of a crossing in the picture.
pub fn tooltip(crossing: &Crossing) -> String {
    const MOST: usize = 8;
    let mut text = format!("{}: {}", crossing.symbol, outcome(crossing.verdict.outcome));
    for reason in &crossing.verdict.reasons {
        text += &format!("\n{reason}");
    }
    for one in &crossing.verdict.views {
        text += &format!("\n{}: {}", language(one.language), view(one));
    }
    text += &format!("\ndefined {}", defined(crossing));
    for line in used(&crossing.uses, MOST) {
        text += &format!("\nused {line}");
    }
    text
}

/// The width of a text in columns of a monospace font, at most.
pub fn cells(text: &str) -> usize {
    text.chars().map(cell).sum()
}

fn cell(c: char) -> usize {
    // Hangul, CJK and the ranges above are twice as wide.
    if c >= '\u{1100}' && !matches!(c, '\u{2000}'..='\u{22ff}' | '\u{fffd}') {
        2
    } else {
        1
    }
}

/// Shortens a text to this width, in the middle.
pub fn shorten(text: &str, most: usize) -> String {
    if cells(text) <= most {
        return text.to_owned();
    }
    let room = most.saturating_sub(1);
    let head = fitting(text.chars(), room - room / 2);
    let tail: Vec<char> = fitting(text.chars().rev(), room / 2);
    let head: String = head.into_iter().collect();
    let tail: String = tail.into_iter().rev().collect();
    format!("{head}…{tail}")
}

fn fitting(characters: impl Iterator<Item = char>, most: usize) -> Vec<char> {
    let mut left = most;
    characters
        .take_while(|&c| {
            let fits = cell(c) <= left;
            left = left.saturating_sub(cell(c));
            fits
        })
        .collect()
}
