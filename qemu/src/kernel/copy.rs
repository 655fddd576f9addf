//! Copies sources to where Kbuild builds them. Nothing outside of the copy is changed, whatever a folder
//! of the user's has in it, and whatever a build has left in the copy.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use host::cache::{self, Cache};

/// Sources, and the folders that they are in.
#[derive(Default)]
pub struct Found {
    /// The files.
    pub files: BTreeSet<PathBuf>,
    /// The folders, those without files as well.
    pub folders: BTreeSet<PathBuf>,
}

/// Finds a source of this project, or those in a folder of it.
pub fn find(from: &Path, found: &mut Found) -> Result<()> {
    if !from.is_dir() {
        found.files.insert(from.to_owned());
        found.folders.extend(from.parent().map(Path::to_owned));
        return Ok(());
    }
    found.folders.insert(from.to_owned());
    for entry in fs::read_dir(from)? {
        let entry = entry?.path();
        let source = ["rs", "mk"].map(|known| entry.extension().is_some_and(|is| is == known));
        if entry.is_dir() || source.contains(&true) {
            find(&entry, found)?;
        }
    }
    Ok(())
}

/// Copies a source, or a folder of sources.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let mut found = Found::default();
    find(from, &mut found)?;
    for file in found.files {
        // `join` of nothing would add a slash.
        let to = match file.strip_prefix(from) {
            Ok(below) if !below.as_os_str().is_empty() => &to.join(below),
            _ => to,
        };
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        copy_if_changed(&file, to)?;
    }
    Ok(())
}

/// Copies a source so that make notices exactly what changed: the same content keeps the file and takes
/// the original's time; other content makes the file new.
fn copy_if_changed(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let about = fs::metadata(from)?;

    make_way(to, false)?;
    if fs::read(to).is_ok_and(|old| old == content) {
        let file = fs::File::options().append(true).open(to)?;
        if file.metadata()?.modified()? < about.modified()? {
            file.set_modified(about.modified()?)?;
        }
    } else {
        fs::write(to, content).with_context(|| format!("cannot write {}", to.display()))?;
    }
    // Kbuild may run it; and the next run has to write it.
    let mode = about.permissions().mode() & 0o777 | 0o600;
    if fs::metadata(to)?.permissions().mode() & 0o777 != mode {
        fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Removes what is in the place of a folder, or of a file: a symbolic link, which would be followed, or
/// what the user has replaced by the other kind.
fn make_way(to: &Path, folder: bool) -> Result<()> {
    let Ok(about) = fs::symlink_metadata(to) else {
        return Ok(());
    };
    let removed = if about.is_dir() {
        if folder {
            return Ok(());
        }
        fs::remove_dir_all(to)
    } else {
        if about.is_file() && !folder {
            return Ok(());
        }
        fs::remove_file(to)
    };
    removed.with_context(|| format!("cannot replace {}", to.display()))
}

/// What is known of a copy, in a file beside the build folder, in which anything of the user's may be.
struct Record {
    /// The user's folder.
    from: PathBuf,
    /// The copied files, below both folders.
    files: BTreeSet<PathBuf>,
}

impl Record {
    fn file(copy: &Path) -> PathBuf {
        let mut file = copy.as_os_str().to_owned();
        file.push(".copied");
        file.into()
    }

    fn of(copy: &Path) -> Option<Self> {
        let text = fs::read_to_string(Record::file(copy)).ok()?;
        let (from, files) = text.split_once('\n')?;
        let inside = |file: &&Path| {
            file.components()
                .all(|it| matches!(it, Component::Normal(_)))
        };
        Some(Record {
            from: from.into(),
            files: files
                .lines()
                .map(Path::new)
                .filter(inside)
                .map(PathBuf::from)
                .collect(),
        })
    }

    fn write(&self, copy: &Path) -> Result<()> {
        let lines = [&self.from].into_iter().chain(&self.files);
        let lines = lines.map(|line| format!("{}\n", line.display()));
        cache::write_whole(&Record::file(copy), lines.collect::<String>().as_bytes())
    }
}

/// Copies a folder, and removes what was copied from it before and is no longer there.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let before = Record::of(to)
        .map(|record| record.files)
        .unwrap_or_default();
    let Found { files, .. } = find_in(from, to)?;
    let mut record = Record {
        from: from.to_owned(),
        files: before.union(&files).cloned().collect(),
    };
    // An interrupted run has copied some of both.
    record.write(to)?;
    for gone in before.difference(&files) {
        remove_file(to, gone);
    }
    for file in &files {
        let mut folder = to.to_owned();
        for part in file.parent().into_iter().flat_map(Path::components) {
            folder.push(part);
            make_way(&folder, true)?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        copy_if_changed(&from.join(file), &to.join(file))?;
    }
    record.files = files;
    record.write(to)
}

/// Removes a file of a copy, and the folders that are empty then. It may be gone already.
fn remove_file(copy: &Path, file: &Path) {
    let mut folders = file.ancestors().skip(1);
    let is_link = |folder: &Path| copy.join(folder).is_symlink();
    if folders.clone().any(is_link) {
        return;
    }
    let _ = fs::remove_file(copy.join(file));
    folders
        .all(|folder| !folder.as_os_str().is_empty() && fs::remove_dir(copy.join(folder)).is_ok());
}

/// Finds what is copied of a folder to `to`: no products of a build. The paths are below the folder.
pub fn find_in(folder: &Path, to: &Path) -> Result<Found> {
    let mut found = Found::default();
    find_below(folder, to, Path::new(""), &mut found)?;
    Ok(found)
}

fn find_below(folder: &Path, to: &Path, below: &Path, found: &mut Found) -> Result<()> {
    let here = folder.join(below);
    found.folders.insert(below.to_owned());
    let entries = fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))?;
    for entry in entries {
        let name = entry?.file_name();
        let (file, text) = (below.join(&name), name.to_string_lossy());
        let path = folder.join(&file);
        if path.is_dir() {
            if is_source_folder(&path, &here, to) {
                find_below(folder, to, &file, found)?;
            }
        } else if path.is_file()
            && !is_product(&path)
            && !is_link_to_copy(&path, to)
            && !text.contains('\n')
        {
            found.files.insert(file);
        }
    }
    Ok(())
}

