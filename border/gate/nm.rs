// SPDX-License-Identifier: GPL-2.0

//! The symbols of an object, as nm prints them.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use crate::problem::{failure, Layer, Result};

/// The prefix of the name of a static that is as large as a struct of the kernel's, see sizes.rs.
pub(crate) const SIZE_OF: &str = "__border_size_of_";

#[derive(Debug, Default)]
pub(crate) struct Symbols {
    pub(crate) defined: HashSet<String>,
    pub(crate) weak: HashSet<String>,
    pub(crate) local: HashSet<String>,
    pub(crate) referenced: HashSet<String>,
    /// The names at each (section, address).
    pub(crate) places: HashMap<(String, String), Vec<String>>,
    /// The sizes of kernel structs, see sizes.rs.
    pub(crate) sizes: HashMap<String, u64>,
}

impl Symbols {
    /// Runs `nm`, which may have arguments.
    pub(crate) fn of(nm: &str, object: &str) -> Result<Self> {
        let mut words = nm.split_whitespace();
        let output = Command::new(words.next().unwrap_or("nm"))
            .args(words)
            .args(["-f", "sysv", object])
            .output()
            .map_err(|error| failure(format!("cannot run {nm}: {error}")))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let problem = Layer::Gate.error(format!("{nm} cannot read {object}"));
            return Err(vec![problem.note(stderr.trim())]);
        }
        Ok(Self::new(&String::from_utf8_lossy(&output.stdout)))
    }

    /// `c_helper_whom|0000000000000000|   T  |  FUNC|0000000000000010|     |.text`
    pub(crate) fn new(printed: &str) -> Self {
        let mut symbols = Symbols::default();
        for line in printed.lines() {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            let [name, value, class, kind, size, _, section] = columns[..] else {
                continue;
            };
            let set = match class {
                "U" | "v" | "w" => &mut symbols.referenced,
                "V" | "W" => &mut symbols.weak,
                _ if class.starts_with(|c: char| c.is_ascii_lowercase()) => &mut symbols.local,
                _ => &mut symbols.defined,
            };
            set.insert(name.to_owned());
            let size = u64::from_str_radix(size, 16).unwrap_or_default();
            if matches!(kind, "FUNC" | "OBJECT") && size > 0 {
                if let Some((_, name)) = name.split_once(SIZE_OF) {
                    symbols.sizes.insert(name.to_owned(), size);
                }
                let place = (section.to_owned(), value.to_owned());
                symbols
                    .places
                    .entry(place)
                    .or_default()
                    .push(name.to_owned());
            }
        }
        symbols
    }

    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.defined.contains(name) || self.weak.contains(name) || self.referenced.contains(name)
    }

    /// Whether there is a local symbol of this name, or what the compiler made of one
    /// (`f.constprop.0`). A global function may have such parts, too.
    pub(crate) fn has_local(&self, name: &str) -> bool {
        let part_of = |local: &String| {
            local
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        self.local.contains(name) || !self.defined.contains(name) && self.local.iter().any(part_of)
    }

    /// Another symbol with the same address.
    pub(crate) fn alias_of(&self, name: &str) -> Option<&String> {
        let mut places = self.places.values();
        let names = places.find(|names| names.iter().any(|other| other == name))?;
        names.iter().find(|other| *other != name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(lines: &[&str]) -> Symbols {
        let line = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, value, class, kind] = words[..] else {
                panic!("{line}");
            };
            format!("{name}|{value}|   {class}  |   {kind}|0000000000000004|     |.text\n")
        };
        Symbols::new(&lines.iter().map(line).collect::<String>())
    }

    #[test]
    fn kinds() {
        let symbols = symbols(&[
            "a 00 T FUNC",
            "b 01 U NOTYPE",
            "c 02 t FUNC",
            "d 03 W FUNC",
            "e 04 w NOTYPE",
            "_R 05 D OBJECT",
            "_RNvCs1_1a22___border_size_of_s 06 d OBJECT",
        ]);
        assert_eq!(symbols.sizes.get("s"), Some(&4));
        let has = |set: &HashSet<String>, names: &[&str]| {
            assert_eq!(set.len(), names.len());
            assert!(names.iter().all(|name| set.contains(*name)));
        };
        has(&symbols.defined, &["a", "_R"]);
        has(&symbols.referenced, &["b", "e"]);
        has(&symbols.local, &["c", "_RNvCs1_1a22___border_size_of_s"]);
        has(&symbols.weak, &["d"]);
    }

    #[test]
    fn locals() {
        let local = |lines: &[&str]| symbols(lines).has_local("f");
        assert!(local(&["f 0 t FUNC"]) && local(&["f.constprop.0 0 t FUNC"]));
        assert!(!local(&["f 0 T FUNC", "f.cold 9 t FUNC"]));
        assert!(!local(&["f2 0 t FUNC", "fu.x 4 t FUNC"]));
    }

    #[test]
    fn aliases() {
        let symbols = symbols(&["f 10 T FUNC", "real 10 t FUNC", "g 20 T FUNC"]);
        assert_eq!(symbols.alias_of("f").map(String::as_str), Some("real"));
        assert_eq!(symbols.alias_of("g"), None);
        assert_eq!(symbols.alias_of("nothing"), None);
    }
}
