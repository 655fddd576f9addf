//! Takes a module apart: from its files to all that a report shows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::contents::imports::{self, Export};
use crate::contents::{crossings, parts, references, sizes};
use crate::input::cmd_file::CmdFile;
use crate::input::modules::Module;
use crate::input::object::{MappedFile, ObjectFile};
use crate::input::parallel::each;
use crate::input::producer;
use crate::input::sort::{self, SortedObjects};
use crate::model::{Language, Report};
use crate::probes::compile::Compilers;
use crate::verdict::causes;
use crate::verdict::verdicts::verdicts;

/// A report, and what it could not look into.
pub struct Analysis {
    /// See [`Report`].
    pub report: Report,
    /// What cannot be seen, so that something may cross there: sentences.
    pub unseen: Vec<String>,
    /// Objects that were given and not read, and why: sentences.
    pub left_out: Vec<String>,
}

/// Reads all files of a module.
pub fn analyse(
    module: &Module,
    symvers: &HashMap<String, Export>,
    compilers: Option<&Compilers>,
    kernel: Option<&Path>,
) -> Result<Analysis> {
    let maps: Vec<MappedFile> = module
        .parts
        .iter()
        .map(|part| MappedFile::open(part))
        .collect::<Result<_>>()?;
    // Alone, it is no object, and refused as such.
    let alone = maps.iter().all(MappedFile::is_bitcode);
    let (bitcode, maps): (Vec<_>, Vec<_>) = maps.iter().partition(|map| !alone && map.is_bitcode());
    let mut unseen: Vec<String> = bitcode.into_iter().map(MappedFile::as_bitcode).collect();
    let given: Vec<ObjectFile<'_>> = maps
        .into_iter()
        .map(MappedFile::load)
        .collect::<Result<_>>()?;
    let linked_map = module.linked.as_deref().map(MappedFile::open).transpose()?;
    let linked = linked_map.as_ref().map(MappedFile::load).transpose()?;
    let SortedObjects {
        own: objects,
        combined,
        generated,
    } = sort::sort(given);
    let left_out = left_out(&combined, &generated);
    let linked = linked.or(combined.into_iter().next());

    let references = each(&objects, references::references);
    let mut crossings = crossings::crossings(&objects, &references, linked.as_ref());
    let kernel_map = match (kernel, compilers) {
        (Some(file), _) => Some(MappedFile::open(file)?),
        // What is found by itself need not be of use.
        (None, Some(_)) => kernel_of(&objects).and_then(|file| MappedFile::open(&file).ok()),
        (None, None) => None,
    };
    let loaded = kernel_map.as_ref().map(MappedFile::load_kernel).transpose();
    let kernel = if kernel.is_some() {
        loaded?
    } else {
        loaded.ok().flatten()
    };
    let mut outward = crossings::outward(&objects, &references);
    verdicts(
        &objects,
        &mut crossings,
        kernel.as_ref(),
        &mut outward,
        compilers,
    );

    unseen.extend(
        objects
            .iter()
            .filter_map(|object| hidden_in(module, object)),
    );
    Ok(Analysis {
        left_out,
        unseen,
        report: Report {
            module: module.name.clone(),
            parts: each(&objects, parts::part),
            imports: imports::imports(&objects, &references, linked.as_ref(), symvers),
            sizes: sizes::sizes(&objects),
            causes: causes::of(crossings.iter().chain(&outward)),
            crossings,
            kernel: outward,
        },
    })
}

/// The kernel for which Kbuild made the objects.
fn kernel_of(objects: &[ObjectFile<'_>]) -> Option<PathBuf> {
    let mut rust = objects
        .iter()
        .filter(|object| object.language == Language::Rust);
    rust.find_map(|object| {
        let made = CmdFile::of(&object.path)?;
        made.kernel(&made.folder(object.debug.compile_unit().folder.as_deref()))
    })
}

/// Why what crosses in an object cannot be seen.
fn hidden_in(module: &Module, object: &ObjectFile<'_>) -> Option<String> {
    let name = &object.name;
    let finished = module.linked.as_ref() == Some(&object.path);
    if producer::is_mixed(&object.debug) || (finished && producer::has_rust(&object.file)) {
        return Some(format!(
            "{name} has Rust in it, but the objects that it was linked from are not there, so \
             nobody can tell what crossed between them\n  help: give them too: stitch report \
             {}.ko *.o",
            module.name
        ));
    }
    producer::is_intermediate(&object.file).then(|| {
        format!(
            "{name} holds GCC's intermediate code (-flto): what it defines and needs is known when \
             it is linked\n  help: build it without -flto"
        )
    })
}

fn left_out(combined: &[ObjectFile<'_>], generated: &[ObjectFile<'_>]) -> Vec<String> {
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
