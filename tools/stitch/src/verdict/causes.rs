//! Why crossings are not the same, told once: one difference in one struct may be met by a hundred
//! functions.

use std::cmp::Reverse;

use crate::model::{Cause, Crossing, Outcome};

/// Those of all crossings: the worst first, and then the most frequent.
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

/// Each crossing, together with those behind it of which its causes tell all there is to tell.
pub fn alike<'s>(
    crossings: impl Iterator<Item = &'s Crossing>,
) -> Vec<(&'s Crossing, Vec<&'s Crossing>)> {
    let mut groups: Vec<(&Crossing, Vec<&Crossing>)> = Vec::new();
    for crossing in crossings {
        let group = groups.iter_mut().find(|(first, _)| tells(first, crossing));
        match group {
            Some((_, others)) => others.push(crossing),
            None => groups.push((crossing, Vec::new())),
        }
    }
    groups
}

fn tells(first: &Crossing, other: &Crossing) -> bool {
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
    use crate::model::{Language, Verdict};

    fn crossing(symbol: &str, outcome: Outcome, causes: &[&str]) -> Crossing {
        let causes = causes.iter().map(|text| (outcome, (*text).to_owned()));
        Crossing {
            symbol: symbol.to_owned(),
            function: true,
            definer: "a.o".to_owned(),
            language: Language::C,
            place: None,
            linked: None,
            uses: Vec::new(),
            verdict: Verdict {
                outcome,
                causes: causes.collect(),
                ..Verdict::default()
            },
        }
    }

    #[test]
    fn one_cause_of_many() {
        use Outcome::{Differs, Language, Same};
        let all = [
            crossing("a", Language, &["x"]),
            crossing("b", Same, &[]),
            crossing("c", Differs, &["y", "x"]),
            crossing("d", Language, &["x"]),
            crossing("e", Same, &[]),
            crossing("f", Differs, &["y"]),
        ];
        let causes = of(all.iter());
        let told: Vec<_> = causes
            .iter()
            .map(|cause| (cause.outcome, &*cause.text, cause.symbols.join(" ")))
            .collect();
        assert_eq!(
            told,
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
