//! Nodes: the objects in the picture, as lines of text.

use crate::model::{Language, Part, Symbol};
use crate::report::words;

/// The width of the text in a node, in columns.
const COLUMNS: usize = 42;

/// The place of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Left of the wires: Rust.
    Left,
    /// Right of the wires: everything else.
    Right,
    /// Below, for lack of crossings.
    Below,
}

pub struct Node<'r> {
    /// `c_helper.o`
    pub name: &'r str,
    pub language: Language,
    /// `None` for an object that only a crossing mentions.
    pub part: Option<&'r Part>,
    pub side: Side,
    pub lines: Vec<Line>,
}

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Name,
    /// Its source or its compiler.
    About,
    Sizes,
    Head,
    /// A symbol that crosses.
    Crossing,
    /// A symbol that does not.
    Other,
    /// A note on what is omitted.
    Note,
    /// The number of its kernel imports.
    Kernel,
}

/// A line in a node.
pub struct Line {
    pub kind: Kind,
    /// Its text, shortened.
    pub text: String,
    /// The tooltip: the full text, or more information.
    pub full: Option<String>,
    /// nm's letter.
    pub letter: Option<char>,
}

/// A line of a node at which a wire ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin {
    pub node: usize,
    pub line: usize,
}

/// A node without lines.
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
    /// Adds name, source, compiler and sizes.
    pub fn about(&mut self) {
        let name = words::shorten(self.name, COLUMNS - 18);
        let full = (name != self.name).then(|| self.name.to_owned());
        self.line(Kind::Name, name, full);
        let Some(part) = self.part else {
            let text = "not one of the given objects".to_owned();
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
            // rustc and Debian's compilers append details to their versions.
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
