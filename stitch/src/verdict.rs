//! Whether both sides of a crossing mean the same: what each believes, and how that compares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use object::{Object, ObjectSymbol, SymbolKind};

use crate::declared::Declared;
use crate::input::Loaded;
use crate::model::{Language, Outcome, Verdict, View};
use crate::parallel::each;
use crate::views::bindings::{Bindings, Origin};
use crate::views::compare::{differences, Difference, Level};
use crate::views::dwarf::{self, Found, Wanted};
use crate::views::ir::Ir;
use crate::views::sections::Sections;
use crate::views::spell;
use crate::views::types::{Opinion, Type};
use crate::views::{layouts, lowered};

/// The verdict on each symbol, in their order.
pub fn verdicts(objects: &[Loaded<'_>], declared: &Declared, symbols: &[String]) -> Vec<Verdict> {
    let mut evidence = Evidence::gather(objects, declared, symbols);
    if let Some(kernels) = &declared.kernels {
        if symbols.iter().any(|symbol| evidence.is_silent(symbol)) {
            evidence.read(kernels, declared);
        }
    }
    symbols
        .iter()
        .map(|symbol| evidence.verdict(symbol))
        .collect()
}

/// An object's part in the matter.
struct Witness<'e> {
    name: &'e str,
    language: Language,
    wanted: Wanted<'e>,
    /// Functions that the compiler made one of, because their code is the same: debug information
    /// is left of only one of them.
    twins: BTreeMap<&'e str, Vec<&'e str>>,
    found: Found,
}

/// All that is known of all symbols.
#[derive(Default)]
struct Evidence<'e> {
    witnesses: Vec<Witness<'e>>,
    bindings: Vec<Bindings>,
    ir: Vec<Ir>,
    /// See [`Declared::ir_names`].
    ir_names: BTreeMap<String, String>,
    /// The kernel crate's types, as Rust's objects have them.
    types: BTreeMap<String, Type>,
    /// Files that could not be read: sentences.
    unreadable: Vec<String>,
}

