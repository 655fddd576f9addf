//! The parts, in the order of the book.

mod agreement;
mod changing;
mod changing_module;
mod checksums;
mod linking;
mod module;
mod object_file;
mod shared;
mod shared_module;
mod statically;

use anyhow::Result;
use diagnostic::Diagnostic;

use crate::model::Part;

/// All of them.
pub const PARTS: &[&Part] = &[
    &object_file::PART,
    &linking::PART,
    &shared::PART,
    &statically::PART,
    &changing::PART,
    &agreement::PART,
];

/// Those of the kernel: they take one, and a virtual machine for it.
pub const OF_THE_KERNEL: &[&Part] = &[
    &module::PART,
    &shared_module::PART,
    &changing_module::PART,
    &checksums::PART,
];

/// Those of these parts that are asked for, in the order of the book; all, if nothing is asked for.
pub fn chosen(parts: &[&'static Part], asked: &[String]) -> Result<Vec<&'static Part>> {
    let known = |asked: &String| parts.iter().any(|part| part.number.to_string() == *asked);
    if let Some(unknown) = asked.iter().find(|asked| !known(asked)) {
        let list = parts.iter();
        let list: Vec<String> = list.map(|p| format!("{} {}", p.number, p.title)).collect();
        return Err(Diagnostic::new(format!("there is no part “{unknown}”"))
            .note(format!("the parts: {}", list.join(", ")))
            .help("give a part's number, or none for all of them")
            .into());
    }
    let wanted = |part: &&&Part| asked.is_empty() || asked.contains(&part.number.to_string());
    Ok(parts.iter().filter(wanted).copied().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::Check;

    fn all() -> impl Iterator<Item = &'static Part> {
        PARTS.iter().chain(OF_THE_KERNEL).copied()
    }

    #[test]
    fn numbered_from_one() {
        let numbers: Vec<usize> = all().map(|part| part.number.into()).collect();
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_choice() {
        let numbers = |asked: &[&str]| -> Vec<u8> {
            let asked: Vec<String> = asked.iter().map(|word| word.to_string()).collect();
            let chosen = chosen(PARTS, &asked).expect("parts").into_iter();
            chosen.map(|part| part.number).collect()
        };
        assert_eq!(numbers(&[]).len(), PARTS.len());
        assert_eq!(numbers(&["3", "1", "3"]), [1, 3]);
        for unknown in ["0", "7", "x", "", "03"] {
            let error = chosen(PARTS, &["1".to_owned(), unknown.to_owned()]).expect_err("no part");
            let said = diagnostic::render(&error);
            assert!(said.contains("1 Object files, 2 Linking"), "{said}");
        }
    }

    #[test]
    fn each_claim_once_and_with_something_to_see() {
        let mut claims = HashSet::new();
        for step in all().flat_map(|part| part.steps) {
            if let Some(claim) = step.claim {
                assert!(claims.insert(claim), "{claim} twice");
                assert!(!step.checks.is_empty(), "{claim}: nothing to see");
            }
        }
    }

    #[test]
    fn compared_with_a_step_before() {
        for part in all() {
            let mut names = HashSet::new();
            for step in part.steps {
                for check in step.checks {
                    if let Check::SameAs(name) | Check::NotAs(name) = check {
                        assert!(names.contains(name), "{name} in part {}", part.number);
                    }
                }
                names.extend(step.name);
            }
        }
    }

    #[test]
    fn no_variable_is_left() {
        let tools = crate::tools::Tools::find(None, "rustc").expect("a compiler and rustc");
        for step in PARTS.iter().flat_map(|part| part.steps) {
            let command = tools.fill(step.command);
            assert!(!command.contains('$'), "{command}");
        }
    }

    #[test]
    fn sources_fit_a_screen() {
        for source in PARTS.iter().flat_map(|part| part.sources) {
            let lines = source.text.lines().count();
            assert!(lines <= crate::excerpt::LIMIT, "{}: {lines}", source.path);
            let first = source.text.lines().next();
            assert_eq!(first, Some("// SPDX-License-Identifier: GPL-2.0"));
        }
    }
}
