//! stitch on real modules: nm, readelf, llvm-dwarfdump and pahole have to say the same of the same
//! files.

pub mod asked;
mod dump;
mod dwarfdump;
mod pahole;
mod samples;
mod stripped;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{anyhow, ensure, Context, Result};
use host::project::project;
use host::toolchain::Toolchain;
use serde_json::Value;

use super::guest::CATALOGUE;
use crate::harness::test::Test;
use crate::support::context::{
    flavours, foreign_flavour, main_flavour, program, succeed, TestContext,
};
use lab::commands::bench::TWIN;
use lab::commands::lab::Lab;
use lab::kernel::module::Module;
use lab::kernel::sources::{Sources, HELLO_RUST};

use dump::Dump;

/// What stitch has to take apart, on each kernel: both languages, and C alone.
const MODULES: [&Sources; 3] = [&HELLO_RUST, &CATALOGUE, &TWIN];

/// Who else looks at a module.
type Look = fn(&Lab, &Module<'_>, &Value) -> Result<()>;

/// Each of them, by the names of the programs, and how many of the modules have what it looks at.
const LOOKS: &[(&str, Look, usize)] = &[
    ("nm and readelf see", as_nm_and_readelf, 3),
    ("llvm-dwarfdump sees", as_dwarfdump, 2),
    ("pahole sees", as_pahole, 2),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = samples::tests();
    tests.extend(stripped::tests());
    tests.extend(asked::tests());
    tests.push(
        Test::new("stitch::the picture in docs/", |context| {
            picture_is_of_today(&*context.lab()?)
        })
        .on(&main_flavour()),
    );
    for flavour in flavours().into_iter().chain([foreign_flavour()]) {
        for &(who, look, modules) in LOOKS {
            for &sources in &MODULES[..modules] {
                let name = format!("stitch::{}::{} as {who} it", flavour.name(), sources.name);
                let run =
                    move |context: &TestContext| as_others_see_it(&*context.lab()?, sources, look);
                tests.push(Test::new(name, run).on(&flavour));
            }
        }
    }
    tests
}

/// The picture in the documentation is of the hello_rust that is there: the same objects, and the
/// same symbols cross. Its numbers are those of the compilers that Debian had at the time.
fn picture_is_of_today(lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST)?;
    let report = report(module.dir())?;
    let picture = project().join("docs/hello_rust.svg");
    let picture = std::fs::read_to_string(&picture)
        .with_context(|| format!("cannot read {}", picture.display()))?;
    let names = |list: &str, name: &str| -> Vec<String> {
        let all = report[list].as_array().into_iter().flatten();
        all.map(|one| text(one, name).to_owned()).collect()
    };
    for name in names("parts", "name")
        .iter()
        .chain(&names("stitches", "symbol"))
    {
        ensure!(
            picture.contains(&format!(">{name}</text>")),
            "{name} is not in docs/hello_rust.svg: make stitch ARGS='--svg docs/hello_rust.svg'"
        );
    }
    let arrows = picture.matches("class=\"tip\"").count();
    // One is in the legend.
    let crossing = names("stitches", "symbol").len() + 1;
    ensure!(
        arrows == crossing,
        "{arrows} arrows in docs/hello_rust.svg, not {crossing}"
    );
    Ok(())
}

/// The program.
pub fn stitch() -> Result<PathBuf> {
    program("stitch")
}

/// What stitch has to say of one module.
pub fn report(path: &Path) -> Result<Value> {
    let [report] = <[Value; 1]>::try_from(reports(path)?)
        .map_err(|all| anyhow!("stitch reports on {} modules", all.len()))?;
    Ok(report)
}

/// The same of each module in a folder.
fn reports(path: &Path) -> Result<Vec<Value>> {
    let json = succeed(Command::new(stitch()?).args(["report", "--json"]).arg(path))?;
    let reports: Result<_, _> = json.lines().map(serde_json::from_str).collect();
    reports.context("stitch wrote no JSON")
}

fn as_others_see_it(lab: &Lab, sources: &Sources, look: Look) -> Result<()> {
    let module = lab.module(sources)?;
    let reports = reports(module.dir())?;
    reports
        .iter()
        .try_for_each(|report| look(lab, &module, report))
}

