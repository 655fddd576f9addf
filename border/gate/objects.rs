// SPDX-License-Identifier: GPL-2.0

//! Compares the finished objects of a module with its contracts: each symbol that crosses between
//! the languages has to be declared, and each declared symbol has to cross.

mod report;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::assertions::contract_of;
use crate::bind::module_of;
use crate::bindings::{declarations, Bindings, SymbolKind};
use crate::header::real;
use crate::inline::EXTERN;
use crate::object::{name_of, Language, Object};
use crate::problem::{fail_if_any, read, write, Layer, Problem, Result};
use crate::sizes;

/// Symbols that `module!` defines for the kernel, which looks them up by name.
pub(crate) const OF_MODULE: &[&str] = &["init_module", "cleanup_module"];

/// A symbol that a contract declares.
pub(crate) struct Declared {
    name: String,
    /// `c_helper_h`
    contract: String,
    /// The bindings, which Rust objects include.
    rust: PathBuf,
    /// The header, which C objects include.
    header: PathBuf,
    /// `c_helper.h:7: int f(int a)`
    declaration: String,
    function: bool,
    /// The external definition of an inline function.
    inline: bool,
}

/// The arguments of `gate objects`.
pub(crate) struct Args<'a> {
    pub(crate) nm: &'a str,
    /// Module.symvers, with the kernel's exports.
    pub(crate) symvers: &'a str,
    pub(crate) report: &'a str,
    /// The bindings.
    pub(crate) contracts: &'a [&'a str],
    pub(crate) rust: &'a [&'a str],
    pub(crate) c: &'a [&'a str],
}

/// Checks all objects of a module, and writes a report of what crosses.
pub(crate) fn check(args: &Args<'_>) -> Result {
    let mut declared = Vec::new();
    for contract in args.contracts {
        let layout = read(&contract.replace("_h.rs", "_layout.h"))?;
        declared.extend(declared_in(contract, &read(contract)?, &layout));
    }
    let mut objects = Vec::new();
    for object in args.rust {
        objects.push(Object::of_rust(args.nm, args.contracts, object)?);
    }
    for object in args.c {
        objects.push(Object::of_c(args.nm, object)?);
    }
    let border = Border {
        declared,
        objects,
        // Optional: a kernel of which only some parts are built has no such file.
        kernel: exports(&std::fs::read_to_string(args.symvers).unwrap_or_default()),
    };
    fail_if_any(border.problems())?;
    write(args.report, &border.report())
}

/// What a contract declares, by its bindings and its layout header.
pub(crate) fn declared_in(contract: &str, source: &str, layout: &str) -> Vec<Declared> {
    let stem = Path::new(contract).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let header = real(contract_of(layout));
    let places = declarations(source);
    let declared = |name: &str| {
        let mut places = places.iter();
        let (_, declaration) = places.find(|(declared, _)| *declared == name)?;
        Some(declaration.clone())
    };
    Bindings::new(source)
        .symbols
        .into_iter()
        .map(|symbol| Declared {
            declaration: declared(symbol.c_name()).unwrap_or_else(|| stem.to_string()),
            inline: symbol.is_inline(),
            name: symbol.name,
            contract: stem.to_string(),
            rust: real(contract),
            header: header.clone(),
            function: matches!(symbol.kind, Some(SymbolKind::Function(_))),
        })
        .collect()
}

/// The names in a Module.symvers.
pub(crate) fn exports(symvers: &str) -> HashSet<String> {
    let names = symvers.lines().filter_map(|line| line.split('\t').nth(1));
    names.map(str::to_owned).collect()
}

impl Declared {
    /// The name of what C declares.
    fn c_name(&self) -> &str {
        let name = self.name.strip_suffix(EXTERN).filter(|_| self.inline);
        name.unwrap_or(&self.name)
    }

    /// The Rust module: the name of the file need not be an identifier.
    fn module(&self) -> String {
        module_of(&self.contract)
    }

    fn error(&self, what: String) -> Problem {
        Layer::Objects.error(what).note(&self.declaration)
    }
}

pub(crate) struct Border {
    pub(crate) declared: Vec<Declared>,
    pub(crate) objects: Vec<Object>,
    /// What the kernel exports.
    pub(crate) kernel: HashSet<String>,
}

