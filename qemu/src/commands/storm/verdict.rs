//! Judges a storm: whether all is well, and if not, which steps show it.

use std::collections::BTreeMap;

use anyhow::{Error, Result};
use diagnostic::Diagnostic;

use super::results::{Allowed, Results};
use super::scene::Scene;
use super::shorten::shortest;
use super::steps::{List, Step};
use super::Storm;
use crate::exit::Exit;
use crate::guest::machine::Guest;
use crate::judge::splats::{self, splats};
use crate::options::Settings;

/// How storm.c announces a step in the kernel's log.
const STEP: &str = "] storm: ";

/// What kmemleak calls memory that nothing points to.
const LOST: &str = "unreferenced object ";

/// At most this many guests are asked for the shortest list of steps.
const TRIES: usize = 10;

/// What kind of thing is wrong: two faults of one kind are taken for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A splat in the kernel's log.
    Splat(splats::Kind),
    /// The guest did not end well, without a splat; the lab's exit code for it.
    End(u8),
    /// A step ended with an error that is not allowed.
    Answer(String),
    /// kmemleak has found memory that nothing points to.
    Lost,
    /// A slab cache has grown.
    Grown,
    /// The storm could not be made.
    None,
}

/// What is wrong.
pub struct Fault {
    error: Error,
    kind: Kind,
    /// The step at which it was seen.
    step: Option<u32>,
    /// The steps that are enough for it.
    enough: Vec<Step>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::new(Kind::None, error, None)
    }
}

impl Fault {
    fn new(kind: Kind, error: impl Into<Error>, step: Option<u32>) -> Self {
        Fault {
            error: error.into(),
            kind,
            step,
            enough: Vec::new(),
        }
    }

    /// What the lab says of any guest, after a splat or another bad end.
    pub fn of_guest(guest: &Guest, error: Error) -> Self {
        let kind = match splats(&guest.console).first() {
            Some(splat) => Kind::Splat(splat.kind),
            None => Kind::End(diagnostic::exit_of(&error)),
        };
        Fault::new(kind, error, step_of_splat(&guest.console))
    }

    /// The error for the user, with the command that does it again.
    pub(super) fn explain(self, storm: &Storm, seed: u64, settings: &Settings) -> Error {
        let diagnostic = match self.error.downcast::<Diagnostic>() {
            Ok(diagnostic) => diagnostic,
            Err(other) => return other,
        };
        let numbers: Vec<u32> = self.enough.iter().map(|step| step.number).collect();
        let steps = ranges(&numbers);
        let words = [
            ("STEPS", steps.as_str()),
            ("M", settings.folder.as_deref().unwrap_or_default()),
            ("PARAMS", &settings.params),
        ];
        let mut command = format!("make storm STORM={} SEED={seed}", storm.name());
        for (name, value) in words.iter().filter(|(_, value)| !value.is_empty()) {
            let value = shlex::try_quote(value).unwrap_or((*value).into());
            command += &format!(" {name}={value}");
        }
        let step = self.step.map(|step| format!("seen at step {step}"));
        let steps = self.enough.iter().map(|step| {
            let action = String::from_utf8_lossy(&step.action).into_owned();
            format!("{} {}", step.number, action.trim_end().escape_debug())
        });
        let steps: Vec<String> = steps.take(20).collect();
        let notes = step
            .into_iter()
            .chain((!steps.is_empty()).then(|| steps.join("\n")));
        notes
            .fold(diagnostic, Diagnostic::note)
            .help(format!("to see it again: {command}"))
            .into()
    }
}

/// `3,7-9` for these numbers, which come in order.
fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| a == b || a + 1 == *b);
    let runs = runs.map(|run| match run {
        [first, .., last] if first != last => format!("{first}-{last}"),
        [first, ..] => first.to_string(),
        [] => String::new(),
    });
    runs.collect::<Vec<_>>().join(",")
}

