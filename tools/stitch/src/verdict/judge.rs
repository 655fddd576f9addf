//! Compares all that is said of one symbol.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::evidence::ObjectEvidence;
use crate::compare::comparison::{Bodies, Difference, Level};
use crate::compare::differences::differences;
use crate::model::{Language, Outcome, Verdict, View};
use crate::types::claim::{Claim, Source};
use crate::types::{layouts, spell};

/// Judges a symbol by the evidence of all objects. Returns the tags of incomplete structs, too: with
/// their bodies, the verdict may be another.
pub fn judge(
    symbol: &str,
    objects: &[ObjectEvidence<'_>],
    bodies: &Bodies,
) -> (Verdict, BTreeSet<String>) {
    let mut judge = Judge {
        symbol,
        bodies,
        views: Vec::new(),
        differences: Vec::new(),
        compared: false,
        incomplete: BTreeSet::new(),
    };
    judge.all(objects);
    let incomplete = std::mem::take(&mut judge.incomplete);
    (judge.verdict(), incomplete)
}

struct Judge<'b> {
    symbol: &'b str,
    bodies: &'b Bodies,
    views: Vec<View>,
    differences: Vec<Difference>,
    /// Whether a definition was compared with a declaration.
    compared: bool,
    incomplete: BTreeSet<String>,
}

impl Judge<'_> {
    fn all(&mut self, objects: &[ObjectEvidence<'_>]) {
        let symbol = self.symbol;
        let defining = objects.iter();
        let defining = defining.filter(|object| object.defined.contains_key(symbol));
        // The linker takes the first strong definition, or else the first.
        let Some(definer) = defining.min_by_key(|object| object.defined.get(symbol).copied())
        else {
            self.unknown("none of the objects defines it".to_owned());
            for claim in objects.iter().flat_map(|user| user.declarations(symbol)) {
                self.view(claim);
            }
            return;
        };
        let definition = definer.definition(symbol);
        match &definition {
            Some(claim) => self.view(claim),
            None => self.unknown(definer.why_missing(symbol)),
        }
        let rust = definer.object.language == Language::Rust;
        if let Some(defined) = &definition {
            match &definer.probe_error {
                // rustc's DWARF does not have the calling convention.
                Some(reason) if rust && defined.source == Source::Definition => {
                    self.unknown(reason.clone());
                }
                _ => {}
            }
            // In C a definition may be less precise than its declaration: an int for an enum.
            let declared = definer.claims_from(symbol, &[Source::ProbedDeclaration]);
            for declared in declared.into_iter().filter(|it| !rust && it.is_complete()) {
                let (found, _) = differences(defined, declared, self.bodies);
                self.differences.extend(found);
            }
        }
        for user in objects {
            let other = (user.object.language == Language::Rust) != rust;
            if !other || !user.needed.contains(symbol) {
                continue;
            }
            let declarations = user.declarations(symbol);
            if declarations.is_empty() {
                self.unknown(user.why_missing(symbol));
            }
            for claim in declarations {
                self.compare(definition.as_ref(), claim);
            }
        }
    }

    fn view(&mut self, claim: &Claim) {
        let (says, layouts) = (spell::claim(self.symbol, claim), layouts::of(claim));
        let role = format!(", {}", claim.source.label());
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

    fn compare(&mut self, definition: Option<&Claim>, declaration: &Claim) {
        self.view(declaration);
        if let Some(definition) = definition {
            self.compared = true;
            let (found, incomplete) = differences(definition, declaration, self.bodies);
            self.differences.extend(found);
            self.incomplete.extend(incomplete);
        }
    }

    fn unknown(&mut self, reason: String) {
        self.differences.push(Difference {
            level: Level::Unknown,
            cause: reason.clone(),
            text: reason,
        });
    }

    fn verdict(self) -> Verdict {
        let worst = self.differences.iter().map(|difference| difference.level);
        let outcome = match worst.max() {
            Some(level) => outcome_of(level),
            // It takes two claims to agree.
            None if self.compared => Outcome::Same,
            None => Outcome::Unknown,
        };
        let mut differences = self.differences;
        differences.sort_by_key(|difference| Reverse(difference.level));
        let (mut reasons, mut causes) = (Vec::new(), Vec::new());
        let own_name = format!("`{}`", self.symbol);
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
