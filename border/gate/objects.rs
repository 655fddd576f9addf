// SPDX-License-Identifier: GPL-2.0

//! What crosses between the finished objects of a module: each symbol that one language defines
//! and the other uses has to be in a contract, and each symbol of a contract has to cross.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::bind::module_of;
use crate::bindings::{declarations, Bindings, SymbolKind};
use crate::header::real;
use crate::object::{name_of, Language, Object};
use crate::problem::{none, read, write, Checked, Layer, Problem};
use crate::sizes;

/// What `module!` gives: the kernel looks for these.
const OF_MODULE: &[&str] = &["init_module", "cleanup_module"];

/// A symbol that a contract declares.
struct Declared {
    name: String,
    /// `c_helper_h`
    contract: String,
    /// What a Rust object includes, and what a C object does.
    rust: PathBuf,
    header: PathBuf,
    /// `c_helper.h:7: int f(int a)`
    declaration: String,
    function: bool,
}

/// What `gate objects` is asked.
pub(crate) struct Asked<'a> {
    pub(crate) nm: &'a str,
    /// The kernel's exports.
    pub(crate) symvers: &'a str,
    pub(crate) report: &'a str,
    /// The generated bindings.
    pub(crate) contracts: &'a [&'a str],
    pub(crate) rust: &'a [&'a str],
    pub(crate) c: &'a [&'a str],
}

/// Checks all objects of a module; writes what crosses.
pub(crate) fn check(asked: &Asked<'_>) -> Checked {
    let mut declared = Vec::new();
    for contract in asked.contracts {
        declared.extend(declared_in(contract)?);
    }
    let mut objects = Vec::new();
    for object in asked.rust {
        objects.push(Object::of_rust(asked.nm, asked.contracts, object)?);
    }
    for object in asked.c {
        objects.push(Object::of_c(asked.nm, object)?);
    }
    // Without a built kernel beside it there is no such list; nothing can be shadowed then.
    let kernel = exported(&std::fs::read_to_string(asked.symvers).unwrap_or_default());

    let border = Border {
        declared,
        objects,
        kernel,
    };
    none(border.problems())?;
    write(asked.report, &border.report())
}

