// SPDX-License-Identifier: GPL-2.0

//! Joins objects as LLVM's bitcode, so that functions are inlined from one language into the other.
//!
//! LLVM inlines a function only into one that has at least its target features, that has its list of
//! forbidden library calls, and that expects NULL to be a valid address. Rust and Kbuild's C differ in
//! all three, in words only: these attributes are made equal.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use crate::nm::Symbols;
use crate::objects::OF_MODULE;
use crate::problem::{failure, read, write, Result};

/// What EXPORT_SYMBOL() puts before a name, for modpost.
const EXPORT: &str = "__export_symbol_";

/// What the names of Rust's own items begin with.
const MANGLED: &str = "_R";

/// Adds the functions in `others` to a Rust object's bitcode, and writes the whole as text.
pub(crate) fn inline(link: &str, joined: &str, rust: &str, others: &[&str]) -> Result {
    let options = ["-S", "--internalize", "--suppress-warnings", rust];
    run(link, options.iter().chain(others), joined)?;
    write(joined, &with_equal_attributes(&read(joined)?))
}

/// The arguments of `gate fuse`.
pub(crate) struct Fuse<'a> {
    pub(crate) link: &'a str,
    pub(crate) opt: &'a str,
    pub(crate) nm: &'a str,
    /// The text to write.
    pub(crate) joined: &'a str,
    pub(crate) bitcode: &'a [&'a str],
    /// All objects of the module. Those without bitcode are linked later.
    pub(crate) objects: &'a [&'a str],
}

/// Joins all bitcode of a module. What only its own parts use becomes local.
pub(crate) fn fuse(args: &Fuse<'_>) -> Result {
    let (mut parts, mut others) = (Vec::new(), Vec::new());
    for object in args.objects {
        let bitcode = object.trim_end_matches(".o").to_owned() + ".bc";
        let is_part = args.bitcode.contains(&bitcode.as_str());
        let list = if is_part { &mut parts } else { &mut others };
        list.push(Symbols::of(args.nm, object)?);
    }
    let keep: Vec<_> = public(&parts, &others).into_iter().collect();
    let options = ["--suppress-warnings"];
    run(args.link, options.iter().chain(args.bitcode), args.joined)?;
    let keep = format!("--internalize-public-api-list={}", keep.join(","));
    let passes = ["-S", "-passes=internalize,globaldce", &keep, args.joined];
    run(args.opt, passes.iter(), args.joined)?;
    write(args.joined, &with_equal_attributes(&read(args.joined)?))
}

/// The symbols of the joined parts that must stay visible.
fn public(parts: &[Symbols], others: &[Symbols]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, part) in parts.iter().enumerate() {
        for name in part.defined.union(&part.weak) {
            let referenced = |symbols: &Symbols| symbols.referenced.contains(name);
            let mut rest = parts.iter().enumerate().filter(|(nth, _)| *nth != at);
            let is_own = name.starts_with(MANGLED) || rest.any(|(_, part)| referenced(part));
            let exported = format!("{EXPORT}{name}");
            let is_seen = OF_MODULE.contains(&name.as_str())
                || parts.iter().any(|part| part.local.contains(&exported))
                || others.iter().any(referenced);
            if is_seen || !is_own {
                names.insert(name.clone());
            }
        }
    }
    names
}

fn run<'a>(tool: &str, words: impl Iterator<Item = &'a &'a str>, output: &str) -> Result {
    let status = Command::new(tool)
        .args(words)
        .args(["-o", output])
        .stdin(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failure(format!("{tool} failed: {status}"))),
        Err(error) => Err(failure(format!("cannot run {tool}: {error}"))),
    }
}

/// The attributes of functions, as LLVM prints them: `attributes #0 = { nounwind "key"="value" }`.
struct Group<'a> {
    name: &'a str,
    words: Vec<&'a str>,
}

const FEATURES: &str = "\"target-features\"=";

/// Features with which LLVM calls a library that the kernel does not have. Clang turns this one on for C
/// on arm64, where the kernel's C has no use for it; Rust's atomic operations would.
const OF_LIBRARIES: &[&str] = &["outline-atomics"];

impl<'a> Group<'a> {
    /// `None` for other lines, and for groups that are not of compiled functions.
    fn read(line: &'a str) -> Option<Self> {
        let (name, words) = line.split_once(" = {")?;
        let words = words.strip_suffix('}')?;
        let mut is_quoted = false;
        let between = move |c: char| {
            is_quoted ^= c == '"';
            c == ' ' && !is_quoted
        };
        let words: Vec<_> = words
            .split(between)
            .filter(|word| !word.is_empty())
            .collect();
        let is_of_function = words.iter().any(|word| word.starts_with("\"target-cpu\"="));
        (name.starts_with("attributes #") && is_of_function).then_some(Group { name, words })
    }

