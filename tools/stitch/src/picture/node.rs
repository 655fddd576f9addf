//! An object as the picture shows it.

use crate::model::{Language, Part, Symbol};
use crate::report::words;

/// Columns of a room's text.
const COLUMNS: usize = 42;

/// Where a room stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Rust, left of the wires.
    Left,
    /// The others, right of them.
    Right,
    /// Below, because nothing crosses there.
    Below,
}

/// An object.
pub struct Node<'r> {
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
    pub node: usize,
    /// Among the room's.
    pub line: usize,
}

/// A room with nothing in it yet.
pub fn node<'r>(name: &'r str, language: Language, part: Option<&'r Part>) -> Node<'r> {
    Node {
        name,
        language,
        part,
        side: Side::Below,
        lines: Vec::new(),
    }
}

impl Node<'_> {
    /// What is known of the object.
    pub fn about(&mut self) {
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

    pub fn head(&mut self, text: &str) {
        self.line(Kind::Head, text.to_owned(), None);
    }

    pub fn note(&mut self, text: String) {
        self.line(Kind::Note, text, None);
    }

    pub fn line(&mut self, kind: Kind, text: String, full: Option<String>) {
        self.lines.push(Line {
            kind,
            text,
            full,
            letter: None,
        });
    }

    pub fn symbol(&self, kind: Kind, name: &str, defined: bool) -> Line {
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
