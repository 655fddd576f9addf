//! Where Rust's declarations of what C defines are found: rustc leaves nothing of them in an object.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::input::{bindings_beside, Loaded};
use crate::kbuild::Made;
use crate::model::Language;

/// Files with declarations.
#[derive(Debug, Default)]
pub struct Declared {
    /// The module's own: its contracts' bindings and its sources, or what was given instead.
    pub own: Vec<PathBuf>,
    /// The kernel crate's bindings: large, so read only where the others are silent.
    pub kernels: Option<PathBuf>,
    /// Those that cannot be what was compiled: sentences.
    pub stale: Vec<String>,
    /// The folders of the objects: files there are told without them.
    folders: Vec<PathBuf>,
}

impl Declared {
    /// Those that were given, or else all that can be found.
    pub fn of(objects: &[Loaded<'_>], given: &[PathBuf]) -> Self {
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
        if !given.is_empty() {
            return declared;
        }
        let rust = |object: &&Loaded<'_>| object.language == Language::Rust;
        for object in objects.iter().filter(rust) {
            if let Some(made) = Made::of(&object.path) {
                declared.add(&object.path, &made);
            }
        }
        let mut seen = BTreeSet::new();
        let same = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        declared.own.retain(|path| seen.insert(same(path)));
        declared
    }

    fn add(&mut self, object: &Path, made: &Made) {
        let (compiled, kernels) = (changed(object), made.kernel_bindings());
        let all = made.rust_files().into_iter().map(|file| (file, true));
        for (file, own) in all.chain(kernels.map(|file| (file, false))) {
            if changed(&file) > compiled {
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

    /// A file as a report names it.
    pub fn shown<'p>(&self, file: &'p Path) -> &'p Path {
        let folders = self.folders.iter();
        let mut inside = folders.filter_map(|folder| file.strip_prefix(folder).ok());
        inside.next().unwrap_or(file)
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}
