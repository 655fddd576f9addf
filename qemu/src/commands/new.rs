//! `make new`: a folder with a module of the user's own, made from `tools/new/`.

mod name;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache::{self, Cache};
use host::project::project;

use crate::kernel::copy::copy;
use name::Name;

/// What a new module does.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A character device: open, read, write, ioctl, and a test in user space.
    Misc,
    /// A function of each half, which the other one calls.
    Minimal,
}

impl Kind {
    /// Its folder in `tools/new/`.
    fn folder(self) -> &'static str {
        match self {
            Kind::Misc => "misc",
            Kind::Minimal => "minimal",
        }
    }

    fn about(self, name: &Name) -> String {
        match self {
            Kind::Misc => format!("the character device /dev/{name}"),
            Kind::Minimal => "a function of each half".to_owned(),
        }
    }
}

/// The folder in `tools/new/` with what all kinds have. Of a file that a kind has, too, its text comes
/// after the kind's.
const COMMON: &str = "common";

/// What the new folder has of this project as it is: all that a build needs.
const AS_IT_IS: &[&str] = &["border", "LICENSE"];

/// What the Makefile of the new module has in the place of the lab's folder.
const LAB: &str = "@HELLO_RUST@";

/// `make new NAME=…`: makes the folder, and says what to do next.
///
/// # Errors
///
/// When the name or the folder cannot be that of a module, and when the folder exists.
pub fn new(name: Option<&str>, folder: Option<&Path>, kind: Kind) -> Result<()> {
    let name = Name::new(name.unwrap_or_default(), &Cache::open()?)?;
    let place = Place::new(folder, &name)?;
    place.fill(&name, kind)?;
    let folder = place.folder.display();
    println!(
        "{folder} has the module {name}: {}\n\
         \n\
         \x20 cd {folder}\n\
         \x20 make run       build it, boot a kernel, load and unload it, print dmesg\n\
         \x20 make test      test it, on this kernel or with KERNEL=6.12, CC=gcc\n\
         \n\
         {name}.rs is the Rust half; README.md says what the other files are.",
        kind.about(&name)
    );
    Ok(())
}

/// Where the new folder will be.
struct Place {
    /// The folder, which does not exist, in one that does.
    folder: PathBuf,
    parent: PathBuf,
}

impl Place {
    fn new(folder: Option<&Path>, name: &Name) -> Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => project().join("..").join(name.to_string()),
        };
        let refused = |what: &str, help: &str| {
            let note = format!("DIR={}", folder.display());
            Diagnostic::new(what).note(note).help(help)
        };
        let another = format!("make new NAME={name} DIR=/path/to/another/folder");
        if folder.symlink_metadata().is_ok() {
            return Err(refused("the folder of the new module exists", &another).into());
        }
        let parent = match folder.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => Path::new("/"),
        };
        let (Ok(parent), Some(last)) = (parent.canonicalize(), folder.file_name()) else {
            let help = format!("mkdir -p {}", parent.display());
            return Err(refused("the new module's parent folder does not exist", &help).into());
        };
        let real = parent.join(last);
        if let Some(cause) = cache::odd_in_module(&real)? {
            let what = format!("the path of the new module has {cause}, which Kbuild rejects");
            return Err(refused(&what, &another).into());
        }
        Ok(Place {
            folder: real,
            parent,
        })
    }

    /// Makes the folder complete under another name first, so that it is never seen half made.
    fn fill(&self, name: &Name, kind: Kind) -> Result<()> {
        let refused = |error: std::io::Error| {
            Diagnostic::new("the folder of the new module cannot be made")
                .note(format!("{}: {error}", self.parent.display()))
                .help(format!(
                    "make new NAME={name} DIR=/a/writable/folder/{name}"
                ))
        };
        let hidden = format!(".{name}.");
        let draft = tempfile::Builder::new()
            .prefix(&hidden)
            .tempdir_in(&self.parent);
        let draft = draft.map_err(refused)?;
        let new = draft.path().join("new");
        let lab = self.lab()?;
        for part in [kind.folder(), COMMON] {
            let from = project().join("tools/new").join(part);
            instantiate(&from, &new, &|text| {
                name.replace_in(text).replace(LAB, &lab)
            })?;
        }
        for file in AS_IT_IS {
            copy(&project().join(file), &new.join(file))?;
        }
        // An empty folder that has appeared meanwhile is replaced, anything else is not.
        fs::rename(&new, &self.folder).map_err(refused)?;
        Ok(())
    }

    /// The path of this project for the Makefile of the new module: a neighbour can move with it.
    fn lab(&self) -> Result<String> {
        let project = project().canonicalize().context("the project is gone")?;
        let lab = match (project.parent(), project.file_name()) {
            (Some(parent), Some(name)) if parent == self.parent => Path::new("..").join(name),
            _ => project,
        };
        let lab = lab.to_string_lossy();
        Ok(lab.replace('$', "$$").replace('#', "\\#"))
    }
}

/// Copies the files below a folder, with their names and texts changed.
fn instantiate(from: &Path, to: &Path, changed: &dyn Fn(&str) -> String) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let to = to.join(changed(&name.to_string_lossy()));
        if path.is_dir() {
            instantiate(&path, &to, changed)?;
        } else {
            write(&path, &to, changed).with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    Ok(())
}

fn write(from: &Path, to: &Path, changed: &dyn Fn(&str) -> String) -> Result<()> {
    let text = changed(&fs::read_to_string(from)?);
    let mut file = fs::File::options().append(true).create(true).open(to)?;
    file.write_all(text.as_bytes())?;
    if fs::metadata(from)?.permissions().mode() & 0o100 != 0 {
        // Those who may read it may run it.
        let mode = file.metadata()?.permissions().mode();
        file.set_permissions(fs::Permissions::from_mode(mode | ((mode & 0o444) >> 2)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lab_is_found_where_it_is() -> Result<()> {
        let project = project().canonicalize()?;
        let beside = project.parent().context("no parent")?.to_owned();
        let lab = |parent: &Path| {
            let (parent, folder) = (parent.to_owned(), parent.join("foo"));
            Place { folder, parent }.lab()
        };
        let name = project.file_name().context("no name")?.to_string_lossy();
        assert_eq!(lab(&beside)?, format!("../{name}"));
        assert_eq!(lab(Path::new("/elsewhere"))?, project.display().to_string());
        Ok(())
    }

    #[test]
    fn a_common_file_continues_that_of_the_kind() -> Result<()> {
        let place = tempfile::tempdir()?;
        let [kind, common, to] = ["kind", "common", "to"].map(|name| place.path().join(name));
        for (folder, name, text) in [
            (&kind, "mymod.c", "mymod\n"),
            (&kind, "README.md", "one\n"),
            (&common, "README.md", "two\n"),
        ] {
            fs::create_dir_all(folder)?;
            fs::write(folder.join(name), text)?;
        }
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(kind.join("mymod.c"), executable)?;
        for from in [kind, common] {
            instantiate(&from, &to, &|text| text.replace("mymod", "fan"))?;
        }
        assert_eq!(fs::read_to_string(to.join("README.md"))?, "one\ntwo\n");
        assert_eq!(fs::read_to_string(to.join("fan.c"))?, "fan\n");
        let mode =
            |name: &str| Ok::<_, std::io::Error>(fs::metadata(to.join(name))?.permissions().mode());
        assert!(mode("fan.c")? & 0o100 != 0 && mode("README.md")? & 0o100 == 0);
        Ok(())
    }
}