/// Whether a folder belongs to the sources: not git's or cargo's, not that of the cache, no kernel, and
/// no link back to a folder in which it is.
fn is_source_folder(path: &Path, parent: &Path, to: &Path) -> bool {
    let of_tools = path.ends_with(".git") || path.join("CACHEDIR.TAG").is_file();
    let (real, parent) = (path.canonicalize(), parent.canonicalize());
    let (Ok(real), Ok(parent)) = (real, parent) else {
        return false;
    };
    let is_kernel =
        path.is_symlink() && real.join("include").is_dir() && real.join("arch").is_dir();
    !(of_tools || is_kernel || to.starts_with(&real) || parent.starts_with(&real))
}

/// Whether it is a link to what the build for some kernel has generated, as `make rust-analyzer` makes it.
fn is_link_to_copy(path: &Path, to: &Path) -> bool {
    let copies = to.parent().and_then(|copies| copies.canonicalize().ok());
    let real = path
        .is_symlink()
        .then(|| path.canonicalize().ok())
        .flatten();
    copies
        .zip(real)
        .is_some_and(|(copies, real)| real.starts_with(copies))
}

/// What Kbuild makes in a module's folder, see `clean` in the kernel's Makefile, and what the lab makes for
/// editors. Of other files that Kbuild makes, such as programs for user space, it keeps the command beside
/// them.
pub fn is_product(file: &Path) -> bool {
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
        ".bc",
        ".joined.ll",
        ".fused.ll",
        "rust-project.json",
        "compile_commands.json",
    ];
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
        return false;
    };
    let name = name.to_string_lossy();
    // The border makes up to three files of a contract by one command.
    let mut ends_of_contract = ["_layout.h", "_extern.h"].into_iter();
    let contract = ends_of_contract.find_map(|end| name.strip_suffix(end));
    let name = contract.map_or(name.to_string(), |contract| format!("{contract}_h.rs"));
    ends.iter().any(|end| name.ends_with(end)) || folder.join(format!(".{name}.cmd")).is_file()
}