    /// (name, whether it is on), in the order in which LLVM reads them.
    fn features(&self) -> Vec<(&'a str, bool)> {
        let mut words = self
            .words
            .iter()
            .filter_map(|word| word.strip_prefix(FEATURES));
        let list = words
            .next()
            .unwrap_or_default()
            .trim_matches('"')
            .split(',');
        let read = |feature: &'a str| {
            let on = feature.strip_prefix('+').map(|name| (name, true));
            on.or_else(|| Some((feature.strip_prefix('-')?, false)))
        };
        let known = list.filter_map(read);
        known
            .filter(|(name, _)| !OF_LIBRARIES.contains(name))
            .collect()
    }
}

/// The same text, in which all functions have the attributes that decide about inlining.
pub(crate) fn with_equal_attributes(ir: &str) -> String {
    let groups: Vec<_> = ir.lines().filter_map(Group::read).collect();
    let mut features: BTreeMap<&str, i32> = BTreeMap::new();
    let mut extra = BTreeSet::new();
    for group in &groups {
        for (name, is_on) in group.features() {
            *features.entry(name).or_default() += if is_on { 1 } else { -1 };
        }
        let decides =
            |word: &&&str| word.starts_with("\"no-builtin") || **word == "null_pointer_is_valid";
        extra.extend(group.words.iter().filter(decides).copied());
    }
    let mut text = String::with_capacity(ir.len());
    for line in ir.lines() {
        match Group::read(line) {
            Some(group) => text += &equal(&group, &features, &extra),
            None => text += line,
        }
        text.push('\n');
    }
    text
}

/// The group with the features that most have, and all that forbids something. A function for which a
/// feature is switched the other way, such as one that uses floating point, stays as it is.
fn equal(group: &Group<'_>, features: &BTreeMap<&str, i32>, extra: &BTreeSet<&str>) -> String {
    let is_on = |count: &i32| *count > 0;
    let own = group.features();
    let differs = own
        .iter()
        .any(|(name, on)| features.get(name).map(is_on) != Some(*on));
    let mut words = group.words.clone();
    let more = extra.iter().filter(|word| !group.words.contains(*word));
    words.extend(more);
    let all: Vec<_> = features
        .iter()
        .map(|(name, count)| format!("{}{name}", if is_on(count) { '+' } else { '-' }))
        .collect();
    let all = format!("{FEATURES}\"{}\"", all.join(","));
    if !differs {
        words.retain(|word| !word.starts_with(FEATURES));
        words.push(&all);
    }
    format!("{} = {{ {} }}", group.name, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes() {
        let ir = "define i32 @f() #0 {\n\
            attributes #0 = { nounwind \"target-cpu\"=\"x86-64\" \"target-features\"=\"-sse,+soft-float\" }\n\
            attributes #1 = { null_pointer_is_valid \"no-builtin-wcslen\" \"target-cpu\"=\"x86-64\" \"target-features\"=\"-sse,-x87\" \"a\"=\"b c\" }\n\
            attributes #2 = { \"target-cpu\"=\"x86-64\" \"target-features\"=\"+sse\" }\n\
            attributes #3 = { nounwind }\n";
        let equal = with_equal_attributes(ir);
        let lines: Vec<_> = equal.lines().collect();
        let all = "\"target-features\"=\"+soft-float,-sse,-x87\"";
        assert_eq!(lines[1], format!("attributes #0 = {{ nounwind \"target-cpu\"=\"x86-64\" \"no-builtin-wcslen\" null_pointer_is_valid {all} }}"));
        assert_eq!(lines[2], format!("attributes #1 = {{ null_pointer_is_valid \"no-builtin-wcslen\" \"target-cpu\"=\"x86-64\" \"a\"=\"b c\" {all} }}"));
        assert!(lines[3].contains("\"target-features\"=\"+sse\""), "{equal}");
        let arm64 = ir.replace("-sse,-x87", "+outline-atomics,-sse,-x87");
        assert_eq!(with_equal_attributes(&arm64), equal);
        assert_eq!(
            (lines[0], lines[4]),
            ("define i32 @f() #0 {", "attributes #3 = { nounwind }")
        );
    }

    #[test]
    fn what_stays_visible() {
        let symbols = |lines: &[(&str, &str)]| {
            let line = |(name, class): &(&str, &str)| {
                format!(
                    "{name}|0000000000000000|   {class}  |  FUNC|0000000000000010|     |.text\n"
                )
            };
            Symbols::new(&lines.iter().map(line).collect::<String>())
        };
        let rust = symbols(&[
            ("init_module", "T"),
            ("_RNv", "T"),
            ("for_c", "T"),
            ("for_asm", "T"),
            ("from_c", "U"),
            ("exported", "U"),
        ]);
        let c = symbols(&[
            ("from_c", "T"),
            ("exported", "T"),
            ("__export_symbol_exported", "r"),
            ("alias", "R"),
            ("for_c", "U"),
        ]);
        let asm = symbols(&[("for_asm", "U")]);
        let names: Vec<_> = public(&[rust, c], &[asm]).into_iter().collect();
        assert_eq!(names, ["alias", "exported", "for_asm", "init_module"]);
    }
}
