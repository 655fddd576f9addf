//! Whether both sides of a crossing mean the same: what each claims, and how that compares.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use object::elf::{STB_LOCAL, STB_WEAK};
use object::{Object, ObjectSymbol};

use crate::debug::address;
use crate::input::Loaded;
use crate::model::{Language, Outcome, Place, Stitch, Verdict, View};
use crate::parallel::each;
use crate::probes::{self, Answer, Compilers, Hidden};
use crate::types::compare::{differences, Bodies, Difference, Level};
use crate::types::dwarf::{self, Found};
use crate::types::entries::Wanted;
use crate::types::graph::{Claim, Convention, Id, Kind, Shape, Source, Types};
use crate::types::{layouts, spell};

/// Structs lead to structs of which other objects have the body; no further than this.
const ROUNDS: usize = 8;

/// The verdict on each symbol, in their order. With `compilers`, they are asked where the objects
/// do not tell.
pub fn verdicts(
    objects: &[Loaded<'_>],
    crossing: &[Stitch],
    compilers: Option<&Compilers>,
) -> Vec<Verdict> {
    let symbols: Vec<&str> = crossing.iter().map(|one| one.symbol.as_str()).collect();
    let wanted: BTreeSet<&str> = symbols.iter().copied().collect();
    let functions = crossing.iter().filter(|one| one.function);
    let mut evidence = Evidence {
        witnesses: each(objects, |object| Witness::of(object, &wanted)),
        bodies: Bodies::new(),
        asked: BTreeSet::new(),
        functions: functions.map(|one| one.symbol.as_str()).collect(),
    };
    if let Some(compilers) = compilers {
        evidence.ask_rustc(compilers);
    }
    let judged = evidence.judge(&symbols);
    match compilers {
        Some(compilers) if evidence.ask_cc(compilers, &symbols, &judged) => {
            evidence.judge(&symbols)
        }
        _ => judged,
    }
}

/// What one object has to say.
struct Witness<'e> {
    object: &'e Loaded<'e>,
    /// Whether each of these definitions gives way to another.
    defined: BTreeMap<&'e str, bool>,
    needed: BTreeSet<&'e str>,
    addresses: BTreeMap<&'e str, u64>,
    claims: BTreeMap<String, Vec<Claim>>,
    /// Why the debug information is less than it could be.
    trouble: Option<String>,
    /// Why its compiler told nothing, when it was asked.
    unanswered: Option<String>,
    was_asked: bool,
    /// Objects that were compiled to ask: struct bodies are there, too.
    answers: Vec<Answer>,
}

struct Evidence<'e> {
    witnesses: Vec<Witness<'e>>,
    /// Of structs that some object only declares.
    bodies: Bodies,
    /// Tags that were looked for.
    asked: BTreeSet<String>,
    /// Symbols that are called.
    functions: BTreeSet<&'e str>,
}

