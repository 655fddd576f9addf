//! `make watch`: `make run`, again whenever a source changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache::Cache;
use host::project::project;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::run::run;
use crate::kernel::copy::{find_in, Found};
use crate::kernel::sources::{Files, Sources};
use crate::options::Settings;

/// A change is complete when this long nothing has followed: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(50);

/// `make watch`: runs, waits for a change, and runs again. Whatever is wrong with the module is
/// printed; it can be fixed.
///
/// # Errors
///
/// When there is nothing to watch, or not any more.
pub fn watch(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref()).fused(settings.fused);
    let place = match sources.files {
        Files::Folder(folder) => folder.to_owned(),
        Files::Listed(_) => project(),
    };
    let cache = Cache::open()?;
    let look = || State::of(settings, &sources, cache.dir());
    let (sender, changes) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // Each run reads the files itself. Without a receiver, the lab ends.
        if !matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_))) {
            let _ = sender.send(Instant::now());
        }
    })
    .context("cannot watch files")?;

    let mut changed = None;
    loop {
        let seen = look();
        seen.watch(&mut watcher)?;
        let outcome = run(settings);
        match (&outcome, changed) {
            (Err(error), _) => eprintln!("lab: error: {}", diagnostic::render(error)),
            (Ok(()), Some(changed)) => tell_time(changed),
            (Ok(()), None) => {}
        }
        if !place.is_dir() {
            return outcome;
        }
        eprintln!(
            "lab: watching {} files of {}, until Ctrl-C",
            seen.files.len(),
            place.display()
        );
        changed = Some(wait(&changes, || {
            let now = look();
            now.watch(&mut watcher)?;
            Ok(seen.differs_from(&now, &place))
        })?);
    }
}

/// How long the change took.
fn tell_time(changed: Instant) {
    let took = changed.elapsed().as_secs_f64();
    eprintln!("lab: {took:.1} s from the change to dmesg");
}

/// Waits until the sources differ from those that were run, and are complete; when the last of them
/// changed. If they changed during the run, that is at once.
fn wait(
    changes: &Receiver<Instant>,
    mut differing: impl FnMut() -> Result<Vec<String>>,
) -> Result<Instant> {
    let mut last = Instant::now();
    loop {
        while let Ok(at) = changes.recv_timeout(QUIET) {
            last = at;
        }
        let names = differing()?;
        if !names.is_empty() {
            eprintln!("lab: changed: {}", names.join(", "));
            return Ok(last);
        }
        last = changes.recv().context("files are no longer watched")?;
    }
}

/// The watched files, and the folders in which they change: an editor may replace a file by another one.
struct State {
    files: BTreeMap<PathBuf, (SystemTime, u64)>,
    folders: BTreeSet<PathBuf>,
}

impl State {
    /// As they are now. What cannot be read is missing; a run says why.
    fn of(settings: &Settings, sources: &Sources, cache: &Path) -> Self {
        let mut found = sources.find(cache).unwrap_or_default();
        let run = settings.run.as_ref().map(PathBuf::from);
        let others = run.into_iter().chain(settings.config.clone());
        for path in others.chain(settings.guest_files()) {
            let path = std::path::absolute(&path).unwrap_or(path);
            if path.is_dir() {
                let Found { files, folders } = find_in(&path, cache).unwrap_or_default();
                found.files.extend(files.iter().map(|file| path.join(file)));
                found
                    .folders
                    .extend(folders.iter().map(|folder| path.join(folder)));
            } else if path.is_file() {
                found.folders.extend(path.parent().map(Path::to_owned));
                found.files.insert(path);
            }
        }
        let files = found.files.into_iter().filter(|file| !is_of_editor(file));
        let files = files.filter_map(|file| {
            let about = fs::metadata(&file).ok()?;
            Some((file, (about.modified().ok()?, about.len())))
        });
        State {
            files: files.collect(),
            folders: found.folders,
        }
    }

    fn watch(&self, watcher: &mut RecommendedWatcher) -> Result<()> {
        for folder in &self.folders {
            let watched = watcher.watch(folder, RecursiveMode::NonRecursive);
            if let (Err(error), true) = (watched, folder.is_dir()) {
                return Err(Diagnostic::new("cannot watch a folder")
                    .note(format!("{}: {error}", folder.display()))
                    .help("sudo sysctl fs.inotify.max_user_watches=524288")
                    .into());
            }
        }
        Ok(())
    }

    /// The files that are new, changed or gone, below the folder.
    fn differs_from(&self, other: &State, folder: &Path) -> Vec<String> {
        let all: BTreeSet<&PathBuf> = self.files.keys().chain(other.files.keys()).collect();
        let changed = |file: &&&PathBuf| self.files.get(**file) != other.files.get(**file);
        let name = |file: &PathBuf| {
            file.strip_prefix(folder)
                .unwrap_or(file)
                .display()
                .to_string()
        };
        all.iter().filter(changed).map(|file| name(file)).collect()
    }
}

/// Backups, and what is not saved yet, of vi and Emacs.
fn is_of_editor(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(['.', '#']) || name.ends_with('~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_editors() {
        for (name, is) in [
            ("a/.b.c.swp", true),
            ("a/b.c~", true),
            ("a/#b.c#", true),
            (".git/b.c", false),
            ("a~/b.c", false),
        ] {
            assert_eq!(is_of_editor(Path::new(name)), is, "{name}");
        }
    }

    #[test]
    fn a_change_during_the_run_is_found_at_once() -> Result<()> {
        let (_sender, changes) = mpsc::channel();
        let before = Instant::now();
        let last = wait(&changes, || Ok(vec!["a".to_owned()]))?;
        assert!(last >= before);
        Ok(())
    }

    #[test]
    fn what_has_changed_counts_not_that_something_has() -> Result<()> {
        let (sender, changes) = mpsc::channel();
        let [first, second] = [Instant::now(), Instant::now() + QUIET];
        sender.send(first)?;
        sender.send(second)?;
        let mut looks = [vec![], vec!["a".to_owned()]].into_iter();
        let look = || {
            sender.send(second)?;
            looks.next().context("too many looks")
        };
        assert_eq!(wait(&changes, look)?, second);
        Ok(())
    }
}
