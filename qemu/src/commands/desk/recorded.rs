//! The compilers' commands, as Kbuild has recorded or printed them: the only place where all flags of a
//! source are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use diagnostic::Diagnostic;
use host::toolchain::Toolchain;

use super::places::files_below;
use crate::kernel::module::Module;

/// The language of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Compiled by rustc.
    Rust,
    /// Compiled by clang or gcc.
    C,
}

impl Language {
    /// The error that a module has no sources of this language.
    pub fn missing(self, folder: &Path) -> Diagnostic {
        let (_, name, other) = self.facts();
        Diagnostic::new(format!("the module has no {name} half"))
            .note(format!("{}: no {name} source", folder.display()))
            .help(other)
    }

    /// The ending of its sources, its name, and the command for the other half of a module.
    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Language::Rust => ("rs", "Rust", "make compile_commands.json, for its C half"),
            Language::C => ("c", "C", "make rust-analyzer, for its Rust half"),
        }
    }
}

/// The flags for an object; the border also has the compilers write other things.
const COMPILES: &[&str] = &["-c", "--emit=obj=", "--emit=llvm-bc="];

/// The command that compiles one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Where it runs.
    pub dir: PathBuf,
    /// Variables that it sets.
    pub environment: Vec<(String, String)>,
    /// Its arguments, without the source.
    pub flags: Vec<String>,
    /// The source, in the lab's copy.
    pub source: PathBuf,
}

impl Recorded {
    /// The command in a line of shell; `None` if it compiles no source of the language.
    fn parse(line: &str, language: Language, module: &Module) -> Option<Self> {
        let words = shlex::split(line)?;
        let is_variable = |word: &&String| word.contains('=') && !word.starts_with('-');
        let environment = words.iter().take_while(is_variable);
        let environment = environment.filter_map(|word| word.split_once('='));
        let program = words.iter().position(|word| !is_variable(&word))?;
        let mut flags: Vec<String> = words[program + 1..]
            .iter()
            .take_while(|word| !word.starts_with(';') && *word != "&&" && *word != ">")
            .cloned()
            .collect();
        let source = PathBuf::from(flags.pop()?);
        let (ending, ..) = language.facts();
        let compiles = |flag: &String| COMPILES.iter().any(|known| flag.starts_with(known));
        let is_kbuilds = source.to_string_lossy().ends_with(".mod.c");
        if source.extension()? != ending || is_kbuilds || !flags.iter().any(compiles) {
            return None;
        }
        // From Linux 6.13 on, Kbuild runs in the module's folder.
        let dir = if source.is_absolute() {
            module.kernel()
        } else {
            module.dir()
        };
        Some(Recorded {
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            source: dir.join(source).components().collect(),
            dir: dir.to_owned(),
            flags,
        })
    }

    /// The arguments without those that begin with one of these words; `with_next` are followed by a word
    /// of theirs.
    pub fn without(&self, prefixes: &[&str], with_next: &[&str]) -> Vec<String> {
        let mut rest = self.flags.iter();
        let mut kept = Vec::new();
        while let Some(flag) = rest.next() {
            if with_next.contains(&flag.as_str()) {
                rest.next();
            } else if !prefixes.iter().any(|prefix| flag.starts_with(prefix)) {
                kept.push(flag.clone());
            }
        }
        kept
    }

    /// The values of an argument, `--name value` or `--name=value`.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let next = |at: usize| self.flags.get(at + 1).map(String::as_str);
        let values = self.flags.iter().enumerate().filter_map(|(at, flag)| {
            let rest = flag.strip_prefix(name)?;
            if rest.is_empty() {
                next(at)
            } else {
                rest.strip_prefix('=')
            }
        });
        values.collect()
    }

    /// The name of its crate, or of the object.
    pub fn name(&self) -> String {
        let stem = self.source.file_stem().unwrap_or_default();
        stem.to_string_lossy().replace('-', "_")
    }
}

/// Builds a module, and returns the commands for its sources of one language. A module that does not
/// compile has commands, too: a line on stderr says that it does not.
///
/// # Errors
///
/// When there are none; with the compilers' messages, if it does not compile.
pub fn commands(
    module: &Module,
    toolchain: &Toolchain,
    language: Language,
) -> Result<Vec<Recorded>> {
    let built = module.provide(toolchain);
    let mut found = BTreeMap::new();
    let mut keep = |line: &str| {
        if let Some(command) = Recorded::parse(line, language, module) {
            if command.source.is_file() && command.source.starts_with(module.dir()) {
                found.insert(command.source.clone(), command);
            }
        }
    };
    let mut files = Vec::new();
    files_below(module.dir(), &mut files)?;
    for file in files
        .iter()
        .filter(|file| file.to_string_lossy().ends_with(".o.cmd"))
    {
        let text = fs::read_to_string(file)?;
        // Escaped for make by `make-cmd` in scripts/Kbuild.include.
        let line = text.lines().next().and_then(|line| line.split_once(" := "));
        if let Some((_, line)) = line {
            keep(&line.replace("$(pound)", "#").replace("$$", "$"));
        }
    }
    if let Err(error) = built {
        // Kbuild records only what has compiled, but prints everything.
        let _ = module.build(toolchain, &["-k", "V=1"]);
        fs::read_to_string(module.log())?.lines().for_each(keep);
        if found.is_empty() {
            return Err(error);
        }
        eprintln!(
            "lab: warning: the module does not compile yet; see {}",
            module.log().display()
        );
    }
    if found.is_empty() {
        return Err(language.missing(module.dir()).into());
    }
    Ok(found.into_values().collect())
}