impl Scene<'_> {
    /// Lets a storm pass; returns a line about it.
    ///
    /// # Errors
    ///
    /// What was wrong, with a short list of the steps that show it.
    pub(super) fn pass(
        &self,
        storm: &Storm,
        lists: &[List],
        seconds: u32,
    ) -> Result<String, Fault> {
        let guest = self.run(storm, lists, seconds)?;
        let Err(mut fault) = self.judge(storm, &guest) else {
            let results = Results::parse(&guest.output);
            let finds_leaks = storm.kernel.finds_leaks();
            let no_leak = if finds_leaks { ", no leak" } else { "" };
            return Ok(format!(
                "{}: {results}; no splat{no_leak}, {} s",
                storm.name(),
                guest.wall.as_secs()
            ));
        };
        if let ([list], Some(last)) = (lists, last_step(&guest.console)) {
            eprintln!("lab: a fault; looking for the shortest list of steps that shows it");
            let last = fault.step.unwrap_or(last);
            fault.enough = self.enough(storm, list, last, seconds, &fault.kind)?;
        }
        Err(fault)
    }

    /// A short list of steps up to this one that are enough to see a fault.
    fn enough(
        &self,
        storm: &Storm,
        list: &List,
        last: u32,
        seconds: u32,
        kind: &Kind,
    ) -> Result<Vec<Step>> {
        let mut numbers: Vec<u32> = list.iter().map(|step| step.number).collect();
        numbers.dedup();
        numbers.retain(|number| *number <= last);
        let only = |numbers: &[u32]| -> List {
            let steps = list.iter();
            let steps = steps.filter(|step| numbers.contains(&step.number));
            steps.cloned().collect()
        };
        let enough = shortest(&numbers, TRIES, |numbers| {
            let guest = self.run(storm, &[only(numbers)], seconds)?;
            let fault = self.judge(storm, &guest).err();
            Ok(fault.is_some_and(|fault| fault.kind == *kind))
        })?;
        Ok(only(&enough))
    }

    fn judge(&self, storm: &Storm, guest: &Guest) -> Result<(), Fault> {
        self.lab
            .judge_module(guest, &self.sources)
            .map_err(|error| Fault::of_guest(guest, error))?;
        answers(guest, storm.allowed)
    }
}

/// Judges what a storm has printed in a guest that ended well.
///
/// # Errors
///
/// When a step ended with another error than these, and when memory is lost or a slab cache has grown.
pub fn answers(guest: &Guest, allowed: &[Allowed]) -> Result<(), Fault> {
    let results = Results::parse(&guest.output);
    if let Some((step, what)) = results.not_allowed(allowed) {
        let error = Diagnostic::new(&what).exit(Exit::Failed);
        return Err(Fault::new(Kind::Answer(what), error, Some(step)));
    }
    lost(guest)?;
    grown(guest, results.worked("load"))
}

/// What kmemleak has found.
fn lost(guest: &Guest) -> Result<(), Fault> {
    let mut reports = guest.output.split(LOST).skip(1);
    let Some(first) = reports.next() else {
        return Ok(());
    };
    let what = format!("memory is lost, in {} pieces", reports.count() + 1);
    let error = Diagnostic::new(what)
        .exit(Exit::Splat)
        .note(format!("{LOST}{first}"));
    Err(Fault::new(Kind::Lost, error, None))
}

/// Slab caches that have grown with the number of loads. The kernel itself has a few dozen objects more or
/// less in some of them after a while; kmemleak has its notes on all memory in its own.
fn grown(guest: &Guest, loads: u64) -> Result<(), Fault> {
    let (before, after) = (objects(guest, "before"), objects(guest, "after"));
    let limit = 256 + loads / 20;
    let caches = after
        .iter()
        .filter(|(cache, _)| !cache.starts_with("kmemleak"));
    let growth = caches.map(|(cache, count)| {
        let growth = count.saturating_sub(before.get(cache).copied().unwrap_or(0));
        (growth, cache)
    });
    match growth.max() {
        Some((growth, cache)) if growth > limit => {
            let what =
                format!("the slab cache {cache} has {growth} objects more after {loads} loads");
            let error = Diagnostic::new(what).exit(Exit::Splat);
            Err(Fault::new(Kind::Grown, error, None))
        }
        _ => Ok(()),
    }
}

/// The objects of each slab cache: `slab before kmalloc-64 123`.
fn objects<'a>(guest: &'a Guest, when: &str) -> BTreeMap<&'a str, u64> {
    let lines = guest.output.lines().filter_map(|line| {
        let mut words = line
            .strip_prefix("slab ")?
            .strip_prefix(when)?
            .split_whitespace();
        Some((words.next()?, words.next()?.parse().ok()?))
    });
    lines.collect()
}

/// The step that was announced before the first splat.
fn step_of_splat(console: &str) -> Option<u32> {
    let splats = splats(console);
    let end = splats.first().and_then(|splat| console.find(&splat.line));
    last_step(&console[..end.unwrap_or(console.len())])
}

/// The step that was announced last.
fn last_step(console: &str) -> Option<u32> {
    let lines = console.lines().rev();
    let mut steps = lines.filter_map(|line| {
        let (_, after) = line.split_once(STEP)?;
        after.split(' ').next()?.parse().ok()
    });
    steps.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_steps() {
        assert_eq!(ranges(&[3, 3, 7, 8, 8, 9, 11]), "3,7-9,11");
        assert_eq!(ranges(&[1, 2]), "1-2");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn the_step_of_a_splat() {
        let console = "[    1.000000] storm: 7 load a x=1\n\
                       [    1.100000] a: storm: no\n\
                       [    1.200000] storm: 8 unload a \n\
                       [    1.300000] BUG: KASAN: slab-use-after-free in a_exit+0x1/0x2 [a]\n\
                       [    1.400000] storm: 9 load a \n";
        assert_eq!(step_of_splat(console), Some(8));
        assert_eq!(last_step(console), Some(9));
        assert_eq!(last_step("[    1.000000] Linux version 7.3\n"), None);
    }
}