fn as_nm_and_readelf(lab: &Lab, module: &Module<'_>, report: &Value) -> Result<()> {
    let mut crossings = 0;
    for part in list(report, "parts") {
        let object = Path::new(text(part, "path"));
        same_symbols(part, &nm(lab, object)?)
            .with_context(|| format!("{} and nm differ", object.display()))?;
        let relocations = readelf(&lab.toolchain, object)?;
        for group in ["stitches", "shore"] {
            crossings += same_relocations(list(report, group), text(part, "name"), &relocations)
                .with_context(|| format!("{} and readelf differ", object.display()))?;
        }
    }
    ensure!(crossings > 0, "nothing to compare");
    // Both halves agree, in every crossing: the border has seen to it, and stitch sees it too.
    succeed(Command::new(stitch()?).arg("check").arg(module.dir()))?;
    every_byte_has_an_owner(report)
}

fn as_dwarfdump(lab: &Lab, module: &Module<'_>, report: &Value) -> Result<()> {
    let mut printed = BTreeMap::new();
    for part in list(report, "parts") {
        let (name, object) = (text(part, "name"), Path::new(text(part, "path")));
        printed.insert(name, dwarfdump::entries(&lab.toolchain, object)?);
    }
    let dumps = printed
        .iter()
        .map(|(name, printed)| ((*name).to_owned(), Dump::parse(printed)));
    let compared = dwarfdump::same_functions(report, module.dir(), &dumps.collect())?;
    ensure!(compared > 0, "nothing to compare");
    Ok(())
}

fn as_pahole(lab: &Lab, _: &Module<'_>, report: &Value) -> Result<()> {
    let mut compared = Vec::new();
    let parts = list(report, "parts").iter();
    for part in parts.filter(|part| text(part, "language") == "c") {
        let structs = pahole::structs(&lab.toolchain, Path::new(text(part, "path")))?;
        compared.extend(
            pahole::same_structs(report, text(part, "name"), &structs)
                .with_context(|| format!("{} and pahole differ", text(part, "path")))?,
        );
    }
    ensure!(!compared.is_empty(), "nothing to compare");
    Ok(())
}

/// How often something was seen.
type Counts<T> = BTreeMap<T, usize>;

fn counts<T: Ord>(all: impl Iterator<Item = T>) -> Counts<T> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// (name, letter)
type Symbol = (String, String);

fn nm(lab: &Lab, object: &Path) -> Result<Counts<Symbol>> {
    let nm = format!("{}-nm", lab.kernel.flavour.arch.words().triple);
    let printed = succeed(lab.toolchain.command(nm).arg("-P").arg(object))?;
    Ok(counts(printed.lines().filter_map(nm_line)))
}

/// `c_helper_repeat T 90 8f`
fn nm_line(line: &str) -> Option<Symbol> {
    let mut words = line.split_whitespace();
    Some((words.next()?.to_owned(), words.next()?.to_owned()))
}

fn same_symbols(part: &Value, nm: &Counts<Symbol>) -> Result<()> {
    let symbols = list(part, "defined").iter().chain(list(part, "needed"));
    let own = counts(symbols.map(|symbol| {
        let (name, letter) = (text(symbol, "name"), text(symbol, "letter"));
        (name.to_owned(), letter.to_owned())
    }));
    same(&own, nm)
}

/// A relocation against a symbol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Relocation {
    section: String,
    offset: u64,
    kind: String,
    addend: i64,
}

fn readelf(toolchain: &Toolchain, object: &Path) -> Result<BTreeMap<String, Vec<Relocation>>> {
    let printed = succeed(toolchain.command("readelf").arg("-rW").arg(object))?;
    Ok(readelf_tables(&printed))
}

/// By symbol; what is in debug information is no need of the module.
fn readelf_tables(printed: &str) -> BTreeMap<String, Vec<Relocation>> {
    let mut found: BTreeMap<String, Vec<Relocation>> = BTreeMap::new();
    let mut section = String::new();
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix("Relocation section '.rela") {
            section = name.split('\'').next().unwrap_or_default().to_owned();
        } else if let Some((symbol, relocation)) = readelf_line(&section, line) {
            if !section.starts_with(".debug_") {
                found.entry(symbol).or_default().push(relocation);
            }
        }
    }
    found
}

