//! The `.NAME.o.cmd` file in which Kbuild records how it built an object; see `scripts/basic/fixdep.c`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::paths::{beside, file_name};

/// The .cmd file of an object.
#[derive(Debug)]
pub struct CmdFile {
    object: PathBuf,
    text: String,
}

impl CmdFile {
    /// Reads it; `None` if there is none beside the object.
    pub fn of(object: &Path) -> Option<Self> {
        Some(CmdFile {
            object: object.to_owned(),
            text: fs::read_to_string(cmd_file(object)).ok()?,
        })
    }

    /// The source file; without its directory if that is the object's.
    pub fn source(&self) -> Option<String> {
        let source = self.listed_source()?;
        let name = file_name(Path::new(source));
        if source.starts_with('/') && self.object.with_file_name(&name).is_file() {
            Some(name)
        } else {
            Some(source.to_owned())
        }
    }

    /// The path of the source, if it exists.
    pub fn source_file(&self) -> Option<PathBuf> {
        Some(self.find(self.listed_source()?)).filter(|path| path.is_file())
    }

    /// The source and all its dependencies that still exist.
    pub fn files(&self) -> Vec<PathBuf> {
        let all = self.listed_source().into_iter().chain(self.dependencies());
        all.map(|path| self.find(path))
            .filter(|path| path.is_file())
            .collect()
    }

    /// The first of them that is newer than the object.
    pub fn changed_since(&self) -> Option<PathBuf> {
        let built = modified(&self.object)?;
        let mut files = self.files().into_iter().chain(self.options());
        files.find(|file| modified(file).is_some_and(|time| time > built))
    }

    /// The words of the command line, including shell operators; `None` if it cannot be split.
    pub fn command(&self) -> Option<Vec<String>> {
        let line = self
            .text
            .lines()
            .find(|line| line.starts_with("savedcmd_"))?;
        let (_, command) = line.split_once(" := ")?;
        // Escaped for make by `make-cmd` in scripts/Kbuild.include.
        let command = command.replace("$(pound)", "#").replace("$$", "$");
        shlex::split(&command)
    }

    /// The objects that it was linked from.
    pub fn linked_from(&self) -> Vec<PathBuf> {
        if self.listed_source().is_some() {
            return Vec::new();
        }
        let words = self.command().unwrap_or_default();
        let words: Vec<&str> = words.iter().map(|it| it.trim_end_matches(';')).collect();
        // A fused module is compiled to an object of its own first.
        let is_output = |word: &str| words.windows(2).any(|pair| pair == ["-o", word]);
        let objects = words
            .iter()
            .filter(|word| word.ends_with(".o") && !is_output(word));
        let is_built = |object: &PathBuf| object.is_file() || cmd_file(object).is_file();
        objects
            .map(|word| self.find(word))
            .filter(|object| is_built(object) && *object != self.object)
            .collect()
    }