impl<'e> Witness<'e> {
    fn of(object: &'e Loaded<'e>, symbols: &BTreeSet<&'e str>) -> Self {
        let mut witness = Witness {
            object,
            defined: BTreeMap::new(),
            needed: BTreeSet::new(),
            addresses: BTreeMap::new(),
            claims: BTreeMap::new(),
            trouble: None,
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
                let section = symbol.section_index();
                let at = section.map_or(0, |section| address(section, symbol.address()));
                witness.addresses.insert(name, at);
            }
        }
        if !witness.defined.is_empty() || !witness.needed.is_empty() {
            let found = witness.read(object);
            witness.trouble = found.trouble;
            witness.claims = found.claims;
        }
        witness
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
            needed: match is_own {
                true => self.needed.clone(),
                false => self
                    .needed
                    .iter()
                    .chain(self.defined.keys())
                    .copied()
                    .collect(),
            },
            probes: probes.collect::<HashMap<_, _>>(),
            named: probes::named(object),
            tags: BTreeSet::new(),
        };
        dwarf::ask(&self.object.name, &object.debug, &wanted)
    }

    /// Takes in what a compiler answered, or why it did not.
    fn hear(&mut self, answer: Result<Answer, String>) {
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
        let folder = self.object.path.parent().unwrap_or(Path::new(""));
        let folder = Path::new(".").join(folder).canonicalize().ok();
        for (symbol, mut claims) in claims {
            for claim in &mut claims {
                claim.place = claim.place.take().and_then(|place| {
                    let file = answer.original(Path::new(&place.file))?;
                    let file = folder
                        .as_ref()
                        .and_then(|folder| file.strip_prefix(folder).ok())
                        .unwrap_or(&file);
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

    fn from(&self, symbol: &str, sources: &[Source]) -> Vec<&Claim> {
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
    fn definition(&self, symbol: &str) -> Option<Claim> {
        use Source::{Definition, ProbedDeclaration, ProbedDefinition};
        let own = self.from(symbol, &[Definition]);
        let own = own.first().copied();
        let rust = self.object.language == Language::Rust;
        let probed = match rust {
            true => self.from(symbol, &[ProbedDefinition]),
            // C's declaration and definition are compatible, and the definition is what is called.
            false => self.from(symbol, &[ProbedDeclaration]),
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
    fn declarations(&self, symbol: &str) -> Vec<&Claim> {
        use Source::{Declaration, ProbedDeclaration};
        let own = self.from(symbol, &[Declaration]);
        match self.object.language {
            Language::C if !own.is_empty() && own.iter().all(|claim| claim.is_told()) => own,
            Language::C => self.from(symbol, &[ProbedDeclaration, Declaration]),
            _ => self.from(symbol, &[ProbedDeclaration]),
        }
    }

    /// Why it says nothing of a symbol.
    fn silence(&self, symbol: &str) -> String {
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
            _ => self.trouble.clone().unwrap_or_else(|| {
                let remedy = if self.was_asked { "" } else { ": with --probe, stitch asks its compiler" };
                format!("the debug information of {name} does not tell of `{symbol}`{remedy}")
            }),
        }
    }
}

impl Evidence<'_> {
    fn ask_rustc(&mut self, compilers: &Compilers) {
        for witness in &mut self.witnesses {
            let object = witness.object;
            let crosses = !witness.defined.is_empty() || !witness.needed.is_empty();
            if object.language != Language::Rust || !crosses {
                continue;
            }
            witness.hear(probes::ask_rust(object, compilers, &[]));
            let needed = witness.needed.iter();
            let silent = needed.filter(|symbol| witness.declarations(symbol).is_empty());
            let hidden: Vec<Hidden<'_>> = silent
                .map(|name| Hidden {
                    name,
                    function: self.functions.contains(name),
                })
                .collect();
            if !hidden.is_empty() && witness.unanswered.is_none() {
                if let Ok(answer) = probes::ask_rust(object, compilers, &hidden) {
                    witness.hear(Ok(answer));
                }
            }
        }
    }

    /// Asks C's compilers for what could not be told; GCC also for how functions are called, which
    /// it never records. Whether there is anything new.
    fn ask_cc(&mut self, compilers: &Compilers, symbols: &[&str], judged: &[Verdict]) -> bool {
        let unknown = symbols.iter().zip(judged);
        let unknown = unknown.filter(|(_, verdict)| verdict.outcome == Outcome::Unknown);
        let unknown: BTreeSet<&str> = unknown.map(|(symbol, _)| *symbol).collect();
        let mut asked = false;
        for witness in &mut self.witnesses {
            let object = witness.object;
            if object.language != Language::C {
                continue;
            }
            let defined = witness.defined.keys().copied();
            let all: Vec<&str> = defined.chain(witness.needed.iter().copied()).collect();
            let by_gcc = |symbol: &&str| {
                witness.defined.contains_key(symbol)
                    && witness.claims.get(*symbol).is_some_and(|claims| {
                        claims.iter().any(|claim| {
                            !claim.trusts_caller && matches!(claim.shape, Shape::Function(_))
                        })
                    })
            };
            if all.iter().any(|symbol| unknown.contains(symbol)) || all.iter().any(by_gcc) {
                for answer in probes::ask_c(object, compilers, &all) {
                    witness.hear(answer);
                }
                asked = true;
            }
        }
        self.asked.clear();
        asked
    }

    fn judge(&mut self, symbols: &[&str]) -> Vec<Verdict> {
        for _ in 0..ROUNDS {
            let (mut verdicts, mut lacking) = (Vec::new(), BTreeSet::new());
            for symbol in symbols {
                let mut judge = Judge {
                    bodies: &self.bodies,
                    views: Vec::new(),
                    differences: Vec::new(),
                    compared: false,
                    lacking: BTreeSet::new(),
                };
                self.hear_all(symbol, &mut judge);
                lacking.append(&mut judge.lacking.clone());
                verdicts.push(judge.verdict());
            }
            lacking.retain(|tag| !self.asked.contains(tag));
            if lacking.is_empty() {
                return verdicts;
            }
            self.find_bodies(&lacking);
            self.asked.append(&mut lacking);
        }
        let exhausted = || Verdict {
            reasons: vec!["it leads to more structs than stitch follows".to_owned()],
            ..Verdict::default()
        };
        symbols.iter().map(|_| exhausted()).collect()
    }

    /// Looks for what one object declares in all others of C.
    fn find_bodies(&mut self, tags: &BTreeSet<String>) {
        let mut found: Bodies = Bodies::new();
        let wanted = Wanted {
            tags: tags.clone(),
            ..Wanted::default()
        };
        for witness in &self.witnesses {
            let mut add = |object: &Loaded<'_>| {
                let read = dwarf::ask(&object.name, &object.debug, &wanted);
                for (tag, bodies) in read.bodies {
                    let known = found.entry(tag).or_default();
                    for id in bodies {
                        if !known
                            .iter()
                            .any(|(types, one)| is_alike((types, *one), (&read.types, id)))
                        {
                            known.push((read.types.clone(), id));
                        }
                    }
                }
            };
            if witness.object.language != Language::Rust {
                add(witness.object);
                for answer in &witness.answers {
                    if let Ok(object) = answer.load() {
                        add(&object);
                    }
                }
            }
        }
        self.bodies.append(&mut found);
    }

    /// What all objects have to say of a symbol.
    fn hear_all(&self, symbol: &str, judge: &mut Judge<'_>) {
        let mut definers: Vec<&Witness<'_>> = self
            .witnesses
            .iter()
            .filter(|witness| witness.defined.contains_key(symbol))
            .collect();
        // The linker takes the first strong one, else the first.
        definers.sort_by_key(|witness| witness.defined.get(symbol).copied());
        let Some(definer) = definers.first() else {
            return judge.lack("no object at hand defines it".to_owned());
        };
        let definition = definer.definition(symbol);
        match &definition {
            Some(claim) => judge.view(symbol, claim),
            None => judge.lack(definer.silence(symbol)),
        }
        if let (Language::Rust, Some(reason), true) = (
            definer.object.language,
            &definer.unanswered,
            definition
                .as_ref()
                .is_some_and(|claim| claim.source == Source::Definition),
        ) {
            judge.lack(reason.clone());
        }
        let rust = definer.object.language == Language::Rust;
        // C lets a definition say less than its declaration: an int for an enum.
        for declared in definer.from(symbol, &[Source::ProbedDeclaration]) {
            if let (Some(defined), false, true) = (&definition, rust, declared.is_told()) {
                let (found, _) = differences(defined, declared, &self.bodies);
                judge.differences.extend(found);
            }
        }
        for user in &self.witnesses {
            let other = (user.object.language == Language::Rust) != rust;
            if !other || !user.needed.contains(symbol) {
                continue;
            }
            let declarations = user.declarations(symbol);
            if declarations.is_empty() {
                judge.lack(user.silence(symbol));
            }
            for claim in declarations {
                judge.hear(symbol, definition.as_ref(), claim);
            }
        }
    }
}

/// Whether two objects define a struct alike, as a header has it.
fn is_alike(one: (&Types, Id), other: (&Types, Id)) -> bool {
    let fields = |(types, id): (&Types, Id)| match types.kind(id) {
        Kind::Aggregate(aggregate) => {
            let fields = aggregate.fields.iter();
            let fields = fields.map(|field| {
                (
                    field.name.clone(),
                    field.start,
                    field.bits,
                    types.size(field.ty),
                )
            });
            Some((aggregate.size, aggregate.union, fields.collect::<Vec<_>>()))
        }
        _ => None,
    };
    fields(one) == fields(other)
}

/// Hears the claims on one symbol.
struct Judge<'b> {
    bodies: &'b Bodies,
    views: Vec<View>,
    differences: Vec<Difference>,
    compared: bool,
    lacking: BTreeSet<String>,
}

impl Judge<'_> {
    fn view(&mut self, symbol: &str, claim: &Claim) {
        let view = View {
            language: claim.language,
            says: spell::claim(symbol, claim),
            source: format!("{}, {}", claim.part, claim.source.word()),
            place: claim.place.clone(),
            layouts: layouts::of(claim),
        };
        if !self.views.contains(&view) {
            self.views.push(view);
        }
    }

    /// A claim other than the definition's.
    fn hear(&mut self, symbol: &str, definition: Option<&Claim>, claim: &Claim) {
        self.view(symbol, claim);
        if let Some(definition) = definition {
            self.compared = true;
            let (found, lacking) = differences(definition, claim, self.bodies);
            self.differences.extend(found);
            self.lacking.extend(lacking);
        }
    }

    fn lack(&mut self, sentence: String) {
        self.differences.push(Difference {
            level: Level::Unknown,
            text: sentence,
        });
    }

    fn verdict(self) -> Verdict {
        let worst = self.differences.iter().map(|difference| difference.level);
        let outcome = match worst.max() {
            Some(Level::Machine) => Outcome::Differs,
            Some(Level::Unknown) => Outcome::Unknown,
            Some(Level::Language) => Outcome::Language,
            // Without two claims there is nothing that could be the same.
            None if self.compared => Outcome::Same,
            None => Outcome::Unknown,
        };
        let mut differences = self.differences;
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.level));
        let mut reasons: Vec<String> = Vec::new();
        for difference in differences {
            if !reasons.contains(&difference.text) {
                reasons.push(difference.text);
            }
        }
        Verdict {
            outcome,
            views: self.views,
            reasons,
        }
    }
}