fn declared_in(contract: &str) -> Checked<Vec<Declared>> {
    let source = read(contract)?;
    let stem = Path::new(contract)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let header = read(&contract.replace("_h.rs", "_layout.h"))?;
    let header = real(crate::unit::made_from(&header));
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
            rust: real(contract),
            header: header.clone(),
            function: matches!(symbol.kind, Some(SymbolKind::Function(_))),
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

impl Declared {
    /// A file may have a name that no module of Rust can have.
    fn module(&self) -> String {
        module_of(&self.contract)
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
        for object in self.in_language(Language::Rust) {
            problems.extend(self.by_hand(object));
            problems.extend(self.strays(object));
        }
        problems.extend(self.twice());
        for declared in &self.declared {
            problems.extend(self.definition(declared));
            problems.extend(self.shadows(declared));
            problems.extend(self.includes(declared));
        }
        problems.extend(self.unchecked());
        problems.extend(sizes::problems(&self.objects));
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

    /// What an `extern` block declares beside the contract. The kernel's macros have such blocks,
    /// too: those name nothing of the module's.
    fn by_hand(&self, object: &Object) -> Vec<Problem> {
        let names = object.expanded.by_hand().into_iter();
        names
            .filter(|name| self.contract_of(name).is_some() || object.mentions(name))
            .map(|name| {
                Problem::new(
                    Layer::Rust,
                    format!("{name} is declared in an `extern` block by hand: nothing checks it"),
                )
                .note(object.place(name))
                .help("declare it in the contract, and use what is generated from that")
            })
            .collect()
    }

    /// Symbols for C that no contract declares.
    fn strays(&self, object: &Object) -> Vec<Problem> {
        let names = object.expanded.given.iter();
        names
            .map(|given| &given.symbol)
            .filter(|name| !OF_MODULE.contains(&name.as_str()))
            .filter(|name| self.contract_of(name).is_none() && object.mentions(name))
            .map(|name| {
                Problem::new(
                    Layer::Rust,
                    format!("{name} has a symbol that no contract declares"),
                )
                .note(object.place(name))
                .help("declare it in the contract, or take #[no_mangle] away")
            })
            .collect()
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
                .note(&other.declaration)
                .note(&declared.declaration)
                .help("keep one of them")
            }));
        }
        problems
    }

    /// It is defined, once, and used by the other language.
    fn definition(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let problem = |what: String| Problem::new(Layer::Objects, what).note(&declared.declaration);
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
                    |problem, object| problem.note(object.place(name)),
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
                    .note(definer.place(name))
                    .help("take it out of the contract"),
            );
        }
        if definer.language == Language::Rust && !definer.expanded.is_checked(name) {
            let kind = if declared.function { "" } else { "static " };
            problems.push(
                problem(format!(
                    "rustc was not asked whether {name} is what the contract says"
                ))
                .note(definer.place(name))
                .help(format!(
                    "keeps_contract!({}: {kind}{name}); beside it",
                    declared.module()
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
                .note("the kernel exports a symbol of this name, which would be called instead")
                .help("choose another name");
        }
        for object in &self.objects {
            if object.expanded.defined.contains(name) {
                return problem
                    .note(format!("{}: it has no #[no_mangle]", object.place(name)))
                    .help("put #[no_mangle] before it");
            }
            if object.symbols.weak.contains(name) {
                return problem
                    .note(format!(
                        "{}: weak, so that another may take its place",
                        object.place(name)
                    ))
                    .help("define it without __weak");
            }
        }
        let all = self.objects.iter();
        for user in all.filter(|object| object.symbols.used.contains(name)) {
            problem = problem.note(format!("used by {}", user.name));
        }
        problem.help("define it in one of the halves, or take it out of the contract")
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
                .note(&declared.declaration)
                .note(object.place(name))
                .help("give one of them another name"),
            );
        }
        // What rustc merges is of one type.
        for object in self.in_language(Language::C) {
            problems.extend(object.symbols.alias_of(name).map(|other| {
                Problem::new(
                    Layer::Objects,
                    format!("{name} is an alias of {other}: nothing compares their types"),
                )
                .note(&declared.declaration)
                .note(object.place(name))
                .help(format!("define {name} as a function that calls the other"))
            }));
        }
        let defined = self
            .objects
            .iter()
            .any(|object| object.symbols.defined.contains(name));
        if defined && self.kernel.contains(name) {
            problems.push(
                Problem::new(Layer::Objects, format!("the kernel exports a {name} too"))
                    .note(&declared.declaration)
                    .help("choose another name"),
            );
        }
        problems
    }

    /// An object that knows the name from elsewhere was not checked.
    fn includes(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let touches = self.objects.iter().filter(|o| o.symbols.touches(name));
        let mut problems = Vec::new();
        for object in touches {
            let (layer, included, help) = match object.language {
                Language::Rust => (
                    Layer::Rust,
                    &declared.rust,
                    format!("mod {}; instead of declaring it again", declared.module()),
                ),
                Language::C => (
                    Layer::C,
                    &declared.header,
                    format!(
                        "#include \"{}\" instead of declaring it again",
                        name_of(&declared.header.to_string_lossy())
                    ),
                ),
            };
            // Assembly has no types that could be another's.
            if object.is_typed && !object.contracts.contains(included) {
                let what = format!("{} does not include the contract of {name}", object.source);
                let problem = Problem::new(layer, what).note(object.place(name));
                problems.push(problem.note(&declared.declaration).help(help));
            }
        }
        problems
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
                        .note(format!("{}: defined", definer.place(name)))
                        .note(format!("{}: used", user.place(name)))
                        .help("declare it in the contract"),
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
    use crate::expanded::Expanded;
    use crate::nm::Symbols;
    use crate::object::Source;

    fn object(language: Language, defined: &[&str], used: &[&str], contract: &str) -> Object {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Object {
            name: format!("{language}.o"),
            language,
            source: format!("/nowhere/{language}"),
            symbols: Symbols {
                defined: owned(defined),
                used: owned(used),
                ..Symbols::default()
            },
            contracts: vec![PathBuf::from(contract)],
            is_typed: true,
            own: Vec::new(),
            expanded: Expanded::default(),
        }
    }

    fn border(names: &[&str], rust: Object, c: Object) -> Border {
        let declared = names.iter().map(|name| Declared {
            name: (*name).to_owned(),
            contract: "a_h".to_owned(),
            rust: PathBuf::from("a_h.rs"),
            header: PathBuf::from("a.h"),
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
        let mut rust = object(Language::Rust, &["r"], &["c", "strlen"], "a_h.rs");
        rust.expanded = Expanded::new(
            "#[no_mangle] fn r() {} #[export_name = \"__border_checked_r\"] static CHECKED: u8 = 0;",
        );
        let c = object(Language::C, &["c"], &["r"], "a.h");
        let border = border(&["r", "c"], rust, c);
        assert_eq!(told(&border), "");
        assert!(border
            .report()
            .contains("r  Rust to C  a.h:1: int r(void)\n"));
    }

    #[test]
    fn all_is_told() {
        let mut rust = object(Language::Rust, &["r", "stray"], &["c", "hidden"], "");
        rust.own.push(Source {
            file: "./r.rs".to_owned(),
            text: "mod raw;\nimport!(by_hand);\nfn given() {}".to_owned(),
        });
        rust.expanded = Expanded::new(
            "extern \"C\" { fn by_hand(); fn c(); fn of_the_kernel(); } \
             #[no_mangle] fn given() {} #[no_mangle] fn init_module() {}",
        );
        let c = object(Language::C, &["c", "hidden", "idle"], &["r", "stray"], "");
        let told = told(&border(&["r", "c", "idle", "gone", "printk"], rust, c));
        for wanted in [
            "rustc was not asked whether r is what the contract says",
            "help: keeps_contract!(a_h: r); beside it",
            "no Rust object uses idle: it does not cross",
            "nothing defines gone",
            "the kernel exports a symbol of this name",
            "/nowhere/C does not include the contract of c",
            "/nowhere/Rust does not include the contract of c",
            "hidden goes from C to Rust, and no contract declares it",
            "stray goes from Rust to C, and no contract declares it",
            "by_hand is declared in an `extern` block by hand: nothing checks it\n  note: r.rs:2\n",
            "error: c is declared in an `extern` block by hand",
            "given has a symbol that no contract declares\n  note: r.rs:3\n",
        ] {
            assert!(told.contains(wanted), "{wanted} is not in:\n{told}");
        }
        assert!(!told.contains("of_the_kernel") && !told.contains("init_module"));
    }
}
