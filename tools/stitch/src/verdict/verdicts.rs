//! The verdicts of a module: collects the evidence, judges every symbol, and compiles probes for what
//! the objects leave open.

use std::collections::{BTreeSet, HashMap};

use super::evidence::ObjectEvidence;
use super::judge::judge;
use crate::compare::comparison::Bodies;
use crate::dwarf::find::Query;
use crate::dwarf::types;
use crate::input::object::ObjectFile;
use crate::input::parallel::each;
use crate::model::{Crossing, Language, Outcome, Verdict};
use crate::probes::compile::{compile_c, compile_rust, Compilers, Undeclared};
use crate::types::claim::Shape;
use crate::types::graph::{Id, Kind, Types};

/// The body of one incomplete struct may contain others; they are looked up this many times.
const ROUNDS: usize = 8;

/// Judges each symbol, by the objects and, with `compilers`, by probes.
///
/// Of the symbols that cross to the kernel, only those are kept that the module declares itself: the
/// declarations in the kernel crate are generated from the kernel's own headers.
pub fn verdicts(
    objects: &[ObjectFile<'_>],
    crossings: &mut [Crossing],
    kernel: Option<&ObjectFile<'_>>,
    to_kernel: &mut Vec<Crossing>,
    compilers: Option<&Compilers>,
) {
    let (within, beyond) = (crossings.to_vec(), to_kernel.clone());
    let all = within.iter().chain(&beyond).map(name).collect();
    let called = within.iter().filter(|one| one.function);
    let mut evidence = ModuleEvidence {
        objects: each(objects, |object| ObjectEvidence::of(object, &all)),
        bodies: Bodies::new(),
        tags: BTreeSet::new(),
        within: within.iter().map(name).collect(),
        functions: called.map(name).collect(),
    };
    if let Some(compilers) = compilers {
        evidence.probe_rust(compilers);
    }
    let declared: Vec<&str> = beyond
        .iter()
        .map(name)
        .filter(|symbol| {
            let mut rust = evidence.objects.iter().filter(|one| one.is_rust());
            rust.any(|object| !object.declarations(symbol).is_empty())
        })
        .collect();
    if let (Some(kernel), false) = (kernel, declared.is_empty()) {
        let kernel = ObjectEvidence::of(kernel, &declared.iter().copied().collect());
        found_in(&kernel, to_kernel);
        evidence.objects.push(kernel);
    }
    let symbols: Vec<&str> = within.iter().map(name).chain(declared).collect();
    let mut judged = evidence.judge(&symbols);
    if compilers.is_some_and(|compilers| evidence.probe_c(compilers, &symbols, &judged)) {
        judged = evidence.judge(&symbols);
    }
    let mut verdicts: HashMap<&str, Verdict> = symbols.into_iter().zip(judged).collect();
    to_kernel.retain(|crossing| verdicts.contains_key(name(crossing)));
    for crossing in crossings.iter_mut().chain(to_kernel) {
        if let Some(verdict) = verdicts.remove(name(crossing)) {
            crossing.verdict = verdict;
        }
    }
}

fn name(crossing: &Crossing) -> &str {
    &crossing.symbol
}

/// Notes which crossings the kernel defines, and whether they are functions.
fn found_in(kernel: &ObjectEvidence<'_>, crossings: &mut [Crossing]) {
    for crossing in crossings {
        let symbol = crossing.symbol.as_str();
        if kernel.defined.contains_key(symbol) {
            crossing.definer = kernel.object.name.clone();
            let mut claims = kernel.claims.get(symbol).into_iter().flatten();
            crossing.function = !claims.any(|claim| matches!(claim.shape, Shape::Data { .. }));
        }
    }
}

struct ModuleEvidence<'e> {
    objects: Vec<ObjectEvidence<'e>>,
    /// Bodies of structs that are incomplete in some object.
    bodies: Bodies,
    /// Tags that were looked up.
    tags: BTreeSet<String>,
    /// Symbols that cross within the module.
    within: BTreeSet<&'e str>,
    /// Those of them that are functions.
    functions: BTreeSet<&'e str>,
}

