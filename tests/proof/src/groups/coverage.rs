//! `make coverage`: of hello_rust, of modules in which something does not run, and where it is refused.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{ensure, Context, Result};
use host::project::project;
use regex::Regex;

use super::modules::write;
use crate::harness::test::Test;
use crate::support::context::{
    debug_flavour, flavour, foreign_flavour, main_flavour, must_contain, printed, succeed,
    TestContext,
};
use crate::support::scratch::must_refuse;
use lab::kernel::flavour::{Compiler, Flavour};

/// The page with the places of hello_rust that nothing reaches.
const PAGE: &str = "docs/coverage.md";

/// No parameter at random has this value.
const ODD: &str = "1000000007";

/// One function runs in an interrupt, and nothing uses another.
const IN_C: &str = r#"#include <linux/errno.h>
#include <linux/irq_work.h>
#include <linux/module.h>

static int number;
module_param(number, int, 0444);

static void in_c_interrupt(struct irq_work *work)
{
	number++;
}

static inline int in_c_unused(void)
{
	return 7;
}

static int __init in_c_init(void)
{
	struct irq_work work = IRQ_WORK_INIT_HARD(in_c_interrupt);

	irq_work_queue(&work);
	irq_work_sync(&work);
	number--;
	if (number == 1000000007)
		return -EDOM;
	return 0;
}
module_init(in_c_init);

static void __exit in_c_exit(void)
{
	number = 0;
}
module_exit(in_c_exit);

MODULE_DESCRIPTION("A branch in C that does not run");
MODULE_LICENSE("GPL");
"#;

const IN_RUST: &str = r#"// SPDX-License-Identifier: GPL-2.0

//! Parts of Rust that do not run.

use kernel::prelude::*;

module! {
    type: InRust,
    name: "in_rust",
    license: "GPL",
}

struct InRust(KVec<u8>);

impl kernel::Module for InRust {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut bytes = KVec::new();
        bytes.push(7, GFP_KERNEL)?;
        if bytes.len() != 1 {
            return Err(EINVAL);
        }
        Ok(InRust(bytes))
    }
}

impl Drop for InRust {
    fn drop(&mut self) {
        self.0.clear();
    }
}

#[allow(dead_code)]
fn unused() -> u8 {
    7
}
"#;

/// Allocations that differ in number from load to load come before those of a module: one of these fails.
const ALLOCATES: &str = r#"// SPDX-License-Identifier: GPL-2.0

//! Many allocations.

use kernel::prelude::*;

module! {
    type: Allocates,
    name: "allocates",
    license: "GPL",
}

struct Allocates {
    _numbers: KVec<KBox<u64>>,
}

impl kernel::Module for Allocates {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let mut numbers = KVec::with_capacity(32, GFP_KERNEL)?;
        for number in 0..32 {
            let number = KBox::new(number, GFP_KERNEL)?;
            numbers.push(number, GFP_KERNEL)?;
        }
        Ok(Allocates { _numbers: numbers })
    }
}
"#;

/// It cannot be unloaded.
const STAYS: &str = r#"#include <linux/module.h>

static int __init stays_init(void)
{
	return 0;
}
module_init(stays_init);

MODULE_DESCRIPTION("A module without an exit function");
MODULE_LICENSE("GPL");
"#;

/// Nothing in it counts.
const EMPTY: &str = "#include <linux/module.h>\n\nMODULE_DESCRIPTION(\"Nothing\");\n\
                     MODULE_LICENSE(\"GPL\");\n";

/// Files of a folder, more variables for the lab, how it exits, and what it prints.
struct Row {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
    exit: i32,
    prints: &'static [&'static str],
}

const BOTH: &[(&str, &str)] = &[
    ("Kbuild", "obj-m := in_c.o in_rust.o\n"),
    ("in_c.c", IN_C),
    ("in_rust.rs", IN_RUST),
];

