//! The cache folder: what was made once and is used again. It is safe to delete.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{bail, Context, Result};
use diagnostic::Diagnostic;
use rustix::fs::{flock, FlockOperation};
use tempfile::TempDir;

/// `$XDG_CACHE_HOME/hello_rust`, or `~/.cache/hello_rust`.
pub struct Cache {
    dir: PathBuf,
}

/// Where in the cache each run has its scratch folder.
pub const RUNS: &str = "kernel/run";

/// Where the cache is, and which paths are allowed; the Makefile and check-kernel.sh use the same rule.
const RULE: &str = concat!(include_str!("../../../tools/path.sh"), "\n\"$@\"\n");

/// A lock on a part of the cache; released when dropped, or when the lab ends.
pub struct Lock(#[allow(dead_code)] File);

impl Cache {
    /// Finds the cache folder and makes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or its path has characters that Kbuild or make do not support.
    pub fn open() -> Result<Self> {
        Self::make(ask(&mut rule(&["cache_folder".as_ref()]))?)
    }

    /// Makes this folder the cache.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn at(dir: PathBuf) -> Result<Self> {
        Self::make(ask(&mut rule(&["usable_cache".as_ref(), dir.as_os_str()]))?)
    }

    /// What is in it can have any mode: others cannot enter.
    fn make(dir: PathBuf) -> Result<Self> {
        let mut new = fs::DirBuilder::new();
        let made = new.recursive(true).mode(0o700).create(&dir);
        made.and_then(|()| fs::set_permissions(&dir, Permissions::from_mode(0o700)))
            .map_err(|error| {
                Diagnostic::new("the cache folder cannot be made")
                    .note(format!("{}: {error}", dir.display()))
                    .help("set XDG_CACHE_HOME to a writable folder")
            })?;
        Ok(Cache { dir })
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path in the cache; makes its parent folder.
    ///
    /// # Errors
    ///
    /// When a symbolic link is on the way: it could lead out of the cache.
    pub fn place_for(&self, name: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        path.ancestors()
            .take_while(|part| *part != self.dir)
            .try_for_each(must_be_no_link)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make {}", parent.display()))?;
        }
        Ok(path)
    }

    /// The subfolders of one of its folders, with their names.
    pub fn folders(&self, name: &str) -> Vec<(String, PathBuf)> {
        let entries = fs::read_dir(self.dir.join(name)).into_iter();
        let entries = entries.flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| (entry.file_name().to_string_lossy().into(), entry.path()))
            .collect()
    }

    /// Locks a part of the cache; waits, and says so, while another run has the lock.
    pub fn lock(&self, part: &str) -> Result<Lock> {
        let path = self.lock_file(part)?;
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;

        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            eprintln!("lab: waiting for another run that uses the {part}");
            flock(&file, FlockOperation::LockExclusive)
                .with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(Lock(file))
    }

    fn lock_file(&self, part: &str) -> Result<PathBuf> {
        self.place_for(&format!("lock/{}", part.replace('/', "-")))
    }

    /// Locks a part of the cache for reading, together with other readers.
    pub fn share(&self, part: &str) -> Result<Lock> {
        let path = self.lock_file(part)?;
        let file =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        flock(&file, FlockOperation::LockShared)
            .with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Lock(file))
    }

    /// Locks a part of the cache, unless it is in use.
    pub fn try_lock(&self, part: &str) -> Option<Lock> {
        let file = File::create(self.lock_file(part).ok()?).ok()?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
        Some(Lock(file))
    }

    /// An error if there is not enough space. `needed` is in bytes.
    pub fn require_space(&self, needed: u64, what: &str) -> Result<()> {
        let stat = rustix::fs::statvfs(&self.dir).context("cannot ask for free space")?;
        let free = stat.f_bavail * stat.f_frsize;

        if free < needed {
            return Err(Diagnostic::new(format!("not enough space for {what}"))
                .note(format!(
                    "{}: {} MB free, {} MB needed",
                    self.dir.display(),
                    free >> 20,
                    needed >> 20
                ))
                .help("free some space, or set XDG_CACHE_HOME to a larger disk")
                .into());
        }
        Ok(())
    }
}

/// An error if it is a symbolic link.
fn must_be_no_link(path: &Path) -> Result<()> {
    if !path.is_symlink() {
        return Ok(());
    }
    let link = path.display();
    Err(
        Diagnostic::new("the cache has a symbolic link, which the lab does not follow")
            .note(link.to_string())
            .help(format!(
                "rm {link}; for a cache on another disk, set XDG_CACHE_HOME"
            ))
            .into(),
    )
}

