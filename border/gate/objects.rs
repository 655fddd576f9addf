// SPDX-License-Identifier: GPL-2.0

//! What crosses between the finished objects of a module: each symbol that one language defines
//! and the other uses has to be in a contract, and each symbol of a contract has to cross.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::process::Command;

use crate::bindings::{declarations, Bindings};
use crate::problem::{none, read, write, Checked, Layer, Problem};
use crate::scan::{self, Given, Scan};
use crate::tokens::tokens;

/// What `keeps_contract!` of border.rs leaves in an object for each function that it has checked.
const CHECKED: &str = "__border_checked_";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    /// And assembly, which uses C's names.
    C,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Language::Rust => "Rust",
            Language::C => "C",
        })
    }
}

/// An object and where it came from.
struct Object {
    name: String,
    language: Language,
    source: String,
    /// The files that it was made from.
    deps: Vec<String>,
    symbols: Symbols,
    scans: Vec<(String, Scan)>,
}

/// Names by what nm says of them.
#[derive(Debug, Default)]
struct Symbols {
    defined: HashSet<String>,
    weak: HashSet<String>,
    local: HashSet<String>,
    used: HashSet<String>,
}

/// A symbol that a contract declares.
struct Declared {
    name: String,
    /// `c_helper_h`
    contract: String,
    /// The header that each C object has to include, by its end.
    layout: String,
    /// `c_helper.h:7: int f(int a)`
    declaration: String,
    function: bool,
}

/// `NM SYMVERS REPORT CONTRACT.rs... -- RUST.o... -- C.o...`
pub(crate) fn check(nm: &str, symvers: &str, report: &str, rest: &[&str]) -> Checked {
    let mut parts = rest.split(|word| *word == "--");
    let mut part = || parts.next().unwrap_or_default();
    let (contracts, rust, c) = (part(), part(), part());

    let mut declared = Vec::new();
    for contract in contracts {
        declared.extend(declared_in(contract)?);
    }
    let mut objects = Vec::new();
    for object in rust {
        objects.push(Object::read(nm, object, Language::Rust, contracts)?);
    }
    for object in c {
        objects.push(Object::read(nm, object, Language::C, contracts)?);
    }
    // Without a built kernel beside it there is no such list; nothing can be shadowed then.
    let kernel = exported(&std::fs::read_to_string(symvers).unwrap_or_default());

    let border = Border {
        declared,
        objects,
        kernel,
    };
    none(border.problems())?;
    write(report, &border.report())
}

fn declared_in(contract: &str) -> Checked<Vec<Declared>> {
    let source = read(contract)?;
    let stem = Path::new(contract)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let layout = format!("{}_layout.h", stem.strip_suffix("_h").unwrap_or(&stem));
    let places = declarations(&source);
    Ok(Bindings::new(&source)
        .symbols
        .into_iter()
        .map(|symbol| Declared {
            declaration: places
                .iter()
                .find(|(name, _)| *name == symbol.name)
                .map_or_else(|| stem.clone(), |(_, declared)| declared.clone()),
            name: symbol.name,
            contract: stem.clone(),
            layout: layout.clone(),
            function: symbol.function,
        })
        .collect())
}

/// The names in a Module.symvers.
fn exported(symvers: &str) -> HashSet<String> {
    symvers
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .map(str::to_owned)
        .collect()
}

impl Object {
    fn read(nm: &str, path: &str, language: Language, contracts: &[&str]) -> Checked<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let (source, deps) = made_from(&read(&format!("{folder}/.{name}.cmd"))?);
        let mut scans = Vec::new();
        if language == Language::Rust {
            // The generated files and border.rs are what crossings are made with.
            let ours = |file: &str| {
                file.ends_with("border/border.rs")
                    || contracts.iter().any(|contract| same(contract, file))
            };
            let sources = std::iter::once(&source).chain(&deps);
            for file in sources.filter(|file| file.ends_with(".rs") && !ours(file)) {
                scans.push((file.clone(), scan::rust(file, &read(file)?)));
            }
        }
        Ok(Object {
            name: name.to_owned(),
            language,
            source,
            deps,
            symbols: symbols(nm, path)?,
            scans,
        })
    }

    fn touches(&self, name: &str) -> bool {
        self.symbols.defined.contains(name) || self.symbols.used.contains(name)
    }

    /// Where a name first stands in the sources, for messages.
    fn place(&self, name: &str) -> String {
        let scanned = self.scans.iter().map(|(file, _)| file.as_str());
        let sources: Vec<&str> = match self.language {
            Language::Rust => scanned.collect(),
            Language::C => vec![&self.source],
        };
        let found = sources.iter().find_map(|file| {
            let source = std::fs::read_to_string(file).ok()?;
            let token = tokens(&source, 1)
                .into_iter()
                .find(|token| token.is(name))?;
            Some(format!("{file}:{}", token.line))
        });
        found.unwrap_or_else(|| self.name.clone())
    }
}

