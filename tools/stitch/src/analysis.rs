//! From the files of a module to its report.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use diagnostic::Diagnostic;

use crate::contents::imports::{self, Export};
use crate::contents::{crossings, joined, parts, references, sizes};
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

/// A report, and what it does not cover.
pub struct Analysis {
    pub report: Report,
    /// Objects in which symbols may cross unseen, and why.
    pub unseen: Vec<String>,
    /// Objects that were given but ignored, and why.
    pub ignored: Vec<String>,
}

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
    // If there is nothing but bitcode, loading it reports an error.
    let alone = maps.iter().all(MappedFile::is_bitcode);
    let (bitcode, maps): (Vec<_>, Vec<_>) = maps.iter().partition(|map| !alone && map.is_bitcode());
    let mut unseen: Vec<String> = bitcode.into_iter().map(MappedFile::as_bitcode).collect();
    let given: Vec<ObjectFile<'_>> = maps
        .into_iter()
        .map(MappedFile::load)
        .collect::<Result<_>>()?;
    let linked_map = module.linked.as_deref().map(MappedFile::open).transpose()?;
    let linked = linked_map.as_ref().map(MappedFile::load).transpose()?;
    are_for_one_machine(given.iter().chain(&linked))?;
    let SortedObjects {
        compiled: objects,
        linked: combined,
        generated,
    } = sort::sort(given);
    let ignored = ignored(&combined, &generated);
    let linked = linked.or(combined.into_iter().next());

    let references = each(&objects, references::references);
    let mut crossings = crossings::crossings(&objects, &references, linked.as_ref());
    if let Some(linked) = &linked {
        joined::find_joined(&mut crossings, linked);
    }
    let kernel_map = match (kernel, compilers) {
        (Some(file), _) => Some(MappedFile::open(file)?),
        // A default kernel that cannot be read is ignored.
        (None, Some(_)) => kernel_of(&objects).and_then(|file| MappedFile::open(&file).ok()),
        (None, None) => None,
    };
    let loaded = kernel_map.as_ref().map(MappedFile::load_kernel).transpose();
    let kernel = if kernel.is_some() {
        let kernel = loaded?;
        are_for_one_machine(objects.iter().chain(&kernel))?;
        kernel
    } else {
        loaded.ok().flatten()
    };
    let mut to_kernel = crossings::to_kernel(&objects, &references);
    verdicts(
        &objects,
        &mut crossings,
        kernel.as_ref(),
        &mut to_kernel,
        compilers,
    );

    unseen.extend(
        objects
            .iter()
            .filter_map(|object| unseen_in(module, object)),
    );
    Ok(Analysis {
        ignored,
        unseen,
        report: Report {
            module: module.name.clone(),
            parts: each(&objects, parts::part),
            imports: imports::imports(&objects, &references, linked.as_ref(), symvers),
            sizes: sizes::sizes(&objects),
            causes: causes::of(crossings.iter().chain(&to_kernel)),
            crossings,
            kernel: to_kernel,
        },
    })
}

/// Fails if objects are for several machines.
fn are_for_one_machine<'o, 'd: 'o>(
    objects: impl Iterator<Item = &'o ObjectFile<'d>> + Clone,
) -> Result<()> {
    for (one, other) in objects.clone().zip(objects.skip(1)) {
        if one.arch.machine != other.arch.machine {
            let about = |object: &ObjectFile<'_>| {
                let path = object.path.display();
                format!("{path} is for {}", object.arch.name)
            };
            let text = format!("{}, but {}", about(one), about(other));
            let help = "pass the objects of one build";
            return Err(Diagnostic::new(text).help(help).into());
        }
    }
    Ok(())
}

/// The kernel for which Kbuild built the objects.
fn kernel_of(objects: &[ObjectFile<'_>]) -> Option<PathBuf> {
    let mut rust = objects
        .iter()
        .filter(|object| object.language == Language::Rust);
    rust.find_map(|object| {
        let cmd = CmdFile::of(&object.path)?;
        cmd.kernel(&cmd.folder(object.debug.compile_unit().folder.as_deref()))
    })
}

/// Why crossings in an object cannot be seen.
fn unseen_in(module: &Module, object: &ObjectFile<'_>) -> Option<String> {
    let name = &object.name;
    let finished = module.linked.as_ref() == Some(&object.path);
    if sort::is_mixed(object) || (finished && producer::has_rust(&object.file)) {
        return Some(format!(
            "{name} contains Rust, but the objects that it was linked from are missing, so \
             crossings between them cannot be checked\n  help: pass them too: stitch report \
             {}.ko *.o",
            module.name
        ));
    }
    producer::is_intermediate(&object.file).then(|| {
        format!(
            "{name} has GCC's intermediate code (-flto): its symbols are only known once it is \
             linked\n  help: build it without -flto"
        )
    })
}

fn ignored(combined: &[ObjectFile<'_>], generated: &[ObjectFile<'_>]) -> Vec<String> {
    let combined = combined.iter().map(|object| {
        let name = &object.name;
        format!("{name} is ignored: it is linked from other objects given here")
    });
    let generated = generated.iter().map(|object| {
        let name = &object.name;
        format!("{name} is ignored: modpost generated it, and it is the same for every module")
    });
    combined.chain(generated).collect()
}