impl Border {
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for object in self.in_language(Language::Rust) {
            problems.extend(self.handwritten(object));
            problems.extend(self.undeclared_exports(object));
        }
        problems.extend(self.duplicates());
        for declared in &self.declared {
            problems.extend(self.definition(declared));
            problems.extend(self.ambiguities(declared));
            problems.extend(self.missing_includes(declared));
        }
        problems.extend(self.undeclared_crossings());
        problems.extend(sizes::problems(&self.objects));
        problems
    }

    fn declaration_of(&self, name: &str) -> Option<&Declared> {
        self.declared.iter().find(|declared| declared.name == name)
    }

    fn in_language(&self, language: Language) -> impl Iterator<Item = &Object> {
        let objects = self.objects.iter();
        objects.filter(move |object| object.language == language)
    }

    /// Declarations in `extern` blocks, except those that the kernel's macros expand to: these
    /// declare nothing of the module.
    fn handwritten(&self, object: &Object) -> Vec<Problem> {
        let names = object.expanded.handwritten().into_iter();
        names
            .filter(|name| self.declaration_of(name).is_some() || object.mentions(name))
            .map(|name| {
                Layer::Rust
                    .error(format!(
                        "{name} is declared in a hand-written `extern` block, which nothing checks"
                    ))
                    .note(object.place(name))
                    .help("declare it in the contract, and use the generated bindings")
            })
            .collect()
    }

    fn undeclared_exports(&self, object: &Object) -> Vec<Problem> {
        let names = object.expanded.exports.iter().map(|export| &export.symbol);
        names
            .filter(|name| !OF_MODULE.contains(&name.as_str()))
            .filter(|name| self.declaration_of(name).is_none() && object.mentions(name))
            .map(|name| {
                Layer::Rust
                    .error(format!(
                        "{name} is a global symbol that no contract declares"
                    ))
                    .note(object.place(name))
                    .help("declare it in the contract, or remove #[no_mangle]")
            })
            .collect()
    }

    /// Symbols that two contracts declare.
    fn duplicates(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (at, declared) in self.declared.iter().enumerate() {
            let mut before = self.declared[..at].iter();
            let other = before.find(|other| other.name == declared.name);
            problems.extend(other.map(|other| {
                Layer::Contract
                    .error(format!("{} is declared twice", declared.name))
                    .note(&other.declaration)
                    .note(&declared.declaration)
                    .help("remove one of the declarations")
            }));
        }
        problems
    }

    /// A declared symbol needs exactly one definition, which is checked, and a reference in the
    /// other language.
    fn definition(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let all = self.objects.iter();
        let definers: Vec<_> = all
            .filter(|object| object.symbols.defined.contains(name))
            .collect();
        let [definer] = definers[..] else {
            if definers.is_empty() {
                return vec![self.undefined(declared)];
            }
            let problem = declared.error(format!("{name} is defined {} times", definers.len()));
            let places = definers.iter().map(|object| object.place(name));
            return vec![places.fold(problem, Problem::note)];
        };
        let mut problems = Vec::new();
        let other = match definer.language {
            Language::Rust => Language::C,
            Language::C => Language::Rust,
        };
        // Where inline functions are compiled, Rust calls through them; or C is the only one to call them.
        let mut others = self
            .objects
            .iter()
            .filter(|object| object.language == other || object.is_extern());
        if !declared.inline && !others.any(|object| object.symbols.referenced.contains(name)) {
            problems.push(
                declared
                    .error(format!("no {other} object references {name}"))
                    .note(definer.place(name))
                    .help("remove it from the contract"),
            );
        }
        if definer.language == Language::Rust && !definer.expanded.is_checked(name) {
            let module = declared.module();
            let kind = if declared.function { "" } else { "static " };
            problems.push(
                declared
                    .error(format!("rustc does not check {name} against the contract"))
                    .note(definer.place(name))
                    .help(format!(
                        "add keeps_contract!({module}: {kind}{name}); next to its definition"
                    )),
            );
        }
        problems
    }

    /// Explains why nothing defines the symbol.
    fn undefined(&self, declared: &Declared) -> Problem {
        let name = &declared.name;
        let mut problem = declared.error(format!("nothing defines {name}"));
        if self.kernel.contains(name) {
            return problem
                .note("the kernel exports a symbol of this name, which would be used instead")
                .help("choose another name");
        }
        for object in &self.objects {
            let place = object.place(name);
            if object.expanded.defined.contains(name) {
                let note = format!("{place}: defined without #[no_mangle]");
                return problem.note(note).help("add #[no_mangle]");
            }
            if object.symbols.weak.contains(name) {
                let note = format!("{place}: weak, so another definition could override it");
                return problem.note(note).help("define it without __weak");
            }
        }
        for object in &self.objects {
            if object.symbols.referenced.contains(name) {
                problem = problem.note(format!("referenced by {}", object.name));
            }
        }
        problem.help("define it in Rust or C, or remove it from the contract")
    }

    /// Other symbols that could be used in place of the declared one.
    fn ambiguities(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let mut problems = Vec::new();
        // Inlining leaves local copies, and compilers merge generated functions that are alike.
        let objects = self.objects.iter().filter(|_| !declared.inline);
        for object in objects.clone().filter(|o| o.symbols.has_local(name)) {
            problems.push(
                declared
                    .error(format!(
                        "{} has its own local {name}, and uses it",
                        object.name
                    ))
                    .note(object.place(name))
                    .help("rename one of them"),
            );
        }
        // Aliases in Rust come from rustc, which merges only functions of the same type.
        for object in objects.filter(|object| object.language == Language::C) {
            problems.extend(object.symbols.alias_of(name).map(|other| {
                declared
                    .error(format!(
                        "{name} is an alias of {other}, and nothing compares their types"
                    ))
                    .note(object.place(name))
                    .help(format!("define {name} as a function that calls {other}"))
            }));
        }
        let mut all = self.objects.iter();
        if self.kernel.contains(name) && all.any(|object| object.symbols.defined.contains(name)) {
            let problem = declared.error(format!("the kernel exports {name}, too"));
            problems.push(problem.help("choose another name"));
        }
        problems
    }

    /// Objects that use a symbol without the contract that declares it, and thus unchecked.
    fn missing_includes(&self, declared: &Declared) -> Vec<Problem> {
        let name = &declared.name;
        let mut problems = Vec::new();
        for object in self.objects.iter().filter(|o| o.symbols.mentions(name)) {
            let (layer, contract, include) = match object.language {
                Language::Rust => {
                    let include = format!("mod {};", declared.module());
                    (Layer::Rust, &declared.rust, include)
                }
                Language::C => {
                    let file = name_of(&declared.header.to_string_lossy());
                    (Layer::C, &declared.header, format!("#include \"{file}\""))
                }
            };
            if object.is_typed && !object.contracts.contains(contract) {
                problems.push(
                    layer
                        .error(format!(
                            "{} does not include the contract that declares {name}",
                            object.source
                        ))
                        .note(object.place(name))
                        .note(&declared.declaration)
                        .help(format!("{include} instead of declaring it again")),
                );
            }
        }
        problems
    }

    fn undeclared_crossings(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (from, to) in [(Language::Rust, Language::C), (Language::C, Language::Rust)] {
            for user in self.in_language(to) {
                for name in &user.symbols.referenced {
                    let definer = self.in_language(from).find(|object| {
                        object.symbols.defined.contains(name) || object.symbols.weak.contains(name)
                    });
                    let (Some(definer), None) = (definer, self.declaration_of(name)) else {
                        continue;
                    };
                    problems.push(
                        Layer::Objects
                            .error(format!(
                                "{name} crosses from {from} to {to}, but no contract declares it"
                            ))
                            .note(format!("{}: defined here", definer.place(name)))
                            .note(format!("{}: referenced here", user.place(name)))
                            .help("declare it in the contract"),
                    );
                }
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expanded::Expanded;
    use crate::nm::Symbols;
    use crate::object::Source;

    fn object(language: Language, defined: &[&str], referenced: &[&str], contract: &str) -> Object {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Object {
            name: format!("{language}.o"),
            language,
            source: format!("/nowhere/{language}"),
            symbols: Symbols {
                defined: owned(defined),
                referenced: owned(referenced),
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
            inline: false,
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

    fn messages(border: &Border) -> String {
        border.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_problems() {
        let mut rust = object(Language::Rust, &["r"], &["c", "strlen"], "a_h.rs");
        rust.expanded = Expanded::new(
            "#[no_mangle] fn r() {} #[export_name = \"__border_checked_r\"] static CHECKED: u8 = 0;",
        );
        let c = object(Language::C, &["c"], &["r"], "a.h");
        let border = border(&["r", "c"], rust, c);
        assert_eq!(messages(&border), "");
        assert!(border
            .report()
            .contains("r  Rust to C  a.h:1: int r(void)\n"));
    }

    #[test]
    fn all_problems() {
        let mut rust = object(Language::Rust, &["r", "stray"], &["c", "hidden"], "");
        rust.own.push(Source {
            file: "./r.rs".to_owned(),
            text: "mod raw;\nimport!(own);\nfn exported() {}".to_owned(),
        });
        rust.expanded = Expanded::new(
            "extern \"C\" { fn own(); fn c(); fn of_the_kernel(); } \
             #[no_mangle] fn exported() {} #[no_mangle] fn init_module() {}",
        );
        let c = object(Language::C, &["c", "hidden", "idle"], &["r", "stray"], "");
        let messages = messages(&border(&["r", "c", "idle", "gone", "printk"], rust, c));
        for wanted in [
            "rustc does not check r against the contract",
            "help: add keeps_contract!(a_h: r); next to its definition",
            "no Rust object references idle",
            "nothing defines gone",
            "the kernel exports a symbol of this name",
            "/nowhere/C does not include the contract that declares c",
            "/nowhere/Rust does not include the contract that declares c",
            "hidden crosses from C to Rust, but no contract declares it",
            "stray crosses from Rust to C, but no contract declares it",
            "own is declared in a hand-written `extern` block, which nothing checks\n  note: r.rs:2\n",
            "error: c is declared in a hand-written `extern` block",
            "exported is a global symbol that no contract declares\n  note: r.rs:3\n",
        ] {
            assert!(messages.contains(wanted), "{wanted} is not in:\n{messages}");
        }
        assert!(!messages.contains("of_the_kernel") && !messages.contains("init_module"));
    }
}