#[rustfmt::skip] // a table reads best as a table
const ROWS: &[Row] = &[
    Row { what: "a branch in each language does not run", files: BOTH, variables: &[], exit: 0, prints: &[
        " in_c.c         18        14      77.7               2 ",
        " in_rust.rs     19        15      78.9               3 ",
        " all            37        29      78.3               5 ",
        "What has not run:\n\nin_c.c:15:2\n   15 | \treturn 7;\n",
        "\nin_c.c:26:3\n   26 | \t\treturn -EDOM;\n      | \t\t^^^^^^^^^^^^\n",
        "\nin_rust.rs:18:34\n   18 |         bytes.push(7, GFP_KERNEL)?;\n      |                                  ^\n",
        "\nin_rust.rs:20:20\n   20 |             return Err(EINVAL);\n      |                    ^^^^^^^^^^^\n",
        "\nin_rust.rs:33:1\n   33 | fn unused() -> u8 {\n   34 |     7\n",
    ] },
    // What has run before an init fails counts.
    Row { what: "an init that fails", files: BOTH, variables: &[("LAB_PARAMS", "in_c.number=1000000007")], exit: 1, prints: &[
        " in_c.c ",
        "in_c.c:27:2\n   27 | \treturn 0;\n",
        "in_c.c:33:2\n   33 | \tnumber = 0;\n",
        "insmod: /in_c.ko: error 33",
        "error: the kernel refused the module",
    ] },
    Row { what: "a module that stays loaded", exit: 0, variables: &[], prints: &[" stays.c      3         3     100.0               0 "],
        files: &[("Kbuild", "obj-m := stays.o\n"), ("stays.c", STAYS)] },
    Row { what: "a script in the guest", exit: 0, variables: &[("LAB_RUN", "rmmod in_c; ! insmod /in_c.ko number=1000000007")],
        files: BOTH, prints: &[" in_c.c         18        15      83.3               1 "] },
    Row { what: "a module without code", exit: 1, variables: &[], prints: &["error: no code of the module counts"],
        files: &[("Kbuild", "obj-m := empty.o\n"), ("empty.c", EMPTY)] },
];

/// More words, and why the lab refuses them.
#[rustfmt::skip] // a table reads best as a table
const REFUSED: &[(&[&str], &[&str])] = &[
    (&["coverage", "--cc", "gcc"], &["coverage needs a kernel built by clang", "7.3-gcc is built by gcc", "help: make coverage"]),
    (&["coverage", "--kernel", "stock"], &["coverage needs a kernel built by clang", "stock is built by gcc"]),
    (&["coverage", "--seed", "x"], &["invalid value 'x'"]),
];

/// The tests.
pub fn tests() -> Vec<Test> {
    let kernels = [
        main_flavour(),
        flavour("6.12", Compiler::Clang),
        foreign_flavour(),
    ];
    let of_hello_rust = kernels.into_iter().map(|flavour| {
        let on = flavour.clone();
        let run = move |context: &TestContext| hello_rust(context, &on);
        Test::new(format!("coverage::{}::hello_rust", flavour.name()), run).on(&flavour)
    });
    let of_rows = ROWS.iter().map(|row| {
        let run = move |context: &TestContext| of_row(context, row);
        Test::new(format!("coverage::{}", row.what), run).on(&main_flavour())
    });
    let refused = Test::new("coverage::refused", |context| {
        REFUSED
            .iter()
            .try_for_each(|(words, says)| must_refuse(&mut context.lab_command(words, &[])?, says))
    });
    let page = Test::new("coverage::docs/your-module.md", of_new_module).on(&main_flavour());
    let debug = debug_flavour();
    let starved = Test::new("coverage::without each allocation", starved)
        .on(&debug)
        .minutes(20);
    let others = [refused, page, starved];
    of_hello_rust.chain(of_rows).chain(others).collect()
}

