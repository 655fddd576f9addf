//! A module's sources: of this project, or in a folder of the user's.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use diagnostic::Diagnostic;
use host::cache;
use host::project::project;

use crate::kernel::build::Kernel;
use crate::kernel::copy::{copy, copy_folder, find, find_in, Found};

/// A module's sources.
pub struct Sources<'a> {
    /// The build folder's name.
    pub name: &'a str,
    /// The files.
    pub files: Files<'a>,
    /// Whether its halves are joined as bitcode, see docs/border.md.
    pub fused: bool,
}

/// Where the files are.
#[derive(Clone, Copy)]
pub enum Files<'a> {
    /// In this project: (the path there, the path beside Kbuild). A folder is copied with its sources.
    Listed(&'a [(&'a str, &'a str)]),
    /// Everything in a folder, except what a build has made in it.
    Folder(&'a Path),
}

/// The module itself.
pub const HELLO_RUST: Sources = Sources {
    name: "hello_rust",
    files: Files::Listed(&[
        ("Kbuild", "Kbuild"),
        ("hello_rust.rs", "hello_rust.rs"),
        ("c_helper.c", "c_helper.c"),
        ("c_helper.h", "c_helper.h"),
        ("border", "border"),
    ]),
    fused: false,
};

/// The module with its KUnit suite linked in.
pub const KUNIT: Sources = Sources {
    name: "kunit",
    files: Files::Listed(&[
        ("tests/kunit/Kbuild", "Kbuild"),
        ("Kbuild", "hello_rust.kbuild"),
        ("hello_rust.rs", "hello_rust.rs"),
        ("c_helper.c", "c_helper.c"),
        ("c_helper.h", "c_helper.h"),
        ("border", "border"),
        ("tests/kunit/kunit.c", "kunit.c"),
        ("tests/kunit/kunit.h", "kunit.h"),
        ("tests/kunit/kunit_rs.rs", "kunit_rs.rs"),
    ]),
    fused: false,
};

impl<'a> Sources<'a> {
    /// Those in the user's folder, or of hello_rust without one.
    pub fn of(folder: Option<&'a Folder>) -> Self {
        folder.map_or(HELLO_RUST, Folder::sources)
    }

    /// The same sources, fused or not.
    pub fn fused(self, fused: bool) -> Self {
        Sources { fused, ..self }
    }

    /// Where the module is built for this kernel, below the cache's folder of modules.
    pub fn place(&self, kernel: &Kernel) -> String {
        format!("{}-{}", self.whole_name(), kernel.name)
    }

    fn whole_name(&self) -> String {
        format!("{}{}", self.name, if self.fused { "-fused" } else { "" })
    }

    /// The log of its build, in the cache.
    pub fn log(&self, kernel: &Kernel) -> String {
        format!("log/module-{}-{}", self.whole_name(), kernel.flavour.name())
    }

    /// The folder of the user's own files, if each has the same path there as in the build folder.
    pub fn home(&self) -> Option<PathBuf> {
        match self.files {
            Files::Folder(folder) => Some(folder.to_owned()),
            Files::Listed(files) if files.iter().all(|(from, to)| from == to) => {
                project().canonicalize().ok()
            }
            Files::Listed(_) => None,
        }
    }

    /// The user's own Rust files; the build folder is below `cache`.
    pub fn rust_files(&self, cache: &Path) -> Result<Vec<PathBuf>> {
        let files = self.find(cache)?.files.into_iter();
        let is_rust = |file: &PathBuf| file.extension().is_some_and(|is| is == "rs");
        Ok(files.filter(is_rust).collect())
    }

    /// The files, and the folders that they are in, as they are now; the build folder is below `cache`.
    pub fn find(&self, cache: &Path) -> Result<Found> {
        match self.files {
            Files::Listed(files) => {
                let mut found = Found::default();
                for (from, _) in files {
                    find(&project().join(from), &mut found)?;
                }
                Ok(found)
            }
            Files::Folder(folder) => {
                let Found { files, folders } = find_in(folder, cache)?;
                let whole = |paths: BTreeSet<PathBuf>| {
                    paths.into_iter().map(|path| folder.join(path)).collect()
                };
                Ok(Found {
                    files: whole(files),
                    folders: whole(folders),
                })
            }
        }
    }

    /// The files that people write, by their paths in the build folder, which is below `cache`.
    pub fn own_files(&self, cache: &Path) -> Result<BTreeSet<PathBuf>> {
        match self.files {
            Files::Listed(files) => Ok(files.iter().map(|(_, to)| PathBuf::from(to)).collect()),
            Files::Folder(folder) => Ok(find_in(folder, cache)?.files),
        }
    }

    /// Copies the changed files to the build folder.
    pub fn copy_to(&self, dir: &Path) -> Result<()> {
        match self.files {
            Files::Listed(files) => files
                .iter()
                .try_for_each(|(from, to)| copy(&project().join(from), &dir.join(to))),
            Files::Folder(folder) => copy_folder(folder, dir),
        }
    }
}

/// A folder of the user's, as `M=` names it.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
    name: String,
}

impl Folder {
    /// # Errors
    ///
    /// When it is not a module's folder.
    pub fn new(path: &Path) -> Result<Self> {
        let given = format!("M={}", path.display());
        let Ok(path) = path.canonicalize() else {
            return Err(Diagnostic::new("the module's folder does not exist")
                .note(given)
                .help("M=/path/to/a/folder, in which a Kbuild or Makefile has obj-m")
                .into());
        };
        if !["Kbuild", "Makefile"]
            .iter()
            .any(|name| path.join(name).is_file())
        {
            return Err(
                Diagnostic::new("not a module's folder: no Kbuild, and no Makefile")
                    .note(given)
                    .help("write `obj-m := NAME.o` in a file called Kbuild there")
                    .into(),
            );
        }
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let own: String = own.chars().filter(|&c| plain(c)).collect();
        // Two folders can have the same name.
        let name = format!("{own}-{}", cache::fingerprint(&path.display().to_string()));
        Ok(Folder { path, name })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name for people.
    pub fn title(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// As sources to build.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            name: &self.name,
            files: Files::Folder(&self.path),
            fused: false,
        }
    }

    /// The options that its kernel needs besides the lab's, if it says so.
    pub fn config(&self) -> Option<PathBuf> {
        self.file("kernel.config")
    }

    /// The script that tests it in the guest, if it has one.
    pub fn test(&self) -> Option<PathBuf> {
        self.file("test.sh")
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.path.join(name)).filter(|file| file.is_file())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_not_a_modules_folder() -> Result<()> {
        let place = tempfile::tempdir()?;
        let error = |path: &Path| Folder::new(path).expect_err("an error").to_string();
        assert!(error(&place.path().join("none")).contains("does not exist"));
        assert!(error(place.path()).contains("no Kbuild, and no Makefile"));
        fs::write(place.path().join("Makefile"), "obj-m := a.o\n")?;
        let folder = Folder::new(place.path())?;
        assert!(matches!(folder.sources().files, Files::Folder(_)));
        assert!(folder.config().is_none());
        Ok(())
    }
}
