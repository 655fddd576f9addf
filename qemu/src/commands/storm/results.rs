//! What the steps of a storm ended with.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use rustix::io::Errno;

/// A word of a step, and the errors with which it may end besides none.
pub type Allowed = (&'static str, &'static [Errno]);

/// What people call the words of storm.c.
const NAMES: &[(&str, &str)] = &[
    ("again", "the same again"),
    ("starve_load", "load without one allocation"),
    ("starve_unload", "unload without one allocation"),
];

/// How often a kind of step ended with an error, 0 for none, and the first step that did.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    times: u64,
    first: u32,
}

/// The counts by word and error.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Results(BTreeMap<(String, i32), Count>);

impl Results {
    /// Adds up what the tasks have printed: `load 22 3023 4`. Other lines are the job's own.
    pub fn parse(output: &str) -> Self {
        let mut results = Results::default();
        for line in output.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let &[word, error, times, first] = words.as_slice() else {
                continue;
            };
            let numbers = (error.parse(), times.parse::<u64>(), first.parse::<u32>());
            let (Ok(error), Ok(times), Ok(first)) = numbers else {
                continue;
            };
            let counts = results.0.entry((word.to_owned(), error));
            let count = counts.or_insert(Count { times: 0, first });
            count.times = count.times.saturating_add(times);
            count.first = count.first.min(first);
        }
        results
    }

    /// How often it worked.
    pub fn worked(&self, word: &str) -> u64 {
        self.0
            .get(&(word.to_owned(), 0))
            .map_or(0, |count| count.times)
    }

    /// The first step that ended with an error that is not allowed, and what is said of it.
    pub fn not_allowed(&self, allowed: &[Allowed]) -> Option<(u32, String)> {
        let of_word = |word: &str| {
            let mut all = allowed.iter();
            all.find(|(its, _)| *its == word)
                .map_or(&[][..], |(_, errors)| errors)
        };
        let is_allowed = |word: &str, error| {
            let mut errors = of_word(word).iter();
            error == 0 || errors.any(|its| its.raw_os_error() == error)
        };
        let wrong = self
            .0
            .iter()
            .filter(|((word, error), _)| !is_allowed(word, *error));
        let first = wrong.min_by_key(|(_, count)| count.first);
        first.map(|((word, error), count)| {
            (count.first, format!("{word} ended with {}", name(*error)))
        })
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, ((word, error), count)) in self.0.iter().enumerate() {
            let comma = if nth == 0 { "" } else { ", " };
            let known = NAMES.iter().find(|(its, _)| its == word);
            let word = known.map_or(word.as_str(), |(_, name)| name);
            match error {
                0 => write!(f, "{comma}{word} {}", count.times)?,
                _ => write!(f, "{comma}{word}: {} {}", name(*error), count.times)?,
            }
        }
        Ok(())
    }
}

/// The kernel's errors have the same numbers as this host's.
fn name(error: i32) -> String {
    let said = io::Error::from_raw_os_error(error).to_string();
    let (name, _) = said.split_once(" (os error").unwrap_or((&said, ""));
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "slab before kmalloc-8 12\n\
                          load 0 7 1\nload 22 3 4\nunload 0 7 1\n\
                          load 0 5 2\nload 14 1 9\nlab: something else 1 2\n";

    #[test]
    fn of_all_tasks() {
        let results = Results::parse(OUTPUT);
        assert_eq!(results.worked("load"), 12);
        assert_eq!(results.worked("unload"), 7);
        assert_eq!(results.worked("read"), 0);
    }

    /// A guest can print any number.
    #[test]
    fn more_than_can_be_counted() {
        let output = format!("load 0 {} 1\n", u64::MAX).repeat(2);
        assert_eq!(Results::parse(&output).worked("load"), u64::MAX);
    }

    /// Nor is there a limit to its errors.
    #[test]
    fn errors_that_no_system_has() {
        for error in [i32::MIN, -1, 4096, i32::MAX] {
            let results = Results::parse(&format!("load {error} 1 4\n"));
            assert!(results.to_string().starts_with("load: Unknown error"));
            assert_eq!(results.not_allowed(&[]).map(|(step, _)| step), Some(4));
        }
    }

    #[test]
    fn for_people() {
        let said = Results::parse("load 22 3 4\nagain 0 7 1\n").to_string();
        assert_eq!(said, "the same again 7, load: Invalid argument 3");
    }

    #[test]
    fn what_is_allowed() {
        let results = Results::parse(OUTPUT);
        let wrong = |allowed| results.not_allowed(allowed);
        assert_eq!(wrong(&[("load", &[Errno::INVAL, Errno::FAULT])]), None);
        let (step, what) = wrong(&[("load", &[Errno::INVAL])]).expect("EFAULT");
        assert_eq!(step, 9);
        assert!(what.starts_with("load ended with Bad address"), "{what}");
        let first = wrong(&[("unload", &[Errno::INVAL])]).map(|(step, _)| step);
        assert_eq!(first, Some(4));
    }
}
