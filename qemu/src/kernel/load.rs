//! Which modules a guest loads, and in which order.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use object::{Object, ObjectSection};

use crate::exit::Exit;

/// A finished module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ko {
    /// Its name, as lsmod prints it.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The modules that it imports symbols from.
    pub depends: Vec<String>,
}

impl Ko {
    /// Its file in a guest.
    pub fn file(&self) -> String {
        format!("{}.ko", self.name)
    }

    /// Reads what modpost has noted in it.
    pub fn read(path: &Path) -> Result<Self> {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let depends = depends(&content);
        Ok(Ko {
            name: name_of(path),
            path: path.to_owned(),
            depends: depends.with_context(|| format!("not a module: {}", path.display()))?,
        })
    }
}

fn depends(module: &[u8]) -> Result<Vec<String>> {
    let notes = notes(module, "depends")?;
    let names = notes.first().context("no depends")?.split(',');
    Ok(names
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect())
}

/// What `.modinfo` has of this kind, such as `depends=a,b`, as modinfo prints it; asking that would take
/// longer than all the rest.
pub fn notes(module: &[u8], kind: &str) -> Result<Vec<String>> {
    let file = object::File::parse(module)?;
    let section = file.section_by_name(".modinfo").context("no .modinfo")?;
    let notes = String::from_utf8_lossy(section.data()?).into_owned();
    let notes = notes.split('\0').filter_map(|note| note.split_once('='));
    let notes = notes.filter(|(its_kind, _)| *its_kind == kind);
    Ok(notes.map(|(_, note)| note.to_owned()).collect())
}

/// The kernel does not distinguish the two characters in names of modules.
pub fn name_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.strip_suffix(".xz").unwrap_or(&file);
    name.strip_suffix(".ko").unwrap_or(name).replace('-', "_")
}

/// The modules that make has built in a folder, in Kbuild's order.
///
/// # Errors
///
/// Without any, and if two have the same name.
pub fn modules_in(folder: &Path) -> Result<Vec<Ko>> {
    let paths = built_in(folder);
    for (nth, path) in paths.iter().enumerate() {
        let twin = |other: &&PathBuf| name_of(other) == name_of(path);
        if let Some(other) = paths[..nth].iter().find(twin) {
            return Err(Diagnostic::new("two modules have the same name")
                .exit(Exit::Failed)
                .note(other.display().to_string())
                .note(path.display().to_string())
                .help("rename one of them: the kernel loads only one module of a name")
                .into());
        }
    }
    if paths.is_empty() {
        return Err(Diagnostic::new("the folder builds no module")
            .exit(Exit::Failed)
            .note(format!(
                "modules.order in {} is empty after make",
                folder.display()
            ))
            .help("write `obj-m := NAME.o` in its Kbuild or Makefile")
            .into());
    }
    paths.iter().map(|path| Ko::read(path)).collect()
}

/// The files in `modules.order`, which has the objects; before Linux 6.13, with their whole paths. There
/// may be others, of modules that are no longer built.
pub fn built_in(folder: &Path) -> Vec<PathBuf> {
    let order = fs::read_to_string(folder.join("modules.order")).unwrap_or_default();
    let objects = order.lines().map(|object| folder.join(object));
    objects.map(|object| object.with_extension("ko")).collect()
}

/// Lists the files NAME.ko and NAME.ko.xz below a folder.
fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            find(&path, paths)?;
        } else if name.ends_with(".ko") || name.ends_with(".ko.xz") {
            paths.push(path);
        }
    }
    Ok(())
}

/// These modules and those that they depend on, each after its dependencies.
///
/// `in_tree` finds a module of the kernel's own.
///
/// # Errors
///
/// If a dependency does not exist, and if they form a circle.
pub fn load_order(modules: &[Ko], in_tree: impl Fn(&str) -> Result<Option<Ko>>) -> Result<Vec<Ko>> {
    let mut order = Order {
        modules,
        in_tree: &in_tree,
        path: Vec::new(),
        sorted: Vec::new(),
    };
    for module in modules {
        order.add(module)?;
    }
    Ok(order.sorted)
}

