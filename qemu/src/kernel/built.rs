//! What the last make has left in a module's folder. By that the lab knows whether there is anything to
//! build, and whether make can go on with the objects that are there: it looks at their times alone.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use host::cache;

use crate::kernel::copy::is_product;

/// The file in the folder that tells it. While make runs, it is not there: a compiler that is killed with
/// make leaves half an object. A make that exits removes those.
pub const FILE: &str = "lab.built";

/// A module's folder, at the end of a make.
#[derive(PartialEq, Eq)]
pub struct Built {
    succeeded: bool,
    /// Each with its size and time.
    files: BTreeSet<String>,
    /// The recipe of the kernel that it was built for, and make's words.
    made_for: String,
}

impl Built {
    /// What is there now, if make succeeded.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn now(folder: &Path, made_for: &str, succeeded: bool) -> Result<Self> {
        let mut files = BTreeSet::new();
        list(folder, Path::new(""), &mut files)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        Ok(Built {
            succeeded,
            files,
            made_for: made_for.to_owned(),
        })
    }

    /// What the last make has left; `None` if it did not exit, or there was none.
    pub fn before(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(FILE)).ok()?;
        let (succeeded, rest) = text.split_once('\n')?;
        let (files, made_for) = rest.split_once("\n\n")?;
        Some(Built {
            succeeded: succeeded == "succeeded",
            files: files.lines().map(str::to_owned).collect(),
            made_for: made_for.to_owned(),
        })
    }

    /// Notes it for the next run.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn note(&self, folder: &Path) -> Result<()> {
        let outcome = if self.succeeded {
            "succeeded"
        } else {
            "failed"
        };
        let files: Vec<&str> = self.files.iter().map(String::as_str).collect();
        let text = format!("{outcome}\n{}\n\n{}", files.join("\n"), self.made_for);
        // The build may have left a link in its place: that is replaced, not followed.
        cache::write_whole(&folder.join(FILE), text.as_bytes())
    }

    /// Whether make can go on with the objects that are in the folder now: they are made for the same, and
    /// none has changed.
    pub fn can_go_on(&self, folder: &Path, now: &Self) -> bool {
        let mut changed = self.files.difference(&now.files);
        self.made_for == now.made_for && !changed.any(|line| is_product(&folder.join(name(line))))
    }

    /// Whether make has left any file whose name ends so.
    pub fn has(&self, end: &str) -> bool {
        self.files.iter().any(|line| name(line).ends_with(end))
    }
}

fn name(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

/// Forgets the last make, before the next one.
///
/// # Errors
///
/// When the file cannot be removed.
pub fn forget(folder: &Path) -> Result<()> {
    cache::remove_file(&folder.join(FILE))
}

/// Lists the files in a folder, except those that are made after the module's build.
fn list(folder: &Path, below: &Path, files: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let (file, about) = (below.join(entry.file_name()), entry.metadata()?);
        let name = file.to_string_lossy();
        if about.is_dir() {
            list(folder, &file, files)?;
        } else if name != FILE && !name.ends_with(".ko.stripped") {
            let modified = about.modified()?;
            // These two separate what is noted.
            let name = name.replace(['\t', '\n'], "?");
            files.insert(format!("{name}\t{}\t{modified:?}", about.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn make_goes_on_with_its_own_objects_alone() -> Result<()> {
        let place = tempfile::tempdir()?;
        let folder = place.path();
        fs::create_dir(folder.join("src"))?;
        let (source, object) = (folder.join("src/it.c"), folder.join("src/it.o"));
        fs::write(&source, "int it;\n")?;
        fs::write(&object, "object")?;
        let now = |kernel| Built::now(folder, kernel, true);
        assert!(Built::before(folder).is_none());
        let left = now("7.3")?;
        left.note(folder)?;
        let before = Built::before(folder).context("nothing is noted")?;
        assert!(before == left && before == now("7.3")?);
        assert!(before.has(".o") && !before.has(".ko"));

        fs::write(&source, "int that;\n")?;
        assert!(before != now("7.3")? && before.can_go_on(folder, &now("7.3")?));
        assert!(!before.can_go_on(folder, &now("6.12")?));
        fs::write(&object, "obj")?;
        assert!(!before.can_go_on(folder, &now("7.3")?));
        fs::remove_file(&object)?;
        assert!(!before.can_go_on(folder, &now("7.3")?));

        Built::now(folder, "7.3", false)?.note(folder)?;
        assert!(Built::before(folder) != Some(now("7.3")?));
        forget(folder)?;
        forget(folder)?;
        assert!(Built::before(folder).is_none());
        Ok(())
    }
}
