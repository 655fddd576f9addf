//! Sorts the given objects: `*.o` in a build directory also matches what Kbuild linked or generated.

use std::collections::BTreeSet;

use object::elf::STB_GLOBAL;
use object::{Object, ObjectSymbol};

use super::object::ObjectFile;

/// Objects by their origin.
#[derive(Default)]
pub struct SortedObjects<'d> {
    /// Compiled from the module's sources.
    pub compiled: Vec<ObjectFile<'d>>,
    /// Linked from other given objects.
    pub linked: Vec<ObjectFile<'d>>,
    /// Compiled from what modpost generates for every module.
    pub generated: Vec<ObjectFile<'d>>,
}

/// Sorts objects. A single object always counts as compiled.
pub fn sort(given: Vec<ObjectFile<'_>>) -> SortedObjects<'_> {
    let linked = are_linked(&given);
    let several = given.len() > 1;
    let mut sorted = SortedObjects::default();
    for (object, linked) in given.into_iter().zip(linked) {
        let kind = if linked {
            &mut sorted.linked
        } else if several && is_from_modpost(&object) {
            &mut sorted.generated
        } else {
            &mut sorted.compiled
        };
        kind.push(object);
    }
    sorted
}

/// For each object, whether it was linked from others: it defines every symbol that another one
/// defines, and no linker would accept both.
fn are_linked(given: &[ObjectFile<'_>]) -> Vec<bool> {
    let definitions: Vec<BTreeSet<&[u8]>> = given.iter().map(strong).collect();
    let size = |one: usize| (given[one].data.len(), one);
    let contains = |whole: usize, part: usize| {
        let (all, some) = (&definitions[whole], &definitions[part]);
        // If linked from one object, it defines the same symbols, but it is larger.
        let more = (all.len(), size(whole)) > (some.len(), size(part));
        !some.is_empty() && more && some.is_subset(all)
    };
    let all = 0..given.len();
    let whole = all.clone();
    whole
        .map(|whole| all.clone().any(|part| contains(whole, part)))
        .collect()
}

/// The strong global definitions of an object.
fn strong<'d>(object: &ObjectFile<'d>) -> BTreeSet<&'d [u8]> {
    let symbols = object.file.symbols();
    symbols
        .filter(|symbol| !symbol.is_undefined() && symbol.elf_symbol().st_bind() == STB_GLOBAL)
        .filter_map(|symbol| symbol.name_bytes().ok())
        .collect()
}

/// Whether it is a `NAME.mod.o`: `scripts/mod/modpost.c` puts `__this_module` there.
fn is_from_modpost(object: &ObjectFile<'_>) -> bool {
    let section = object.file.section_by_name(".gnu.linkonce.this_module");
    section.is_some() && !strong(object).iter().any(|name| *name != b"__this_module")
}
