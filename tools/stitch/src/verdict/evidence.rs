//! What one object says of symbols: in its debug information, and by probes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object::elf::{STB_LOCAL, STB_WEAK};
use object::{Object, ObjectSymbol};

use crate::btf;
use crate::dwarf::find::Query;
use crate::dwarf::load::address;
use crate::dwarf::types::{self, Found};
use crate::input::object::ObjectFile;
use crate::model::{Language, Place};
use crate::probes::compile::ProbeObject;
use crate::probes::read;
use crate::types::claim::{Claim, Shape, Source};
use crate::types::graph::Convention;

pub struct ObjectEvidence<'e> {
    pub object: &'e ObjectFile<'e>,
    /// Symbols that it defines, and whether weakly.
    pub defined: BTreeMap<&'e str, bool>,
    /// Symbols that it references.
    pub needed: BTreeSet<&'e str>,
    /// The addresses of its definitions.
    addresses: BTreeMap<&'e str, u64>,
    /// The claims, by symbol.
    pub claims: BTreeMap<String, Vec<Claim>>,
    /// Why the debug information is incomplete.
    reason: Option<String>,
    /// Why no probes could be compiled.
    pub probe_error: Option<String>,
    /// Whether probes were to be compiled.
    was_probed: bool,
    /// Compiled probes: they may have bodies of structs, too.
    pub probe_objects: Vec<ProbeObject>,
}

impl<'e> ObjectEvidence<'e> {
    /// Whether rustc compiled it.
    pub fn is_rust(&self) -> bool {
        self.object.language == Language::Rust
    }

    /// Reads what it says of these symbols.
    pub fn of(object: &'e ObjectFile<'e>, symbols: &BTreeSet<&'e str>) -> Self {
        let mut evidence = ObjectEvidence {
            object,
            defined: BTreeMap::new(),
            needed: BTreeSet::new(),
            addresses: BTreeMap::new(),
            claims: BTreeMap::new(),
            reason: None,
            probe_error: None,
            was_probed: false,
            probe_objects: Vec::new(),
        };
        for symbol in object.file.symbols() {
            let binding = symbol.elf_symbol().st_bind();
            let name = symbol.name().ok().and_then(|name| symbols.get(name));
            let (Some(name), false) = (name, binding == STB_LOCAL) else {
                continue;
            };
            if symbol.is_undefined() {
                evidence.needed.insert(name);
            } else {
                evidence.defined.insert(name, binding == STB_WEAK);
                let at = match (object.is_linked(), symbol.section_index()) {
                    (false, Some(section)) => address(section, symbol.address()),
                    _ => symbol.address(),
                };
                evidence.addresses.insert(name, at);
            }
        }
        if let Some(section) = object.btf() {
            evidence.read_btf(section, symbols);
        } else if !evidence.defined.is_empty() || !evidence.needed.is_empty() {
            let found = evidence.read(object);
            evidence.reason = found.reason;
            evidence.claims = found.claims;
        }
        evidence
    }

    /// Reads BTF, which also says which symbols a kernel defines.
    fn read_btf(&mut self, section: &[u8], symbols: &BTreeSet<&'e str>) {
        let (arch, by_gcc) = (self.object.arch, self.object.was_built_by_gcc());
        match btf::read(&self.object.name, section, arch, by_gcc, symbols) {
            Ok(found) => {
                let names = found.claims.keys();
                let names = names.filter_map(|name| symbols.get(name.as_str()));
                self.defined = names.map(|name| (*name, false)).collect();
                self.claims = found.claims;
            }
            Err(reason) => self.reason = Some(reason),
        }
    }

    /// Reads this object, or one with its probes.
    fn read(&self, object: &ObjectFile<'_>) -> Found {
        let probes = read::of(object);
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
        // An object with probes declares what this object defines, too.
        let defined = self.addresses.iter().filter(|_| is_own);
        let declared = self.defined.keys().filter(|_| !is_own);
        let query = Query {
            defined: defined.map(|(name, at)| (*name, *at)).collect(),
            needed: self.needed.iter().chain(declared).copied().collect(),
            probes: probes.collect::<HashMap<_, _>>(),
            named: read::named(object),
            tags: BTreeSet::new(),
        };
        types::read(&self.object.name, &object.debug, &query)
    }

