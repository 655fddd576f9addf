//! A developer's desk: what the lab writes for editors, and clippy, rustdoc and rustfmt.
//!
//! The toolchain's language servers run on the host's files, by the host's paths.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{anyhow, ensure, Context, Result};
use host::project::project;
use serde_json::{json, Value};

use super::modules::write;
use crate::harness::test::Test;
use crate::support::context::{flavour, main_flavour, must_contain, printed, succeed, TestContext};
use crate::support::language_server::LanguageServer;
use crate::support::scratch::must_refuse;
use lab::kernel::flavour::{Compiler, Flavour};

/// A pure Rust module, whose source is in a subfolder, in two files, with bindings of the kernel.
const RUST: &[(&str, &str)] = &[
    ("Kbuild", "obj-m := rusty.o\nrusty-y := src/rusty_main.o\n"),
    (
        "src/rusty_main.rs",
        r#"// SPDX-License-Identifier: GPL-2.0

//! A module in a subfolder.

use kernel::prelude::*;

mod inner;

module! {
    type: Rusty,
    name: "rusty",
    license: "GPL",
}

struct Rusty;

impl kernel::Module for Rusty {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        pr_info!("rusty: {}\n", inner::number(kernel::bindings::PAGE_SHIFT));
        Ok(Rusty)
    }
}
"#,
    ),
    (
        "src/inner.rs",
        "//! Numbers.\n\n/// The next one of [`u32`].\npub(crate) fn number(n: u32) -> u32 {\n    n + 1\n}\n",
    ),
];

/// A pure C module, with a header in another folder.
const C: &[(&str, &str)] = &[
    (
        "Kbuild",
        "obj-m := first.o\nfirst-y := src/one.o\nccflags-y := -I$(src)/include\n",
    ),
    ("include/number.h", "#define THE_NUMBER 3\n"),
    (
        "src/one.c",
        r#"#include <linux/module.h>
#include "number.h"
static int __init first_init(void) { pr_info("first: %s %d\n", current->comm, THE_NUMBER); return 0; }
static void __exit first_exit(void) { }
module_init(first_init);
module_exit(first_exit);
MODULE_DESCRIPTION("Has a header");
MODULE_LICENSE("GPL");
"#,
    ),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |what: &str, run: fn(&TestContext) -> Result<()>| {
        Test::new(format!("desk::{what}"), run).on(&main_flavour())
    };
    let mut tests = of_hello_rust("desk", &main_flavour());
    tests.extend(of_hello_rust("desk", &flavour("6.12", Compiler::Gcc)));
    tests.extend([
        test(
            "rust-analyzer: sources in a subfolder, which do not compile yet",
            rust_in_subfolder,
        ),
        test("clangd: sources in a subfolder", c_in_subfolder),
        test(
            "a half that is missing, a folder that cannot be written",
            refused,
        ),
        test(
            "clippy, rustdoc and rustfmt name the user's files",
            messages,
        ),
        test("each kernel has its own bindings", own_bindings),
    ]);
    tests
}

/// The tests on a stock kernel.
pub fn tests_on(stock: &Flavour) -> Vec<Test> {
    of_hello_rust("desk::stock", stock)
}

fn of_hello_rust(group: &str, flavour: &Flavour) -> Vec<Test> {
    let name = |what: &str| format!("{group}::{what}, on {}", flavour.name());
    vec![
        Test::new(name("rust-analyzer: hello_rust"), rust_of_hello_rust).on(flavour),
        Test::new(name("clangd: hello_rust"), c_of_hello_rust).on(flavour),
    ]
}

/// The lab's command for a module, on the test's kernel.
fn desk(context: &TestContext, folder: &Path, words: &[&str]) -> Result<Command> {
    let lab = context.lab()?;
    let Flavour {
        series, compiler, ..
    } = &lab.kernel.flavour;
    let folder = folder.to_string_lossy();
    let variables = [
        ("LAB_M", &*folder),
        ("LAB_KERNEL", series),
        ("LAB_CC", compiler.name()),
    ];
    context.lab_command(words, &variables)
}

/// A copy of hello_rust: other tests have no use for what an editor needs in the project's folder.
fn hello_rust(place: &Path) -> Result<PathBuf> {
    let folder = place.join("hello_rust");
    fs::create_dir(&folder)?;
    for name in ["Kbuild", "hello_rust.rs", "c_helper.c", "c_helper.h"] {
        fs::copy(project().join(name), folder.join(name))?;
    }
    succeed(
        Command::new("cp")
            .arg("-r")
            .arg(project().join("border"))
            .arg(&folder),
    )?;
    Ok(folder)
}

