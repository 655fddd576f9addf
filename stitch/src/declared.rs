//! Where Rust's declarations of what C defines are found: rustc leaves nothing of them in an object.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::debug::Debug;
use crate::input::{bindings_beside, file_name, Loaded};
use crate::kbuild::Made;
use crate::model::Language;
use crate::parts::source;

/// Files with declarations.
#[derive(Debug, Default)]
pub struct Declared {
    /// The module's own: its contracts' bindings and its sources, or what was given instead.
    pub own: Vec<PathBuf>,
    /// What rustc made of those declarations, where Kbuild was asked for it.
    pub ir: Vec<PathBuf>,
    /// By the name of a Rust object: what Kbuild calls the LLVM IR of its source.
    pub ir_names: BTreeMap<String, String>,
    /// The kernel crate's bindings: large, so read only where the others are silent.
    pub kernels: Option<PathBuf>,
    /// Those that cannot be what was compiled: sentences.
    pub stale: Vec<String>,
    /// The folders of the objects: files there are told without them.
    folders: Vec<PathBuf>,
}

impl Declared {
    /// Bindings and LLVM IR that were given, or else all that can be found.
    pub fn of(objects: &[Loaded<'_>], given: &[PathBuf], ir: &[PathBuf]) -> Self {
        let paths: Vec<PathBuf> = objects.iter().map(|object| object.path.clone()).collect();
        let mut declared = Declared {
            own: match given {
                [] => bindings_beside(&paths),
                given => given.to_vec(),
            },
            folders: paths
                .iter()
                .filter_map(|path| Some(path.parent()?.to_owned()))
                .collect(),
            ..Declared::default()
        };
        let rust = |object: &&Loaded<'_>| object.language == Language::Rust;
        for object in objects.iter().filter(rust) {
            let made = Made::of(&object.path);
            if let (Some(made), []) = (&made, given) {
                declared.add(&object.path, made);
            }
            declared.add_ir(object, made.as_ref());
        }
        if !ir.is_empty() {
            declared.ir = ir.to_vec();
        }
        let mut seen = BTreeSet::new();
        declared.own.retain(|path| seen.insert(real(path)));
        declared
    }

    fn add(&mut self, object: &Path, made: &Made) {
        let (compiled, kernels) = (changed(object), made.kernel_bindings());
        let all = made.rust_files().into_iter().map(|file| (file, true));
        for (file, own) in all.chain(kernels.map(|file| (file, false))) {
            if changed(&file) > compiled {
                self.own.retain(|known| real(known) != real(&file));
                self.stale.push(format!(
                    "{} was changed after {} was made of it: build it again",
                    self.shown(&file).display(),
                    self.shown(object).display()
                ));
            } else if own {
                self.own.push(file);
            } else {
                self.kernels = Some(file);
            }
        }
    }

    /// Kbuild names LLVM IR by the source, which may have another name than the object.
    fn add_ir(&mut self, object: &Loaded<'_>, made: Option<&Made>) {
        let source = source(object, &Debug::of(&object.file).making());
        let source = source.unwrap_or_else(|| object.name.clone());
        let name = file_name(&Path::new(&source).with_extension("ll"));
        self.ir_names.insert(object.name.clone(), name.clone());

        let object = &object.path;
        let file = object.with_file_name(name);
        if !file.is_file() {
            return;
        }
        let sources = made.map(Made::rust_files).unwrap_or_default();
        let newest = match sources.is_empty() {
            true => changed(object),
            false => sources.iter().filter_map(|source| changed(source)).max(),
        };
        let shown = self.shown(&file).display();
        if changed(&file) < newest {
            self.stale.push(format!(
                "{shown} is older than what it was made of: make it again"
            ));
        } else if newest > changed(object) {
            self.stale.push(format!(
                "{shown} is not used, as {} was made before the last change of what both were made of",
                file_name(object)
            ));
        } else {
            self.ir.push(file);
        }
    }

    /// A file as a report names it.
    pub fn shown<'p>(&self, file: &'p Path) -> &'p Path {
        let folders = self.folders.iter();
        let mut inside = folders.filter_map(|folder| file.strip_prefix(folder).ok());
        inside.next().unwrap_or(file)
    }
}

/// One path for a file that has several.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