/// The source and the dependencies, out of the .cmd file that Kbuild keeps beside an object.
fn made_from(cmd: &str) -> (String, Vec<String>) {
    let (mut source, mut deps, mut listing) = (String::new(), Vec::new(), false);
    for line in cmd.lines() {
        if let Some((_, file)) = line
            .strip_prefix("source_")
            .and_then(|l| l.split_once(" := "))
        {
            source = file.to_owned();
        } else if line.starts_with("deps_") {
            listing = true;
        } else if line.is_empty() {
            listing = false;
        } else if listing && !line.contains("$(wildcard") {
            deps.push(line.trim_end_matches('\\').trim().to_owned());
        }
    }
    (source, deps)
}

/// Whether two paths may mean one file: one may be relative.
fn same(one: &str, other: &str) -> bool {
    let file = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
    file(one) == file(other)
}

fn symbols(nm: &str, object: &str) -> Checked<Symbols> {
    // CONFIG_… may have made NM several words.
    let mut words = nm.split_whitespace();
    let output = Command::new(words.next().unwrap_or("nm"))
        .args(words)
        .args(["-P", object])
        .output()
        .map_err(|error| {
            vec![Problem::new(
                Layer::Gate,
                format!("cannot run {nm}: {error}"),
            )]
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(vec![Problem::new(
            Layer::Gate,
            format!("{nm} cannot read {object}"),
        )
        .seen(said.trim())]);
    }
    Ok(sorted(&String::from_utf8_lossy(&output.stdout)))
}

/// `c_helper_whom T 0 10`
fn sorted(nm: &str) -> Symbols {
    let mut symbols = Symbols::default();
    for line in nm.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            continue;
        };
        let set = match kind {
            "U" | "v" | "w" => &mut symbols.used,
            "V" | "W" => &mut symbols.weak,
            _ if kind.starts_with(|c: char| c.is_ascii_lowercase()) => &mut symbols.local,
            _ => &mut symbols.defined,
        };
        set.insert(name.to_owned());
    }
    symbols
}

impl Symbols {
    /// A static of this name, or what a compiler made of one: `f.constprop.0`. The global one may
    /// have such parts as well.
    fn has_its_own(&self, name: &str) -> bool {
        let part_of = |local: &String| {
            local
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        self.local.contains(name) || !self.defined.contains(name) && self.local.iter().any(part_of)
    }
}

struct Border {
    declared: Vec<Declared>,
    objects: Vec<Object>,
    kernel: HashSet<String>,
}

impl Border {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for object in &self.objects {
            for (file, scan) in &object.scans {
                problems.extend(scan.problems.iter().cloned());
                problems.extend(
                    scan.given
                        .iter()
                        .filter_map(|given| self.stray(file, given)),
                );
            }
        }
        problems.extend(self.twice());
        for declared in &self.declared {
            problems.extend(self.definition(declared));
            problems.extend(self.shadows(declared));
            problems.extend(self.includes(declared));
        }
        problems.extend(self.unchecked());
        problems
    }

    fn contract_of(&self, name: &str) -> Option<&Declared> {
        self.declared.iter().find(|declared| declared.name == name)
    }

