//! `make test M=…`: what finds a fault in a module of the user's.

use std::fs;

use anyhow::{ensure, Result};
use host::project::project;

use super::modules::write;
use crate::harness::test::Test;
use crate::support::context::{
    debug_flavour, main_flavour, must_contain, printed, succeed, TestContext,
};

const NUMBER: &str = r#"#include <kunit/test.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static int number = 41;
module_param(number, int, 0444);

static int number_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%d\n", number + 1);
	return 0;
}

static int __init number_init(void)
{
	return proc_create_single("number", 0444, NULL, number_show) ? 0 : -ENOMEM;
}
module_init(number_init);

static void __exit number_exit(void)
{
	remove_proc_entry("number", NULL);
}
module_exit(number_exit);

static void is_small(struct kunit *test)
{
	KUNIT_EXPECT_LT(test, number, 100);
}

static struct kunit_case cases[] = { KUNIT_CASE(is_small), {} };
static struct kunit_suite suite = { .name = "number", .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("A number in /proc");
MODULE_LICENSE("GPL");
"#;

/// Kbuild builds it as well, and it is in the guest.
const ASK: &str = r#"#include <stdio.h>

int main(void)
{
	FILE *file = fopen("/proc/number", "r");
	int number = 0;

	return !file || fscanf(file, "%d", &number) != 1 || number != 42;
}
"#;

const FOLDER: &[(&str, &str)] = &[
    (
        "Kbuild",
        "obj-m := number.o\nuserprogs-always-y := ask\nask-userldflags := -static\n",
    ),
    ("ask.c", ASK),
    ("test.sh", "#!/bin/sh -e\n/ask\n"),
];

/// A change of [`NUMBER`]: what is there, and what is there instead.
type Change = (&'static str, &'static str);

/// A module, more words for `make test`, and what is printed.
struct Row {
    what: &'static str,
    changes: &'static [Change],
    words: &'static [&'static str],
    well: bool,
    prints: &'static [&'static str],
}

#[rustfmt::skip] // a table reads best as a table
const ROWS: &[Row] = &[
    Row { what: "a module that is well", changes: &[], words: &[], well: true, prints: &[
        " builds without a warning        ok ",
        " test.sh                         ok ",
        " loaded and unloaded 200 times   ok ",
        " two CPUs at once                ok ",
        " KUnit                           ok, 1 of 1 ",
    ] },
    // After the first load, an entry of it is left behind in /proc.
    Row { what: "each check finds a fault", words: &["PARAMS=number=100"], well: false,
        changes: &[("\tremove_proc_entry(\"number\", NULL);\n", ""), ("static int number_show", "int number_show")],
        prints: &[
        " builds without a warning        FAIL ",
        " test.sh                         FAIL ",
        " loaded and unloaded 200 times   FAIL ",
        " two CPUs at once                FAIL ",
        " KUnit                           FAIL, 1 of 1 ",
        "no previous prototype for function 'number_show'",
        "the script in RUN= exited with 1",
        "proc_dir_entry '/proc/number' already registered",
        "Expected number < 100, but",
    ] },
    Row { what: "a module that does not compile", changes: &[("int number = 41;", "int number = 41")], words: &[], well: false, prints: &[
        "error: expected ';' after top level declarator",
        " builds without a warning        FAIL ",
        " test.sh                         skip ",
        " KUnit                           skip ",
        "     it does not build\n",
    ] },
    Row { what: "a module without an exit function", words: &["TESTS=200 times"], well: true,
        changes: &[("module_exit(number_exit);\n", ""), ("static void __exit number_exit", "static void __maybe_unused number_exit")],
        prints: &["number has no exit function, so it cannot be unloaded", " loaded and unloaded 200 times   skip "] },
];

const LEAKS: Row = Row {
    what: "a leak",
    changes: &[(
        "\treturn proc_create_single",
        "\tbarrier_data(kmalloc(64, GFP_KERNEL));\n\treturn proc_create_single",
    )],
    words: &["DEBUG=1", "TESTS=no memory leak"],
    well: false,
    prints: &[
        "memory is lost, ",
        "comm \"insmod\"",
        " no memory leak   FAIL ",
    ],
};

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |row: &'static Row| {
        let name = format!("modules::make test::{}", row.what);
        Test::new(name, move |context| of_row(context, row))
    };
    let mut tests: Vec<Test> = ROWS
        .iter()
        .map(|row| test(row).on(&main_flavour()))
        .collect();
    tests.push(test(&LEAKS).on(&debug_flavour()));
    tests.push(Test::new("modules::make test::on several kernels", several));
    tests
}

fn of_row(context: &TestContext, row: &Row) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("number");
    let mut text = NUMBER.to_owned();
    for (from, to) in row.changes {
        ensure!(text.contains(from), "{from:?} is not in the module");
        text = text.replace(from, to);
    }
    write(&folder, FOLDER)?;
    write(&folder, &[("number.c", &text)])?;
    let junit = place.path().join("junit.xml");
    let own = [
        "test".to_owned(),
        format!("M={}", folder.display()),
        format!("JUNIT={}", junit.display()),
    ];
    let own = own.iter().map(String::as_str);
    let words: Vec<&str> = own.chain(row.words.iter().copied()).collect();
    let output = context.make_command(&project(), &words)?.output()?;
    let text = printed(&output);
    ensure!(output.status.success() == row.well, "{text}");
    row.prints
        .iter()
        .try_for_each(|line| must_contain(&text, line))?;
    must_contain(&fs::read_to_string(junit)?, "<testsuite name=\"number\"")
}

/// The names tell which kernels, and which tests on each.
fn several(context: &TestContext) -> Result<()> {
    let place = tempfile::tempdir()?;
    let folder = place.path().join("number");
    write(&folder, FOLDER)?;
    let m = format!("M={}", folder.display());
    let words = [
        "test",
        &m,
        "KERNELS=6.12 stock",
        "CC=gcc",
        "DEBUG=1",
        "LIST=1",
    ];
    let listed = succeed(&mut context.make_command(&project(), &words)?)?;
    let checks = [
        "builds without a warning",
        "test.sh",
        "loaded and unloaded 200 times",
        "two CPUs at once",
    ];
    let mut expected = String::new();
    for kernel in ["6.12-gcc", "stock", "6.12-gcc-debug"] {
        let leak = kernel.ends_with("-debug").then_some("no memory leak");
        for what in checks.into_iter().chain(leak).chain(["KUnit"]) {
            expected += &format!("number::{kernel}::{what}\n");
        }
    }
    ensure!(listed == expected, "{listed}");

    let words = ["test", &m, "DEBUG=kcsan", "TESTS=leak", "LIST=1"];
    let output = context.make_command(&project(), &words)?.output()?;
    must_contain(&printed(&output), "no test matches \"leak\"")
}