impl ModuleEvidence<'_> {
    fn probe_rust(&mut self, compilers: &Compilers) {
        for evidence in &mut self.objects {
            let object = evidence.object;
            let crosses = !evidence.defined.is_empty() || !evidence.needed.is_empty();
            if !evidence.is_rust() || !crosses {
                continue;
            }
            evidence.add_probes(compile_rust(object, compilers, &[]));
            let needed = evidence.needed.iter();
            let undeclared = needed.filter(|symbol| {
                self.within.contains(*symbol) && evidence.declarations(symbol).is_empty()
            });
            let undeclared: Vec<Undeclared<'_>> = undeclared
                .map(|name| Undeclared {
                    name,
                    function: self.functions.contains(name),
                })
                .collect();
            if !undeclared.is_empty() && evidence.probe_error.is_none() {
                if let Ok(probes) = compile_rust(object, compilers, &undeclared) {
                    evidence.add_probes(Ok(probes));
                }
            }
        }
    }

    /// Compiles C probes for what is unknown, and for calling conventions, which GCC never records.
    /// Returns whether any were compiled.
    fn probe_c(&mut self, compilers: &Compilers, symbols: &[&str], judged: &[Verdict]) -> bool {
        let unknown = symbols.iter().zip(judged);
        let unknown = unknown.filter(|(_, verdict)| verdict.outcome == Outcome::Unknown);
        // Without a Rust view there is nothing to compare C's with.
        let has_rust = |symbol: &&str| {
            let mut rust = self.objects.iter().filter(|one| one.is_rust());
            rust.any(|object| object.claims.contains_key(*symbol))
        };
        let unknown: BTreeSet<&str> = unknown
            .map(|(symbol, _)| *symbol)
            .filter(has_rust)
            .collect();
        let mut compiled = false;
        for evidence in &mut self.objects {
            let object = evidence.object;
            // The kernel is compiled elsewhere.
            if object.language != Language::C || object.is_linked() {
                continue;
            }
            let defined = evidence.defined.keys().copied();
            let all: Vec<&str> = defined.chain(evidence.needed.iter().copied()).collect();
            let by_gcc = |symbol: &&str| {
                let claims = evidence.claims.get(*symbol).into_iter().flatten();
                let mut functions = claims.filter(|it| matches!(it.shape, Shape::Function(_)));
                evidence.defined.contains_key(symbol) && functions.any(|it| it.by_gcc)
            };
            if all
                .iter()
                .any(|symbol| unknown.contains(symbol) || by_gcc(symbol))
            {
                for probes in compile_c(object, compilers, &all) {
                    evidence.add_probes(probes);
                }
                compiled = true;
            }
        }
        self.tags.clear();
        compiled
    }

    fn judge(&mut self, symbols: &[&str]) -> Vec<Verdict> {
        for _ in 0..ROUNDS {
            let (mut verdicts, mut incomplete) = (Vec::new(), BTreeSet::new());
            for symbol in symbols {
                let (verdict, mut tags) = judge(symbol, &self.objects, &self.bodies);
                verdicts.push(verdict);
                incomplete.append(&mut tags);
            }
            incomplete.retain(|tag| !self.tags.contains(tag));
            if incomplete.is_empty() {
                return verdicts;
            }
            self.find_bodies(&incomplete);
            self.tags.append(&mut incomplete);
        }
        let exhausted = || Verdict {
            reasons: vec!["it refers to more structs than stitch follows".to_owned()],
            ..Verdict::default()
        };
        symbols.iter().map(|_| exhausted()).collect()
    }

    /// Looks up structs that are incomplete in one C object in all others.
    fn find_bodies(&mut self, tags: &BTreeSet<String>) {
        let mut found: Bodies = Bodies::new();
        let query = Query {
            tags: tags.clone(),
            ..Query::default()
        };
        let mut add = |object: &ObjectFile<'_>| {
            let read = types::read(&object.name, &object.debug, &query);
            for (tag, bodies) in read.bodies {
                let known = found.entry(tag).or_default();
                for id in bodies {
                    let mut same = known.iter().map(|(types, one)| (&**types, *one));
                    if !same.any(|one| is_same_struct(one, (&read.types, id))) {
                        known.push((read.types.clone(), id));
                    }
                }
            }
        };
        for evidence in self.objects.iter().filter(|one| !one.is_rust()) {
            add(evidence.object);
            for probes in &evidence.probe_objects {
                if let Ok(object) = probes.load() {
                    add(&object);
                }
            }
        }
        self.bodies.append(&mut found);
    }
}

/// Whether two objects have the same definition of a struct, as if from one header.
fn is_same_struct(one: (&Types, Id), other: (&Types, Id)) -> bool {
    let fields = |(types, id): (&Types, Id)| match types.kind(id) {
        Kind::Aggregate(aggregate) => {
            let fields = aggregate.fields.iter();
            let fields = fields.map(|field| {
                let size = types.size(field.ty);
                (field.name.clone(), field.start, field.bits, size)
            });
            Some((aggregate.size, aggregate.union, fields.collect::<Vec<_>>()))
        }
        _ => None,
    };
    fields(one) == fields(other)
}
