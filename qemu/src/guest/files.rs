//! Files of the user's in the guest: `FILES=`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use super::initramfs::Initramfs;

/// Megabytes that the kernel and its programs need in the guest.
const REST: u64 = 64;

/// A file, and its path in the guest.
struct File {
    from: PathBuf,
    to: String,
    size: u64,
}

/// Adds files, and folders with everything in them, to the guest's root folder.
///
/// # Errors
///
/// If one does not exist, and if a guest of so many megabytes cannot hold them.
pub fn add(initramfs: &mut Initramfs, paths: &[PathBuf], memory: u32) -> Result<()> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.canonicalize().ok();
        let name = name.as_deref().and_then(Path::file_name);
        let Some(name) = name else {
            return Err(Diagnostic::new("a file for the guest does not exist")
                .note(format!("FILES={}", path.display()))
                .help("name files and folders, with blanks between them")
                .into());
        };
        list(path, name.to_string_lossy().into_owned(), &mut files)?;
    }
    // While it unpacks the archive, the guest holds everything twice.
    let needed = (files.iter().map(|file| file.size).sum::<u64>() >> 20) * 2 + REST;
    if needed > u64::from(memory) {
        return Err(Diagnostic::new("the files do not fit into the guest")
            .note(format!(
                "FILES= needs {needed} MB, the guest has {memory} MB"
            ))
            .help(format!("make run MEM={needed}"))
            .into());
    }
    let mut parent = "";
    for File { from, to, .. } in &files {
        let folder = to.rsplit_once('/').map_or("", |(folder, _)| folder);
        if folder != parent {
            initramfs.folders(folder)?;
            parent = folder;
        }
        let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        let mode = fs::metadata(from)?.permissions().mode() & 0o777;
        initramfs.file(to, mode, &content)?;
    }
    Ok(())
}

fn list(path: &Path, to: String, files: &mut Vec<File>) -> Result<()> {
    let about = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            list(
                &entry.path(),
                format!("{to}/{}", name.to_string_lossy()),
                files,
            )?;
        }
    } else if about.is_file() {
        files.push(File {
            from: path.to_owned(),
            to,
            size: about.len(),
        });
    }
    Ok(())
}
