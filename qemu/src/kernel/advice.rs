//! What to do about a module that does not build for a kernel: options that the kernel lacks, parts of
//! its API that have moved, and files that the module's own Makefile makes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use host::toolchain::Toolchain;
use regex::Regex;

use crate::kernel::build::Kernel;
use crate::kernel::source::Source;

/// What a compiler prints, and what to write instead; each met in a public module.
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
    // rust/kernel/lib.rs; the other one was never in Linux, but in Rust-for-Linux's first branch
    (
        r"method `init` has 2 parameters but the declaration in trait `kernel::Module::init` has 1",
        "write fn init(module: &'static ThisModule): Linux never had the name before it",
    ),
    // rust/kernel/alloc/kvec.rs
    (
        r"takes 2 generic arguments but 1[\s\S]*/kernel/alloc/kvec\.rs",
        "write KVec<T>: since Linux 6.13, and in late releases of 6.12, Vec<T, A> has an allocator",
    ),
    // rust/kernel/miscdevice.rs
    (
        r"could not find `miscdevice` in `kernel`",
        "KERNEL=7.3, if the module is for newer kernels: kernel::miscdevice exists since Linux 6.13",
    ),
    // 8fa7292fee5c ("treewide: Switch/rename to timer_delete[_sync]()")
    (
        r"(implicit declaration of|undeclared) function \S*del_timer",
        "write timer_delete() and timer_delete_sync(), or KERNEL=6.12: del_timer() and \
         del_timer_sync() are gone since Linux 6.15",
    ),
    // 1a3746ccbb0a removes its last declaration
    (
        r"(implicit declaration of|undeclared library) function \S*strncpy\b",
        "write strscpy(), or KERNEL=6.12: strncpy() is gone since Linux 7.2",
    ),
];

/// In 6.12, modpost prints the name in double quotes, and the module after it.
static UNDEFINED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)modpost: (?:"(\w+)" \[|.*: symbol '(\w+)' )"#).expect("a valid pattern")
});

/// How rustc shows what an item depends on.
static GATED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"#\[cfg\((CONFIG_\w+)\)\]").expect("a valid pattern"));

/// An included file that does not exist, as GCC and clang print it.
static NO_FILE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"fatal error: '?([\w./-]+)(?:: No such file|' file not found)")
        .expect("a valid pattern")
});

/// The help for a build in this folder that printed this, if there is any.
pub fn help(
    printed: &str,
    folder: &Path,
    toolchain: &Toolchain,
    kernel: &Kernel,
) -> Option<String> {
    let source = &kernel.source;
    let moved = MOVED
        .iter()
        .filter(|(pattern, _)| Regex::new(pattern).is_ok_and(|it| it.is_match(printed)))
        .map(|(_, help)| (*help).to_owned());
    let mut options: BTreeSet<String> = GATED
        .captures_iter(printed)
        .map(|found| found[1].to_owned())
        .collect();
    for file in exporters(&undefined(printed), toolchain, kernel) {
        options.extend(option_of(&source.dir, &file));
    }
    let lacking = (!options.is_empty()).then(|| {
        let selected = selected_only(&options, toolchain, source);
        lacking(&options, &selected, kernel.flavour.is_stock())
    });
    let help: Vec<String> = moved
        .chain(made_first(printed, folder))
        .chain(lacking)
        .collect();
    (!help.is_empty()).then(|| help.join("; then "))
}

/// How to get a kernel with these options, of which some can only be selected by others.
fn lacking(options: &BTreeSet<String>, selected: &BTreeSet<String>, is_stock: bool) -> String {
    let set = options.difference(selected).map(|name| format!("{name}=y"));
    let set: Vec<String> = set.collect();
    let select: Vec<&str> = selected.iter().map(String::as_str).collect();
    let mut parts = Vec::new();
    if !set.is_empty() {
        parts.push(format!("the kernel options {}", set.join(" ")));
    }
    if !select.is_empty() {
        let select = select.join(" ");
        parts.push(format!("options that select {select} (without a prompt)"));
    }
    let options = parts.join(" and ");
    if is_stock {
        format!("use a kernel with {options}: this one lacks them")
    } else {
        format!(
            "CONFIG=FILE, with {options}, and what they depend on; \
             or KERNEL=stock, which may have them"
        )
    }
}