/// What in the path of a module some Kbuild does not support, if anything.
pub fn odd_in_module(path: &Path) -> Result<Option<String>> {
    let output = rule(&["odd_in_module".as_ref(), path.as_os_str()]).output();
    let output = output.context("cannot run sh")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(output
        .status
        .success()
        .then(|| printed.trim_end().to_owned()))
}

/// A function of [`RULE`] with its arguments.
fn rule(words: &[&OsStr]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", RULE, "sh"]).args(words);
    command
}

/// The folder that it prints, or its error.
fn ask(rule: &mut Command) -> Result<PathBuf> {
    let output = rule.output().context("cannot run sh")?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        let printed = printed.trim_end();
        bail!(
            "{}",
            printed.strip_prefix("lab: error: ").unwrap_or(printed)
        );
    }
    let folder = String::from_utf8(output.stdout).map_err(|error| {
        Diagnostic::new("the cache cannot be used: its path is not UTF-8")
            .note(String::from_utf8_lossy(error.as_bytes()))
            .help("set XDG_CACHE_HOME to a folder with a plain path, such as /var/tmp/cache")
    })?;
    Ok(folder.trim_end_matches('\n').into())
}

/// A short hash of a text, the same with every version of Rust.
pub fn fingerprint(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

/// Marks a folder of the cache as used now.
pub fn note_use(folder: &Path) -> Result<()> {
    let stamp = folder.join(USED);
    File::create(&stamp)
        .and_then(|file| file.set_modified(SystemTime::now()))
        .with_context(|| format!("cannot write {}", stamp.display()))
}

/// How long ago a folder of the cache was last used or, if that is unknown, changed.
pub fn unused_for(folder: &Path) -> Duration {
    let modified = |path: &Path| path.metadata().and_then(|data| data.modified());
    let last = modified(&folder.join(USED)).or_else(|_| modified(folder));
    // If that is unknown, or in the future, it counts as used now.
    last.map_or(Duration::ZERO, |at| at.elapsed().unwrap_or_default())
}

/// The file whose time is that of a folder's last use.
const USED: &str = "lab.used";

/// After this time, a scratch folder was left behind by a run that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// A new folder in this one, for one run.
///
/// # Errors
///
/// When it is a symbolic link: what is old there would be removed.
pub fn scratch_in(folder: &Path) -> Result<TempDir> {
    must_be_no_link(folder)?;
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)?.flatten() {
        // A run that was killed did not remove its folder.
        let age = entry.metadata().and_then(|data| data.modified());
        let age = age.map(|made| made.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > ABANDONED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    tempfile::tempdir_in(folder).context("cannot make a folder for this run")
}

/// Removes a folder and all in it, if it is there.
pub fn remove(folder: &Path) -> Result<()> {
    or_gone(fs::remove_dir_all(folder), folder)
}

/// Removes a file, if it is there.
pub fn remove_file(file: &Path) -> Result<()> {
    or_gone(fs::remove_file(file), file)
}

fn or_gone(removed: std::io::Result<()>, path: &Path) -> Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file atomically.
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

/// Whether `path` has exactly this content: how the lab knows that something was made completely, and
/// from the same recipe.
pub fn holds(path: &Path, content: &str) -> bool {
    fs::read(path).is_ok_and(|found| found == content.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "aZ0+.@_~-é本";
    /// Kbuild can have these in a path: of a module alone, for new kernels; not in that of the cache.
    const NEW_KERNELS: &str = "#,=";
    const MODULES: &str = "*?[]!^{}";
    const NOWHERE: &str = " \t\n:%$'\"\\;&()|`<>";

    /// Which of those that look at a path refuse it.
    #[derive(Debug, PartialEq, Eq)]
    struct Refused {
        kdir: bool,
        module_for_new: bool,
        module_for_old: bool,
        cache: bool,
        rust_metadata: bool,
    }

    impl Refused {
        fn expected(character: char) -> Self {
            let nowhere = NOWHERE.contains(character);
            let old = nowhere || NEW_KERNELS.contains(character);
            let cache = old || MODULES.contains(character);
            Refused {
                kdir: nowhere,
                module_for_new: nowhere,
                module_for_old: old,
                cache,
                rust_metadata: cache,
            }
        }

        fn seen(folder: &Path) -> Result<Self> {
            let [new, old] = [("new", "KBUILD_EXTMOD_OUTPUT"), ("old", "")].map(|(name, text)| {
                let kdir = folder.join(name);
                fs::create_dir_all(&kdir)?;
                fs::write(kdir.join("Makefile"), text)?;
                printed("tools/check-kernel.sh", &[kdir.as_ref()], folder)
            });
            let (new, old) = (new?, old?);
            let words = ["--into".as_ref(), folder.as_os_str(), "no-kernel".as_ref()];
            let metadata = printed("tools/stock/rust-metadata", &words, folder)?;
            Ok(Refused {
                kdir: new.contains("the path of the kernel has "),
                module_for_new: new.contains("the path of the module has "),
                module_for_old: old.contains("the path of the module has "),
                cache: Cache::at(folder.join("hello_rust")).is_err(),
                rust_metadata: metadata.contains("does not support the path"),
            })
        }
    }

    /// What a script of the project says of a module in this folder.
    fn printed(script: &str, words: &[&OsStr], module: &Path) -> Result<String> {
        let script = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(script);
        let mut command = Command::new(script);
        let output = command.args(words).env("SRCDIR", module).output()?;
        let printed = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&printed).into_owned())
    }

    #[test]
    fn all_have_one_rule_for_paths() -> Result<()> {
        let place = tempfile::tempdir()?;
        for character in [PLAIN, NEW_KERNELS, MODULES, NOWHERE].concat().chars() {
            let folder = place.path().join(format!("a{character}b"));
            let seen = Refused::seen(&folder)?;
            assert_eq!(seen, Refused::expected(character), "{character:?}");
            let made = folder.join("hello_rust").exists();
            assert_eq!(made, !seen.cache, "{character:?}");
        }
        Ok(())
    }

    #[test]
    fn place_of_the_cache() -> Result<()> {
        let place = |variables: &[(&str, &str)]| {
            let mut rule = rule(&["cache_folder".as_ref()]);
            rule.env_remove("XDG_CACHE_HOME").env_remove("HOME");
            ask(rule.envs(variables.iter().copied()))
        };
        let home = ("HOME", "/home/ada");
        for (xdg, folder) in [
            ("/var/a", "/var/a/hello_rust"),
            ("", "/home/ada/.cache/hello_rust"),
            ("a", "/home/ada/.cache/hello_rust"),
            ("../a", "/home/ada/.cache/hello_rust"),
        ] {
            assert_eq!(place(&[("XDG_CACHE_HOME", xdg), home])?, Path::new(folder));
        }
        for variables in [&[][..], &[("HOME", "ada")], &[("HOME", "/home/a,b")]] {
            let error = place(variables).expect_err("an error");
            let printed = diagnostic::render(&error);
            assert!(
                printed.starts_with("the cache cannot be used: "),
                "{printed}"
            );
            assert!(printed.contains("help: set XDG_CACHE_HOME"), "{printed}");
        }
        Ok(())
    }

    /// Where it leads, old folders are not a run's.
    #[test]
    fn links_to_scratch_folders_are_not_followed() -> Result<()> {
        let place = tempfile::tempdir()?;
        let (mine, link) = (place.path().join("mine"), place.path().join("run"));
        fs::create_dir_all(mine.join("old"))?;
        File::open(mine.join("old"))?.set_modified(SystemTime::now() - 2 * ABANDONED)?;
        std::os::unix::fs::symlink(&mine, &link)?;
        let error = scratch_in(&link).map(drop).expect_err("an error");
        assert!(error.to_string().contains("has a symbolic link"), "{error}");
        assert!(mine.join("old").is_dir());
        Ok(())
    }

    /// The check value that CRC-32 is published with.
    #[test]
    fn fingerprints_do_not_change() {
        assert_eq!(fingerprint("123456789"), "cbf43926");
        assert_eq!(fingerprint(""), "00000000");
    }

    #[test]
    fn when_a_folder_was_used() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let ago = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 60 * 60);
        let hours = |folder: &Path| unused_for(folder).as_secs() / (60 * 60);

        fs::File::open(folder.path())?.set_modified(ago(3))?;
        assert_eq!(hours(folder.path()), 3);
        note_use(folder.path())?;
        let stamp = fs::File::open(folder.path().join(USED))?;
        stamp.set_modified(ago(2))?;
        assert_eq!(hours(folder.path()), 2);
        note_use(folder.path())?;
        assert_eq!(hours(folder.path()), 0);
        assert_eq!(unused_for(&folder.path().join("none")), Duration::ZERO);
        Ok(())
    }
}