impl<'e> Evidence<'e> {
    fn gather(
        objects: &'e [Loaded<'_>],
        declared: &Declared,
        symbols: &'e [String],
    ) -> Evidence<'e> {
        let mut evidence = Evidence {
            unreadable: declared.stale.clone(),
            ir_names: declared.ir_names.clone(),
            ..Evidence::default()
        };
        for path in &declared.own {
            evidence.read(path, declared);
        }
        evidence.read_ir(declared, symbols);
        let names = evidence.bindings.iter();
        let names = names
            .flat_map(|bindings| bindings.unexplained(symbols))
            .collect();
        evidence.ask_objects(objects, symbols, &names);
        evidence
    }

    /// Reads declarations.
    fn read(&mut self, path: &Path, declared: &Declared) {
        match Bindings::read(path, declared.shown(path)) {
            Ok(read) => self.bindings.push(read),
            Err(error) => self.unreadable.push(format!("{error:#}")),
        }
    }

    fn read_ir(&mut self, declared: &Declared, symbols: &[String]) {
        let symbols: BTreeSet<&str> = symbols.iter().map(String::as_str).collect();
        for path in &declared.ir {
            match Ir::read(path, declared.shown(path), &symbols) {
                Ok(read) => self.ir.push(read),
                Err(error) => self.unreadable.push(format!("{error:#}")),
            }
        }
    }

    /// Whether one side's view of it is in no file that was read.
    fn is_silent(&self, symbol: &str) -> bool {
        let declared = |bindings: &Bindings| bindings.declares(symbol);
        if self.bindings.iter().any(declared) {
            return false;
        }
        let mut witnesses = self.witnesses.iter();
        let defined_by = |witness: &Witness<'_>| witness.wanted.defined.contains(symbol);
        match witnesses.clone().find(|witness| defined_by(witness)) {
            Some(definer) if definer.language == Language::Rust => witnesses.any(|user| {
                user.language != Language::Rust
                    && user.wanted.needed.contains(symbol)
                    && !user.found.opinions.contains_key(symbol)
            }),
            definer => definer.is_some(),
        }
    }

    fn ask_objects(
        &mut self,
        objects: &'e [Loaded<'_>],
        symbols: &'e [String],
        names: &BTreeSet<String>,
    ) {
        let symbols: BTreeSet<&str> = symbols.iter().map(String::as_str).collect();
        self.witnesses = each(objects, |object| witness(object, &symbols, names));
        // Names of the kernel's are few, so they may be copied.
        for witness in &self.witnesses {
            for (name, ty) in &witness.found.types {
                let known = self.types.entry(name.clone());
                known.or_insert_with(|| ty.clone());
            }
        }
    }

    fn verdict(&self, symbol: &str) -> Verdict {
        let Some(definer) = self
            .witnesses
            .iter()
            .find(|witness| witness.wanted.defined.contains(symbol))
        else {
            return Verdict {
                reasons: vec!["no object at hand defines it".to_owned()],
                ..Verdict::default()
            };
        };
        let mut judge = Judge::default();
        let own = definer.found.opinions.get(symbol);
        let twin = own.is_none().then(|| definer.twin(symbol)).flatten();
        let definition = own.or(twin.map(|(_, opinion)| opinion));
        match (own, twin) {
            (Some(opinion), _) => judge.view(symbol, opinion),
            (None, Some((twin, opinion))) => {
                judge.view(twin, opinion);
                judge.merged_with = Some(twin.to_owned());
            }
            (None, None) => judge.lack(definer.silence(symbol)),
        }
        let users = self.witnesses.iter().filter(|witness| {
            witness.wanted.needed.contains(symbol) && witness.language != Language::Rust
        });
        match definer.language {
            Language::Rust => {
                let mut silent = Vec::new();
                let mut heard = false;
                for user in users {
                    match user.found.opinions.get(symbol) {
                        Some(opinion) => {
                            heard = true;
                            judge.hear(symbol, definition, opinion);
                        }
                        None => silent.push(user),
                    }
                }
                if !silent.is_empty() {
                    self.ask_contract(symbol, definition, &silent, &mut judge);
                } else if !heard {
                    judge.lack("no C object at hand needs it".to_owned());
                }
            }
            _ => {
                self.ask_bindings(symbol, definition, &mut judge);
                for user in users {
                    if let Some(opinion) = user.found.opinions.get(symbol) {
                        judge.hear(symbol, definition, opinion);
                    }
                }
            }
        }
        judge.verdict()
    }

    /// What Rust believes of what C defines.
    fn ask_bindings(&self, symbol: &str, definition: Option<&Opinion>, judge: &mut Judge) {
        let mut declared = false;
        for bindings in &self.bindings {
            if let Some(opinion) = bindings.opinion(symbol, &self.types) {
                declared = true;
                judge.hear(symbol, definition, &opinion);
            }
        }
        let compiled = self.ask_ir(symbol, definition, declared, judge);
        if !declared && !compiled {
            let users = self.witnesses.iter();
            let mut users = users.filter(|user| user.wanted.needed.contains(symbol));
            let ir = users.find_map(|user| self.ir_names.get(user.name));
            let ir = ir.map_or("NAME.ll", String::as_str);
            judge.lack(format!("what Rust believes of it: rustc leaves no trace of that in an object, and no bindings or sources at hand declare it; give them with --bindings, or have LLVM IR made: make M=… {ir}"));
            for sentence in &self.unreadable {
                judge.lack(sentence.clone());
            }
        }
    }

    /// What rustc has made of Rust's declaration. Where that is at hand, IR is asked only whether it
    /// is what was compiled: what it leaves open, the declaration tells.
    fn ask_ir(
        &self,
        symbol: &str,
        definition: Option<&Opinion>,
        declared: bool,
        judge: &mut Judge,
    ) -> bool {
        let mut heard = false;
        for ir in &self.ir {
            let Some(declaration) = ir.declaration(symbol) else {
                continue;
            };
            heard = true;
            judge.views.push(ir.view(declaration));
            let Some(definition) = definition else {
                continue;
            };
            judge.compared = true;
            let found = lowered::differences(definition, ir, declaration).into_iter();
            let counts = |difference: &Difference| !declared || difference.level == Level::Abi;
            judge.differences.extend(found.filter(counts));
        }
        heard
    }

    /// What C believes of what Rust defines, where C's debug information is silent: clang writes
    /// nothing there of data, nor of functions whose address alone is taken. C was compiled with the
    /// header that bindgen read, with the same flags.
    fn ask_contract(
        &self,
        symbol: &str,
        definition: Option<&Opinion>,
        silent: &[&Witness<'_>],
        judge: &mut Judge,
    ) {
        let names: Vec<&str> = silent.iter().map(|user| user.name).collect();
        let names = names.join(", ");
        let bindgens = self.bindings.iter();
        let mut bindgens = bindgens.filter(|bindings| bindings.origin == Origin::Bindgen);
        let declared = bindgens.find_map(|bindings| {
            let opinion = bindings.opinion(symbol, &self.types)?;
            let quoted = bindings.quoted(symbol).map(|(says, at)| (says, Some(at)));
            let own = || (spell::opinion(symbol, &opinion), opinion.place.clone());
            let view = quoted.unwrap_or_else(own);
            Some((opinion, view))
        });
        // Without any debug information, nothing says that C even includes that header.
        let stripped = silent.iter().find_map(|user| user.found.trouble.clone());
        let (opinion, (says, place)) = match (declared, stripped) {
            (Some(declared), None) => declared,
            (_, Some(trouble)) => return judge.lack(trouble),
            (None, None) => {
                return judge.lack(format!(
                    "the debug information of {names} does not tell what C believes of it, and no bindings at hand tell what its header says"
                ));
            }
        };
        if let Some(definition) = definition {
            judge.differences.extend(differences(definition, &opinion));
        }
        judge.views.push(View {
            language: Language::C,
            says,
            source: format!("its header, as {} has it", opinion.part),
            place,
            layouts: Vec::new(),
        });
        judge.differences.push(Difference {
            level: Level::Language,
            text: format!(
                "the debug information of {names} does not mention it: Rust's definition was compared with the header, as bindgen read it"
            ),
        });
    }
}

