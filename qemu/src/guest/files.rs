//! Files of the user's in the guest: `FILES=`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

use super::initramfs::Initramfs;
use super::job::RUN;

/// Megabytes that the kernel and its programs need in the guest.
const REST: u64 = 64;

/// A file, and its path in the guest.
struct File {
    from: PathBuf,
    to: String,
    size: u64,
}

/// What the guest's root folder has already, besides the modules.
const TAKEN: &[&str] = &["bin", "dev", "init", "job", "proc", RUN, "sys", "tmp"];

/// Adds files, and folders with all files in them, to the guest's root folder, which has `modules`
/// already.
///
/// # Errors
///
/// If one does not exist, if its name is taken, and if a guest of so many megabytes cannot hold them.
pub fn add(
    initramfs: &mut Initramfs,
    paths: &[PathBuf],
    modules: &[String],
    memory: u32,
) -> Result<()> {
    let taken = TAKEN.iter().map(|name| (*name).to_owned());
    let mut taken: Vec<String> = taken.chain(modules.iter().cloned()).collect();
    let mut files = Vec::new();
    for path in paths {
        let Some(name) = name_of(path) else {
            return Err(Diagnostic::new("a file for the guest does not exist")
                .note(format!("FILES={}", path.display()))
                .help("name files and folders, with blanks between them")
                .into());
        };
        if taken.contains(&name) {
            return Err(Diagnostic::new(format!("the guest already has a /{name}"))
                .note(path.display().to_string())
                .help("give it another name, or put it into a folder")
                .into());
        }
        taken.push(name.clone());
        list(path, name, &mut files)?;
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

/// The name that the user has given, or that of `.` and the like.
fn name_of(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let name = path.file_name().or(real.file_name())?;
    Some(name.to_string_lossy().into_owned())
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
