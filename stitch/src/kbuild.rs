//! What Kbuild wrote down of how it made an object: `.NAME.o.cmd`, by `scripts/basic/fixdep.c`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::input::{beside, file_name};

/// How an object was made.
pub struct Made {
    object: PathBuf,
    text: String,
}

impl Made {
    /// None where Kbuild's note is not beside the object.
    pub fn of(object: &Path) -> Option<Self> {
        let note = object.with_file_name(format!(".{}.cmd", file_name(object)));
        Some(Made {
            object: object.to_owned(),
            text: fs::read_to_string(note).ok()?,
        })
    }

    /// The source that it was made of; without its folder if that is the object's.
    pub fn source(&self) -> Option<String> {
        let source = self.listed_source()?;
        let name = file_name(Path::new(source));
        match source.starts_with('/') && self.object.with_file_name(&name).is_file() {
            true => Some(name),
            false => Some(source.to_owned()),
        }
    }

    /// All Rust files of its crate, those that were included among them.
    pub fn rust_files(&self) -> Vec<PathBuf> {
        let all = self.listed_source().into_iter().chain(self.needed());
        all.filter(|path| path.ends_with(".rs"))
            .map(|path| self.find(path))
            .filter(|path| path.is_file())
            .collect()
    }

    /// What bindgen made of the kernel's headers, if it is still beside the crate that was
    /// compiled from it: `rust/bindings/bindings_generated.rs` beside `rust/libbindings.rmeta`.
    pub fn kernel_bindings(&self) -> Option<PathBuf> {
        let library = self
            .needed()
            .find(|path| path.ends_with("/libbindings.rmeta"))?;
        let path = Path::new(library).with_file_name("bindings/bindings_generated.rs");
        Some(self.find(&path.to_string_lossy())).filter(|path| path.is_file())
    }

    fn listed_source(&self) -> Option<&str> {
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix("source_")?.split_once(" := "))
            .map(|(_, source)| source.trim())
            .find(|source| !source.is_empty())
    }

    /// The list `deps_NAME.o`, a path a line.
    fn needed(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .skip_while(|line| !line.starts_with("deps_"))
            .skip(1)
            .map_while(|line| line.trim().strip_suffix('\\'))
            .map(str::trim)
    }

    /// Relative paths are from the folder where Kbuild ran: the module's, or the kernel's above it.
    fn find(&self, listed: &str) -> PathBuf {
        let folder = self.object.parent().unwrap_or(Path::new(""));
        let found = beside(folder, Path::new(listed));
        if found.is_file() {
            return found;
        }
        let folder = folder.canonicalize().unwrap_or_default();
        let above = folder.ancestors().map(|above| above.join(listed));
        above
            .into_iter()
            .find(|path| path.is_file())
            .unwrap_or(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_fixdep_writes_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let empty = |name: &str| {
            let path = path(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, "").expect("written");
        };
        for name in ["m.rs", "a_h.rs", "k/rust/bindings/bindings_generated.rs"] {
            empty(name);
        }
        let note = format!(
            "savedcmd_m.o := rustc m.rs\n\nsource_m.o := /moved/away/m.rs\n\ndeps_m.o := \\\n  \
             a_h.rs \\\n  gone.rs \\\n  {}/k/rust/libbindings.rmeta \\\n\nm.o: $(deps_m.o)\n",
            folder.path().display()
        );
        fs::write(path(".m.o.cmd"), note).expect("written");
        let made = Made::of(&path("m.o")).expect("a note");
        assert_eq!(made.source().as_deref(), Some("m.rs"));
        assert_eq!(made.rust_files(), [path("m.rs"), path("a_h.rs")]);
        let generated = path("k/rust/bindings/bindings_generated.rs");
        assert_eq!(made.kernel_bindings(), Some(generated));
        assert!(Made::of(&path("other.o")).is_none());
    }
}