struct Order<'a> {
    modules: &'a [Ko],
    in_tree: &'a dyn Fn(&str) -> Result<Option<Ko>>,
    /// From a module to the one that is added.
    path: Vec<String>,
    sorted: Vec<Ko>,
}

impl Order<'_> {
    fn add(&mut self, module: &Ko) -> Result<()> {
        if self.sorted.iter().any(|sorted| sorted.name == module.name) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|name| *name == module.name) {
            let circle = self.path[start..].iter().chain([&module.name]);
            let circle: Vec<&str> = circle.map(String::as_str).collect();
            return Err(Diagnostic::new("modules depend on each other in a circle")
                .exit(Exit::Failed)
                .note(circle.join(" -> "))
                .help("no order loads them: move what both use to a third module")
                .into());
        }
        self.path.push(module.name.clone());
        for name in &module.depends {
            let dependency = match self.modules.iter().find(|own| own.name == *name) {
                Some(own) => Some(own.clone()),
                None => (self.in_tree)(name)?,
            };
            let Some(dependency) = dependency else {
                return Err(missing(module, name).into());
            };
            self.add(&dependency)?;
        }
        self.path.pop();
        self.sorted.push(module.clone());
        Ok(())
    }
}

fn missing(module: &Ko, name: &str) -> Diagnostic {
    Diagnostic::new(format!(
        "{} depends on a module that does not exist: {name}",
        module.name
    ))
    .exit(Exit::Failed)
    .note(format!("neither M= nor the kernel has {name}.ko"))
    .help("CONFIG=FILE, with the kernel option that builds it")
}

/// The file of a module below a folder, which may be compressed.
pub fn file_in(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    let mut paths = Vec::new();
    find(folder, &mut paths)?;
    Ok(paths.into_iter().find(|path| name_of(path) == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ko(name: &str, depends: &[&str]) -> Ko {
        Ko {
            name: name.to_owned(),
            path: PathBuf::from(format!("{name}.ko")),
            depends: depends.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn order(modules: &[Ko]) -> Result<Vec<String>> {
        let in_tree = |name: &str| Ok((name == "crc16").then(|| ko("crc16", &[])));
        let order = load_order(modules, in_tree)?;
        Ok(order.into_iter().map(|module| module.name).collect())
    }

    #[test]
    fn dependencies_come_first() -> Result<()> {
        let modules = [ko("a", &["b", "crc16"]), ko("b", &["c"]), ko("c", &[])];
        assert_eq!(order(&modules)?, ["c", "b", "crc16", "a"]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_loaded() {
        let error = |modules: &[Ko]| {
            let error = order(modules).expect_err("an error");
            diagnostic::render(&error)
        };
        let circle = error(&[ko("a", &["b"]), ko("b", &["a"])]);
        assert!(circle.contains("note: a -> b -> a"), "{circle}");
        let missing = error(&[ko("a", &["ecc"])]);
        assert!(missing.contains("does not exist: ecc"), "{missing}");
    }

    #[test]
    fn what_is_built() -> Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(built_in(folder.path()).is_empty());
        let whole = folder.path().join("old.o");
        let order = format!("b.o\nsrc/a.o\n{}\n", whole.display());
        fs::write(folder.path().join("modules.order"), order)?;
        let expected = ["b.ko", "src/a.ko", "old.ko"].map(|file| folder.path().join(file));
        assert_eq!(built_in(folder.path()), expected);
        Ok(())
    }

    #[test]
    fn names() {
        assert_eq!(name_of(Path::new("/x/snd-hda.ko.xz")), "snd_hda");
        assert_eq!(name_of(Path::new("a.b.ko")), "a.b");
    }
}
