//! What crosses without a call: inline functions in a contract, and fused modules. The same catalogue, with
//! the same tests, has to pass as it does with plain objects.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{ensure, Context, Result};
use host::project::project;

use super::checks::{suites, Bench};
use super::guest::{CATALOGUE, CATALOGUE_CASES};
use super::stitch::{report, stitch};
use crate::harness::test::{Case, Test};
use crate::support::context::{
    flavours, foreign_flavour, main_flavour, must_contain, printed, succeed, TestContext,
};
use lab::commands::lab::Lab;
use lab::kernel::flavour::{Compiler, Flavour};
use lab::kernel::module::Module;
use lab::kernel::sources::{Files, Sources, HELLO_RUST};

/// A fused module with what must not be lost.
const JOINED: Sources = Sources {
    name: "joined",
    files: Files::Listed(&[
        ("tests/joined/Kbuild", "Kbuild"),
        ("tests/joined/joined.h", "joined.h"),
        ("tests/joined/joined.rs", "joined.rs"),
        ("tests/joined/joined_asm.S", "joined_asm.S"),
        ("tests/joined/joined_c.c", "joined_c.c"),
        ("tests/joined/joined_more.c", "joined_more.c"),
        ("tests/joined/joined_more.h", "joined_more.h"),
        ("tests/joined/other.c", "other.c"),
        ("border", "border"),
    ]),
    fused: false,
};

/// What it prints, and the module that uses what it exports.
const PRINTED: [&str; 4] = [
    "joined: 21, call 1, joined",
    "joined: the answer is 41",
    "joined: 3, call 2, joined",
    "other: the answer is 42",
];

/// The functions of the catalogue that become inline, without `catalogue_c_`. The others use data of C, or
/// a type that Rust must not know.
const INLINE: &[&str] = &[
    "next_u8",
    "next_s8",
    "next_u16",
    "next_s16",
    "next_u32",
    "next_s32",
    "next_u64",
    "next_s64",
    "next_long",
    "next_size",
    "next_ssize",
    "not",
    "opposite",
    "copy",
    "basename",
    "backwards",
    "grow",
    "current",
    "pid",
    "each",
    "fail",
];

/// A function that they call, and that C alone calls.
const FAULT_POINT: &str = "static bool has_to_fail(void)";

/// What their bodies need.
const INCLUDES: &str = "#include <linux/atomic.h>\n\
    #include <linux/errno.h>\n\
    #include <linux/kernel.h>\n\
    #include <linux/limits.h>\n\
    #include <linux/overflow.h>\n\
    #include <linux/pid.h>\n\
    #include <linux/string.h>\n";

/// The tests.
pub fn tests() -> Vec<Test> {
    let told = Test::new("joined::what stitch says of a fused module", |context| {
        told_by_stitch(&*context.lab()?)
    });
    let told = told.on(&main_flavour());
    let foreign = of_many(&foreign_flavour(), "the catalogue, fused", fused);
    flavours()
        .iter()
        .flat_map(on)
        .chain([foreign, told])
        .collect()
}

fn of_many(
    flavour: &Flavour,
    what: &str,
    run: fn(&TestContext, &Lab) -> Result<Vec<Case>>,
) -> Test {
    let name = format!("joined::{}::{what}", flavour.name());
    Test::of_many(name, move |context| run(context, &*context.lab()?)).on(flavour)
}

/// Those of one kernel, the debug kernel as well.
pub fn on(flavour: &Flavour) -> Vec<Test> {
    let test = |what, run| of_many(flavour, what, run);
    let mut tests = vec![test("the catalogue with inline functions", inline)];
    match flavour.compiler {
        Compiler::Clang => tests.extend([
            test("the catalogue, fused", fused),
            test(
                "exports, assembly and device tables, fused",
                |context, lab| kept(context, lab).map(|()| Vec::new()),
            ),
        ]),
        Compiler::Gcc => tests.push(test("fused is refused", |_, lab| {
            refused(lab).map(|()| Vec::new())
        })),
    }
    tests
}

