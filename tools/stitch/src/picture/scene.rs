//! What the picture shows, before anything has a place: rooms, what stands in them, and the wires.

use std::collections::{BTreeSet, HashMap};

use super::order::{arrange, crossings, sections, sorted, Crossing};
use crate::model::{Language, Outcome, Part, Report, Symbol};
use crate::types::entries::NAMED;
use crate::words;

/// More crossings than this are no picture any more.
pub const MOST_CROSSINGS: usize = 60;
/// Symbols that a room lists although they do not cross, in a module of few objects.
const MOST_OTHERS: usize = 8;
/// What few objects are.
const FEW: usize = 6;
/// Columns of a room's text.
const COLUMNS: usize = 42;

/// All of it.
pub struct Scene<'r> {
    /// What it is of.
    pub report: &'r Report,
    /// As the picture shows them in each column, from above.
    pub rooms: Vec<Room<'r>>,
    /// One for each stitch.
    pub nets: Vec<Net>,
}

/// Where a room stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Rust, left of the wires.
    Left,
    /// The others, right of them.
    Right,
    /// Below, because nothing crosses there.
    Apart,
}

/// An object.
pub struct Room<'r> {
    /// `c_helper.o`
    pub name: &'r str,
    /// Of its source.
    pub language: Language,
    /// Nothing for an object that only a stitch speaks of.
    pub part: Option<&'r Part>,
    /// Where it stands.
    pub side: Side,
    /// What stands in it, from above.
    pub lines: Vec<Line>,
}

/// What a line in a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The object's name.
    Name,
    /// Its source, its compiler.
    About,
    /// Its sizes.
    Sizes,
    /// What the next lines are.
    Head,
    /// A symbol that crosses.
    Crossing,
    /// A symbol that does not.
    Other,
    /// What is left out.
    Note,
    /// What it takes from the kernel.
    Kernel,
}

/// A line in a room.
pub struct Line {
    /// What it is.
    pub kind: Kind,
    /// Short enough for the room.
    pub text: String,
    /// All of it, where it was too long or there is more to say.
    pub full: Option<String>,
    /// As nm says it.
    pub letter: Option<char>,
}

/// A line of a room, where a wire begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    /// Among the scene's.
    pub room: usize,
    /// Among the room's.
    pub line: usize,
}

/// A wire: from all that need something to the one that defines it.
pub struct Net {
    /// The stitch's.
    pub outcome: Outcome,
    /// All that is known.
    pub story: String,
    /// Its end.
    pub definer: Pin,
    /// Its beginnings, and what is written there.
    pub users: Vec<(Pin, String)>,
}

impl<'r> Scene<'r> {
    /// Takes it from a report; `None` for what is too much to look at.
    pub fn of(report: &'r Report) -> Option<Self> {
        if report.stitches.len() > MOST_CROSSINGS {
            return None;
        }
        let mut rooms: Vec<Room> = report
            .parts
            .iter()
            .map(|part| room(&part.name, part.language, Some(part)))
            .collect();
        let mut crossings = crossings(report, &mut rooms);
        arrange(&mut rooms, &mut crossings);

        let mut scene = Scene {
            report,
            rooms,
            nets: Vec::new(),
        };
        for room in &mut scene.rooms {
            room.about();
        }
        scene.wires(&crossings);
        scene.rest(&crossings);
        Some(scene)
    }