    /// The directory in which the compiler ran: the recorded one, or the one that makes the relative path
    /// of the source valid.
    pub fn folder(&self, recorded: Option<&str>) -> PathBuf {
        let recorded = recorded
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute());
        if let Some(folder) = recorded.filter(|folder| folder.is_dir()) {
            return folder;
        }
        let folder = self.absolute_folder();
        let source = self.listed_source().unwrap_or_default();
        let above = folder
            .ancestors()
            .find(|above| above.join(source).is_file());
        above.unwrap_or(&folder).to_owned()
    }

    /// The `vmlinux` of the kernel for which a Rust object was built, if it exists.
    pub fn kernel(&self, folder: &Path) -> Option<PathBuf> {
        let words = self.command()?;
        let objtree = words.iter().find_map(|word| word.strip_prefix("OBJTREE="));
        let libraries = || {
            let mut paths = words.iter().skip_while(|word| *word != "-L").skip(1);
            paths.next()?.trim_end_matches('/').strip_suffix("/rust")
        };
        let built = folder.join(objtree.or_else(libraries)?);
        Some(built.join("vmlinux")).filter(|file| file.is_file())
    }

    fn absolute_folder(&self) -> PathBuf {
        // The path of the object may have no directory.
        let folder = self.object.parent().unwrap_or(Path::new(""));
        Path::new(".")
            .join(folder)
            .canonicalize()
            .unwrap_or_default()
    }

    fn listed_source(&self) -> Option<&str> {
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix("source_")?.split_once(" := "))
            .map(|(_, source)| source.trim())
            .find(|source| !source.is_empty())
    }

    /// The files `include/config/X` that kconfig touches when an option changes which the sources use.
    fn options(&self) -> Vec<PathBuf> {
        let words = self.command().unwrap_or_default();
        let built = words.iter().find_map(|word| {
            let (built, _) = word.strip_prefix("-I/")?.split_once("/arch/")?;
            word.ends_with("/include/generated")
                .then(|| Path::new("/").join(built))
        });
        let options = self.dependencies().filter_map(|line| {
            let option = line.strip_prefix("$(wildcard ")?.strip_suffix(')')?;
            // Kbuild runs in the kernel's directory, or in the module's.
            Some(match &built {
                Some(built) => built.join(option),
                None => self.find(option),
            })
        });
        options.collect()
    }

    /// The dependencies: `deps_NAME.o`, one path per line.
    fn dependencies(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .skip_while(|line| !line.starts_with("deps_"))
            .skip(1)
            .map_while(|line| line.trim().strip_suffix('\\'))
            .map(str::trim)
    }

    /// Relative paths start where Kbuild ran: in the module's directory, or a parent of it.
    fn find(&self, listed: &str) -> PathBuf {
        let folder = self.object.parent().unwrap_or(Path::new(""));
        let found = beside(folder, Path::new(listed));
        if found.is_file() {
            return found;
        }
        let folder = self.absolute_folder();
        let mut above = folder.ancestors().map(|above| above.join(listed));
        above.find(|path| path.is_file()).unwrap_or(found)
    }
}

fn cmd_file(object: &Path) -> PathBuf {
    object.with_file_name(format!(".{}.cmd", file_name(object)))
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_fixdep_writes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["m.rs", "a_h.rs"] {
            fs::write(path(name), "").expect("written");
        }
        let note = "savedcmd_m.o := A=1 rustc --cfg 'feature=\"x\"' -DN=$(pound)$$ m.rs\n\n\
                    source_m.o := /moved/away/m.rs\n\ndeps_m.o := \\\n  a_h.rs \\\n  gone.rs \\\n\
                    \nm.o: $(deps_m.o)\n";
        fs::write(path(".m.o.cmd"), note).expect("written");
        let cmd = CmdFile::of(&path("m.o")).expect("a note");
        assert_eq!(cmd.source().as_deref(), Some("m.rs"));
        assert_eq!(cmd.files(), [path("m.rs"), path("a_h.rs")]);
        let words = ["A=1", "rustc", "--cfg", "feature=\"x\"", "-DN=#$", "m.rs"];
        assert_eq!(cmd.command().expect("words"), words);
        assert!(CmdFile::of(&path("other.o")).is_none());
    }

    /// A changed kernel option counts as a changed source.
    #[test]
    fn sources_newer_than_the_object() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let kernel = path("kernel");
        fs::create_dir_all(kernel.join("include/config")).expect("made");
        let option = kernel.join("include/config/ACL");
        for file in [&option, &path("m.c"), &path("m.o")] {
            fs::write(file, "").expect("written");
        }
        let note = format!(
            "savedcmd_m.o := cc -I{}/arch/x86/include/generated -c m.c\n\nsource_m.o := m.c\n\n\
             deps_m.o := \\\n    $(wildcard include/config/ACL) \\\n\n",
            kernel.display()
        );
        fs::write(path(".m.o.cmd"), note).expect("written");
        let cmd = CmdFile::of(&path("m.o")).expect("a note");
        let later = |file: &Path, seconds| {
            let time = SystemTime::now() + std::time::Duration::from_secs(seconds);
            let file = fs::File::options().append(true).open(file);
            file.and_then(|file| file.set_modified(time)).expect("set");
        };
        later(&path("m.o"), 10);
        assert_eq!(cmd.changed_since(), None);
        later(&option, 20);
        assert_eq!(cmd.changed_since(), Some(option));
    }
}
