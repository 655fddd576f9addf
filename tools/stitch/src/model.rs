//! What is known of a module: all that a report shows, in any form.

use serde::Serialize;

/// What a crossing names as its definer if none of the objects defines the symbol.
pub const NOTHING: &str = "not found";

/// A module, taken apart.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// `hello_rust`
    pub module: String,
    /// Its objects, in the order in which they were given.
    pub parts: Vec<Part>,
    /// What crosses between Rust and C.
    #[serde(rename = "stitches")]
    pub crossings: Vec<Crossing>,
    /// What crosses to the kernel and is declared by the module itself.
    pub kernel: Vec<Crossing>,
    /// Why some of all these are not the same.
    pub causes: Vec<Cause>,
    /// What the module takes from the kernel.
    #[serde(rename = "shore")]
    pub imports: Vec<Import>,
    /// Bytes by language and crate.
    pub sizes: Vec<Size>,
}

/// The languages of an object or a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// rustc made it.
    Rust,
    /// clang or gcc made it.
    C,
    /// An assembler made it.
    Assembly,
    /// Nothing in it says who made it.
    Unknown,
}

/// One object.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// `c_helper.o`
    pub name: String,
    /// Where it was read.
    pub path: String,
    /// Of its source.
    pub language: Language,
    /// As DWARF's producer or `.comment` has it.
    pub compiler: Option<String>,
    /// `c_helper.c`
    pub source: Option<String>,
    /// Those that take room in memory, and the debug information as one.
    pub sections: Vec<Section>,
    /// What it defines for others, and what it keeps for itself.
    pub defined: Vec<Symbol>,
    /// What others have to define.
    pub needed: Vec<Symbol>,
}

/// A section of an object.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// `.text`
    pub name: String,
    /// `text`, `rodata`, `data`, `bss`, `debug`, `other`
    pub kind: &'static str,
    /// Bytes.
    pub size: u64,
}

/// A symbol of an object.
#[derive(Debug, Clone, Serialize)]
pub struct Symbol {
    /// As the linker knows it.
    pub name: String,
    /// As Rust writes it, if it is mangled.
    pub demangled: Option<String>,
    /// `T`, `U`, `D`, `R`, … as nm says it.
    pub letter: char,
    /// Bytes, where it is known.
    pub size: u64,
}

/// A symbol that one language defines and the other needs.
#[derive(Debug, Clone, Serialize)]
pub struct Crossing {
    /// As the linker knows it.
    pub symbol: String,
    /// Whether it is a function; else it is data.
    pub function: bool,
    /// The object that defines it.
    pub definer: String,
    /// That object's language.
    pub language: Language,
    /// Where its source defines it, as far as DWARF tells.
    pub place: Option<Place>,
    /// Where it is in the linked module: `.text+0x40`.
    pub linked: Option<String>,
    /// Who needs it, and where.
    pub uses: Vec<Use>,
    /// Whether both sides mean the same.
    pub verdict: Verdict,
}

/// A symbol that the kernel has to give.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    /// As the linker knows it.
    pub symbol: String,
    /// As Rust writes it, if it is mangled.
    pub demangled: Option<String>,
    /// By its name.
    pub language: Language,
    /// Whether it is for modules under the GPL only; needs a Module.symvers.
    pub gpl_only: Option<bool>,
    /// Of the module's `__versions`, or of Module.symvers.
    pub crc: Option<u32>,
    /// Who needs it, and where.
    pub uses: Vec<Use>,
}

/// Where an object needs a symbol.
#[derive(Debug, Clone, Serialize)]
pub struct Use {
    /// The object.
    pub part: String,
    /// Each relocation.
    pub sites: Vec<Site>,
}

/// One relocation.
#[derive(Debug, Clone, Serialize)]
pub struct Site {
    /// `.text`
    pub section: String,
    /// In that section.
    pub offset: u64,
    /// The function that it is in.
    pub function: Option<String>,
    /// As far as DWARF tells.
    pub place: Option<Place>,
    /// `R_X86_64_PLT32`
    pub relocation: String,
    /// Added to the symbol's address.
    pub addend: i64,
}

/// A line of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// As the compiler was given it.
    pub file: String,
    /// From 1.
    pub line: u64,
}

/// Bytes of one language, or one crate.
#[derive(Debug, Clone, Serialize)]
pub struct Size {
    /// Of the objects that they are in.
    pub language: Language,
    /// `core`, `kernel`, the module's own; empty for C.
    pub owner: String,
    /// Code.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// Data with a value.
    pub data: u64,
    /// Data that begins as zeros.
    pub bss: u64,
}

/// Whether two sides mean the same by a symbol.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Verdict {
    /// In one word.
    pub outcome: Outcome,
    /// Each side's view: what it says, and how that is known.
    pub views: Vec<View>,
    /// What differs, or what is missing to tell.
    pub reasons: Vec<String>,
    /// The same in words that other crossings may share, each with what it alone would lead to.
    #[serde(skip)]
    pub causes: Vec<(Outcome, String)>,
}

/// A difference that one crossing or many have, or what is missing to tell.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    /// What it alone leads to.
    pub outcome: Outcome,
    /// `field `pre_handler` of `kprobe`: at byte 64 in C, at byte 0 in Rust`
    pub text: String,
    /// The symbols that have it.
    pub symbols: Vec<String>,
}

/// See [`Verdict`]. docs/stitch.md has the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// For the machine and for the language.
    Same,
    /// The machine sees no difference; C or Rust does.
    Language,
    /// Something is missing.
    #[default]
    Unknown,
    /// The machine sees a difference.
    Differs,
}

/// What one side believes of a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// Whose.
    pub language: Language,
    /// `int c_helper_repeat(u32, c_helper_greet_fn, void *)`
    pub says: String,
    /// `c_helper.o, DWARF, definition`
    pub source: String,
    /// Where it stands.
    pub place: Option<Place>,
    /// Others that say just the same.
    pub also: Vec<String>,
    /// The structs and unions that it passes.
    pub layouts: Vec<Layout>,
}

/// A struct or a union as one side has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Its tag, or its path's last part.
    pub name: String,
    /// Whether all its fields are at its beginning.
    pub union: bool,
    /// Bytes.
    pub size: u64,
    /// Bytes, where the debug information tells.
    pub align: Option<u64>,
    /// By their offsets; those of a struct without a name in a struct are its own, as in C.
    pub fields: Vec<Member>,
}

/// A field of a [`Layout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Bits that only fill a gap have none.
    pub name: Option<String>,
    /// Bytes.
    pub offset: u64,
    /// Bytes, where it is known; of bits, those of the type that they are declared with.
    pub size: Option<u64>,
}
