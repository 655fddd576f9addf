//! What to read: the objects of a module, found from the paths that were given.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use memmap2::Mmap;
use object::read::elf::ElfFile64;
use object::{Object, ObjectKind, ObjectSection};

use crate::debug::Debug;
use crate::elf::{self, Sort};
use crate::kbuild::Made;
use crate::maker;
use crate::model::Language;

/// An object in memory, known to be a relocatable ELF file for x86-64.
pub struct Loaded<'d> {
    /// `c_helper.o`
    pub name: String,
    /// Where it was read.
    pub path: PathBuf,
    /// All of it, mapped.
    pub data: &'d [u8],
    /// Its headers, parsed.
    pub file: ElfFile64<'d>,
    /// Its debug information, unpacked.
    pub debug: Debug<'d>,
    /// Who made it.
    pub language: Language,
}

impl<'d> Loaded<'d> {
    /// Whether it is a kernel, in which symbols have their final addresses.
    pub fn is_linked(&self) -> bool {
        self.file.kind() != ObjectKind::Relocatable
    }

    /// What a kernel has for its own use, where it has no DWARF.
    pub fn btf(&self) -> Option<&'d [u8]> {
        let is_shipped = self.is_linked() && self.file.section_by_name(".debug_info").is_none();
        let section = self.file.section_by_name(".BTF").filter(|_| is_shipped);
        section?.data().ok()
    }

    /// Of a kernel, by the configuration that lies beside it.
    pub fn was_built_by_gcc(&self) -> bool {
        let config = self.path.with_file_name("include/config/auto.conf");
        fs::read_to_string(config)
            .is_ok_and(|text| text.lines().any(|line| line == "CONFIG_CC_IS_GCC=y"))
    }
}

/// A module's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// `hello_rust`
    pub name: String,
    /// What it was linked from, in the linker's order.
    pub parts: Vec<PathBuf>,
    /// The finished module, if it is there.
    pub linked: Option<PathBuf>,
}

/// A file in memory.
pub struct Mapped {
    path: PathBuf,
    map: Mmap,
}

impl Mapped {
    /// Maps a regular file that is not empty.
    pub fn open(path: &Path) -> Result<Self> {
        let cannot = || format!("cannot read {}", path.display());
        // Asked first: to open a pipe would wait for its other end.
        let about = fs::metadata(path).with_context(cannot)?;
        if !about.is_file() {
            return Err(Diagnostic::new(format!("{} is no file", path.display()))
                .help("give a .ko, .o files, or a module's build folder")
                .into());
        }
        if about.len() == 0 {
            return Err(Diagnostic::new(format!("{} is empty", path.display()))
                .help("build the module again: a compiler was interrupted there")
                .into());
        }
        let file = File::open(path).with_context(cannot)?;
        // SAFETY: the map is only read. A build that cuts the file short meanwhile would end this
        // program by a signal, as it would any other that maps what the linker is writing.
        let map = unsafe { Mmap::map(&file) }.with_context(cannot)?;
        Ok(Mapped {
            path: path.to_owned(),
            map,
        })
    }

    /// Whether clang or rustc has left the rest to the linker (`CONFIG_LTO_CLANG`).
    pub fn is_bitcode(&self) -> bool {
        elf::is_bitcode(&self.map)
    }

    /// Why it is not read.
    pub fn as_bitcode(&self) -> String {
        format!(
            "{} is LLVM bitcode: what it defines and needs is known when it is linked\n  help: \
             build it without CONFIG_LTO_CLANG",
            file_name(&self.path)
        )
    }

    /// Reads it as an object.
    pub fn load(&self) -> Result<Loaded<'_>> {
        self.load_as(Sort::Object)
    }

    /// Reads it as a kernel's `vmlinux`.
    pub fn load_kernel(&self) -> Result<Loaded<'_>> {
        self.load_as(Sort::Kernel)
    }

    fn load_as(&self, sort: Sort) -> Result<Loaded<'_>> {
        let data: &[u8] = &self.map;
        let file = elf::parse(&self.path, data, sort)?;
        let debug = Debug::of(&file);
        Ok(Loaded {
            name: file_name(&self.path),
            path: self.path.clone(),
            data,
            language: maker::language(&file, &debug),
            file,
            debug,
        })
    }
}

