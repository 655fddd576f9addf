//! What a report has, whether as text, JSON or a picture. Field names are the JSON keys, unless renamed.

use serde::Serialize;

/// The definer of a symbol that none of the objects defines.
pub const NOTHING: &str = "not found";

/// A report on one module.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub module: String,
    pub parts: Vec<Part>,
    /// Symbols that cross between Rust and C.
    #[serde(rename = "stitches")]
    pub crossings: Vec<Crossing>,
    /// Symbols of the kernel that the module declares itself.
    pub kernel: Vec<Crossing>,
    /// What makes some of these crossings differ.
    pub causes: Vec<Cause>,
    /// The kernel imports.
    #[serde(rename = "shore")]
    pub imports: Vec<Import>,
    /// Bytes by language and crate.
    pub sizes: Vec<Size>,
}

/// The languages of an object or a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Compiled by rustc.
    Rust,
    /// Compiled by clang or gcc.
    C,
    /// Assembled.
    Assembly,
    /// The object does not say.
    Unknown,
}

/// One object.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// `c_helper.o`
    pub name: String,
    /// Where it was read from.
    pub path: String,
    pub language: Language,
    /// From `DW_AT_producer` or `.comment`.
    pub compiler: Option<String>,
    /// `c_helper.c`
    pub source: Option<String>,
    /// Sections that are loaded; the debug sections are summed up as one.
    pub sections: Vec<Section>,
    /// Symbols that it defines, global and local.
    pub defined: Vec<Symbol>,
    /// Symbols that other objects have to define.
    pub needed: Vec<Symbol>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub name: String,
    /// `text`, `rodata`, `data`, `bss`, `debug`, `other`
    pub kind: &'static str,
    pub size: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Symbol {
    /// As the linker knows it.
    pub name: String,
    /// The demangled name, if it is mangled.
    pub demangled: Option<String>,
    /// `T`, `U`, `D`, `R`, …, as nm prints it.
    pub letter: char,
    /// In bytes, or 0.
    pub size: u64,
}

/// A symbol that one language defines and the other references.
#[derive(Debug, Clone, Serialize)]
pub struct Crossing {
    /// As the linker knows it.
    pub symbol: String,
    /// Whether it is a function; otherwise it is data.
    pub function: bool,
    /// The object that defines it.
    pub definer: String,
    /// That object's language.
    pub language: Language,
    /// Where the source defines it, if DWARF says so.
    pub place: Option<Place>,
    /// Where it is in the linked module: `.text+0x40`.
    pub linked: Option<String>,
    /// References to it, by object.
    pub uses: Vec<Use>,
    /// What became of it in a fused module, if it is no symbol for other objects there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    /// Whether both sides agree.
    pub verdict: Verdict,
}

/// What is left of a symbol where the objects are joined as bitcode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// Whether there is a local symbol of its name.
    pub local: bool,
    /// The number of inlined copies.
    pub inlined: usize,
}

impl Crossing {
    /// A crossing without references and verdict.
    pub fn new(symbol: &str, function: bool, definer: &str, language: Language) -> Self {
        Crossing {
            symbol: symbol.to_owned(),
            function,
            definer: definer.to_owned(),
            language,
            place: None,
            linked: None,
            uses: Vec::new(),
            joined: None,
            verdict: Verdict::default(),
        }
    }

    /// A function that is defined in C, for tests.
    #[cfg(test)]
    pub fn example(symbol: &str, outcome: Outcome, causes: &[&str]) -> Self {
        let mut crossing = Crossing::new(symbol, true, "a.o", Language::C);
        crossing.verdict.outcome = outcome;
        let causes = causes.iter().map(|text| (outcome, (*text).to_owned()));
        crossing.verdict.causes = causes.collect();
        crossing
    }
}

/// A symbol imported from the kernel.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    /// As the linker knows it.
    pub symbol: String,
    /// The demangled name, if it is mangled.
    pub demangled: Option<String>,
    /// By its name: Rust if it is mangled.
    pub language: Language,
    /// Whether it is exported to GPL modules only; needs a Module.symvers.
    pub gpl_only: Option<bool>,
    /// From the module's `__versions`, or from Module.symvers.
    pub crc: Option<u32>,
    /// References to it, by object.
    pub uses: Vec<Use>,
}

/// An object's references to a symbol.
#[derive(Debug, Clone, Serialize)]
pub struct Use {
    pub part: String,
    pub sites: Vec<Site>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Site {
    pub section: String,
    /// Within the section.
    pub offset: u64,
    /// The function around it.
    pub function: Option<String>,
    /// Its source line, if DWARF says so.
    pub place: Option<Place>,
    /// `R_X86_64_PLT32`
    pub relocation: String,
    /// Added to the symbol's address.
    pub addend: i64,
}

/// A line of a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// As it was passed to the compiler.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
}

/// Bytes of one language and crate.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    /// The language of the objects.
    pub language: Language,
    /// The crate: `core`, `kernel`, the module's own; empty for C.
    pub owner: String,
    pub text: u64,
    pub rodata: u64,
    /// Initialised data.
    pub data: u64,
    /// Zero-initialised data.
    pub bss: u64,
}

/// Whether both sides agree on a symbol.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    pub outcome: Outcome,
    /// Each side's declaration or definition.
    pub views: Vec<View>,
    /// What differs, or why it is unknown.
    pub reasons: Vec<String>,
    /// The reasons in words that other crossings can share, each with the outcome that it implies.
    #[serde(skip)]
    pub causes: Vec<(Outcome, String)>,
}

/// A difference, or a reason for an unknown, that one or more crossings have.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    /// The outcome that it implies.
    pub outcome: Outcome,
    /// `field `pre_handler` of `kprobe`: at byte 64 in C, at byte 0 in Rust`
    pub text: String,
    pub symbols: Vec<String>,
}

/// The outcome of a comparison; docs/stitch.md explains them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The same for the machine and for the language.
    Same,
    /// The same for the machine, not for the language.
    Language,
    /// Something is missing.
    #[default]
    Unknown,
    /// Different for the machine.
    Differs,
}

/// One side's declaration or definition of a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// The language of that side.
    pub language: Language,
    /// `int c_helper_repeat(u32, c_helper_greet_fn, void *)`
    pub says: String,
    /// `c_helper.o, DWARF, definition`
    pub source: String,
    /// Where it is in the source.
    pub place: Option<Place>,
    /// Other sources that say the same.
    pub also: Vec<String>,
    /// The structs and unions that it uses.
    pub layouts: Vec<Layout>,
}

/// The layout of a struct or union.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Its tag, or the last segment of its path.
    pub name: String,
    pub union: bool,
    pub size: u64,
    /// In bytes, if the debug information says so.
    pub align: Option<u64>,
    /// By offset; the members of an anonymous struct are its own, as in C.
    pub fields: Vec<Member>,
}

/// A field of a [`Layout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// `None` for unnamed bit-fields.
    pub name: Option<String>,
    pub offset: u64,
    /// In bytes, if known; for a bit-field, that of its declared type.
    pub size: Option<u64>,
}
