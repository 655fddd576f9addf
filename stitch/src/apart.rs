//! Takes a module apart: from its files to all that a report shows.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Result;

use crate::declared::Declared;
use crate::input::{Loaded, Mapped, Module};
use crate::model::Report;
use crate::own::{self, Given};
use crate::parallel::each;
use crate::shore::{self, Export};
use crate::verdict::verdicts;
use crate::{maker, parts, sites, sizes, stitches};

/// A report, and what it could not look into.
pub struct Apart {
    /// See [`Report`].
    pub report: Report,
    /// Whether this is a finished module with Rust in it and without the objects that it was
    /// linked from, so that what crossed between them cannot be seen any more.
    pub sealed: bool,
    /// Objects that were given and not read, and why: sentences.
    pub left_out: Vec<String>,
}

/// Reads all files of a module.
pub fn take(
    module: &Module,
    symvers: &HashMap<String, Export>,
    bindings: &[PathBuf],
    ir: &[PathBuf],
) -> Result<Apart> {
    let maps: Vec<Mapped> = module
        .parts
        .iter()
        .map(|part| Mapped::open(part))
        .collect::<Result<_>>()?;
    let given: Vec<Loaded<'_>> = maps.iter().map(Mapped::load).collect::<Result<_>>()?;
    let linked_map = module.linked.as_deref().map(Mapped::open).transpose()?;
    let linked = linked_map.as_ref().map(Mapped::load).transpose()?;
    let Given {
        own: objects,
        combined,
        generated,
    } = own::sort(given);
    let left_out = left_out(&combined, &generated);
    let linked = linked.or(combined.into_iter().next());

    let needs = each(&objects, sites::needs);
    let mut stitches = stitches::stitches(&objects, &needs, linked.as_ref());
    let symbols: Vec<String> = stitches.iter().map(|s| s.symbol.clone()).collect();
    let declared = Declared::of(&objects, bindings, ir);
    for (stitch, verdict) in stitches
        .iter_mut()
        .zip(verdicts(&objects, &declared, &symbols))
    {
        stitch.verdict = verdict;
    }

    let alone = module.linked.as_ref() == module.parts.first();
    Ok(Apart {
        left_out,
        sealed: alone && linked.as_ref().is_some_and(|ko| maker::has_rust(&ko.file)),
        report: Report {
            module: module.name.clone(),
            parts: each(&objects, parts::part),
            shore: shore::shore(&objects, &needs, linked.as_ref(), symvers),
            sizes: sizes::sizes(&objects),
            stitches,
        },
    })
}

fn left_out(combined: &[Loaded<'_>], generated: &[Loaded<'_>]) -> Vec<String> {
    let combined = combined.iter().map(|object| {
        let name = &object.name;
        format!("{name} is linked from others of these objects, and left out")
    });
    let generated = generated.iter().map(|object| {
        let name = &object.name;
        format!("{name} is modpost's, the same for every module, and left out")
    });
    combined.chain(generated).collect()
}