/// A server of the toolchain, as the lab offers it.
fn server(
    context: &TestContext,
    program: &str,
    folder: &Path,
    language: &'static str,
) -> Result<LanguageServer> {
    let script = context.cache()?.dir().join("bin").join(program);
    let settings = json!({
        "checkOnSave": false,
        "cachePriming": { "enable": false },
        "diagnostics": { "experimental": { "enable": true } },
    });
    LanguageServer::start(&mut Command::new(script), folder, language, &settings)
}

fn analyzer(context: &TestContext, folder: &Path) -> Result<LanguageServer> {
    succeed(&mut desk(context, folder, &["rust-analyzer"])?)?;
    only_paths_of_the_host(&folder.join("rust-project.json"))?;
    let mut server = server(context, "rust-analyzer", folder, "rust")?;
    server.wait_until_quiescent()?;
    Ok(server)
}

/// Whatever is named exists here, outside of the toolchain.
fn only_paths_of_the_host(file: &Path) -> Result<()> {
    let project: Value = serde_json::from_slice(&fs::read(file)?)?;
    let crates = project["crates"].as_array().context("no crates")?;
    let roots = crates
        .iter()
        .flat_map(|it| [&it["root_module"], &it["proc_macro_dylib_path"]]);
    for path in roots.chain([&project["sysroot"]]).filter_map(Value::as_str) {
        ensure!(
            Path::new(path).is_absolute() && Path::new(path).exists() && !path.starts_with("/usr/"),
            "{path} is not the host's"
        );
    }
    Ok(())
}

fn defined_in(server: &mut LanguageServer, file: &Path, word: &str, end: &str) -> Result<()> {
    let found = server.definition(file, word)?;
    ensure!(
        found.ends_with(end),
        "{word} is defined in {}, not {end}",
        found.display()
    );
    ensure!(found.is_file(), "{} does not exist", found.display());
    Ok(())
}

fn without_errors(server: &mut LanguageServer, file: &Path) -> Result<()> {
    let errors = server.errors(file)?;
    ensure!(errors.is_empty(), "{}: {errors:?}", file.display());
    Ok(())
}

fn rust_of_hello_rust(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = hello_rust(place.path())?;
    let file = folder.join("hello_rust.rs");
    let text = fs::read_to_string(&file)?;
    fs::write(
        &file,
        text + "const _: usize = kernel::bindings::PAGE_SHIFT as usize;\n",
    )?;
    let mut server = analyzer(context, &folder)?;
    server.open(&file)?;
    for (word, end) in [
        ("pr_info", "rust/kernel/print.rs"),
        (
            "bindings::PAGE_SHIFT",
            "rust/bindings/bindings_generated.rs",
        ),
        ("to_result", "rust/kernel/error.rs"),
        ("c_helper_h::c_helper_repeat", "c_helper_h.rs"),
        ("core::str::from_utf8", "library/core/src/str/converts.rs"),
    ] {
        defined_in(&mut server, &file, word, end)?;
    }
    without_errors(&mut server, &file)
}

/// The crate's description, which rust-analyzer reads as it reads that of hello_rust.
fn rust_in_subfolder(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(place.path(), RUST)?;
    let file = place.path().join("src/rusty_main.rs");
    // Editors are needed most for what does not compile yet.
    fs::write(&file, RUST[1].1.replace("Ok(Rusty)", "Ok(Rsty)"))?;
    let says = printed(&desk(context, place.path(), &["rust-analyzer"])?.output()?);
    must_contain(&says, "warning: the module does not compile yet")?;
    let project = place.path().join("rust-project.json");
    only_paths_of_the_host(&project)?;
    let project: Value = serde_json::from_slice(&fs::read(&project)?)?;
    let crates = project["crates"].as_array().context("no crates")?;
    let members: Vec<&Value> = crates
        .iter()
        .filter(|it| it["is_workspace_member"] == true)
        .collect();
    let [own] = members[..] else {
        return Err(anyhow!("{} crates are the user's", members.len()));
    };
    ensure!(own["root_module"] == json!(file), "{}", own["root_module"]);
    let deps = own["deps"].as_array().into_iter().flatten();
    let kernel = deps.clone().find(|dep| dep["name"] == "kernel");
    let kernel = kernel.and_then(|dep| crates.get(dep["crate"].as_u64()? as usize));
    ensure!(
        kernel.is_some_and(|it| it["display_name"] == "kernel"),
        "{:?}",
        own["deps"]
    );
    let cfg = own["cfg"].as_array().context("no cfg")?;
    for name in ["MODULE", "CONFIG_RUST"] {
        ensure!(cfg.contains(&json!(name)), "no cfg({name})");
    }
    Ok(())
}

