//! Sorts the given objects: `*.o` in a build directory also matches what Kbuild linked or generated.

use std::collections::BTreeSet;

use object::elf::STB_GLOBAL;
use object::{Object, ObjectSymbol};

use super::cmd_file::CmdFile;
use super::object::ObjectFile;
use super::producer;

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
    let mixed: Vec<bool> = given.iter().map(is_mixed).collect();
    let size = |one: usize| (given[one].data.len(), one);
    let contains = |whole: usize, part: usize| {
        let (all, some) = (&definitions[whole], &definitions[part]);
        // If linked from one object, it defines the same symbols, but it is larger.
        let more = (all.len(), size(whole)) > (some.len(), size(part));
        !mixed[part] && !some.is_empty() && more && some.is_subset(all)
    };
    // Fused, it defines less: what only its parts use is local.
    let all = 0..given.len();
    let is_fused = |whole: usize| {
        let defines = |part: usize, name| !mixed[part] && definitions[part].contains(name);
        let mut names = definitions[whole].iter();
        mixed[whole] && names.all(|name| all.clone().any(|part| defines(part, name)))
    };
    let whole = all.clone();
    whole
        .map(|whole| is_fused(whole) || all.clone().any(|part| contains(whole, part)))
        .collect()
}

/// Whether it has units of both languages, and was not compiled from a source of one of them, into which
/// inline functions of the other were joined.
pub fn is_mixed(object: &ObjectFile<'_>) -> bool {
    let has_source = || CmdFile::of(&object.path).is_some_and(|cmd| cmd.source().is_some());
    producer::is_mixed(&object.debug) && !has_source()
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