/// All lines have run, and each place that has not is in the page's table, and the other way round.
fn hello_rust(context: &TestContext, flavour: &Flavour) -> Result<()> {
    let arch = flavour.arch.words().kernel;
    let variables = [("LAB_KERNEL", flavour.series.as_str()), ("LAB_ARCH", arch)];
    let report = succeed(&mut context.lab_command(&["coverage"], &variables)?)?;
    for file in ["c_helper.c", "hello_rust.rs", "all"] {
        let line = report
            .lines()
            .find(|line| line.trim_start().starts_with(file));
        let line = line.with_context(|| format!("no {file}:\n{report}"))?;
        must_contain(line, " 100.0 ")?;
    }
    let page = fs::read_to_string(project().join(PAGE))?;
    let (shown, listed) = (shown(&report)?, listed(&page)?);
    ensure!(
        !shown.is_empty() && shown == listed,
        "{PAGE} lists {listed:#?}\n{report}"
    );
    // As it is on the page, where lines do not end with blanks.
    let report: Vec<&str> = report.lines().map(str::trim_end).collect();
    must_contain(&page, report.join("\n").trim_end())
}

/// The files and the texts of the lines in a report.
fn shown(report: &str) -> Result<BTreeSet<(String, String)>> {
    let place = Regex::new(r"(?m)^(\S+):\d+:\d+\n +\d+ \| (.*)$")?;
    let places = place.captures_iter(report);
    Ok(places
        .map(|found| (found[1].to_owned(), found[2].trim().to_owned()))
        .collect())
}

/// The same in the page's table.
fn listed(page: &str) -> Result<BTreeSet<(String, String)>> {
    let row = Regex::new(r"(?m)^\| `(\S+)` \| `(.*?)` \| .+ \|$")?;
    let rows = row.captures_iter(page);
    Ok(rows
        .map(|found| (found[1].to_owned(), found[2].replace(r"\|", "|")))
        .collect())
}

/// The error after an allocation is reached only where that can fail.
fn starved(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let files = [
        ("Kbuild", "obj-m := allocates.o\n"),
        ("allocates.rs", ALLOCATES),
    ];
    write(place.path(), &files)?;
    let folder = place.path().to_string_lossy();
    let variables = [("LAB_M", &*folder), ("LAB_DEBUG", "1")];
    let report = succeed(&mut context.lab_command(&["coverage"], &variables)?)?;
    must_contain(&report, "numbers.push(number, GFP_KERNEL)?;")?;
    ensure!(!report.contains("KBox::new"), "{report}");
    Ok(())
}

/// By the new module's own Makefile. The page shows a part of the report.
fn of_new_module(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("notes");
    let dir = format!("DIR={}", folder.display());
    succeed(&mut context.make_command(&project(), &["new", "NAME=notes", &dir])?)?;
    let report = succeed(&mut context.make_command(&folder, &["coverage"])?)?;
    let page = fs::read_to_string(project().join("docs/your-module.md"))?;
    let (_, part) = page
        .split_once("$ make coverage\n")
        .context("the page has no report")?;
    let (part, _) = part.split_once("```").context("the report has no end")?;
    let report: Vec<&str> = report.lines().map(str::trim_end).collect();
    let report = report.join("\n");
    part.split("…\n")
        .try_for_each(|lines| must_contain(&report, lines.trim_end()))
}

fn of_row(context: &TestContext, row: &Row) -> Result<()> {
    ensure!(IN_C.contains(ODD));
    let place = tempfile::tempdir()?;
    write(place.path(), row.files)?;
    let folder = place.path().to_string_lossy();
    let variables = [&[("LAB_M", &*folder)], row.variables].concat();
    let output = context.lab_command(&["coverage"], &variables)?.output()?;
    let text = printed(&output);
    ensure!(output.status.code() == Some(row.exit), "{text}");
    let mut prints = row.prints.iter();
    prints.try_for_each(|words| must_contain(&text, words))
}
