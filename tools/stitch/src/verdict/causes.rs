//! Causes: a difference in one struct may affect a hundred functions, and is reported once.

use std::cmp::Reverse;

use crate::model::{Cause, Crossing, Outcome};

/// The causes of all crossings, the worst and most frequent first.
pub fn of<'s>(crossings: impl Iterator<Item = &'s Crossing>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for crossing in crossings {
        for (outcome, text) in &crossing.verdict.causes {
            match causes.iter_mut().find(|cause| cause.text == *text) {
                Some(cause) => {
                    cause.outcome = cause.outcome.max(*outcome);
                    cause.symbols.push(crossing.symbol.clone());
                }
                None => causes.push(Cause {
                    outcome: *outcome,
                    text: text.clone(),
                    symbols: vec![crossing.symbol.clone()],
                }),
            }
        }
    }
    causes.sort_by_key(|cause| Reverse((cause.outcome, cause.symbols.len())));
    causes
}

/// Groups crossings: each with later ones that have the same outcome and no other causes.
pub fn alike<'s>(
    crossings: impl Iterator<Item = &'s Crossing>,
) -> Vec<(&'s Crossing, Vec<&'s Crossing>)> {
    let mut groups: Vec<(&Crossing, Vec<&Crossing>)> = Vec::new();
    for crossing in crossings {
        let group = groups.iter_mut().find(|(first, _)| covers(first, crossing));
        match group {
            Some((_, others)) => others.push(crossing),
            None => groups.push((crossing, Vec::new())),
        }
    }
    groups
}

fn covers(first: &Crossing, other: &Crossing) -> bool {
    let (first, other) = (&first.verdict, &other.verdict);
    let known = |cause| first.causes.contains(cause);
    other.outcome != Outcome::Same
        && first.outcome == other.outcome
        && !other.causes.is_empty()
        && other.causes.iter().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_of_many() {
        use Outcome::{Differs, Language, Same};
        let all = [
            Crossing::example("a", Language, &["x"]),
            Crossing::example("b", Same, &[]),
            Crossing::example("c", Differs, &["y", "x"]),
            Crossing::example("d", Language, &["x"]),
            Crossing::example("e", Same, &[]),
            Crossing::example("f", Differs, &["y"]),
        ];
        let causes = of(all.iter());
        let found: Vec<_> = causes
            .iter()
            .map(|cause| (cause.outcome, &*cause.text, cause.symbols.join(" ")))
            .collect();
        assert_eq!(
            found,
            [
                (Differs, "x", "a c d".to_owned()),
                (Differs, "y", "c f".to_owned())
            ]
        );
        let groups: Vec<String> = alike(all.iter())
            .into_iter()
            .map(|(first, others)| {
                let others: Vec<&str> = others.iter().map(|one| &*one.symbol).collect();
                format!("{}: {}", first.symbol, others.join(" "))
            })
            .collect();
        assert_eq!(groups, ["a: d", "b: ", "c: f", "e: "]);
    }
}