impl Witness<'_> {
    /// A function with the same code of which the debug information tells.
    fn twin(&self, symbol: &str) -> Option<(&str, &Opinion)> {
        let twins = self.twins.get(symbol)?;
        twins
            .iter()
            .find_map(|twin| Some((*twin, self.found.opinions.get(*twin)?)))
    }

    /// Why it says nothing of a symbol.
    fn silence(&self, symbol: &str) -> String {
        match (&self.found.trouble, self.language) {
            (_, Language::Assembly) => {
                format!("{} is assembly: it has no types", self.name)
            }
            (Some(trouble), _) => trouble.clone(),
            (None, _) => format!(
                "the debug information of {} does not tell of `{symbol}`",
                self.name
            ),
        }
    }
}

fn witness<'e>(
    object: &'e Loaded<'_>,
    symbols: &BTreeSet<&'e str>,
    types: &BTreeSet<String>,
) -> Witness<'e> {
    let mut wanted = Wanted::default();
    for symbol in object.file.symbols() {
        if symbol.is_local() {
            continue;
        }
        let Ok(name) = symbol.name() else { continue };
        let Some(name) = symbols.get(name) else {
            continue;
        };
        if symbol.is_undefined() {
            wanted.needed.insert(name);
        } else {
            wanted.defined.insert(name);
        }
    }
    let twins = twins(object, &wanted);
    wanted.defined.extend(twins.values().flatten());
    if object.language == Language::Rust {
        wanted.types = types.clone();
    }
    let nothing = wanted.defined.is_empty() && wanted.needed.is_empty();
    let found = match nothing {
        true => Found::default(),
        false => match Sections::new(&object.file) {
            Ok(sections) => dwarf::ask(&object.name, &sections, &wanted),
            Err(error) => Found {
                trouble: Some(format!("{}: {error}", object.name)),
                ..Found::default()
            },
        },
    };
    Witness {
        name: &object.name,
        language: object.language,
        wanted,
        twins,
        found,
    }
}