    fn in_language(&self, language: Language) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .filter(move |object| object.language == language)
    }

    /// A symbol for C that no contract declares.
    fn stray(&self, file: &str, given: &Given) -> Option<Problem> {
        self.contract_of(&given.name).is_none().then(|| {
            Problem::new(
                Layer::Rust,
                format!("{} has a symbol that no contract declares", given.name),
            )
            .seen(format!("{file}:{}", given.line))
            .mend("declare it in the contract, or take #[no_mangle] away")
        })
    }

    /// Two contracts with one name.
    fn twice(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (at, declared) in self.declared.iter().enumerate() {
            let other = self.declared[..at]
                .iter()
                .find(|other| other.name == declared.name);
            problems.extend(other.map(|other| {
                Problem::new(
                    Layer::Contract,
                    format!("{} is declared twice", declared.name),
                )
                .seen(&other.declaration)
                .seen(&declared.declaration)
                .mend("keep one of them")
            }));
        }
        problems
    }

    /// It is defined, once, and used by the other language.
    fn definition(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let problem = |what: String| Problem::new(Layer::Objects, what).seen(&declared.declaration);
        let definers: Vec<&Object> = self
            .objects
            .iter()
            .filter(|object| object.symbols.defined.contains(name))
            .collect();
        let [definer] = definers[..] else {
            return vec![match definers[..] {
                [] => self.undefined(declared, problem(format!("nothing defines {name}"))),
                _ => definers.iter().fold(
                    problem(format!("{name} is defined {} times", definers.len())),
                    |problem, object| problem.seen(object.place(name)),
                ),
            }];
        };
        let mut problems = Vec::new();
        let other = match definer.language {
            Language::Rust => Language::C,
            Language::C => Language::Rust,
        };
        if !self
            .in_language(other)
            .any(|object| object.symbols.used.contains(name))
        {
            problems.push(
                problem(format!("no {other} object uses {name}: it does not cross"))
                    .seen(definer.place(name))
                    .mend("take it out of the contract"),
            );
        }
        let checked = format!("{CHECKED}{name}");
        if definer.language == Language::Rust && !definer.symbols.defined.contains(&checked) {
            let kind = if declared.function { "" } else { "static " };
            problems.push(
                problem(format!(
                    "rustc was not asked whether {name} is what the contract says"
                ))
                .seen(definer.place(name))
                .mend(format!(
                    "keeps_contract!({}: {kind}{name}); beside it",
                    // A file may have a name that no module of Rust can have.
                    declared.contract.replace('-', "_")
                )),
            );
        }
        problems
    }

    /// Why nothing defines it, as far as can be told.
    fn undefined(&self, declared: &Declared, mut problem: Problem) -> Problem {
        let name = &declared.name;
        if self.kernel.contains(name) {
            return problem
                .seen("the kernel exports a symbol of this name, which would be called instead")
                .mend("choose another name");
        }
        for object in &self.objects {
            for (file, scan) in &object.scans {
                if let Some(given) = scan.defined.iter().find(|given| given.name == *name) {
                    return problem
                        .seen(format!("{file}:{}: it has no #[no_mangle]", given.line))
                        .mend("put #[no_mangle] before it");
                }
            }
            if object.symbols.weak.contains(name) {
                return problem
                    .seen(format!(
                        "{}: weak, so that another may take its place",
                        object.place(name)
                    ))
                    .mend("define it without __weak");
            }
        }
        for object in self
            .objects
            .iter()
            .filter(|object| object.symbols.used.contains(name))
        {
            problem = problem.seen(format!("used by {}", object.name));
        }
        problem.mend("define it in one of the halves, or take it out of the contract")
    }

    /// Something else of the same name, which is taken for it somewhere.
    fn shadows(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let mut problems = Vec::new();
        for object in self
            .objects
            .iter()
            .filter(|object| object.symbols.has_its_own(name))
        {
            problems.push(
                Problem::new(
                    Layer::Objects,
                    format!("{} has a {name} of its own, and uses that", object.name),
                )
                .seen(&declared.declaration)
                .seen(object.place(name))
                .mend("give one of them another name"),
            );
        }
        let defined = self
            .objects
            .iter()
            .any(|object| object.symbols.defined.contains(name));
        if defined && self.kernel.contains(name) {
            problems.push(
                Problem::new(Layer::Objects, format!("the kernel exports a {name} too"))
                    .seen(&declared.declaration)
                    .mend("choose another name"),
            );
        }
        problems
    }

    /// A C object that knows the name from elsewhere was not checked.
    fn includes(&self, declared: &Declared) -> Vec<Problem> {
        self.in_language(Language::C)
            .filter(|object| object.touches(&declared.name))
            .filter(|object| !object.deps.iter().any(|file| same(file, &declared.layout)))
            .map(|object| {
                Problem::new(
                    Layer::C,
                    format!(
                        "{} does not include the contract of {}",
                        object.source, declared.name
                    ),
                )
                .seen(object.place(&declared.name))
                .seen(&declared.declaration)
                .mend(format!(
                    "#include \"{}\" instead of declaring it again",
                    declared.declaration.split(':').next().unwrap_or_default()
                ))
            })
            .collect()
    }

    /// Crossings that no contract declares.
    fn unchecked(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (from, to) in [(Language::Rust, Language::C), (Language::C, Language::Rust)] {
            for user in self.in_language(to) {
                for name in &user.symbols.used {
                    let definer = self.in_language(from).find(|object| {
                        object.symbols.defined.contains(name) || object.symbols.weak.contains(name)
                    });
                    let (Some(definer), None) = (definer, self.contract_of(name)) else {
                        continue;
                    };
                    problems.push(
                        Problem::new(
                            Layer::Objects,
                            format!("{name} goes from {from} to {to}, and no contract declares it"),
                        )
                        .seen(format!("{}: defined", definer.place(name)))
                        .seen(format!("{}: used", user.place(name)))
                        .mend("declare it in the contract"),
                    );
                }
            }
        }
        problems
    }

    /// What crosses, for people to read.
    fn report(&self) -> String {
        let mut report = String::from("# what crosses, and where it is declared\n");
        let width = self
            .declared
            .iter()
            .map(|declared| declared.name.len())
            .max()
            .unwrap_or(0);
        for declared in &self.declared {
            let name = &declared.name;
            let definer = self
                .objects
                .iter()
                .find(|o| o.symbols.defined.contains(name));
            let way = match definer.map(|object| object.language) {
                Some(Language::Rust) => "Rust to C",
                _ => "C to Rust",
            };
            report += &format!("{name:width$}  {way}  {}\n", declared.declaration);
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nm_prints() {
        let symbols = sorted("a T 0 10\nb U         \nc t 10 4\nd W 0 0\ne w\n_R D 0 8\n");
        let has = |set: &HashSet<String>, names: &[&str]| {
            assert_eq!(set.len(), names.len());
            assert!(names.iter().all(|name| set.contains(*name)));
        };
        has(&symbols.defined, &["a", "_R"]);
        has(&symbols.used, &["b", "e"]);
        has(&symbols.local, &["c"]);
        has(&symbols.weak, &["d"]);
    }

    #[test]
    fn shadows() {
        let own = |nm| sorted(nm).has_its_own("f");
        assert!(own("f t 0 4") && own("f.constprop.0 t 0 4"));
        assert!(!own("f T 0 4\nf.cold t 0 4") && !own("f2 t 0 4\nfu.x t 0 4"));
    }

    #[test]
    fn what_kbuild_keeps() {
        let cmd = "savedcmd_a.o := clang -o a.o a.c\n\nsource_a.o := a.c\n\ndeps_a.o := \\\n  \
                   /k/types.h \\\n    $(wildcard include/config/X) \\\n  b.h \\\n\na.o: $(deps_a.o)\n";
        assert_eq!(
            made_from(cmd),
            (
                "a.c".to_owned(),
                vec!["/k/types.h".to_owned(), "b.h".to_owned()]
            )
        );
    }

    fn object(language: Language, defined: &[&str], used: &[&str], deps: &[&str]) -> Object {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Object {
            name: format!("{language}.o"),
            language,
            source: format!("/nowhere/{language}"),
            deps: deps.iter().map(|dep| (*dep).to_owned()).collect(),
            symbols: Symbols {
                defined: owned(defined),
                used: owned(used),
                ..Symbols::default()
            },
            scans: Vec::new(),
        }
    }

    fn border(names: &[&str], rust: Object, c: Object) -> Border {
        let declared = names.iter().map(|name| Declared {
            name: (*name).to_owned(),
            contract: "a_h".to_owned(),
            layout: "a_layout.h".to_owned(),
            declaration: format!("a.h:1: int {name}(void)"),
            function: true,
        });
        Border {
            declared: declared.collect(),
            objects: vec![rust, c],
            kernel: HashSet::from(["printk".to_owned()]),
        }
    }

    fn told(border: &Border) -> String {
        border.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_is_well() {
        let rust = object(
            Language::Rust,
            &["r", "__border_checked_r"],
            &["c", "strlen"],
            &[],
        );
        let c = object(Language::C, &["c"], &["r"], &["x/a_layout.h"]);
        let border = border(&["r", "c"], rust, c);
        assert_eq!(told(&border), "");
        assert!(border
            .report()
            .contains("r  Rust to C  a.h:1: int r(void)\n"));
    }

    #[test]
    fn all_is_told() {
        let rust = object(Language::Rust, &["r", "stray"], &["c", "hidden"], &[]);
        let c = object(Language::C, &["c", "hidden", "idle"], &["r", "stray"], &[]);
        let told = told(&border(&["r", "c", "idle", "gone", "printk"], rust, c));
        for wanted in [
            "rustc was not asked whether r is what the contract says",
            "mend: keeps_contract!(a_h: r); beside it",
            "no Rust object uses idle: it does not cross",
            "nothing defines gone",
            "the kernel exports a symbol of this name",
            "/nowhere/C does not include the contract of c",
            "hidden goes from C to Rust, and no contract declares it",
            "stray goes from Rust to C, and no contract declares it",
        ] {
            assert!(told.contains(wanted), "{wanted} is not in:\n{told}");
        }
    }
}
