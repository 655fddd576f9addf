//! Tells a module's own objects from what Kbuild made of them: `*.o` in a build folder names both.

use std::collections::BTreeSet;

use object::elf::STB_GLOBAL;
use object::{Object, ObjectSymbol};

use super::object::ObjectFile;

/// Objects that were given, sorted out.
pub struct SortedObjects<'d> {
    /// The module's own.
    pub own: Vec<ObjectFile<'d>>,
    /// What was linked from them.
    pub combined: Vec<ObjectFile<'d>>,
    /// What modpost wrote and Kbuild compiled, the same for every module.
    pub generated: Vec<ObjectFile<'d>>,
}

/// Sorts them out. One object alone is its module's own, whatever it is.
pub fn sort(given: Vec<ObjectFile<'_>>) -> SortedObjects<'_> {
    let combined = combined(&given);
    let several = given.len() > 1;
    let mut sorted = SortedObjects {
        own: Vec::new(),
        combined: Vec::new(),
        generated: Vec::new(),
    };
    for (object, combined) in given.into_iter().zip(combined) {
        let kind = match () {
            () if combined => &mut sorted.combined,
            () if several && is_modposts(&object) => &mut sorted.generated,
            () => &mut sorted.own,
        };
        kind.push(object);
    }
    sorted
}

/// For each, whether it was linked from others among them: it defines all that another defines, and
/// no linker would take both.
fn combined(given: &[ObjectFile<'_>]) -> Vec<bool> {
    let definitions: Vec<BTreeSet<&[u8]>> = given.iter().map(strong).collect();
    let size = |one: usize| (given[one].data.len(), one);
    let has = |whole: usize, part: usize| {
        let (all, some) = (&definitions[whole], &definitions[part]);
        // Of a single part, the same is defined: but the linker only adds to an object.
        let more = (all.len(), size(whole)) > (some.len(), size(part));
        !some.is_empty() && more && some.is_subset(all)
    };
    let among = 0..given.len();
    let whole = among.clone();
    whole
        .map(|whole| among.clone().any(|part| has(whole, part)))
        .collect()
}

/// What an object defines, and no other may.
fn strong<'d>(object: &ObjectFile<'d>) -> BTreeSet<&'d [u8]> {
    let symbols = object.file.symbols();
    symbols
        .filter(|symbol| !symbol.is_undefined() && symbol.elf_symbol().st_bind() == STB_GLOBAL)
        .filter_map(|symbol| symbol.name_bytes().ok())
        .collect()
}

/// Whether it is a `NAME.mod.o`: `scripts/mod/modpost.c` puts `__this_module` there.
fn is_modposts(object: &ObjectFile<'_>) -> bool {
    let section = object.file.section_by_name(".gnu.linkonce.this_module");
    section.is_some() && !strong(object).iter().any(|name| *name != b"__this_module")
}
