//! What one object has to say of symbols, by itself and by what its compiler answered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object::elf::{STB_LOCAL, STB_WEAK};
use object::{Object, ObjectSymbol};

use crate::debug::address;
use crate::input::Loaded;
use crate::model::{Language, Place};
use crate::probes::{self, Answer};
use crate::types::btf;
use crate::types::dwarf::{self, Found};
use crate::types::entries::Wanted;
use crate::types::graph::{Claim, Convention, Shape, Source};

/// What one object has to say.
pub struct Witness<'e> {
    /// The object.
    pub object: &'e Loaded<'e>,
    /// Whether each of these definitions gives way to another.
    pub defined: BTreeMap<&'e str, bool>,
    /// Symbols that it references.
    pub needed: BTreeSet<&'e str>,
    /// Where its definitions are.
    addresses: BTreeMap<&'e str, u64>,
    /// What is said of each symbol.
    pub claims: BTreeMap<String, Vec<Claim>>,
    /// Why the debug information is less than it could be.
    reason: Option<String>,
    /// Why its compiler told nothing, when it was asked.
    pub unanswered: Option<String>,
    /// Whether it was asked.
    was_asked: bool,
    /// Objects that were compiled to ask: struct bodies are there, too.
    pub answers: Vec<Answer>,
}

impl<'e> Witness<'e> {
    /// Reads what it says of these symbols.
    pub fn of(object: &'e Loaded<'e>, symbols: &BTreeSet<&'e str>) -> Self {
        let mut witness = Witness {
            object,
            defined: BTreeMap::new(),
            needed: BTreeSet::new(),
            addresses: BTreeMap::new(),
            claims: BTreeMap::new(),
            reason: None,
            unanswered: None,
            was_asked: false,
            answers: Vec::new(),
        };
        for symbol in object.file.symbols() {
            let binding = symbol.elf_symbol().st_bind();
            let name = symbol.name().ok().and_then(|name| symbols.get(name));
            let (Some(name), false) = (name, binding == STB_LOCAL) else {
                continue;
            };
            if symbol.is_undefined() {
                witness.needed.insert(name);
            } else {
                witness.defined.insert(name, binding == STB_WEAK);
                let at = match (object.is_linked(), symbol.section_index()) {
                    (false, Some(section)) => address(section, symbol.address()),
                    _ => symbol.address(),
                };
                witness.addresses.insert(name, at);
            }
        }
        if let Some(section) = object.btf() {
            witness.read_btf(section, symbols);
        } else if !witness.defined.is_empty() || !witness.needed.is_empty() {
            let found = witness.read(object);
            witness.reason = found.reason;
            witness.claims = found.claims;
        }
        witness
    }

    /// A kernel as it is shipped: no symbol says what it defines.
    fn read_btf(&mut self, section: &[u8], symbols: &BTreeSet<&'e str>) {
        let trusts_caller = !self.object.was_built_by_gcc();
        match btf::ask(&self.object.name, section, trusts_caller, symbols) {
            Ok(found) => {
                let names = found.claims.keys();
                let names = names.filter_map(|name| symbols.get(name.as_str()));
                self.defined = names.map(|name| (*name, false)).collect();
                self.claims = found.claims;
            }
            Err(reason) => self.reason = Some(reason),
        }
    }

    /// What an object says of these symbols: the witness's own, or one that was compiled to ask.
    fn read(&self, object: &Loaded<'_>) -> Found {
        let probes = probes::of(object);
        let probes = probes.iter().filter_map(|(at, symbol, of)| {
            let needed = self.needed.get(symbol.as_str()).copied();
            let defined = || {
                self.defined
                    .get_key_value(symbol.as_str())
                    .map(|(name, _)| *name)
            };
            Some((*at, (needed.or_else(defined)?, *of)))
        });
        let is_own = std::ptr::eq(self.object.data, object.data);
        let wanted = Wanted {
            defined: if is_own {
                self.addresses.clone()
            } else {
                BTreeMap::new()
            },
            needed: if is_own {
                self.needed.clone()
            } else {
                self.needed
                    .iter()
                    .chain(self.defined.keys())
                    .copied()
                    .collect()
            },
            probes: probes.collect::<HashMap<_, _>>(),
            named: probes::named(object),
            tags: BTreeSet::new(),
        };
        dwarf::ask(&self.object.name, &object.debug, &wanted)
    }