/// `00000000000000dc  0000002300000004 R_X86_64_PLT32  0000000000000000 hello_rust_count_chars - 4`
fn readelf_line(section: &str, line: &str) -> Option<(String, Relocation)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [offset, _, kind, _, symbol, rest @ ..] = &words[..] else {
        return None;
    };
    let addend = match rest {
        [sign, addend] => {
            let addend = i64::from_str_radix(addend, 16).ok()?;
            if *sign == "-" {
                -addend
            } else {
                addend
            }
        }
        _ => 0,
    };
    let relocation = Relocation {
        section: section.to_owned(),
        offset: u64::from_str_radix(offset, 16).ok()?,
        kind: (*kind).to_owned(),
        addend,
    };
    let known = kind.starts_with("R_");
    known.then(|| ((*symbol).to_owned(), relocation))
}

/// Of each symbol that this part needs from another language or from the kernel; how many.
fn same_relocations(
    needed: &[Value],
    part: &str,
    readelf: &BTreeMap<String, Vec<Relocation>>,
) -> Result<usize> {
    let mut compared = 0;
    for symbol in needed {
        let uses = list(symbol, "uses").iter();
        for need in uses.filter(|need| text(need, "part") == part) {
            let name = text(symbol, "symbol");
            let own = counts(list(need, "sites").iter().map(site));
            let others = readelf.get(name).cloned().unwrap_or_default();
            same(&own, &counts(others.into_iter())).with_context(|| name.to_owned())?;
            compared += 1;
        }
    }
    Ok(compared)
}

fn site(site: &Value) -> Relocation {
    Relocation {
        section: text(site, "section").to_owned(),
        offset: site["offset"].as_u64().unwrap_or(u64::MAX),
        kind: text(site, "relocation").to_owned(),
        addend: site["addend"].as_i64().unwrap_or(i64::MAX),
    }
}

/// The sums of the sizes by crate are those of the sections.
fn every_byte_has_an_owner(report: &Value) -> Result<()> {
    for kind in ["text", "rodata", "data", "bss"] {
        let owned: u64 = list(report, "sizes")
            .iter()
            .filter_map(|size| size[kind].as_u64())
            .sum();
        let there: u64 = list(report, "parts")
            .iter()
            .flat_map(|part| list(part, "sections"))
            .filter(|section| text(section, "kind") == kind)
            .filter_map(|section| section["size"].as_u64())
            .sum();
        ensure!(owned == there, "{kind}: {owned} of {there} bytes are owned");
    }
    Ok(())
}

fn same<T: Ord + std::fmt::Debug>(stitch: &Counts<T>, other: &Counts<T>) -> Result<()> {
    let only = |one: &Counts<T>, other: &Counts<T>| -> Vec<String> {
        one.iter()
            .filter(|(what, times)| other.get(what) != Some(times))
            .map(|(what, times)| format!("{what:?} {times} times"))
            .collect()
    };
    ensure!(
        stitch == other,
        "stitch: {:?}\nthe other: {:?}",
        only(stitch, other),
        only(other, stitch)
    );
    Ok(())
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_nm() {
        let symbol = |name: &str, letter: &str| Some((name.to_owned(), letter.to_owned()));
        assert_eq!(nm_line("f T 90 8f"), symbol("f", "T"));
        assert_eq!(nm_line("_printk U         "), symbol("_printk", "U"));
        assert_eq!(nm_line(""), None);
    }

    #[test]
    fn tables_of_readelf() {
        let printed = "\n\
            Relocation section '.rela.text' at offset 0xa570 contains 29 entries:\n    \
                Offset             Info             Type               Symbol's Value  Symbol's \
                Name + Addend\n\
            00000000000000dc  0000002300000004 R_X86_64_PLT32         0000000000000000 f - 4\n\
            \n\
            Relocation section '.rela.debug_info' at offset 0xa570 contains 1 entry:\n\
            00000000000000dd  0000002300000001 R_X86_64_64         0000000000000000 f + 10\n";
        let found = readelf_tables(printed);
        let expected = Relocation {
            section: ".text".to_owned(),
            offset: 0xdc,
            kind: "R_X86_64_PLT32".to_owned(),
            addend: -4,
        };
        assert_eq!(found.get("f"), Some(&vec![expected]));
        assert_eq!(found.len(), 1);
    }
}