    /// Adds compiled probes, or the reason why there are none.
    pub fn add_probes(&mut self, probe_object: Result<ProbeObject, String>) {
        self.was_probed = true;
        let read = probe_object.and_then(|probe_object| {
            let object = probe_object.load()?;
            let mut claims = self.read(&object).claims;
            // A local symbol of that name is not the one that is linked.
            claims.retain(|symbol, _| !read::is_local(&object, symbol));
            Ok((probe_object, claims))
        });
        let (probe_object, claims) = match read {
            Ok(read) => read,
            Err(reason) => {
                self.probe_error.get_or_insert(reason);
                return;
            }
        };
        let beside = self.object.path.parent().unwrap_or(Path::new(""));
        let beside = Path::new(".").join(beside).canonicalize().ok();
        let recorded = self.object.debug.compile_unit().folder.map(PathBuf::from);
        let folders: Vec<PathBuf> = recorded.into_iter().chain(beside).collect();
        for (symbol, mut claims) in claims {
            for claim in &mut claims {
                claim.place = claim.place.take().and_then(|place| {
                    let file = probe_object.original(Path::new(&place.file))?;
                    let mut inside = folders.iter().filter_map(|one| file.strip_prefix(one).ok());
                    let file = inside.next().unwrap_or(&file);
                    Some(Place {
                        file: file.display().to_string(),
                        line: place.line,
                    })
                });
                if let (Shape::Function(signature), true) =
                    (&mut claim.shape, probe_object.microsoft.contains(&symbol))
                {
                    signature.convention = Convention::Microsoft;
                }
            }
            self.claims.entry(symbol).or_default().extend(claims);
        }
        if probe_object.unrecorded {
            for claim in self.claims.values_mut().flatten() {
                claim.types = Arc::new(claim.types.without_conventions());
            }
        }
        self.probe_objects.push(probe_object);
    }

    /// The claims from the first of these sources that has any.
    pub fn claims_from(&self, symbol: &str, sources: &[Source]) -> Vec<&Claim> {
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

    /// Its definition of a symbol. Only DWARF has parameter names, and only probes have Rust's conventions.
    pub fn definition(&self, symbol: &str) -> Option<Claim> {
        use Source::{Btf, Declaration, Definition, ProbedDeclaration, ProbedDefinition};
        let own = if self.object.is_linked() {
            // What is defined in assembly may be declared in C.
            self.claims_from(symbol, &[Definition, Declaration, Btf])
        } else {
            self.claims_from(symbol, &[Definition])
        };
        let own = own.first().copied();
        let rust = self.object.language == Language::Rust;
        let probed = if rust {
            self.claims_from(symbol, &[ProbedDefinition])
        } else {
            // In C they are compatible, and the definition is more precise.
            self.claims_from(symbol, &[ProbedDeclaration])
        };
        let Some(probed) = probed.first().copied() else {
            return own.cloned();
        };
        if let (false, Some(own)) = (rust, own.filter(|own| own.is_complete())) {
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

    pub fn declarations(&self, symbol: &str) -> Vec<&Claim> {
        use Source::{Declaration, ProbedDeclaration};
        let own = self.claims_from(symbol, &[Declaration]);
        match self.object.language {
            Language::C if !own.is_empty() && own.iter().all(|claim| claim.is_complete()) => own,
            Language::C => self.claims_from(symbol, &[ProbedDeclaration, Declaration]),
            _ => self.claims_from(symbol, &[ProbedDeclaration]),
        }
    }

    /// Why it has no claim about a symbol.
    pub fn why_missing(&self, symbol: &str) -> String {
        let name = &self.object.name;
        if let Some(reason) = &self.probe_error {
            return reason.clone();
        }
        match self.object.language {
            Language::Assembly => format!("{name} is assembly, which has no types"),
            Language::Rust if self.needed.contains(symbol) && self.was_probed => {
                format!("the sources of {name} do not declare `{symbol}` in a visible extern block")
            }
            Language::Rust if self.needed.contains(symbol) => {
                format!("rustc does not record in {name} how Rust declares `{symbol}`: use --probe")
            }
            _ => self.reason.clone().unwrap_or_else(|| {
                let probed = self.was_probed || self.object.is_linked();
                let remedy = if probed { "" } else { ": use --probe" };
                format!("the debug information of {name} does not describe `{symbol}`{remedy}")
            }),
        }
    }
}
