//! What the compilers say of a declaration, when they are asked: beside it is put a static of the
//! declared type, which holds the symbol's address. The compiler refuses it unless the types are
//! equal, and its debug information then has everything resolved.
//!
//! The command is the one that Kbuild wrote down, with no more of it than says what the sources
//! mean; the compiler is the caller's choice. Nothing is written but in a scratch folder.

mod c;
mod command;
mod rust;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolSection};
use tempfile::TempDir;

pub use self::rust::Hidden;
use crate::debug::address;
use crate::input::{Loaded, Mapped};
use crate::kbuild::Made;
use crate::maker;
use crate::model::Language;

/// What a probe tells of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// How it is declared.
    Declaration,
    /// How it is defined.
    Definition,
}

/// The sections of stitch's own probes.
const SECTIONS: &[(&str, Of)] = &[
    (DECLARATIONS, Of::Declaration),
    (DEFINITIONS, Of::Definition),
];
const DECLARATIONS: &str = ".discard.stitch.declaration";
const DEFINITIONS: &str = ".discard.stitch.definition";

/// The section of those that the border has in each object, see border/gate/probes.rs.
const BORDER: &str = ".discard.border.probe";

/// In the name of the function that mentions symbols by their path.
const MENTIONED: &str = "__STITCH_NAMED";

/// Where the border says that what Rust defines is what the contract declares.
const CHECKED: &str = "__border_checked_";

/// The compilers that stitch may start.
#[derive(Debug, Clone)]
pub struct Compilers {
    /// Rust's.
    pub rustc: PathBuf,
    /// C's; by default that of the object.
    pub cc: Option<PathBuf>,
}

/// An object that was compiled to ask.
pub struct Answer {
    map: Mapped,
    /// Functions that are called as Microsoft has it, which GCC does not record.
    pub microsoft: Vec<String>,
    /// Whether there are such among those of which there are addresses only: GCC records nothing.
    pub unrecorded: bool,
    /// Kept as long as the object is read.
    scratch: TempDir,
}

impl Answer {
    /// The file of which this is the copy; none for what stitch wrote itself.
    pub fn original(&self, copy: &Path) -> Option<PathBuf> {
        match copy.strip_prefix(self.scratch.path()) {
            Ok(inside) => Some(Path::new("/").join(inside.strip_prefix(COPIES).ok()?)),
            Err(_) => Some(copy.to_owned()),
        }
    }

    /// Reads it.
    pub fn load(&self) -> Result<Loaded<'_>, String> {
        self.map.load().map_err(|error| format!("{error:#}"))
    }
}

/// Whether relocations in this section are no use of a symbol.
pub fn is_probe_section(name: &str) -> bool {
    SECTIONS.iter().any(|(section, _)| name == *section)
}

/// The probes of a Rust object: the address of each, the symbol that it holds, and what it tells of it.
pub fn of(object: &Loaded<'_>) -> Vec<(u64, String, Of)> {
    let mut probes = Vec::new();
    if object.language != Language::Rust {
        return probes;
    }
    for section in object.file.sections() {
        let name = section.name().unwrap_or_default();
        let Some((_, of)) = SECTIONS.iter().find(|(section, _)| name == *section) else {
            continue;
        };
        for (offset, relocation) in section.relocations() {
            let RelocationTarget::Symbol(index) = relocation.target() else {
                continue;
            };
            let symbol = object.file.symbol_by_index(index);
            if let Some(name) = symbol
                .ok()
                .and_then(|symbol| symbol_name(object, &symbol, relocation.addend()))
            {
                probes.push((address(section.index(), offset), name, *of));
            }
        }
    }
    probes
}

/// If an object has probes with the name of their symbol: which of them tell how that is defined as
/// well. In C all are such: a compiler may put one symbol for another of the same address.
pub fn named(object: &Loaded<'_>) -> Option<BTreeSet<String>> {
    let has = |section| object.file.section_by_name(section).is_some();
    let stitches = || {
        object
            .file
            .symbols()
            .any(|one| one.name().is_ok_and(|name| name.contains(MENTIONED)))
    };
    let any = match object.language {
        Language::Rust => has(BORDER) || stitches(),
        _ => has(BORDER) || has(DECLARATIONS),
    };
    if !any {
        return None;
    }
    let names = object.file.symbols().filter_map(|symbol| {
        let name = symbol.name().ok()?.strip_prefix(CHECKED)?.to_owned();
        Some(name)
    });
    Some(names.collect())
}

/// Whether an object keeps a symbol of this name to itself.
pub fn is_local(object: &Loaded<'_>, name: &str) -> bool {
    let mut named = object
        .file
        .symbols()
        .filter(|one| one.name() == Ok(name))
        .peekable();
    named.peek().is_some() && named.all(|one| one.is_local())
}