/// Other functions at the same place.
fn twins<'e>(object: &'e Loaded<'_>, wanted: &Wanted<'e>) -> BTreeMap<&'e str, Vec<&'e str>> {
    let mut places: BTreeMap<_, &str> = BTreeMap::new();
    let functions = || {
        object.file.symbols().filter_map(|symbol| {
            let place = (symbol.section_index()?.0, symbol.address());
            let text = symbol.kind() == SymbolKind::Text;
            text.then_some((place, symbol.name().ok()?))
        })
    };
    let mut shared: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for (place, name) in functions() {
        if let Some(name) = wanted.defined.get(name) {
            places.insert(place, name);
        }
    }
    for (place, name) in functions() {
        if places.contains_key(&place) {
            shared.entry(place).or_default().push(name);
        }
    }
    let mut twins = BTreeMap::new();
    for names in shared.into_values().filter(|names| names.len() > 1) {
        for name in names.iter().filter_map(|name| wanted.defined.get(name)) {
            let others = names.iter().filter(|other| *other != name);
            twins.insert(*name, others.copied().collect());
        }
    }
    twins
}

/// Hears the views on one symbol.
#[derive(Default)]
struct Judge {
    views: Vec<View>,
    differences: Vec<Difference>,
    compared: bool,
    /// The function whose types stand for the definition's.
    merged_with: Option<String>,
}

impl Judge {
    fn view(&mut self, symbol: &str, opinion: &Opinion) {
        self.views.push(View {
            language: opinion.language,
            says: spell::opinion(symbol, opinion),
            source: format!("{}, {}", opinion.part, opinion.source),
            place: opinion.place.clone(),
            layouts: layouts::of(opinion),
        });
    }

    /// A view other than the definition's.
    fn hear(&mut self, symbol: &str, definition: Option<&Opinion>, opinion: &Opinion) {
        self.view(symbol, opinion);
        if let Some(definition) = definition {
            self.compared = true;
            self.differences.extend(differences(definition, opinion));
        }
    }

    fn lack(&mut self, sentence: String) {
        self.differences.push(Difference {
            level: Level::Unknown,
            text: sentence,
        });
    }

    fn verdict(mut self) -> Verdict {
        if let Some(twin) = self.merged_with.take() {
            // Another's types: they can neither accuse nor acquit, but the code is one.
            for difference in &mut self.differences {
                difference.level = difference.level.min(Level::Unknown);
            }
            self.differences.push(Difference {
                level: Level::Language,
                text: format!(
                    "the debug information tells only of `{twin}`, which the compiler found to have the same code and made one with it: compared with that one's types"
                ),
            });
        }
        let worst = self.differences.iter().map(|difference| difference.level);
        let outcome = match worst.max() {
            Some(Level::Abi) => Outcome::Disagrees,
            Some(Level::Unknown) => Outcome::CannotTell,
            Some(Level::Language) => Outcome::AgreesInAbi,
            // Without two views there is nothing that could agree.
            None if self.compared => Outcome::Agrees,
            None => Outcome::CannotTell,
        };
        let mut differences = self.differences;
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.level));
        let mut reasons: Vec<String> = Vec::new();
        for difference in differences {
            if !reasons.contains(&difference.text) {
                reasons.push(difference.text);
            }
        }
        Verdict {
            outcome,
            views: self.views,
            reasons,
        }
    }
}
