//! What to do about a module that does not build for a kernel: options that the kernel lacks, and
//! parts of the Rust API that have moved.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::host::toolchain::Toolchain;
use crate::kernel::source::Source;

/// What a compiler prints, and what to write instead.
const MOVED: &[(&str, &str)] = &[
    // rust/macros/module.rs
    (
        r#"[Uu]nknown key "author"\."#,
        r#"write authors: ["…"] in module!: author: is gone since Linux 6.17"#,
    ),
    (
        r#"[Uu]nknown key "authors"\."#,
        r#"write author: "…" in module!: authors: exists since Linux 6.15"#,
    ),
];

/// In 6.12, modpost prints the name in double quotes, and the module after it.
static UNDEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)modpost: (?:"(\w+)" \[|.*: symbol '(\w+)' )"#).expect("a valid pattern")
});

/// How rustc shows what an item depends on.
static GATED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"#\[cfg\((CONFIG_\w+)\)\]").expect("a valid pattern"));

/// The help for a build that printed this, if there is any.
pub fn help(
    printed: &str,
    toolchain: &Toolchain,
    source: &Source,
    is_stock: bool,
) -> Option<String> {
    let moved = MOVED
        .iter()
        .filter(|(pattern, _)| Regex::new(pattern).is_ok_and(|it| it.is_match(printed)))
        .map(|(_, help)| (*help).to_owned());
    let mut options: BTreeSet<String> = GATED
        .captures_iter(printed)
        .map(|found| found[1].to_owned())
        .collect();
    for file in exporters(&undefined(printed), toolchain, source) {
        options.extend(option_of(&source.dir, &file));
    }
    let lines: Vec<String> = options.iter().map(|name| format!("{name}=y")).collect();
    let lacking = (!lines.is_empty()).then(|| {
        let lines = lines.join(" ");
        if is_stock {
            format!("use a kernel with the options {lines}: this one lacks them")
        } else {
            format!(
                "CONFIG=FILE, with the kernel options {lines}, or with those that select them; \
                 or KERNEL=stock, which may have them"
            )
        }
    });
    let help: Vec<String> = moved.chain(lacking).collect();
    (!help.is_empty()).then(|| help.join("; then "))
}

fn undefined(printed: &str) -> Vec<&str> {
    let names = UNDEFINED.captures_iter(printed);
    let names = names.filter_map(|found| found.get(1).or(found.get(2)));
    names.map(|name| name.as_str()).collect()
}

/// The files below the kernel's source that export these symbols.
fn exporters(names: &[&str], toolchain: &Toolchain, source: &Source) -> Vec<PathBuf> {
    if names.is_empty() {
        return Vec::new();
    }
    let pattern = format!(r"EXPORT_SYMBOL[A-Z_]*\(({})[,)]", names.join("|"));
    let found = toolchain
        .command_in(&source.dir, &[&source.dir], "grep")
        .args(["-rlE", "--include=*.c", &pattern, "."])
        .output();
    let text = found.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text);
    let other = |file: &&str| file.starts_with("./arch/") && !file.starts_with("./arch/x86/");
    let files = text.lines().filter(|file| !other(file));
    files.map(PathBuf::from).collect()
}

/// The option that a file of the kernel is built by, from the Makefiles of its folder and of those
/// above it.
fn option_of(source: &Path, file: &Path) -> Option<String> {
    let mut folder = file.parent()?.to_owned();
    let mut goal = format!("{}.o", file.file_stem()?.to_string_lossy());
    loop {
        let makefile = fs::read_to_string(source.join(&folder).join("Makefile"))
            .unwrap_or_default()
            .replace("\\\n", " ");
        // A file may be a part of an object, or of a part.
        for _ in 0..3 {
            match list_with(&makefile, &goal) {
                Some(List::Option(option)) => return Some(option),
                Some(List::PartOf(object)) => goal = object,
                None => break,
            }
        }
        goal = format!("{}/", folder.file_name()?.to_string_lossy());
        folder = folder.parent()?.to_owned();
    }
}

/// What a list of objects in a Makefile is for.
#[derive(Debug, PartialEq, Eq)]
enum List {
    /// `obj-$(CONFIG_ECC)`, `ima-$(CONFIG_X)`
    Option(String),
    /// `ima-y`, `ima-objs`
    PartOf(String),
}

fn list_with(makefile: &str, goal: &str) -> Option<List> {
    makefile.lines().find_map(|line| {
        let (name, objects) = line.split_once('=')?;
        objects.split_whitespace().find(|object| *object == goal)?;
        let name = name.trim_end_matches([':', '+', ' ', '\t']).trim();
        if let Some((_, option)) = name.split_once("-$(") {
            return Some(List::Option(option.trim_end_matches(')').to_owned()));
        }
        let (object, kind) = name.rsplit_once('-')?;
        (object != "obj" && ["y", "objs"].contains(&kind))
            .then(|| List::PartOf(format!("{object}.o")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undefined_symbols() {
        assert_eq!(
            undefined(
                "ERROR: modpost: a.ko: symbol 'ecc_get_curve' undefined!\n\
                 ERROR: modpost: \"sha256\" [/m/a.ko] undefined!\n\
                 WARNING: modpost: suppressed 4 unresolved symbol warnings\n"
            ),
            ["ecc_get_curve", "sha256"]
        );
    }

    #[test]
    fn options_of_files() -> anyhow::Result<()> {
        let place = tempfile::tempdir()?;
        let write = |name: &str, text: &str| {
            let file = place.path().join(name);
            fs::create_dir_all(file.with_file_name(""))?;
            fs::write(file, text)
        };
        write("crypto/Makefile", "obj-$(CONFIG_CRYPTO_ECC) += ecc.o\n")?;
        write(
            "ima/Makefile",
            "obj-$(CONFIG_IMA) += ima.o\nima-y := ima_fs.o \\\n\tima_main.o\nima-$(CONFIG_IMA_X) += x.o\n",
        )?;
        write("lib/Makefile", "obj-$(CONFIG_LIB) += deep/\n")?;
        write("lib/deep/Makefile", "obj-y += all.o\n")?;
        for (file, option) in [
            ("crypto/ecc.c", Some("CONFIG_CRYPTO_ECC")),
            ("ima/ima_main.c", Some("CONFIG_IMA")),
            ("ima/x.c", Some("CONFIG_IMA_X")),
            ("lib/deep/all.c", Some("CONFIG_LIB")),
            ("nowhere/a.c", None),
        ] {
            let found = option_of(place.path(), Path::new(file));
            assert_eq!(found.as_deref(), option, "{file}");
        }
        Ok(())
    }
}
