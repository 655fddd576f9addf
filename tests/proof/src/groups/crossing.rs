//! `make bench-crossing`: instructions are counted exactly, and docs/cost.md has the tables of a run.

use std::fs;

use anyhow::{ensure, Context, Result};
use host::project::project;
use regex::Regex;

use crate::harness::test::Test;
use crate::support::context::{
    copy_of_project, flavour, main_flavour, must_contain, printed, tail, TestContext,
};
use crate::support::scratch::must_refuse;
use lab::commands::bench::crossing::{count_alike, Counts, PLAIN};
use lab::kernel::flavour::Compiler;
use lab::kernel::module::Module;
use lab::kernel::sources::Sources;

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("crossing::an instruction more is counted", one_more).on(&main_flavour()),
        Test::new(
            "crossing::docs/cost.md has the tables of a run",
            |context| page(context, &["bench-crossing", "RUNS=1"]),
        )
        .on(&main_flavour()),
        Test::new("crossing::6.12 meets the same goals", |context| {
            page(context, &["bench-crossing", "RUNS=1", "KERNEL=6.12"])
        })
        .on(&flavour("6.12", Compiler::Clang)),
        Test::new("crossing::KVM is refused", |context| {
            must_refuse(
                &mut context.lab_command(&["bench-crossing", "--accel", "kvm"], &[])?,
                &["KVM cannot count instructions", "help: "],
            )
        }),
    ]
}

/// The same sources, in a folder of their own.
const CHANGED: Sources = Sources {
    name: "crossing_changed",
    ..PLAIN
};

/// An instruction in each half: (the file, a line of it, the same with one instruction more).
const MORE: [(&str, &str, &str); 2] = [
    (
        "crossing.rs",
        "sum = hidden(unsafe { crossing_c_add(sum, left) });",
        "sum = hidden(unsafe { asm!(\"nop\"); crossing_c_add(sum, left) });",
    ),
    (
        "one_object.c",
        "point->x += by;",
        "asm volatile(\"nop\"); point->x += by;",
    ),
];

/// The loops with one of them in each round.
const LONGER: [&str; 4] = [
    "from_rust_number",
    "from_rust_struct",
    "one_object_struct",
    "two_objects_struct",
];

fn one_more(context: &TestContext) -> Result<()> {
    let lab = context.lab()?;
    let count = |module: &Module| count_alike(context.settings(), &lab, module, 1);
    let mut expected: Counts = count(&lab.module(&PLAIN)?)?;
    for name in LONGER {
        *expected.get_mut(name).with_context(|| name)? += 1;
    }

    let module = Module::stage(&lab.cache, &lab.kernel, &CHANGED)?;
    for (file, line, longer) in MORE {
        let file = module.dir().join(file);
        let text = fs::read_to_string(&file)?;
        must_contain(&text, line)?;
        fs::write(&file, text.replacen(line, longer, 1))?;
    }
    module.build(&lab.toolchain, &[])?;
    let counts = count(&module)?;
    ensure!(
        counts == expected,
        "counted {counts:?}\nexpected {expected:?}"
    );
    Ok(())
}

/// Another kernel than that in README.md may have other numbers, but it meets the same goals.
fn page(context: &TestContext, words: &[&str]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let copy = copy_of_project(&folder.path().join("hello_rust"))?;
    let output = context.make_command(&copy, words)?.output()?;
    ensure!(output.status.success(), "{}", tail(&printed(&output)));
    let counted = String::from_utf8_lossy(&output.stdout).into_owned();
    // How often is another matter.
    let tables = |text: &str| -> Option<String> {
        let (_, tables) = text.split_once("\n\n")?;
        Some(tables.trim().to_owned())
    };

    let version = context.lab()?.kernel.source.version.clone();
    let version = version.split('-').next().unwrap_or_default();
    let readme = fs::read_to_string(project().join("README.md"))?;
    let newest = readme.contains(&format!("Linux {version}"));
    let numbers = Regex::new(r"[+-]?\d[\d.]*|[─═]+| +")?;
    let plain = |text: &str| -> String {
        let lines = text.lines();
        if newest {
            lines.flat_map(|line| [line.trim_end(), "\n"]).collect()
        } else {
            lines
                .map(|line| numbers.replace_all(line, "") + "\n")
                .collect()
        }
    };
    let page = fs::read_to_string(project().join("docs/cost.md"))?;
    let shown = page.split_once("$ make bench-crossing\n");
    let shown = shown.and_then(|(_, rest)| rest.split_once("```"));
    let shown = shown.and_then(|(shown, _)| tables(shown));
    let shown = shown.context("docs/cost.md shows no run")?;
    ensure!(
        tables(&counted).is_some_and(|counted| plain(&shown) == plain(&counted)),
        "docs/cost.md shows another run than this one:\n{counted}"
    );
    Ok(())
}