/// Those of the options that have no prompt: a file of options cannot set them.
fn selected_only(
    options: &BTreeSet<String>,
    toolchain: &Toolchain,
    source: &Source,
) -> BTreeSet<String> {
    let names: Vec<&str> = options
        .iter()
        .filter_map(|name| name.strip_prefix("CONFIG_"))
        .collect();
    let pattern = format!("^(menu)?config ({})$", names.join("|"));
    let found = toolchain
        .command_in(&source.dir, &[&source.dir], "grep")
        .args(["-rhE", "-A8", "--include=Kconfig*", &pattern, "."])
        .output();
    let text = found.map_or_else(|_| Vec::new(), |output| output.stdout);
    // grep shows the options after these, too.
    let found = without_prompt(&String::from_utf8_lossy(&text));
    options.intersection(&found).cloned().collect()
}

/// The options of these pieces of Kconfig files that have no prompt in any.
fn without_prompt(kconfig: &str) -> BTreeSet<String> {
    let (mut all, mut prompted) = (BTreeSet::new(), BTreeSet::new());
    let mut option = None;
    for line in kconfig.lines() {
        if let Some((_, name)) = line.split_once("config ").filter(|(start, _)| {
            // The definition, not a line of its help.
            ["", "menu"].contains(start)
        }) {
            let name = format!("CONFIG_{name}");
            all.insert(name.clone());
            option = Some(name);
        } else if !line.starts_with(char::is_whitespace) && !line.is_empty() {
            option = None;
        } else if line.contains('"') && is_prompt(line.trim_start()) {
            prompted.extend(option.clone());
        }
    }
    all.difference(&prompted).cloned().collect()
}

/// `bool "Networking support"`
fn is_prompt(line: &str) -> bool {
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or_default();
    let kinds = ["bool", "tristate", "string", "int", "hex", "prompt"];
    kinds.contains(&first) && rest.trim_start().starts_with('"')
}

/// What to run first for a file that a target of the module's own Makefile makes.
fn made_first(printed: &str, folder: &Path) -> Option<String> {
    let makefile = fs::read_to_string(folder.join("Makefile")).ok()?;
    let mut files = NO_FILE
        .captures_iter(printed)
        .map(|found| found[1].to_owned());
    let file = files.find(|file| {
        let target = format!("{file}:");
        makefile.lines().any(|line| line.starts_with(&target))
    })?;
    Some(format!(
        "run `make {file}` in the module's folder: its Makefile makes the file before Kbuild starts"
    ))
}

fn undefined(printed: &str) -> Vec<&str> {
    let names = UNDEFINED.captures_iter(printed);
    let names = names.filter_map(|found| found.get(1).or(found.get(2)));
    names.map(|name| name.as_str()).collect()
}

/// The files below the kernel's source that export these symbols.
fn exporters(names: &[&str], toolchain: &Toolchain, kernel: &Kernel) -> Vec<PathBuf> {
    if names.is_empty() {
        return Vec::new();
    }
    let source = &kernel.source;
    let own = format!("./arch/{}/", kernel.flavour.arch.words().kernel);
    let pattern = format!(r"EXPORT_SYMBOL[A-Z_]*\(({})[,)]", names.join("|"));
    let found = toolchain
        .command_in(&source.dir, &[&source.dir], "grep")
        .args(["-rlE", "--include=*.c", &pattern, "."])
        .output();
    let text = found.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&text);
    let other = |file: &&str| file.starts_with("./arch/") && !file.starts_with(&own);
    let files = text.lines().filter(|file| !other(file));
    files.map(PathBuf::from).collect()
}

