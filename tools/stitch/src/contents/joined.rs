//! What became of the crossings of a fused module, whose objects are joined as bitcode: inlined, local, or
//! gone. Told from the linked module, whose debug information names each inlined copy.

use std::collections::HashMap;

use object::elf::STB_LOCAL;
use object::{Object, ObjectSymbol};

use crate::input::object::ObjectFile;
use crate::model::{Crossing, Joined};

/// Sets what became of each crossing. If the linked module has all of their symbols, or no trace of any, or
/// no debug information, it is not known to be fused, and nothing is set.
pub fn find_joined(crossings: &mut [Crossing], linked: &ObjectFile<'_>) {
    if linked.file.section_by_name(".debug_info").is_none() {
        return;
    }
    let mut global: HashMap<&str, bool> = HashMap::new();
    for symbol in linked.file.symbols().filter(|one| !one.is_undefined()) {
        let is_global = symbol.elf_symbol().st_bind() != STB_LOCAL;
        if let Ok(name) = symbol.name() {
            *global.entry(name).or_default() |= is_global;
        }
    }
    let is_gone = |crossing: &Crossing| global.get(crossing.symbol.as_str()) != Some(&true);
    let gone: Vec<&str> = crossings
        .iter()
        .filter(|crossing| is_gone(crossing))
        .map(|crossing| crossing.symbol.as_str())
        .collect();
    if gone.is_empty() {
        return;
    }
    let copies = linked.debug.copies(&gone).into_iter();
    let gone = gone.into_iter().map(str::to_owned);
    let copies: HashMap<String, usize> = gone.zip(copies).collect();
    let traces = copies
        .iter()
        .any(|(name, inlined)| *inlined > 0 || global.contains_key(name.as_str()));
    for crossing in crossings.iter_mut().filter(|_| traces) {
        crossing.joined = copies.get(&crossing.symbol).map(|inlined| Joined {
            local: global.contains_key(crossing.symbol.as_str()),
            inlined: *inlined,
        });
    }
}