    /// A wire for each stitch.
    fn wires(&mut self, crossings: &[Crossing<'_>]) {
        let mut ends: HashMap<(usize, usize, bool), usize> = HashMap::new();
        for index in 0..self.rooms.len() {
            for gives in sections(self.rooms[index].side) {
                let wanted = sorted(crossings, index, gives);
                if wanted.is_empty() {
                    continue;
                }
                let room = &mut self.rooms[index];
                room.head(if gives { "gives" } else { "needs" });
                for number in wanted {
                    ends.insert((number, index, gives), room.lines.len());
                    let symbol = &crossings[number].stitch.symbol;
                    let line = room.symbol(Kind::Crossing, symbol, gives);
                    room.lines.push(line);
                }
            }
        }
        for (number, crossing) in crossings.iter().enumerate() {
            let pin = |room: usize, gives: bool| {
                let line = *ends.get(&(number, room, gives))?;
                Some(Pin { room, line })
            };
            let outcome = crossing.stitch.verdict.outcome;
            let users = crossing.users.iter().filter_map(|(&room, &which)| {
                let sites = &crossing.stitch.uses.get(which)?.sites;
                let label = format!("{} {}", words::mark(outcome), words::relocations(sites));
                Some((pin(room, false)?, label))
            });
            let users: Vec<_> = users.collect();
            if let (Some(definer), false) = (pin(crossing.definer, true), users.is_empty()) {
                self.nets.push(Net {
                    outcome,
                    story: words::story(crossing.stitch),
                    definer,
                    users,
                });
            }
        }
    }

    /// What does not cross, and what the kernel gives.
    fn rest(&mut self, crossings: &[Crossing<'_>]) {
        let crossing: BTreeSet<(usize, &str)> = crossings
            .iter()
            .map(|c| (c.definer, c.stitch.symbol.as_str()))
            .collect();
        let mut takes: HashMap<&str, usize> = HashMap::new();
        for need in self.report.shore.iter().flat_map(|taken| &taken.uses) {
            *takes.entry(&need.part).or_default() += 1;
        }
        let few = self.rooms.len() <= FEW;
        for (index, room) in self.rooms.iter_mut().enumerate() {
            let Some(part) = room.part else {
                continue;
            };
            let (global, local): (Vec<_>, Vec<_>) = part
                .defined
                .iter()
                .filter(|symbol| !crossing.contains(&(index, symbol.name.as_str())))
                // No part of the module: they only tell how it is declared.
                .filter(|symbol| !symbol.name.contains(NAMED))
                .partition(|symbol| !symbol.letter.is_ascii_lowercase());
            let shown = if few { MOST_OTHERS } else { 0 };
            if few && !global.is_empty() {
                room.head("does not cross");
            }
            for symbol in global.iter().take(shown) {
                let line = room.symbol(Kind::Other, &symbol.name, true);
                room.lines.push(line);
            }
            let more = global.len().saturating_sub(shown);
            let left = match (more, local.len()) {
                (0, 0) => None,
                (0, local) => Some(words::count(local, "local symbol")),
                (more, local) => {
                    let local = match local {
                        0 => String::new(),
                        local => format!(", {} local", words::number(local as u64)),
                    };
                    let further = if few { " more" } else { "" };
                    let many = words::number(more as u64);
                    Some(format!("{many}{further} global{local}, not crossing"))
                }
            };
            if let Some(left) = left {
                room.note(left);
            }
            if let Some(&many) = takes.get(room.name) {
                let text = format!("takes {} from the kernel", words::number(many as u64));
                room.line(Kind::Kernel, text, None);
            }
        }
    }
}

/// A room with nothing in it yet.
pub fn room<'r>(name: &'r str, language: Language, part: Option<&'r Part>) -> Room<'r> {
    Room {
        name,
        language,
        part,
        side: Side::Apart,
        lines: Vec::new(),
    }
}

impl Room<'_> {
    /// What is known of the object.
    fn about(&mut self) {
        let name = words::shorten(self.name, COLUMNS - 18);
        let full = (name != self.name).then(|| self.name.to_owned());
        self.line(Kind::Name, name, full);
        let Some(part) = self.part else {
            let text = "not among the objects given".to_owned();
            return self.line(Kind::About, text, None);
        };
        let from = |what: &Option<String>, unknown: &str| match what {
            Some(known) => known.clone(),
            None => unknown.to_owned(),
        };
        for text in [
            from(&part.source, "source unknown"),
            from(&part.compiler, "compiler unknown"),
        ] {
            // rustc and Debian's compilers say much behind their versions.
            let start = text.split(" (").next().unwrap_or(&text);
            let short = words::shorten(start, COLUMNS);
            let full = (short != text).then(|| text.clone());
            self.line(Kind::About, short, full);
        }
        let [text, rodata, data, bss] = words::bytes(part).map(words::number);
        let all = format!("text {text}  rodata {rodata}  data {data}  bss {bss}");
        let short = words::shorten(&all, COLUMNS + 12);
        let full = format!("bytes in memory: {all}");
        self.line(Kind::Sizes, short, Some(full));
    }

    fn head(&mut self, text: &str) {
        self.line(Kind::Head, text.to_owned(), None);
    }

    fn note(&mut self, text: String) {
        self.line(Kind::Note, text, None);
    }

    fn line(&mut self, kind: Kind, text: String, full: Option<String>) {
        self.lines.push(Line {
            kind,
            text,
            full,
            letter: None,
        });
    }

    fn symbol(&self, kind: Kind, name: &str, defined: bool) -> Line {
        let known = |symbols: &[Symbol]| -> Option<(char, Option<String>)> {
            let found = symbols.iter().find(|symbol| symbol.name == name)?;
            Some((found.letter, found.demangled.clone()))
        };
        let known = self.part.and_then(|part| {
            if defined {
                known(&part.defined)
            } else {
                known(&part.needed)
            }
        });
        let (letter, demangled) = known.unwrap_or((if defined { 'T' } else { 'U' }, None));
        let readable = demangled.as_deref().unwrap_or(name);
        let text = words::shorten(readable, COLUMNS - 3);
        let full = match demangled {
            Some(readable) => Some(format!("{readable}\n{name}")),
            None => (text != name).then(|| name.to_owned()),
        };
        Line {
            kind,
            text,
            full,
            letter: Some(letter),
        }
    }
}
