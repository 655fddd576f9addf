//! Whether both sides of a crossing mean the same: what each claims, and how that compares.

use std::collections::{BTreeSet, HashMap};

use crate::input::Loaded;
use crate::model::{Language, Outcome, Stitch, Verdict, View};
use crate::parallel::each;
use crate::probes::{self, Compilers, Hidden};
use crate::types::compare::{differences, Bodies, Difference, Level};
use crate::types::dwarf;
use crate::types::entries::Wanted;
use crate::types::graph::{Claim, Id, Kind, Shape, Source, Types};
use crate::types::{layouts, spell};
use crate::witness::Witness;

/// Structs lead to structs of which other objects have the body; no further than this.
const ROUNDS: usize = 8;

/// Judges each symbol. With `compilers`, they are asked where the objects do not tell. Of what
/// crosses to the kernel, only that is left which the module declares by itself: the kernel crate's
/// declarations are made from the kernel's own headers.
pub fn verdicts(
    objects: &[Loaded<'_>],
    stitches: &mut [Stitch],
    kernel: Option<&Loaded<'_>>,
    outward: &mut Vec<Stitch>,
    compilers: Option<&Compilers>,
) {
    let inward = stitches.to_vec();
    let beyond = outward.clone();
    let all: BTreeSet<&str> = inward
        .iter()
        .chain(&beyond)
        .map(|one| one.symbol.as_str())
        .collect();
    let called = inward.iter().filter(|one| one.function);
    let mut evidence = Evidence {
        witnesses: each(objects, |object| Witness::of(object, &all)),
        bodies: Bodies::new(),
        asked: BTreeSet::new(),
        inward: inward.iter().map(|one| one.symbol.as_str()).collect(),
        functions: called.map(|one| one.symbol.as_str()).collect(),
    };
    if let Some(compilers) = compilers {
        evidence.ask_rustc(compilers);
    }
    let is_declared = |symbol: &str| {
        let mut witnesses = evidence.witnesses.iter();
        witnesses.any(|witness| {
            let rust = witness.object.language == Language::Rust;
            rust && !witness.declarations(symbol).is_empty()
        })
    };
    let declared: Vec<&str> = beyond
        .iter()
        .map(|one| one.symbol.as_str())
        .filter(|symbol| is_declared(symbol))
        .collect();
    if let (Some(kernel), false) = (kernel, declared.is_empty()) {
        let wanted = declared.iter().copied().collect();
        let witness = Witness::of(kernel, &wanted);
        for stitch in outward.iter_mut() {
            let symbol = stitch.symbol.as_str();
            if witness.defined.contains_key(symbol) {
                stitch.definer = kernel.name.clone();
                let claims = witness.claims.get(symbol).into_iter().flatten();
                let shapes = claims.map(|claim| &claim.shape);
                stitch.function = !shapes.clone().any(|it| matches!(it, Shape::Data { .. }));
            }
        }
        evidence.witnesses.push(witness);
    }
    let symbols: Vec<&str> = inward
        .iter()
        .map(|one| one.symbol.as_str())
        .chain(declared)
        .collect();
    let judged = evidence.judge(&symbols);
    let judged = match compilers {
        Some(compilers) if evidence.ask_cc(compilers, &symbols, &judged) => {
            evidence.judge(&symbols)
        }
        _ => judged,
    };
    let mut verdicts: HashMap<&str, Verdict> = symbols.into_iter().zip(judged).collect();
    outward.retain(|stitch| verdicts.contains_key(stitch.symbol.as_str()));
    for stitch in stitches.iter_mut().chain(outward) {
        if let Some(verdict) = verdicts.remove(stitch.symbol.as_str()) {
            stitch.verdict = verdict;
        }
    }
}

struct Evidence<'e> {
    witnesses: Vec<Witness<'e>>,
    /// Of structs that some object only declares.
    bodies: Bodies,
    /// Tags that were looked for.
    asked: BTreeSet<String>,
    /// Symbols that cross within the module.
    inward: BTreeSet<&'e str>,
    /// Of these, those that are called.
    functions: BTreeSet<&'e str>,
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
            let silent = needed.filter(|symbol| {
                self.inward.contains(*symbol) && witness.declarations(symbol).is_empty()
            });
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
        // Where Rust has no view, C's would be compared with nothing.
        let has_rust = |symbol: &str| {
            let mut witnesses = self.witnesses.iter();
            witnesses.any(|witness| {
                let rust = witness.object.language == Language::Rust;
                rust && witness.claims.contains_key(symbol)
            })
        };
        let unknown = unknown.map(|(symbol, _)| *symbol);
        let unknown: BTreeSet<&str> = unknown.filter(|symbol| has_rust(symbol)).collect();
        let mut asked = false;
        for witness in &mut self.witnesses {
            let object = witness.object;
            // The kernel's own sources are not the module's.
            if object.language != Language::C || object.is_linked() {
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
                verdicts.push(judge.verdict(symbol));
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
            judge.lack("no object at hand defines it".to_owned());
            for user in &self.witnesses {
                for claim in user.declarations(symbol) {
                    judge.view(symbol, claim);
                }
            }
            return;
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
        let (says, layouts) = (spell::claim(symbol, claim), layouts::of(claim));
        let role = format!(", {}", claim.source.word());
        let source = format!("{}{role}", claim.part);
        let known = self.views.iter_mut().find(|view| {
            view.language == claim.language
                && view.says == says
                && view.layouts == layouts
                && view.source.ends_with(&role)
        });
        match known {
            Some(view) if view.source == source || view.also.contains(&source) => {}
            Some(view) => view.also.push(source),
            None => self.views.push(View {
                language: claim.language,
                says,
                source,
                place: claim.place.clone(),
                also: Vec::new(),
                layouts,
            }),
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
            cause: sentence.clone(),
            text: sentence,
        });
    }

    fn verdict(self, symbol: &str) -> Verdict {
        let worst = self.differences.iter().map(|difference| difference.level);
        let outcome = match worst.max() {
            Some(level) => outcome_of(level),
            // Without two claims there is nothing that could be the same.
            None if self.compared => Outcome::Same,
            None => Outcome::Unknown,
        };
        let mut differences = self.differences;
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.level));
        let (mut reasons, mut causes) = (Vec::new(), Vec::new());
        let own_name = format!("`{symbol}`");
        for Difference { level, text, cause } in differences {
            let cause = (outcome_of(level), cause.replace(&own_name, "it"));
            if !causes.contains(&cause) {
                causes.push(cause);
            }
            if !reasons.contains(&text) {
                reasons.push(text);
            }
        }
        Verdict {
            outcome,
            views: self.views,
            reasons,
            causes,
        }
    }
}

fn outcome_of(level: Level) -> Outcome {
    match level {
        Level::Machine => Outcome::Differs,
        Level::Unknown => Outcome::Unknown,
        Level::Language => Outcome::Language,
    }
}