fn c_of_hello_rust(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = hello_rust(place.path())?;
    let file = folder.join("c_helper.c");
    let words = [
        ("current", "asm/current.h"),
        ("hello_rust_count_chars", "hello_rust/c_helper.h"),
        ("c_helper.h", "hello_rust/c_helper.h"),
    ];
    c_resolves(context, &folder, &file, &words)
}

fn c_in_subfolder(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(place.path(), C)?;
    let file = place.path().join("src/one.c");
    let header = place.path().join("include/number.h");
    let words = [
        ("current", "asm/current.h"),
        ("THE_NUMBER", &*header.to_string_lossy()),
    ];
    c_resolves(context, place.path(), &file, &words)
}

fn c_resolves(
    context: &TestContext,
    folder: &Path,
    file: &Path,
    words: &[(&str, &str)],
) -> Result<()> {
    succeed(&mut desk(context, folder, &["compile-commands"])?)?;
    let mut server = server(context, "clangd", folder, "c")?;
    server.open(file)?;
    without_errors(&mut server, file)?;
    let mut words = words.iter();
    words.try_for_each(|(word, end)| defined_in(&mut server, file, word, end))
}

fn refused(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let (rust, c) = (place.path().join("rust"), place.path().join("c"));
    write(&rust, RUST)?;
    write(&c, C)?;
    for (words, folder, half) in [
        ("rust-analyzer", &c, "Rust"),
        ("clippy", &c, "Rust"),
        ("doc", &c, "Rust"),
        ("fmt", &c, "Rust"),
        ("compile-commands", &rust, "C"),
    ] {
        let error = format!("the module has no {half} half");
        must_refuse(&mut desk(context, folder, &[words])?, &[&error])?;
    }
    // A folder in the file's place: root may write everywhere.
    fs::create_dir(rust.join("rust-project.json"))?;
    must_refuse(
        &mut desk(context, &rust, &["rust-analyzer"])?,
        &[
            "cannot write rust-project.json into the module's folder",
            "help: make ",
        ],
    )
}

fn messages(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    write(place.path(), RUST)?;
    let file = place.path().join("src/inner.rs");
    let pages = succeed(&mut desk(context, place.path(), &["doc"])?)?;
    for (page, link) in [
        (
            "inner/fn.number.html",
            "https://doc.rust-lang.org/core/primitive.u32.html",
        ),
        (
            "struct.Rusty.html",
            "https://rust.docs.kernel.org/kernel/module/trait.Module.html",
        ),
    ] {
        let page = Path::new(pages.trim_end()).with_file_name(page);
        let text = fs::read_to_string(&page)?;
        ensure!(
            text.contains(link),
            "no link to {link} in {}",
            page.display()
        );
    }
    succeed(&mut desk(context, place.path(), &["fmt", "--check"])?)?;

    let text = RUST[2]
        .1
        .replace("[`u32`]", "[`none`]")
        .replace("n + 1", "return  n + 1;");
    fs::write(&file, &text)?;
    let (run, place) = (place.path(), file.display());
    // clippy warns each time.
    for words in ["clippy", "clippy", "doc"] {
        let output = desk(context, run, &[words])?.output()?;
        ensure!(output.status.success(), "{}", printed(&output));
        let (says, at) = if words == "doc" {
            ("unresolved link to `none`", "3:23")
        } else {
            ("unneeded `return`", "5:5")
        };
        must_contain(&printed(&output), says)?;
        must_contain(&printed(&output), &format!("--> {place}:{at}\n"))?;
    }
    let output = desk(context, run, &["fmt", "--check"])?.output()?;
    ensure!(output.status.code() == Some(1), "{}", printed(&output));
    must_contain(
        &printed(&output),
        &format!("not formatted\n  note: {place}\n"),
    )?;
    ensure!(
        fs::read_to_string(&file)? == text,
        "CHECK= has changed the file"
    );
    succeed(&mut desk(context, run, &["fmt"])?)?;
    must_contain(&fs::read_to_string(&file)?, "    return n + 1;\n")
}

/// The bindings are linked into the folder, and follow the kernel.
fn own_bindings(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = hello_rust(place.path())?;
    let m = folder.to_string_lossy();
    for kernel in ["7.3", "6.12"] {
        let variables = [("LAB_M", &*m), ("LAB_KERNEL", kernel)];
        succeed(&mut context.lab_command(&["rust-analyzer"], &variables)?)?;
        let linked = fs::read_link(folder.join("c_helper_h.rs"))?;
        let copy = linked.parent().context("linked to nothing")?.display();
        ensure!(
            copy.to_string().contains(&format!("-{kernel}-clang")),
            "linked to {copy}"
        );
        let copied = fs::read_to_string(format!("{copy}.copied"))?;
        ensure!(
            !copied.contains("c_helper_h.rs"),
            "the link was copied:\n{copied}"
        );
    }
    Ok(())
}