/// The option that a file of the kernel is built by, from the Makefiles of its folder and of those
/// above it.
fn option_of(source: &Path, file: &Path) -> Option<String> {
    let mut folder = file.parent()?.to_owned();
    let mut goal = format!("{}.o", file.file_stem()?.to_string_lossy());
    loop {
        let read = |name| fs::read_to_string(source.join(&folder).join(name));
        // As Kbuild does: the source's top folder has both.
        let makefile = read("Kbuild")
            .or_else(|_| read("Makefile"))
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
        write("net/Makefile", "obj-y := socket.o\n")?;
        write("Kbuild", "obj-$(CONFIG_NET)\t+= net/\n")?;
        for (file, option) in [
            ("crypto/ecc.c", Some("CONFIG_CRYPTO_ECC")),
            ("ima/ima_main.c", Some("CONFIG_IMA")),
            ("ima/x.c", Some("CONFIG_IMA_X")),
            ("lib/deep/all.c", Some("CONFIG_LIB")),
            ("./net/socket.c", Some("CONFIG_NET")),
            ("nowhere/a.c", None),
        ] {
            let found = option_of(place.path(), Path::new(file));
            assert_eq!(found.as_deref(), option, "{file}");
        }
        Ok(())
    }

    #[test]
    fn options_without_a_prompt() {
        let kconfig = "config A\n\ttristate\n\tselect X\n\nconfig B\n\ttristate \"B\"\n--\n\
                       menuconfig C\n\tbool\n\tprompt \"C\"\n--\nconfig D\n\tdef_bool y\n";
        let found = without_prompt(kconfig);
        assert_eq!(found, ["CONFIG_A", "CONFIG_D"].map(String::from).into());
        let options = ["CONFIG_A", "CONFIG_B"].map(String::from).into();
        let help = lacking(
            &options,
            &found.intersection(&options).cloned().collect(),
            false,
        );
        assert!(
            help.starts_with(
                "CONFIG=FILE, with the kernel options CONFIG_B=y and options that select CONFIG_A "
            ),
            "{help}"
        );
    }

    #[test]
    fn what_has_moved() {
        let helps = |printed: &str, word: &str| {
            let found = MOVED.iter().filter(|(pattern, _)| {
                Regex::new(pattern)
                    .expect("a valid pattern")
                    .is_match(printed)
            });
            let found: Vec<&str> = found.map(|(_, help)| *help).collect();
            assert!(
                found.len() == 1 && found[0].contains(word),
                "{printed}: {found:?}"
            );
        };
        helps(
            "error: implicit declaration of function ‘del_timer_sync’",
            "6.15",
        );
        helps(
            "error: call to undeclared function 'del_timer_sync'; ISO",
            "6.15",
        );
        helps(
            "error: implicit declaration of function ‘strncpy’ [-W",
            "7.2",
        );
        helps(
            "error: call to undeclared library function 'strncpy' with",
            "7.2",
        );
        helps("could not find `miscdevice` in `kernel`", "6.13");
        helps(
            "error[E0050]: method `init` has 2 parameters but the declaration in trait \
             `kernel::Module::init` has 1",
            "&'static ThisModule",
        );
        helps(
            "error[E0107]: struct takes 2 generic arguments but 1 generic argument was supplied\n\
             note: struct defined here\n  --> /l/rust/kernel/alloc/kvec.rs:98:12",
            "KVec",
        );
    }

    #[test]
    fn files_of_the_modules_own_makefile() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(
            folder.path().join("Makefile"),
            "build: version.h\nversion.h: Makefile\n\techo\n",
        )?;
        for (printed, file) in [
            (
                "main.c:5:10: fatal error: version.h: No such file or directory",
                Some("version.h"),
            ),
            (
                "main.c:5:10: fatal error: 'version.h' file not found",
                Some("version.h"),
            ),
            (
                "main.c:5:10: fatal error: other.h: No such file or directory",
                None,
            ),
        ] {
            let help = made_first(printed, folder.path());
            let expected = file.map(|file| format!("run `make {file}` in the module's folder"));
            assert_eq!(help.is_some(), expected.is_some(), "{printed}");
            assert!(help
                .unwrap_or_default()
                .starts_with(&expected.unwrap_or_default()));
        }
        Ok(())
    }
}