/// The modules that these paths mean: each build folder's, each `.ko`'s, and one of all the `.o`s.
pub fn modules(paths: &[PathBuf]) -> Result<Vec<Module>> {
    let (mut modules, mut objects, mut linked) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            modules.extend(built_in(path)?);
            continue;
        }
        match extension(path) {
            "mod" => modules.push(listed(path)?),
            "ko" => linked.push(path.clone()),
            _ => objects.extend(linked_from(path).unwrap_or_else(|| vec![path.clone()])),
        }
    }
    let mut seen = HashSet::new();
    objects.retain(|object| seen.insert(object.clone()));
    if objects.is_empty() {
        for ko in linked {
            modules.push(around(&ko)?);
        }
    } else if linked.len() > 1 {
        return Err(
            Diagnostic::new("which of the modules do the objects belong to?")
                .note(format!("{} .ko files beside .o files", linked.len()))
                .help("give one .ko with its .o files, or each .ko alone")
                .into(),
        );
    } else {
        modules.push(of_objects(objects, linked.pop()));
    }

    let mut seen = HashSet::new();
    modules.retain(|module| seen.insert((module.linked.clone(), module.parts.clone())));
    Ok(modules)
}

/// What Kbuild has linked an object from, if all of it is there.
fn linked_from(object: &Path) -> Option<Vec<PathBuf>> {
    let parts = Made::of(object)?.linked_from();
    (!parts.is_empty() && parts.iter().all(|part| part.is_file())).then_some(parts)
}

/// All modules of a build folder, by the `NAME.mod` files that Kbuild leaves there.
fn built_in(folder: &Path) -> Result<Vec<Module>> {
    let mut lists = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let path = entry
            .with_context(|| format!("cannot read {}", folder.display()))?
            .path();
        if extension(&path) == "mod" && path.is_file() {
            lists.push(path);
        }
    }
    if lists.is_empty() {
        return Err(
            Diagnostic::new(format!("no module was built in {}", folder.display()))
                .note("no NAME.mod there, which Kbuild makes for each module")
                .help("build it first, or give its .o files")
                .into(),
        );
    }
    lists.sort();
    lists.iter().map(|list| listed(list)).collect()
}

/// The module of a `NAME.mod`: a part a line. Kernels before 5.17 put all parts on the first.
fn listed(list: &Path) -> Result<Module> {
    let text =
        fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let mut parts = Vec::new();
    for word in text.split_whitespace() {
        let part = beside(folder, Path::new(word));
        if seen.insert(part.clone()) {
            parts.push(part);
        }
    }
    if let Some(missing) = parts.iter().find(|part| !part.is_file()) {
        return Err(Diagnostic::new(format!("{} is missing", missing.display()))
            .note(format!("{} lists it", list.display()))
            .help("build the module again")
            .into());
    }
    if parts.is_empty() {
        return Err(
            Diagnostic::new(format!("{} lists no objects", list.display()))
                .help("build the module again, or give its .o files")
                .into(),
        );
    }
    let ko = list.with_extension("ko");
    Ok(Module {
        name: stem(list),
        parts,
        linked: ko.is_file().then_some(ko),
    })
}

/// A file as Kbuild's lists name it: absolute, or relative to some folder above the module's. The list
/// may have been moved together with the files, so those beside it are the ones that it means.
pub fn beside(folder: &Path, listed: &Path) -> PathBuf {
    let names: Vec<Component<'_>> = listed
        .components()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .collect();
    (0..names.len())
        .map(|skipped| folder.join(names.iter().skip(skipped).collect::<PathBuf>()))
        .find(|path| path.is_file())
        .unwrap_or_else(|| listed.to_owned())
}

/// The module of a `.ko`, with its parts if Kbuild's list of them is still there.
fn around(ko: &Path) -> Result<Module> {
    let list = ko.with_extension("mod");
    if list.is_file() {
        return listed(&list);
    }
    Ok(Module {
        name: stem(ko),
        parts: vec![ko.to_owned()],
        linked: Some(ko.to_owned()),
    })
}

/// A module of objects, named by what was linked of them, or by the first.
fn of_objects(parts: Vec<PathBuf>, linked: Option<PathBuf>) -> Module {
    let named = linked.as_ref().or(parts.first());
    Module {
        name: named.map(|path| stem(path)).unwrap_or_default(),
        parts,
        linked,
    }
}

fn extension(path: &Path) -> &str {
    path.extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
