//! Takes a module apart: from its files to all that a report shows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::input::{Loaded, Mapped, Module};
use crate::kbuild::Made;
use crate::model::{Language, Report};
use crate::own::{self, Given};
use crate::parallel::each;
use crate::probes::Compilers;
use crate::shore::{self, Export};
use crate::verdict::verdicts;
use crate::{causes, maker, parts, sites, sizes, stitches};

/// A report, and what it could not look into.
pub struct Apart {
    /// See [`Report`].
    pub report: Report,
    /// What cannot be seen, so that something may cross there: sentences.
    pub unseen: Vec<String>,
    /// Objects that were given and not read, and why: sentences.
    pub left_out: Vec<String>,
}

/// Reads all files of a module.
pub fn take(
    module: &Module,
    symvers: &HashMap<String, Export>,
    compilers: Option<&Compilers>,
    kernel: Option<&Path>,
) -> Result<Apart> {
    let maps: Vec<Mapped> = module
        .parts
        .iter()
        .map(|part| Mapped::open(part))
        .collect::<Result<_>>()?;
    // Alone, it is no object, and refused as such.
    let alone = maps.iter().all(Mapped::is_bitcode);
    let (bitcode, maps): (Vec<_>, Vec<_>) = maps.iter().partition(|map| !alone && map.is_bitcode());
    let mut unseen: Vec<String> = bitcode.into_iter().map(Mapped::as_bitcode).collect();
    let given: Vec<Loaded<'_>> = maps.into_iter().map(Mapped::load).collect::<Result<_>>()?;
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
    let kernel_map = match (kernel, compilers) {
        (Some(file), _) => Some(Mapped::open(file)?),
        // What is found by itself need not be of use.
        (None, Some(_)) => kernel_of(&objects).and_then(|file| Mapped::open(&file).ok()),
        (None, None) => None,
    };
    let loaded = kernel_map.as_ref().map(Mapped::load_kernel).transpose();
    let kernel = if kernel.is_some() {
        loaded?
    } else {
        loaded.ok().flatten()
    };
    let mut outward = stitches::outward(&objects, &needs);
    verdicts(
        &objects,
        &mut stitches,
        kernel.as_ref(),
        &mut outward,
        compilers,
    );

    unseen.extend(
        objects
            .iter()
            .filter_map(|object| hidden_in(module, object)),
    );
    Ok(Apart {
        left_out,
        unseen,
        report: Report {
            module: module.name.clone(),
            parts: each(&objects, parts::part),
            shore: shore::shore(&objects, &needs, linked.as_ref(), symvers),
            sizes: sizes::sizes(&objects),
            causes: causes::of(stitches.iter().chain(&outward)),
            stitches,
            kernel: outward,
        },
    })
}

/// The kernel for which Kbuild made the objects.
fn kernel_of(objects: &[Loaded<'_>]) -> Option<PathBuf> {
    let mut rust = objects
        .iter()
        .filter(|object| object.language == Language::Rust);
    rust.find_map(|object| {
        let made = Made::of(&object.path)?;
        made.kernel(&made.folder(object.debug.making().folder.as_deref()))
    })
}

/// Why what crosses in an object cannot be seen.
fn hidden_in(module: &Module, object: &Loaded<'_>) -> Option<String> {
    let name = &object.name;
    let finished = module.linked.as_ref() == Some(&object.path);
    if maker::is_mixed(&object.debug) || (finished && maker::has_rust(&object.file)) {
        return Some(format!(
            "{name} has Rust in it, but the objects that it was linked from are not there, so \
             nobody can tell what crossed between them\n  help: give them too: stitch report \
             {}.ko *.o",
            module.name
        ));
    }
    maker::is_intermediate(&object.file).then(|| {
        format!(
            "{name} holds GCC's intermediate code (-flto): what it defines and needs is known when \
             it is linked\n  help: build it without -flto"
        )
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
