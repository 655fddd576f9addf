//! Tables that the report and the page share.

use super::words;
use crate::model::{Cause, Import, Language, Outcome, Part, Size, Symbol};

/// A table, independent of its format.
pub struct Table {
    /// The headers; `#` marks columns of numbers.
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<Cell>>,
}

pub enum Cell {
    Text(String),
    Code {
        /// What to show.
        text: String,
        /// The name in the object, if it is mangled.
        symbol: Option<String>,
    },
    Number(u64),
    Language(Language),
    Outcome(Outcome),
}

impl Cell {
    fn code(text: impl Into<String>) -> Self {
        Cell::Code {
            text: text.into(),
            symbol: None,
        }
    }

    fn symbol(name: &str, demangled: Option<&String>) -> Self {
        Cell::Code {
            text: demangled.map_or(name, |readable| readable).to_owned(),
            symbol: demangled.map(|_| name.to_owned()),
        }
    }
}

/// The symbols of an object.
pub fn symbols(part: &Part) -> Table {
    let row = |symbol: &Symbol| {
        vec![
            Cell::code(symbol.letter),
            Cell::Number(symbol.size),
            Cell::symbol(&symbol.name, symbol.demangled.as_ref()),
        ]
    };
    Table {
        columns: &["nm", "#bytes", "symbol"],
        rows: part.defined.iter().chain(&part.needed).map(row).collect(),
    }
}

/// The kernel imports.
pub fn imports(imports: &[Import]) -> Table {
    let row = |import: &Import| {
        let uses = import.uses.iter();
        let parts: Vec<&str> = uses.map(|need| need.part.as_str()).collect();
        vec![
            Cell::symbol(&import.symbol, import.demangled.as_ref()),
            Cell::Language(import.language),
            Cell::Text(
                match import.gpl_only {
                    Some(true) => "GPL only",
                    Some(false) => "any licence",
                    None => "?",
                }
                .to_owned(),
            ),
            match import.crc {
                Some(crc) => Cell::code(format!("{crc:#010x}")),
                None => Cell::Text("-".to_owned()),
            },
            Cell::Number(words::sites(&import.uses) as u64),
            Cell::code(parts.join(", ")),
        ]
    };
    Table {
        columns: &[
            "symbol",
            "language",
            "export",
            "CRC",
            "#relocations",
            "used by",
        ],
        rows: imports.iter().map(row).collect(),
    }
}

/// Bytes by language and crate, and their sums.
pub fn sizes(sizes: &[Size]) -> Table {
    let bytes = |bytes: [u64; 4]| {
        let sum = bytes.iter().fold(0, |sum: u64, b| sum.saturating_add(*b));
        bytes.into_iter().chain([sum]).map(Cell::Number)
    };
    let mut all = [0_u64; 4];
    let mut rows = Vec::new();
    for size in sizes {
        let own = [size.text, size.rodata, size.data, size.bss];
        for (sum, bytes) in all.iter_mut().zip(own) {
            *sum = sum.saturating_add(bytes);
        }
        let owner = match (size.language, size.owner.as_str()) {
            (Language::Rust, "") => "(without a symbol)",
            (_, owner) => owner,
        };
        let head = [Cell::Language(size.language), Cell::code(owner)];
        rows.push(head.into_iter().chain(bytes(own)).collect());
    }
    let head = [Cell::Text("all".to_owned()), Cell::code("")];
    rows.push(head.into_iter().chain(bytes(all)).collect());
    Table {
        columns: &[
            "language", "crate", "#text", "#rodata", "#data", "#bss", "#sum",
        ],
        rows,
    }
}

/// The causes of differences.
pub fn causes(causes: &[Cause]) -> Table {
    /// The maximum number of names to list.
    const MOST: usize = 4;
    let row = |cause: &Cause| {
        let mut names = cause.symbols[..cause.symbols.len().min(MOST)].join(", ");
        if cause.symbols.len() > MOST {
            names += ", …";
        }
        vec![
            Cell::Number(cause.symbols.len() as u64),
            Cell::Outcome(cause.outcome),
            Cell::Text(cause.text.clone()),
            Cell::code(names),
        ]
    };
    Table {
        columns: &["#crossings", "verdict", "cause", "symbols"],
        rows: causes.iter().map(row).collect(),
    }
}
