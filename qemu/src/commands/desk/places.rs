//! The user's files, and the lab's copy of them: which is which.

use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache::{self, Cache};

use super::recorded::Language;
use crate::kernel::module::Module;
use crate::kernel::sources::Sources;

/// A module's own folder, and the copy in which Kbuild builds it.
pub struct Places {
    /// The user's folder.
    pub home: PathBuf,
    /// The lab's copy.
    pub copy: PathBuf,
}

impl Places {
    /// Those of a module.
    pub fn of(sources: &Sources, module: &Module) -> Result<Self> {
        Ok(Places {
            home: sources
                .home()
                .context("the module has no folder of its own")?,
            copy: module.dir().to_owned(),
        })
    }

    /// The user's file that a path of the copy stands for, if there is one.
    pub fn own(&self, path: &Path) -> Option<PathBuf> {
        let own = self.home.join(path.strip_prefix(&self.copy).ok()?);
        own.exists().then_some(own)
    }

    /// Writes a file into the user's folder, where editors look for it.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let file = self.home.join(name);
        cache::write_whole(&file, content).map_err(|error| self.cannot_write(name, &error))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644))?;
        Ok(file)
    }

    fn cannot_write(&self, name: &str, error: &anyhow::Error) -> Diagnostic {
        Diagnostic::new(format!("cannot write {name} into the module's folder"))
            .note(format!("{error:#}"))
            .help(format!(
                "make {} writable: it is where editors look for the file",
                self.home.display()
            ))
    }

    /// Links the Rust files that Kbuild has generated into the user's folder: rustc, and what acts
    /// like it, looks for a module beside the file that declares it.
    pub fn link_generated(&self) -> Result<()> {
        let mut files = Vec::new();
        files_below(&self.copy, &mut files)?;
        for file in files.iter().filter(|file| is_generated(file)) {
            let own = self.home.join(file.strip_prefix(&self.copy)?);
            let stale = own.is_symlink() && own.canonicalize().ok().as_ref() != Some(file);
            let is_ours = |to: PathBuf| {
                self.copy
                    .parent()
                    .is_some_and(|copies| to.starts_with(copies))
            };
            if stale && fs::read_link(&own).is_ok_and(is_ours) {
                fs::remove_file(&own)
                    .with_context(|| format!("cannot remove {}", own.display()))?;
            }
            if own.symlink_metadata().is_err() {
                let name = own.strip_prefix(&self.home)?.display().to_string();
                symlink(file, &own).map_err(|error| self.cannot_write(&name, &error.into()))?;
            }
        }
        Ok(())
    }
}

/// The user's folder.
///
/// # Errors
///
/// When there is no Rust file in it.
pub fn home_with_rust(sources: &Sources) -> Result<PathBuf> {
    let home = sources
        .home()
        .context("the module has no folder of its own")?;
    if sources.rust_files(Cache::open()?.dir())?.is_empty() {
        return Err(Language::Rust.missing(&home).into());
    }
    Ok(home)
}

/// Whether it is a Rust file, and Kbuild has recorded the command that made it.
fn is_generated(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".rs") && file.with_file_name(format!(".{name}.cmd")).is_file()
}

/// Lists the files of a folder.
pub fn files_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