/// A relocation may name a section, and say where in it.
fn symbol_name(
    object: &Loaded<'_>,
    symbol: &object::read::elf::ElfSymbol64<'_, '_>,
    addend: i64,
) -> Option<String> {
    let name = symbol.name().ok().filter(|name| !name.is_empty());
    if symbol.kind() != object::SymbolKind::Section {
        return name.map(str::to_owned);
    }
    let SymbolSection::Section(section) = symbol.section() else {
        return None;
    };
    let mut all = object.file.symbols().filter(|one| {
        one.section_index() == Some(section)
            && one.address() as i64 == addend
            && one.kind() != object::SymbolKind::Section
            && !one.is_local()
    });
    all.find_map(|one| Some(one.name().ok()?.to_owned()))
}

/// Asks rustc for all that the crate of an object declares and defines for others; and for these
/// symbols, which it may declare where that cannot be seen.
pub fn ask_rust(
    object: &Loaded<'_>,
    compilers: &Compilers,
    hidden: &[Hidden<'_>],
) -> Result<Answer, String> {
    let made = Made::of(&object.path)
        .ok_or_else(|| format!("Kbuild's note on {} is not beside it", object.name))?;
    fresh(object, &made)?;
    same_compiler(object, &compilers.rustc)?;
    let scratch = scratch()?;
    rust::compile(object, &made, &compilers.rustc, hidden, scratch.path())?;
    answer(scratch, c::Conventions::default())
}

/// Asks the compiler of C for what an object declares and defines: these symbols.
pub fn ask_c(
    object: &Loaded<'_>,
    compilers: &Compilers,
    symbols: &[&str],
) -> Vec<Result<Answer, String>> {
    let Some(made) = Made::of(&object.path) else {
        let reason = format!("Kbuild's note on {} is not beside it", object.name);
        return vec![Err(reason)];
    };
    let mut units: Vec<(PathBuf, Made)> = Vec::new();
    for path in made.linked_from() {
        units.extend(Made::of(&path).map(|made| (path, made)));
    }
    if units.is_empty() {
        units.push((object.path.clone(), made));
    }
    let ask = |(_, made): (PathBuf, Made)| {
        fresh(object, &made)?;
        let cc = compilers
            .cc
            .clone()
            .unwrap_or_else(|| c::compiler_of(object));
        same_compiler(object, &cc)?;
        let scratch = scratch()?;
        let conventions = c::compile(object, &made, &cc, symbols, scratch.path())?;
        answer(scratch, conventions)
    };
    units.into_iter().map(ask).collect()
}

fn answer(scratch: TempDir, conventions: c::Conventions) -> Result<Answer, String> {
    let map = Mapped::open(&scratch.path().join(OBJECT)).map_err(|error| format!("{error:#}"))?;
    Ok(Answer {
        map,
        microsoft: conventions.microsoft,
        unrecorded: conventions.unrecorded,
        scratch,
    })
}

/// The folder of copies there.
const COPIES: &str = "root";

/// What a compiler makes in the scratch folder.
const OBJECT: &str = "probes.o";

fn scratch() -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix("stitch-")
        .tempdir()
        .map_err(|error| format!("cannot make a scratch folder: {error}"))
}

/// What was changed since is no evidence.
fn fresh(object: &Loaded<'_>, made: &Made) -> Result<(), String> {
    match made.changed_since() {
        Some(file) => Err(format!(
            "{} was changed after {} was made of it: build it again",
            file.file_name().unwrap_or_default().to_string_lossy(),
            object.name
        )),
        None => Ok(()),
    }
}

/// Only the compiler that made an object knows what it believed.
fn same_compiler(object: &Loaded<'_>, compiler: &Path) -> Result<(), String> {
    let made_by = maker::compiler(&object.file, &object.debug.making());
    let Some(made_by) = made_by else {
        return Err(format!("nothing in {} tells what compiled it", object.name));
    };
    let output = Command::new(compiler)
        .arg("--version")
        .output()
        .map_err(|error| format!("{} does not run: {error}", compiler.display()))?;
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.lines().next().unwrap_or_default();
    let number = |text: &str| {
        let mut words = text.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
        words
            .find(|word| {
                word.split('.').count() > 2 && word.starts_with(|c: char| c.is_ascii_digit())
            })
            .map(|word| word.split(['-', '+']).next().unwrap_or_default().to_owned())
    };
    match (number(&made_by), number(version)) {
        (Some(one), Some(other)) if one == other => Ok(()),
        _ => Err(format!(
            "{} was made by {made_by}, and {} is {version}",
            object.name,
            compiler.display()
        )),
    }
}
