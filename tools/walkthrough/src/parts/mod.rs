//! The parts, in their order.

mod agreement;
mod changing_library;
mod changing_module;
mod checksums;
mod linking;
mod module;
mod object_file;
mod shared_library;
mod shared_module;
mod static_library;

use anyhow::Result;
use diagnostic::Diagnostic;

use crate::model::{Part, Source};
use crate::source;

/// The sources of the parts 2 to 5.
const HELLO_AND_MAIN: &[Source] = &[
    source!("1-object-file/hello.c"),
    source!("1-object-file/hello.rs"),
    source!("2-linking/main.c"),
    source!("2-linking/main.rs"),
];

/// The sources of the parts 8 and 10.
const WORD_AND_SAY: &[Source] = &[
    source!("8-shared-module/Kbuild"),
    source!("8-shared-module/word.h"),
    source!("8-shared-module/word.c"),
    source!("8-shared-module/say.rs"),
];

/// Those that run in user space.
pub const USER_SPACE: &[&Part] = &[
    &object_file::PART,
    &linking::PART,
    &shared_library::PART,
    &static_library::PART,
    &changing_library::PART,
    &agreement::PART,
];

/// Those that require a kernel, and a virtual machine to run it.
pub const KERNEL: &[&Part] = &[
    &module::PART,
    &shared_module::PART,
    &changing_module::PART,
    &checksums::PART,
];

/// Selects parts by their numbers, in their order; without numbers, all.
pub fn select(parts: &[&'static Part], numbers: &[String]) -> Result<Vec<&'static Part>> {
    let known = |number: &String| parts.iter().any(|part| part.number.to_string() == *number);
    if let Some(unknown) = numbers.iter().find(|number| !known(number)) {
        let list = parts.iter();
        let list: Vec<String> = list.map(|p| format!("{} {}", p.number, p.title)).collect();
        return Err(Diagnostic::new(format!("no part “{unknown}”"))
            .note(format!("the parts: {}", list.join(", ")))
            .help("give the number of a part, or none for all parts")
            .into());
    }
    let selected = |part: &&&Part| numbers.is_empty() || numbers.contains(&part.number.to_string());
    Ok(parts.iter().filter(selected).copied().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::Check;

    fn all() -> impl Iterator<Item = &'static Part> {
        USER_SPACE.iter().chain(KERNEL).copied()
    }

    #[test]
    fn numbered_from_one() {
        let numbers: Vec<usize> = all().map(|part| part.number.into()).collect();
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
    }

    #[test]
    fn selection() {
        let selected = |numbers: &[&str]| -> Vec<u8> {
            let numbers: Vec<String> = numbers.iter().map(|word| word.to_string()).collect();
            let parts = select(USER_SPACE, &numbers).expect("parts").into_iter();
            parts.map(|part| part.number).collect()
        };
        assert_eq!(selected(&[]).len(), USER_SPACE.len());
        assert_eq!(selected(&["3", "1", "3"]), [1, 3]);
        for unknown in ["0", "7", "x", "", "03"] {
            let numbers = ["1".to_owned(), unknown.to_owned()];
            let error = select(USER_SPACE, &numbers).expect_err("no part");
            let text = diagnostic::render(&error);
            assert!(text.contains("1 Object files, 2 Linking"), "{text}");
        }
    }

    #[test]
    fn each_claim_once_and_with_a_check() {
        let mut claims = HashSet::new();
        for step in all().flat_map(|part| part.steps) {
            if let Some(claim) = step.claim {
                assert!(claims.insert(claim), "{claim} twice");
                let checked = step
                    .commands
                    .iter()
                    .any(|command| !command.checks.is_empty());
                assert!(checked, "{claim}: no check");
            }
        }
    }

    #[test]
    fn comparisons_name_an_earlier_command() {
        for part in all() {
            let mut names = HashSet::new();
            for command in part.steps.iter().flat_map(|step| step.commands) {
                for check in command.checks {
                    if let Check::SameAs(name) | Check::NotAs(name) = check {
                        assert!(names.contains(name), "{name} in part {}", part.number);
                    }
                }
                names.extend(command.name);
            }
        }
    }

    /// "(3.4)" in what breaks is the number of a claim.
    #[test]
    fn what_breaks_is_claimed() {
        for part in all() {
            let numbers = part.breaks.split('(').skip(1);
            let numbers: Vec<&str> = numbers
                .filter_map(|rest| Some(rest.split_once(')')?.0))
                .collect();
            assert!(!numbers.is_empty(), "part {}", part.number);
            for number in numbers {
                assert!(part.claims().any(|(claim, _)| claim == number), "{number}");
            }
        }
    }

    #[test]
    fn no_variable_is_left() {
        let tools = crate::tools::Tools::find(None, "rustc").expect("a compiler and rustc");
        let steps = USER_SPACE.iter().flat_map(|part| part.steps);
        for command in steps.flat_map(|step| step.commands) {
            let line = tools.fill(command.line);
            assert!(!line.contains('$'), "{line}");
        }
    }

    #[test]
    fn sources_fit_a_screen() {
        for source in USER_SPACE.iter().flat_map(|part| part.sources) {
            let lines = source.text.lines().count();
            assert!(lines <= crate::excerpt::LIMIT, "{}: {lines}", source.path);
            let first = source.text.lines().next();
            assert_eq!(first, Some("// SPDX-License-Identifier: GPL-2.0"));
        }
    }
}