/// Removes the copies of folders that no longer exist.
pub fn remove_orphans(cache: &Cache) {
    for (name, place) in cache.folders("module") {
        let from = Record::of(&place).map(|record| record.from);
        if from.is_some_and(|from| !from.exists()) {
            if let Some(_lock) = cache.try_lock(&format!("module {name}")) {
                // What cannot be removed only takes space.
                let _ = remove_copy(&place);
            }
        }
    }
}

/// Removes a build folder, and what is known of it.
pub fn remove_copy(place: &Path) -> Result<()> {
    cache::remove(place)?;
    let _ = fs::remove_file(Record::file(place));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _root: tempfile::TempDir,
        outside: PathBuf,
        from: PathBuf,
        to: PathBuf,
    }

    fn place(files: &[&str]) -> Result<Place> {
        let root = tempfile::tempdir()?;
        let [outside, from, to] = ["", "from", "cache/to"].map(|name| root.path().join(name));
        fs::create_dir_all(&to)?;
        for file in files {
            write(&from, file)?;
        }
        Ok(Place {
            _root: root,
            outside,
            from,
            to,
        })
    }

    fn write(folder: &Path, file: &str) -> Result<()> {
        fs::create_dir_all(folder.join(file).with_file_name(""))?;
        fs::write(folder.join(file), file)?;
        Ok(())
    }

    #[test]
    fn a_folder_is_copied_without_products_and_what_is_gone_is_removed() -> Result<()> {
        let sources = [
            "Kbuild",
            "src/a.rs",
            "src/b.c",
            "b.o_shipped",
            "lab.c",
            "own_layout.h",
            "target/t.c",
        ];
        let others = [
            "a.o",
            ".a.o.cmd",
            "program",
            ".program.cmd",
            "contract_layout.h",
            "contract_extern.h",
            "a_main.bc",
            "a_main.joined.ll",
            ".contract_h.rs.cmd",
            ".git/HEAD",
            "out/CACHEDIR.TAG",
            "out/a.c",
        ];
        let Place {
            from, to, _root, ..
        } = place(&[&sources[..], &others].concat())?;
        copy_folder(&from, &to)?;
        let is_there = |file: &str| to.join(file).is_file();
        assert!(sources.into_iter().all(is_there));
        assert!(!others.into_iter().any(is_there));

        fs::write(to.join("a.o"), "built")?;
        fs::remove_file(from.join("src/b.c"))?;
        fs::remove_dir_all(from.join("target"))?;
        copy_folder(&from, &to)?;
        assert!(!is_there("src/b.c") && !to.join("target").exists());
        assert!(is_there("a.o") && is_there("src/a.rs"));
        Ok(())
    }

    /// `make rust-analyzer` has linked what the build for one kernel generated.
    #[test]
    fn what_another_build_has_generated_is_not_copied() -> Result<()> {
        let Place {
            from, to, _root, ..
        } = place(&["a.c"])?;
        let other = to.with_file_name("other");
        write(&other, "a_h.rs")?;
        std::os::unix::fs::symlink(other.join("a_h.rs"), from.join("a_h.rs"))?;
        std::os::unix::fs::symlink(from.join("a.c"), from.join("b.c"))?;
        copy_folder(&from, &to)?;
        assert!(to.join("b.c").is_file() && !to.join("a_h.rs").exists());
        Ok(())
    }

    #[test]
    fn a_file_becomes_a_folder_and_the_reverse() -> Result<()> {
        let Place {
            from, to, _root, ..
        } = place(&["a", "b/c"])?;
        copy_folder(&from, &to)?;
        write(&to, "b/built.o")?;
        fs::remove_file(from.join("a"))?;
        fs::remove_dir_all(from.join("b"))?;
        write(&from, "a/x")?;
        write(&from, "b")?;
        copy_folder(&from, &to)?;
        assert!(to.join("a/x").is_file() && to.join("b").is_file());
        Ok(())
    }

    #[test]
    fn the_mode_is_copied() -> Result<()> {
        let Place {
            from, to, _root, ..
        } = place(&["gen.sh"])?;
        let mode =
            |mode| fs::set_permissions(from.join("gen.sh"), fs::Permissions::from_mode(mode));
        for (set, copied) in [(0o644, 0o644), (0o755, 0o755), (0o444, 0o644)] {
            mode(set)?;
            copy_folder(&from, &to)?;
            let about = fs::metadata(to.join("gen.sh"))?;
            assert_eq!(about.permissions().mode() & 0o777, copied);
        }
        Ok(())
    }

    /// Whatever the user's folder, or a build that it runs, has in it.
    #[test]
    fn nothing_outside_of_the_copy_is_touched() -> Result<()> {
        let Place {
            outside,
            from,
            to,
            _root,
        } = place(&["Kbuild", "lab.copied", "src/a.c"])?;
        for file in ["keep", "linked/a.c"] {
            write(&outside, file)?;
        }
        copy_folder(&from, &to)?;
        let record = format!(
            "{}\n../../keep\n{}\nsrc/a.c\n",
            from.display(),
            outside.join("keep").display()
        );
        fs::write(Record::file(&to), record)?;
        fs::remove_dir_all(to.join("src"))?;
        std::os::unix::fs::symlink(outside.join("linked"), to.join("src"))?;
        fs::write(from.join("src/a.c"), "another")?;
        copy_folder(&from, &to)?;
        assert_eq!(fs::read_to_string(outside.join("keep"))?, "keep");
        assert_eq!(
            fs::read_to_string(outside.join("linked/a.c"))?,
            "linked/a.c"
        );
        assert_eq!(fs::read_to_string(to.join("src/a.c"))?, "another");
        Ok(())
    }

    #[test]
    fn links_and_the_cache_are_not_followed_forever() -> Result<()> {
        let Place {
            outside,
            from,
            _root,
            ..
        } = place(&["Kbuild", "src/a.c"])?;
        let to = from.join(".cache/to");
        fs::create_dir_all(&to)?;
        std::os::unix::fs::symlink(".", from.join("loop"))?;
        std::os::unix::fs::symlink("..", from.join("src/up"))?;
        let kernel = outside.join("linux");
        write(&kernel, "include/a.h")?;
        write(&kernel, "arch/a.c")?;
        std::os::unix::fs::symlink(&kernel, from.join("build"))?;
        copy_folder(&from, &to)?;
        copy_folder(&from, &to)?;
        assert!(to.join("src/a.c").is_file());
        for not_copied in ["loop", "src/up", ".cache", "build"] {
            assert!(!to.join(not_copied).exists(), "{not_copied}");
        }
        Ok(())
    }

    #[test]
    fn copies_of_folders_that_are_gone_are_removed() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().join("cache"))?;
        let gone = place.path().join("gone");
        for (name, from) in [
            ("here", Some(place.path())),
            ("gone", Some(&*gone)),
            ("own", None),
        ] {
            let dir = cache.place_for(&format!("module/{name}"))?;
            fs::create_dir_all(&dir)?;
            if let Some(from) = from {
                let (from, files) = (from.to_owned(), BTreeSet::new());
                Record { from, files }.write(&dir)?;
            }
        }
        remove_orphans(&cache);
        let mut left: Vec<String> = cache.folders("module").into_iter().map(|it| it.0).collect();
        left.sort();
        assert_eq!(left, ["here", "own"]);
        Ok(())
    }
}
