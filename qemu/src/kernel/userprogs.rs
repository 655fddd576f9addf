//! Programs for user space that Kbuild builds beside a module: `userprogs-always-y`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::{Object, ObjectKind};

/// The static programs in a module's build folder; a guest has no libraries for others.
pub fn userprogs(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    find(folder, &mut programs)?;
    programs.sort();
    Ok(programs)
}

fn find(folder: &Path, programs: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, about) = (entry.path(), entry.metadata()?);
        if about.is_dir() {
            find(&path, programs)?;
            continue;
        }
        let executable = about.is_file() && about.permissions().mode() & 0o111 != 0;
        if executable && is_built(&path) && is_static(&path)? {
            programs.push(path);
        }
    }
    Ok(())
}

/// Kbuild keeps the command that it has built a file with.
fn is_built(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.cmd")).is_file()
}

fn is_static(path: &Path) -> Result<bool> {
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let Ok(file) = object::File::parse(&*content) else {
        return Ok(false);
    };
    let runs = matches!(file.kind(), ObjectKind::Executable | ObjectKind::Dynamic);
    Ok(runs && file.entry() != 0 && file.section_by_name(".interp").is_none())
}
