//! Whether what was made once in the cache is still whole. A power loss may cut short what was written long
//! before, and a program that is cut short fails in ways that say nothing of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use crate::cache::{self, Cache};

/// The folder of the cache with a list for each folder that was made: the folder, what to remove if it is
/// damaged, and the sizes of its files. Paths in it begin in the cache, or in the folder.
const LISTS: &str = "sizes";

/// The lab's own notes in a folder, which change.
const NOTES: &str = "lab.";

/// Notes the sizes of all files of this folder of the cache, which is complete, unless they are noted
/// already. `remove` are the names of what is to be removed for it to be made again.
///
/// # Errors
///
/// When the folder cannot be read, or the list not written.
pub fn note(cache: &Cache, name: &str, remove: &[&str]) -> Result<()> {
    let list = list_of(cache, name)?;
    if list.is_file() {
        return Ok(());
    }
    let folder = cache.dir().join(name);
    let mut lines = format!("{name}\n{}\n", remove.join(" "));
    walk(&folder, &mut |file, size| {
        let name = file.strip_prefix(&folder).unwrap_or(file);
        if !name.to_string_lossy().starts_with(NOTES) {
            lines += &format!("{size} {}\n", name.display());
        }
    })
    .with_context(|| format!("cannot read {}", folder.display()))?;
    cache::write_whole(&list, lines.as_bytes())
}

/// Forgets what was noted of a folder that is made again.
///
/// # Errors
///
/// When the list cannot be removed.
pub fn forget(cache: &Cache, name: &str) -> Result<()> {
    cache::remove_file(&list_of(cache, name)?)
}

fn list_of(cache: &Cache, name: &str) -> Result<PathBuf> {
    cache.place_for(&format!("{LISTS}/{}", name.replace('/', "-")))
}

/// Calls `found` for each file below a folder, with its size in bytes.
fn walk(folder: &Path, found: &mut impl FnMut(&Path, u64)) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            walk(&path, found)?;
        } else if kind.is_file() {
            found(&path, entry.metadata()?.len());
        }
    }
    Ok(())
}

/// The first file that has not the size that was noted: what to say besides the error of a command that has
/// failed, since it may be the cause.
pub fn damage(cache: &Cache) -> Option<Diagnostic> {
    let lists = fs::read_dir(cache.dir().join(LISTS)).ok()?;
    lists
        .flatten()
        .filter_map(|list| fs::read_to_string(list.path()).ok())
        .find_map(|list| damage_of(cache.dir(), &list))
}

fn damage_of(cache: &Path, list: &str) -> Option<Diagnostic> {
    let mut lines = list.lines();
    let folder = cache.join(lines.next()?);
    let remove = lines.next()?.split(' ').map(|name| cache.join(name));
    let remove: Vec<String> = remove.map(|path| path.display().to_string()).collect();
    if !folder.is_dir() {
        // It was removed, or is not made again yet.
        return None;
    }
    let mut files = lines.filter_map(|line| line.split_once(' '));
    let (size, file) = files.find_map(|(size, name)| {
        let file = folder.join(name);
        let now = file.symlink_metadata().map(|about| about.len());
        (now.ok() != size.parse().ok()).then_some((size, file))
    })?;
    let now = file.symlink_metadata().map_or_else(
        |_| "is gone".to_owned(),
        |about| format!("has {} bytes", about.len()),
    );
    let note = format!("{} {now}; it was made with {size}", file.display());
    let error = Diagnostic::new("a file in the cache is not whole").note(note);
    let remove = remove.join(" ");
    Some(error.help(format!("rm -r {remove}, and run the same command again")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_short_or_gone() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().join("cache"))?;
        let folder = cache.place_for("kernel/it")?;
        fs::create_dir_all(folder.join("include"))?;
        let (header, note_of_lab) = (folder.join("include/a b.h"), folder.join("lab.used"));
        fs::write(&header, "int a;\n")?;
        fs::write(&note_of_lab, "now\n")?;
        note(&cache, "kernel/it", &["kernel/it"])?;
        let said = || damage(&cache).map(|damage| damage.to_string());

        fs::write(&note_of_lab, "later\n")?;
        assert_eq!(said(), None);
        fs::write(&header, "int")?;
        let text = said().unwrap_or_default();
        let size = format!("{} has 3 bytes; it was made with 7", header.display());
        assert!(text.contains(&size), "{text}");
        let help = format!("rm -r {}, and", folder.display());
        assert!(text.contains(&help), "{text}");
        fs::remove_file(&header)?;
        let text = said().unwrap_or_default();
        assert!(text.contains("a b.h is gone"), "{text}");
        cache::remove(&folder)?;
        assert_eq!(said(), None);
        Ok(())
    }
}
