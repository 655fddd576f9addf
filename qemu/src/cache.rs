//! The cache folder: what was made once, kept, locked, and safe to delete.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fs::{flock, FlockOperation};
use tempfile::TempDir;
use trouble::Trouble;

/// `$XDG_CACHE_HOME/hello_rust`, or `~/.cache/hello_rust`.
pub struct Cache {
    dir: PathBuf,
}

/// Held while a part of the cache is made or changed; released when dropped, or when the lab dies.
pub struct Lock(#[allow(dead_code)] File);

impl Cache {
    /// Finds the cache folder and makes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or has a name that Kbuild cannot stand.
    pub fn open() -> Result<Self> {
        let dir = Self::place()?;

        if dir.to_string_lossy().contains([' ', ':', '\t']) {
            return Err(Trouble::new(
                "the cache cannot be used: Kbuild stands no space or colon in a path",
            )
            .seen(dir.display().to_string())
            .mend("set XDG_CACHE_HOME to a folder without them")
            .into());
        }
        fs::create_dir_all(&dir).map_err(|error| {
            Trouble::new("the cache folder cannot be made")
                .seen(format!("{}: {error}", dir.display()))
                .mend("set XDG_CACHE_HOME to a folder that you may write")
        })?;
        Ok(Cache { dir })
    }

    fn place() -> Result<PathBuf> {
        let xdg = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let base = match xdg.filter(|path| path.is_absolute()) {
            Some(path) => path,
            None => std::env::var_os("HOME")
                .map(|home| PathBuf::from(home).join(".cache"))
                .context("neither XDG_CACHE_HOME nor HOME is set")?,
        };
        Ok(base.join("hello_rust"))
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A place in the cache, its parent folder made.
    pub fn place_for(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make {}", parent.display()))?;
        }
        Ok(path)
    }

    /// Takes the lock of a part of the cache, and waits (saying so) while another run has it.
    pub fn lock(&self, part: &str) -> Result<Lock> {
        let path = self.lock_file(part)?;
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;

        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            eprintln!("lab: another run is busy with the {part}; waiting for it");
            flock(&file, FlockOperation::LockExclusive)
                .with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(Lock(file))
    }

    fn lock_file(&self, part: &str) -> Result<PathBuf> {
        self.place_for(&format!("lock/{}", part.replace('/', "-")))
    }

    /// Shares the lock of a part of the cache with all who use that part but do not change it.
    pub fn share(&self, part: &str) -> Result<Lock> {
        let path = self.lock_file(part)?;
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        flock(&file, FlockOperation::LockShared)
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Lock(file))
    }

    /// Takes the lock of a part of the cache, unless anybody uses it.
    pub fn try_lock(&self, part: &str) -> Option<Lock> {
        let file = File::create(self.lock_file(part).ok()?).ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(Lock(file))
    }

    /// Refuses to start what would run out of space. `needed` is in bytes.
    pub fn require_space(&self, needed: u64, what: &str) -> Result<()> {
        let stat = rustix::fs::statvfs(&self.dir).context("cannot ask for free space")?;
        let free = stat.f_bavail * stat.f_frsize;

        if free < needed {
            return Err(Trouble::new(format!("no space for {what}"))
                .seen(format!(
                    "{}: {} MB free, {} MB needed",
                    self.dir.display(),
                    free >> 20,
                    needed >> 20
                ))
                .mend("free some space, or set XDG_CACHE_HOME to a roomier place")
                .into());
        }
        Ok(())
    }
}

/// No run needs a scratch folder for so long.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A fresh folder in this one, for one run.
pub fn scratch_in(folder: &Path) -> Result<TempDir> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)?.flatten() {
        // A run that was killed could not remove its own.
        let age = entry.metadata().and_then(|data| data.modified());
        let age = age.map(|made| made.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    tempfile::tempdir_in(folder).context("cannot make a folder for this run")
}

/// Writes a file so that it is there whole or not at all.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    file.write_all(content)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.persist(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// Whether `path` holds exactly `content`: how the lab knows that something was made from the
/// same recipe, and to its end.
pub fn holds(path: &Path, content: &str) -> bool {
    fs::read(path).is_ok_and(|found| found == content.as_bytes())
}