    /// Takes in what a compiler answered, or why it did not.
    pub fn hear(&mut self, answer: Result<Answer, String>) {
        self.was_asked = true;
        let read = answer.and_then(|answer| {
            let object = answer.load()?;
            let mut claims = self.read(&object).claims;
            // A static of that name is not what is linked.
            claims.retain(|symbol, _| !probes::is_local(&object, symbol));
            Ok((answer, claims))
        });
        let (answer, claims) = match read {
            Ok(read) => read,
            Err(reason) => {
                self.unanswered.get_or_insert(reason);
                return;
            }
        };
        let beside = self.object.path.parent().unwrap_or(Path::new(""));
        let beside = Path::new(".").join(beside).canonicalize().ok();
        let recorded = self.object.debug.making().folder.map(PathBuf::from);
        let folders: Vec<PathBuf> = recorded.into_iter().chain(beside).collect();
        for (symbol, mut claims) in claims {
            for claim in &mut claims {
                claim.place = claim.place.take().and_then(|place| {
                    let file = answer.original(Path::new(&place.file))?;
                    let mut inside = folders.iter().filter_map(|one| file.strip_prefix(one).ok());
                    let file = inside.next().unwrap_or(&file);
                    Some(Place {
                        file: file.display().to_string(),
                        line: place.line,
                    })
                });
                if let (Shape::Function(signature), true) =
                    (&mut claim.shape, answer.microsoft.contains(&symbol))
                {
                    signature.convention = Convention::Microsoft;
                }
            }
            self.claims.entry(symbol).or_default().extend(claims);
        }
        if answer.unrecorded {
            for claim in self.claims.values_mut().flatten() {
                claim.types = Arc::new(claim.types.without_conventions());
            }
        }
        self.answers.push(answer);
    }

    /// All claims of the first of these sources that there are.
    pub fn from(&self, symbol: &str, sources: &[Source]) -> Vec<&Claim> {
        let all = self.claims.get(symbol).into_iter().flatten();
        for source in sources {
            let found: Vec<&Claim> = all
                .clone()
                .filter(|claim| claim.source == *source)
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// What it defines; the names of parameters are nowhere but in its own record.
    pub fn definition(&self, symbol: &str) -> Option<Claim> {
        use Source::{Btf, Declaration, Definition, ProbedDeclaration, ProbedDefinition};
        let own = if self.object.is_linked() {
            // What is written in assembly is declared elsewhere in the kernel.
            self.from(symbol, &[Definition, Declaration, Btf])
        } else {
            self.from(symbol, &[Definition])
        };
        let own = own.first().copied();
        let rust = self.object.language == Language::Rust;
        let probed = if rust {
            self.from(symbol, &[ProbedDefinition])
        } else {
            // C's declaration and definition are compatible, and the definition is what is called.
            self.from(symbol, &[ProbedDeclaration])
        };
        let Some(probed) = probed.first().copied() else {
            return own.cloned();
        };
        if let (false, Some(own)) = (rust, own.filter(|own| own.is_told())) {
            let mut claim = own.clone();
            if let (Shape::Function(own), Shape::Function(probed)) =
                (&mut claim.shape, &probed.shape)
            {
                own.convention = probed.convention.clone();
            }
            return Some(claim);
        }
        let mut claim = probed.clone();
        if let Some(own) = own {
            claim.place = own.place.clone().or(claim.place);
            if let (Shape::Function(probed), Shape::Function(own)) = (&mut claim.shape, &own.shape)
            {
                let count = probed.parameters.len() == own.parameters.len();
                for (one, own) in probed.parameters.iter_mut().zip(&own.parameters) {
                    one.name = own.name.clone().filter(|_| count);
                }
            }
        }
        Some(claim)
    }

    /// How it declares what it needs: each declaration.
    pub fn declarations(&self, symbol: &str) -> Vec<&Claim> {
        use Source::{Declaration, ProbedDeclaration};
        let own = self.from(symbol, &[Declaration]);
        match self.object.language {
            Language::C if !own.is_empty() && own.iter().all(|claim| claim.is_told()) => own,
            Language::C => self.from(symbol, &[ProbedDeclaration, Declaration]),
            _ => self.from(symbol, &[ProbedDeclaration]),
        }
    }

    /// Why it says nothing of a symbol.
    pub fn silence(&self, symbol: &str) -> String {
        let name = &self.object.name;
        if let Some(reason) = &self.unanswered {
            return reason.clone();
        }
        match self.object.language {
            Language::Assembly => format!("{name} is assembly: it has no types"),
            Language::Rust if self.needed.contains(symbol) && self.was_asked => {
                format!("the sources of {name} do not declare `{symbol}` in an extern block that can be seen")
            }
            Language::Rust if self.needed.contains(symbol) => format!(
                "rustc leaves no trace in {name} of how Rust declares `{symbol}`: with --probe, stitch asks it"
            ),
            _ => self.reason.clone().unwrap_or_else(|| {
                let asked = self.was_asked || self.object.is_linked();
                let remedy = if asked { "" } else { ": with --probe, stitch asks its compiler" };
                format!("the debug information of {name} does not tell of `{symbol}`{remedy}")
            }),
        }
    }
}
