//! Which names a module can have.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use diagnostic::Diagnostic;
use host::cache::Cache;

use crate::kernel::load::file_in;

/// `MODULE_NAME_LEN` of include/linux/moduleparam.h on 64 bits, without the NUL.
const LONGEST: usize = 64 - size_of::<u64>() - 1;

/// Strict and reserved keywords, see the Rust reference.
const KEYWORDS: &str =
    "as async await break const continue crate dyn else enum extern false fn for if \
    impl in let loop match mod move mut pub ref return self static struct super trait true type \
    unsafe use where while abstract become box do final gen macro override priv try typeof \
    unsized virtual yield";

/// The crates that a module is built from, and the compiler's own.
const CRATES: &str = "alloc bindings border build_error compiler_builtins core ffi kernel macros \
    pin_init pin_init_internal proc_macro proc_macro2 quote std syn test uapi zerocopy";

/// What Kbuild takes from variables such as `obj-y`, see Documentation/kbuild/makefiles.rst.
const KBUILD: &str =
    "always asflags ccflags cppflags dtb dtbo extra hostprogs ldflags lib obj rustflags \
    subdir userprogs";

/// Words, and what they are.
const RESERVED: &[(&str, &str)] = &[
    (KEYWORDS, "a keyword of Rust"),
    (CRATES, "the name of a crate that modules are built with"),
    (KBUILD, "a word of Kbuild, such as obj in obj-y"),
    (
        "this",
        "no name here: ThisModule is a type of the kernel crate",
    ),
];

/// The name of a new module. In the templates, another one is in its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// # Errors
    ///
    /// When a module cannot have this name, and when a kernel that is at hand has one of this name.
    pub fn new(name: &str, cache: &Cache) -> Result<Self> {
        let help = "make new NAME=my_module";
        if let Some(what) = fault(name) {
            return Err(Diagnostic::new(what)
                .note(format!("NAME={name}"))
                .help(help)
                .into());
        }
        let kernels = [cache.folders("kernel"), cache.folders("stock")];
        let own = fs::read_dir("/lib/modules").into_iter().flatten().flatten();
        let folders = kernels.into_iter().flatten().map(|(_, folder)| folder);
        for folder in folders.chain(own.map(|entry| entry.path())) {
            if let Some(module) = module_in(&folder, name)? {
                return Err(
                    Diagnostic::new(format!("a kernel has a module {name} of its own"))
                        .note(format!("{}: {module}", folder.display()))
                        .help(help)
                        .into(),
                );
            }
        }
        Ok(Name(name.to_owned()))
    }

    /// As the name of a type.
    fn camel(&self) -> String {
        let words = self.0.split('_').map(|word| {
            let mut characters = word.chars();
            let first = characters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(characters).collect::<String>()
        });
        words.collect()
    }

    /// Puts it into the text of a template.
    pub fn replace_in(&self, text: &str) -> String {
        text.replace("MYMOD", &self.0.to_ascii_uppercase())
            .replace("Mymod", &self.camel())
            .replace("mymod", &self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a name, if anything.
fn fault(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty() {
        return Some("the new module needs a name".to_owned());
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Some(format!(
            "`{name}` cannot be the name of a module: it takes small letters, digits and _, and \
             starts with a letter"
        ));
    }
    if name.len() > LONGEST {
        return Some(format!(
            "the name has {} characters; the kernel allows {LONGEST}",
            name.len()
        ));
    }
    if name.ends_with("_h") {
        return Some(format!(
            "`{name}` cannot be the name of a module: {name}.rs would be the bindings of a header"
        ));
    }
    let reserved = RESERVED
        .iter()
        .find(|(words, _)| words.split_whitespace().any(|word| word == name));
    reserved.map(|(_, what)| format!("`{name}` is {what}"))
}

/// The path of a module of this name in a kernel's folder: as its lists have it, or as a file.
fn module_in(folder: &Path, name: &str) -> Result<Option<String>> {
    let is_it = |line: &&str| {
        let stem = Path::new(line).file_stem().unwrap_or_default();
        stem.to_string_lossy().replace('-', "_") == name
    };
    for list in ["modules.builtin", "modules.order"] {
        let text = fs::read_to_string(folder.join(list)).unwrap_or_default();
        if let Some(line) = text.lines().find(is_it) {
            return Ok(Some(line.to_owned()));
        }
    }
    // Of a stock kernel, the lab unpacks only the files.
    let unpacked = folder.join("modules");
    if !unpacked.is_dir() {
        return Ok(None);
    }
    let file = file_in(&unpacked, name)?;
    let below = |file: PathBuf| file.strip_prefix(folder).unwrap_or(&file).to_owned();
    Ok(file.map(|file| below(file).display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().join("cache"))?;
        for (folder, list, line) in [
            (
                "kernel/7.3",
                "modules.builtin",
                "kernel/drivers/tty/my-tty.ko",
            ),
            ("kernel/7.3", "modules.order", "fs/my_fs.o"),
            ("stock/1", "modules/usr/lib/my-stock.ko.xz", ""),
        ] {
            let list = cache.place_for(&format!("{folder}/{list}"))?;
            fs::write(list, line)?;
        }
        let long = "a".repeat(LONGEST + 1);
        for (name, what) in [
            ("", "needs a name"),
            ("my-module", "`my-module` cannot be the name"),
            ("My_module", "small letters"),
            ("7up", "starts with a letter"),
            ("_a", "starts with a letter"),
            ("grün", "small letters"),
            ("a b", "small letters"),
            ("../a", "small letters"),
            (&long, "56 characters; the kernel allows 55"),
            ("match", "`match` is a keyword of Rust"),
            ("gen", "a keyword of Rust"),
            ("kernel", "the name of a crate"),
            ("this", "ThisModule"),
            ("lib", "a word of Kbuild"),
            ("my_h", "my_h.rs would be the bindings"),
            ("my_tty", "kernel/drivers/tty/my-tty.ko"),
            ("my_fs", "kernel/7.3: fs/my_fs.o"),
            ("my_stock", "stock/1: modules/usr/lib/my-stock.ko.xz"),
        ] {
            let error = Name::new(name, &cache).expect_err(name);
            let printed = diagnostic::render(&error);
            assert!(printed.contains(what), "{name}: {printed}");
            assert!(printed.contains("help: make new NAME="), "{printed}");
        }
        for name in ["a", "my_module2", "a__b_", &"a".repeat(LONGEST)] {
            assert_eq!(Name::new(name, &cache)?.to_string(), name);
        }
        Ok(())
    }

    #[test]
    fn in_a_template() {
        let text = "MYMOD_H mymod_test.c MymodModule mymod";
        for (name, expected) in [
            ("pad", "PAD_H pad_test.c PadModule pad"),
            ("my_pad2", "MY_PAD2_H my_pad2_test.c MyPad2Module my_pad2"),
            ("mymod_2", "MYMOD_2_H mymod_2_test.c Mymod2Module mymod_2"),
        ] {
            assert_eq!(Name(name.to_owned()).replace_in(text), expected);
        }
    }
}
