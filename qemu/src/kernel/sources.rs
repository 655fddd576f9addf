//! A module's sources, and copying them to where Kbuild builds them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use crate::host::cache::{self, Cache};
use crate::host::project::project;
use crate::kernel::build::Kernel;

/// A module's sources.
pub struct Sources<'a> {
    /// The build folder's name.
    pub name: &'a str,
    /// The files.
    pub files: Files<'a>,
}

/// Where the files are.
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
};

impl Sources<'_> {
    /// Where the module is built for this kernel, below the cache's folder of modules.
    pub fn place(&self, kernel: &Kernel) -> String {
        format!("{}-{}", self.name, kernel.name)
    }

    /// The log of its build, in the cache.
    pub fn log(&self, kernel: &Kernel) -> String {
        format!("log/module-{}-{}", self.name, kernel.flavour.name())
    }

    /// Copies the changed files to the build folder.
    pub fn copy_to(&self, dir: &Path) -> Result<()> {
        match self.files {
            Files::Listed(files) => files
                .iter()
                .try_for_each(|(from, to)| copy(&project().join(from), &dir.join(to))),
            Files::Folder(folder) => {
                cache::write_whole(&dir.join(FROM), folder.as_os_str().as_encoded_bytes())?;
                copy_folder(folder, dir)
            }
        }
    }
}

/// The file in a build folder with the path of the user's folder that it is a copy of.
const FROM: &str = "lab.from";

/// Removes the copies of folders that no longer exist.
pub fn remove_orphans(cache: &Cache) {
    for (name, place) in cache.folders("module") {
        let from = fs::read_to_string(place.join(FROM));
        if from.is_ok_and(|from| !Path::new(&from).exists()) {
            if let Some(_lock) = cache.try_lock(&format!("module {name}")) {
                // What cannot be removed only takes space.
                let _ = cache::remove(&place);
            }
        }
    }
}

/// A folder of the user's, as `M=` names it.
#[derive(Debug)]
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

    /// As sources to build.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            name: &self.name,
            files: Files::Folder(&self.path),
        }
    }

    /// The options that its kernel needs besides the lab's, if it says so.
    pub fn config(&self) -> Option<PathBuf> {
        Some(self.path.join("kernel.config")).filter(|file| file.is_file())
    }
}

/// Copies a source, or a folder of sources.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return copy_if_changed(from, to);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?.path();
        let source = ["rs", "mk"].map(|known| entry.extension().is_some_and(|is| is == known));
        if let (true, Some(name)) = (entry.is_dir() || source.contains(&true), entry.file_name()) {
            copy(&entry, &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies a source so that make notices exactly what changed: the same content keeps the file and takes
/// the original's time; other content makes the file new.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let modified = fs::metadata(from)?.modified()?;

    if fs::read(to).is_ok_and(|old| old == content) {
        let file = fs::File::options().append(true).open(to)?;
        if file.metadata()?.modified()? < modified {
            file.set_modified(modified)?;
        }
        return Ok(());
    }
    fs::write(to, content).with_context(|| format!("cannot write {}", to.display()))
}

/// The file in a build folder that lists what was copied there.
const COPIED: &str = "lab.copied";

/// Copies a folder, and removes what was copied from it before and is no longer there.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let mut files = BTreeSet::new();
    sources_in(from, Path::new(""), &mut files)?;
    for file in &files {
        let copy = to.join(file);
        fs::create_dir_all(copy.with_file_name(""))?;
        copy_if_changed(&from.join(file), &copy)?;
    }
    let list = to.join(COPIED);
    let before = fs::read_to_string(&list).unwrap_or_default();
    for gone in before
        .lines()
        .map(Path::new)
        .filter(|file| !files.contains(*file))
    {
        // It may have been a folder's only file, or gone already.
        let _ = fs::remove_file(to.join(gone));
    }
    let lines = files.iter().map(|file| format!("{}\n", file.display()));
    cache::write_whole(&list, lines.collect::<String>().as_bytes())
}

/// Lists the files below a folder, except what a build has made.
fn sources_in(folder: &Path, below: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let here = folder.join(below);
    let entries = fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        let (file, text) = (below.join(&name), name.to_string_lossy());
        let path = folder.join(&file);
        if path.is_dir() {
            if ![".git", "target", ".tmp_versions"].contains(&&*text) {
                sources_in(folder, &file, files)?;
            }
        } else if path.is_file() && !is_product(&text) {
            files.insert(file);
        }
    }
    Ok(())
}

/// What Kbuild makes in a module's folder, see `clean` in the kernel's Makefile.
fn is_product(name: &str) -> bool {
    let ends = [
        ".o",
        ".ko",
        ".a",
        ".mod",
        ".mod.c",
        ".cmd",
        ".order",
        ".symvers",
        ".symversions",
    ];
    ends.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_copied_without_products_and_what_is_gone_is_removed() -> Result<()> {
        let place = tempfile::tempdir()?;
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        for file in [
            "Kbuild",
            "src/a.rs",
            "a.o",
            ".a.o.cmd",
            "src/b.c",
            ".git/HEAD",
            "b.o_shipped",
        ] {
            fs::create_dir_all(from.join(file).with_file_name(""))?;
            fs::write(from.join(file), file)?;
        }
        fs::create_dir_all(&to)?;
        copy_folder(&from, &to)?;
        let is_there = |file: &str| to.join(file).is_file();
        for file in ["Kbuild", "src/a.rs", "src/b.c", "b.o_shipped"] {
            assert!(is_there(file), "{file}");
        }
        assert!(!is_there("a.o") && !is_there(".git/HEAD"));

        fs::write(to.join("a.o"), "built")?;
        fs::remove_file(from.join("src/b.c"))?;
        copy_folder(&from, &to)?;
        assert!(!is_there("src/b.c") && is_there("a.o") && is_there("src/a.rs"));
        Ok(())
    }

    #[test]
    fn copies_of_folders_that_are_gone_are_removed() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().join("cache"))?;
        let from = place.path().join("from");
        for (name, from) in [
            ("here", Some(place.path())),
            ("gone", Some(&*from)),
            ("own", None),
        ] {
            let dir = cache
                .place_for(&format!("module/{name}/x"))?
                .with_file_name("");
            if let Some(from) = from {
                fs::write(dir.join(FROM), from.as_os_str().as_encoded_bytes())?;
            }
        }
        remove_orphans(&cache);
        let mut left: Vec<String> = cache.folders("module").into_iter().map(|it| it.0).collect();
        left.sort();
        assert_eq!(left, ["here", "own"]);
        Ok(())
    }

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