/// The catalogue's suite, and the report of its border; stitch agrees.
fn catalogue(context: &TestContext, lab: &Lab, sources: Sources) -> Result<(Vec<Case>, String)> {
    let module = lab.module(&sources)?;
    let report = fs::read_to_string(module.dir().join("catalogue.border"))?;
    succeed(Command::new(stitch()?).arg("check").arg(module.dir()))?;
    drop(module);
    let cases = suites(&Bench::of_ours(context, lab, sources))?;
    let count = cases.len();
    ensure!(count == CATALOGUE_CASES, "{count} cases ran: {cases:#?}");
    Ok((cases, report))
}

/// Where rustc and clang share one LLVM, no call is left; elsewhere, Rust calls a symbol.
fn inline(context: &TestContext, lab: &Lab) -> Result<Vec<Case>> {
    let folder = tempfile::tempdir()?;
    write_inline(folder.path())?;
    let (cases, report) = catalogue(
        context,
        lab,
        Sources {
            name: "inline",
            files: Files::Folder(folder.path()),
            fused: false,
        },
    )?;
    for name in INLINE {
        let start = format!("catalogue_c_{name} ");
        let line = report.lines().find(|line| line.starts_with(&start));
        let line = line.with_context(|| format!("{name} is not in\n{report}"))?;
        let called = line.ends_with(&format!(": called as catalogue_c_{name}__extern"));
        let is_gcc = lab.kernel.flavour.compiler == Compiler::Gcc;
        ensure!(called == is_gcc, "{line}");
    }
    Ok(cases)
}

/// The catalogue, in which functions of C are defined in the contract.
fn write_inline(folder: &Path) -> Result<()> {
    let Files::Listed(files) = CATALOGUE.files else {
        unreachable!("the catalogue is listed")
    };
    for (from, to) in files {
        let mut copy = Command::new("cp");
        succeed(
            copy.arg("-R")
                .arg(project().join(from))
                .arg(folder.join(to)),
        )?;
    }
    let (header, c) = (folder.join("catalogue.h"), folder.join("catalogue_c.c"));
    let (mut declared, mut defined) = (fs::read_to_string(&header)?, fs::read_to_string(&c)?);
    let at = defined.find(FAULT_POINT).context(FAULT_POINT)?;
    let end = at + defined[at..].find("\n}\n").context(FAULT_POINT)? + 3;
    let mut inline = defined[at..end].replacen("static", "static inline", 1) + "\n";
    defined.replace_range(at..end, "");
    for name in INLINE {
        let at = defined
            .find(&format!("catalogue_c_{name}("))
            .context(*name)?;
        let start = defined[..at].rfind("\n\n").context(*name)? + 2;
        let end = start + defined[start..].find("\n}\n").context(*name)? + 3;
        let function = defined[start..end].to_owned();
        let (prototype, _) = function.split_once("\n{").context(*name)?;
        let prototype = format!("{prototype};\n");
        ensure!(declared.contains(&prototype), "{prototype} is not declared");
        declared = declared.replace(&prototype, "");
        inline += &format!("static inline {function}\n");
        defined.replace_range(start..end, "");
    }
    let last = "#ifndef __BINDGEN__";
    declared = declared.replace(last, &format!("{inline}{last}"));
    let first = "#include <linux/sched.h>";
    declared = declared.replacen(first, &format!("{INCLUDES}{first}"), 1);
    fs::write(header, declared)?;
    Ok(fs::write(c, defined)?)
}

/// Nothing that crosses has a symbol any more; what is left of it is local.
fn fused(context: &TestContext, lab: &Lab) -> Result<Vec<Case>> {
    let (cases, report) = catalogue(context, lab, CATALOGUE.fused(true))?;
    let module = lab.module(&CATALOGUE.fused(true))?;
    let symbols = symbols(lab, &module, "catalogue.o")?;
    for line in report.lines().skip(1) {
        let name = line.split_whitespace().next().unwrap_or_default();
        let is_global = |line: &str| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [_, class, symbol] => symbol == name && class.starts_with(char::is_uppercase),
            _ => false,
        };
        ensure!(!symbols.lines().any(is_global), "{name} is still a symbol");
    }
    Ok(cases)
}

/// The names of an object's symbols, as nm prints them.
fn symbols(lab: &Lab, module: &Module, object: &str) -> Result<String> {
    let mut nm = lab.toolchain.command("llvm-nm");
    let output = nm.arg(module.dir().join(object)).output()?;
    ensure!(output.status.success(), "{}", printed(&output));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What other modules, modpost and assembly know by name is still there, and works.
fn kept(context: &TestContext, lab: &Lab) -> Result<()> {
    let (module, modules) = lab.modules(&JOINED)?;
    let ko = |name: &str| fs::read(module.dir().join(name));
    let files = [
        ("joined.ko", &*ko("joined.ko")?),
        ("other.ko", &*ko("other.ko")?),
    ];
    let order: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    ensure!(order == ["joined", "other"], "{order:?}");
    let job = "insmod /joined.ko && insmod /other.ko && rmmod other joined && dmesg\n";
    let output = context.boot_well(lab, &files, job)?;
    let wanted = |line: &&str| {
        PRINTED
            .iter()
            .any(|printed| line.ends_with(&format!("] {printed}")))
    };
    ensure!(
        output.lines().filter(wanted).count() == PRINTED.len(),
        "{output}"
    );

    let mut modinfo = lab.toolchain.command("modinfo");
    let about = succeed(modinfo.arg(module.dir().join("joined.ko")))?;
    must_contain(&about, "alias:          cpu:type:x86,")
}

fn refused(lab: &Lab) -> Result<()> {
    let error = lab.module(&HELLO_RUST.fused(true)).err();
    let error = error.context("it was fused")?;
    must_contain(
        &diagnostic::render(&error),
        "hello_rust cannot be fused: the kernel is built by GCC",
    )
}

/// The same as nm and llvm-dwarfdump say of the linked module.
fn told_by_stitch(lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST.fused(true))?;
    let symbols = symbols(lab, &module, "hello_rust.ko")?;
    let mut dwarfdump = lab.toolchain.command("llvm-dwarfdump");
    let dwarf = succeed(dwarfdump.arg(module.dir().join("hello_rust.ko")))?;
    let copies: Vec<&str> = dwarf
        .split("DW_TAG_inlined_subroutine")
        .skip(1)
        .filter_map(|entry| {
            entry
                .split("DW_AT_abstract_origin")
                .nth(1)?
                .split('"')
                .nth(1)
        })
        .collect();

    let report = report(module.dir())?;
    let crossings = report["stitches"].as_array().context("no crossings")?;
    let mut seen = [0, 0];
    for crossing in crossings {
        let name = crossing["symbol"].as_str().unwrap_or_default();
        let inlined = copies.iter().filter(|copy| **copy == name).count();
        let local = symbols
            .lines()
            .any(|line| line.ends_with(&format!(" t {name}")));
        let expected = serde_json::json!({ "local": local, "inlined": inlined });
        ensure!(
            crossing["joined"] == expected,
            "{expected} for {crossing:#}"
        );
        seen[0] += usize::from(local);
        seen[1] += inlined;
    }
    ensure!(
        crossings.len() == 5 && seen[0] > 0 && seen[1] > 0,
        "{crossings:#?}"
    );
    let text = succeed(Command::new(stitch()?).arg("report").arg(module.dir()))?;
    must_contain(&text, "joined   inlined in 1 place")?;

    // However its files are named.
    let parts = ["hello_rust_main.o", "c_helper.o"];
    for names in [
        &["hello_rust.o"][..],
        &parts,
        &[&parts[..], &["hello_rust.o", "hello_rust.fused.o"]].concat(),
    ] {
        let paths = names.iter().map(|name| module.dir().join(name));
        let text = succeed(Command::new(stitch()?).arg("report").args(paths))?;
        must_contain(&text, "hello_rust_main: 2 objects, 5 crossings")
            .or_else(|_| must_contain(&text, "hello_rust: 2 objects, 5 crossings"))?;
    }
    Ok(())
}
