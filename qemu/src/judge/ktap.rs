//! Reads KTAP, the test results that KUnit prints into the kernel's log.
//!
//! The format is in Documentation/dev-tools/ktap.rst of the kernel, and what KUnit makes of it in
//! lib/kunit/test.c: suites stand at the left margin, their cases four spaces in, the parameters
//! of a case eight. Other lines of the kernel may stand in between.

use std::sync::LazyLock;

use anyhow::{bail, ensure, Context, Result};
use regex::Regex;
use serde::Serialize;

use crate::judge::console::kernel_messages;

/// How a test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// "ok".
    Pass,
    /// "not ok".
    Fail,
    /// Not run, and why.
    Skip(String),
}

/// A test that has no tests below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// The full name: "suite.case", or "suite.case.parameter".
    pub name: String,
    /// How it ended.
    pub status: Status,
    /// What it said of itself: lines with a "# " in front, and indented ones below such a line,
    /// where KUnit shows both sides of a failed expectation, and then what the test says of it.
    pub diagnostics: Vec<String>,
}

/// One set of results: a version line, perhaps a plan, and what follows at the same indentation.
struct Level {
    indent: usize,
    plan: Option<usize>,
    results: usize,
    /// Where the cases of this level start in the list of all.
    start: usize,
}

/// Longer than any full name: KUnit's parameters have at most 128 bytes. A name is a part of those of all
/// cases below it, which could fill the memory.
const LONGEST_NAME: usize = 1024;

/// A result line.
struct Outcome<'a> {
    number: usize,
    name: &'a str,
    status: Status,
}

/// `<ok|not ok> <number> [description] [# [directive] [text]]`
static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(ok|not ok) (\d+)(?: (?:- )?(.*?))??(?: # ?(.*))?$").expect("a valid pattern")
});

/// The only directive that changes a result. For others the format says: take "ok" or "not ok".
static SKIP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?i:skip)\b:? ?(.*)$").expect("a valid pattern"));

/// The leaf cases of all suites in the log, in its order. A kernel with `CONFIG_RUST` and
/// `CONFIG_KUNIT` has suites of its own, which ran at boot: they are among them.
///
/// A suite or case that failed though nothing below it did (its setup or its end failed) is a
/// case of its own, lest the failure is lost.
///
/// # Errors
///
/// When nothing ran, when results are missing (a crash in the middle) or out of order, and when a
/// suite claims success though one of its cases failed.
pub fn parse(log: &str) -> Result<Vec<Case>> {
    let mut parser = Parser::default();
    for message in kernel_messages(log) {
        parser.line(message.text.trim_end())?;
    }
    parser.close_document()?;
    ensure!(
        !parser.cases.is_empty(),
        "no test has run: the log holds no KTAP result"
    );
    Ok(parser.cases)
}

#[derive(Default)]
struct Parser {
    cases: Vec<Case>,
    /// The set of results at hand, below those it is part of.
    levels: Vec<Level>,
    /// What was said since the last result.
    diagnostics: Vec<String>,
    /// Whether the last of them with a "# " in front is a failed expectation.
    explained: bool,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<()> {
        let text = line.trim_start_matches(' ');
        let indent = line.len() - text.len();
        if text.starts_with("KTAP version ") || text.starts_with("TAP version ") {
            self.open(indent)
        } else if let Some(plan) = plan(text) {
            self.plan(indent, plan);
            Ok(())
        } else if let Some(outcome) = outcome(text) {
            self.result(indent, outcome)
                .with_context(|| format!("at this line of the KTAP results: {text}"))
        } else {
            self.diagnose(indent, text);
            Ok(())
        }
    }

    /// A version line: the results below the next result, or a new document.
    fn open(&mut self, indent: usize) -> Result<()> {
        match self.levels.last() {
            Some(level) if indent > level.indent => {}
            Some(level) if self.levels.len() > 1 => bail!("{}", level.cut_short()),
            _ => self.close_document()?,
        }
        self.levels.push(Level {
            indent,
            plan: None,
            results: 0,
            start: self.cases.len(),
        });
        self.diagnostics.clear();
        Ok(())
    }

    fn plan(&mut self, indent: usize, plan: usize) {
        if let Some(level) = self.levels.last_mut().filter(|l| l.indent == indent) {
            level.plan.get_or_insert(plan);
            // Between the version and the plan KUnit describes the suite, not its first case.
            self.diagnostics.clear();
        }
    }

    /// A result: that of one test, or of the tests in the level below, which it ends.
    fn result(&mut self, indent: usize, outcome: Outcome<'_>) -> Result<()> {
        let Some(depth) = self.levels.iter().rposition(|l| l.indent == indent) else {
            return Ok(()); // no KTAP: some other line that happens to start with "ok 1"
        };
        let below = self.levels.split_off(depth + 1);
        ensure!(
            below.len() < 2,
            "the results of a test below it are missing"
        );
        let level = &mut self.levels[depth];
        level.results += 1;
        ensure!(
            outcome.number == level.results,
            "result {} where {} is due",
            outcome.number,
            level.results
        );
        let start = match below.first() {
            Some(below) => below.complete().map(|()| below.start)?,
            None => self.cases.len(),
        };
        self.record(start, outcome)
    }

    /// Names the cases below a result after it; without any, the result itself is a case.
    fn record(&mut self, start: usize, outcome: Outcome<'_>) -> Result<()> {
        let diagnostics = std::mem::take(&mut self.diagnostics);
        let below = &mut self.cases[start..];
        for case in below.iter_mut() {
            case.name = format!("{}.{}", outcome.name, case.name);
            ensure!(
                case.name.len() <= LONGEST_NAME,
                "a test has a name without end"
            );
        }
        let failed = below.iter().find(|case| case.status == Status::Fail);
        match (failed, &outcome.status) {
            (Some(case), Status::Pass | Status::Skip(_)) => {
                bail!("{} says ok, but {} failed", outcome.name, case.name)
            }
            (Some(_), Status::Fail) => {}
            (None, Status::Pass | Status::Skip(_)) if !below.is_empty() => {}
            (None, _) => self.cases.push(Case {
                name: outcome.name.to_string(),
                status: outcome.status,
                diagnostics,
            }),
        }
        Ok(())
    }

    fn diagnose(&mut self, indent: usize, text: &str) {
        let marked = text.starts_with('#') && !text.starts_with("# Subtest:");
        // The text of KUNIT_EXPECT_*_MSG() follows at the margin, whatever it is.
        let explained = self.explained && !self.diagnostics.is_empty();
        let continued = !text.starts_with('#') && (indent > 0 || explained);
        if !self.levels.is_empty() && (marked || continued && !self.diagnostics.is_empty()) {
            self.diagnostics.push(text.to_string());
            if marked {
                self.explained = text.contains(" FAILED at ");
            }
        }
    }

    /// The end of the log, or of all results before the next module's.
    fn close_document(&mut self) -> Result<()> {
        let levels = std::mem::take(&mut self.levels);
        match levels.as_slice() {
            [] => Ok(()),
            [document] => document.complete(),
            [.., open] => bail!("{}", open.cut_short()),
        }
    }
}

impl Level {
    /// Whether there are as many results as were announced.
    fn complete(&self) -> Result<()> {
        match self.plan {
            Some(plan) if plan != self.results => {
                bail!("{} of {plan} results are there", self.results)
            }
            _ => Ok(()),
        }
    }

    fn cut_short(&self) -> String {
        let of = self
            .plan
            .map_or(String::new(), |plan| format!(" of {plan}"));
        format!(
            "the KTAP results stop in the middle of a test, after {}{of} results: did the guest crash?",
            self.results
        )
    }
}

/// `1..N`
fn plan(text: &str) -> Option<usize> {
    text.strip_prefix("1..")?.parse().ok()
}

fn outcome(text: &str) -> Option<Outcome<'_>> {
    let found = RESULT.captures(text)?;
    let part = |group| found.get(group).map_or("", |part| part.as_str());
    let status = match (SKIP.captures(part(4)), part(1)) {
        (Some(skip), _) => Status::Skip(skip[1].to_string()),
        (None, "ok") => Status::Pass,
        (None, _) => Status::Fail,
    };
    let name = match part(3) {
        "" => part(2), // a description is optional
        name => name,
    };
    Some(Outcome {
        number: part(2).parse().ok()?,
        name,
        status,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A module with two suites, as Linux 7.3 prints it while the module loads.
    const LOG: &str = "\
[    0.400000] KTAP version 1\r
[    0.400001] 1..0\r
[    0.500000] hello_rust: loading out-of-tree module taints kernel.\r
[    0.500001] KTAP version 1\r
[    0.500002] 1..2\r
[    0.500003]     KTAP version 1\r
[    0.500004]     # Subtest: border\r
[    0.500005]     # module: hello_rust_test\r
[    0.500006]     1..3\r
[    0.500007]     ok 1 c_calls_rust\r
[    0.500008] hello_rust: ok 7 is not KTAP\r
/ # ok 8 nor is this\r
[    0.500009]     ok 2 rust_calls_c # SKIP no helper here\r
[    0.500010]         KTAP version 1\r
[    0.500011]         # Subtest: numbers\r
[    0.500012]         ok 1 zero\r
[    0.500013]         ok 2 param-1\r
[    0.500014]     # numbers: pass:2 fail:0 skip:0 total:2\r
[    0.500015]     ok 3 numbers\r
[    0.500016] # border: pass:2 fail:0 skip:1 total:3\r
[    0.500017] # Totals: pass:3 fail:0 skip:1 total:4\r
[    0.500018] ok 1 border\r
[    0.500019]     KTAP version 1\r
[    0.500020]     # Subtest: layout\r
[    0.500021]     1..1\r
[    0.500022][   T57]     # sizes: EXPECTATION FAILED at tests/layout.c:12\r
[    0.500022][   T57]     Expected size == 8, but\r
[    0.500022][   T57]         size == 4 (0x4)\r
[    0.500022][   T57] as the other half has it\r
[    0.500023]     not ok 1 sizes\r
[    0.500024] not ok 2 layout\r
";

    fn case(name: &str, status: Status, diagnostics: &[&str]) -> Case {
        Case {
            name: name.to_string(),
            status,
            diagnostics: diagnostics.iter().map(|line| line.to_string()).collect(),
        }
    }

    fn error(log: &str) -> String {
        format!("{:#}", parse(log).unwrap_err())
    }

    /// The log without the lines that contain any of the words.
    fn without(words: &[&str]) -> String {
        let keep = |line: &&str| !words.iter().any(|word| line.contains(word));
        LOG.split_inclusive('\n').filter(keep).collect()
    }

    /// The same once more, one second later.
    fn later() -> String {
        LOG.replace("[    0.", "[    1.")
    }

    #[test]
    fn leaves_have_full_names_states_and_diagnostics() {
        let skip = Status::Skip("no helper here".to_string());
        let failure = [
            "# sizes: EXPECTATION FAILED at tests/layout.c:12",
            "Expected size == 8, but",
            "size == 4 (0x4)",
            "as the other half has it",
        ];
        assert_eq!(
            parse(LOG).unwrap(),
            [
                case("border.c_calls_rust", Status::Pass, &[]),
                case("border.rust_calls_c", skip, &[]),
                case("border.numbers.zero", Status::Pass, &[]),
                case("border.numbers.param-1", Status::Pass, &[]),
                case("layout.sizes", Status::Fail, &failure),
            ]
        );
    }

    #[test]
    fn the_formats_own_example_is_read() {
        let cases = parse(
            "TAP version 14\n1..1\n  KTAP version 1\n  1..2\n    KTAP version 1\n    1..1\n    \
             # test_1: initializing test_1\n    ok 1 test_1\n  ok 1 - example_test_1\n  \
             not ok 2 # SKIP\nok 1 main_test # rcode=0\n",
        );
        let noted = ["# test_1: initializing test_1"];
        assert_eq!(
            cases.unwrap(),
            [
                case("main_test.example_test_1.test_1", Status::Pass, &noted),
                case("main_test.2", Status::Skip(String::new()), &[]),
            ]
        );
    }

    #[test]
    fn a_suite_that_fails_by_itself_is_a_case() {
        let init = "KTAP version 1\n1..1\n    # s:     # failed to initialize (-12)\nnot ok 1 s\n";
        let lines = ["# s:     # failed to initialize (-12)"];
        assert_eq!(parse(init).unwrap(), [case("s", Status::Fail, &lines)]);
        let exit = "KTAP version 1\n1..1\n    KTAP version 1\n    1..1\n    ok 1 a\nnot ok 1 s\n";
        let cases = [case("s.a", Status::Pass, &[]), case("s", Status::Fail, &[])];
        assert_eq!(parse(exit).unwrap(), cases);
    }

    #[test]
    fn no_results_are_no_success() {
        assert!(error("").contains("no test has run"));
        assert!(error("[    0.500000] hello_rust: hello\n").contains("no test has run"));
        let builtin = "[    0.400000] KTAP version 1\n[    0.400001] 1..0\n";
        assert!(error(builtin).contains("no test has run"));
    }

    #[test]
    fn a_crash_in_the_middle_is_noticed() {
        for (lost, complaint) in [
            ("ok 2 rust_calls_c", "after 1 of 3 results"),
            ("ok 2 param-1", "after 1 results"),
            ("[    0.500019]", "1 of 2 results"),
            ("not ok 1 sizes", "after 0 of 1 results"),
        ] {
            let cut = error(LOG.split(lost).next().unwrap());
            assert!(cut.contains(complaint), "{lost}: {cut}");
        }
        let next_module = without(&["ok 1 border", "not ok 2 layout"]) + &later();
        assert!(error(&next_module).contains("after 3 of 3 results"));
    }

    #[test]
    fn missing_and_misplaced_results_are_noticed() {
        assert!(error(&without(&["ok 1 c_calls"])).contains("result 2 where 1 is due"));
        assert!(error(&without(&["ok 3 numbers"])).contains("missing"));
        assert!(
            error(&without(&["ok 3 numbers", "    # numbers", "         "])).contains("2 of 3")
        );
        assert!(error(&LOG.replace("ok 2 param-1", "ok 3 param-1")).contains("result 3 where 2"));
    }

    #[test]
    fn a_suite_cannot_hide_a_failure() {
        let lie = LOG.replace("not ok 2 layout", "ok 2 layout");
        assert!(error(&lie).contains("layout says ok, but layout.sizes failed"));
    }

    /// In seconds: each line of a hundred thousand once compared with all before it.
    #[test]
    fn a_test_that_says_much() {
        let noted = "    # a: EXPECTATION FAILED at a.c:1\n";
        let said = "    and more\n".repeat(100_000);
        let log = format!("KTAP version 1\n1..1\n{noted}{said}not ok 1 a\n");
        let start = std::time::Instant::now();
        assert_eq!(parse(&log).unwrap()[0].diagnostics.len(), 100_001);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    }

    #[test]
    fn a_name_without_end() {
        let name = "n".repeat(2000);
        let log = format!(
            "KTAP version 1\n1..1\n    KTAP version 1\n    1..1\n    ok 1 a\nok 1 {name}\n"
        );
        assert!(error(&log).contains("a name without end"));
    }

    #[test]
    fn modules_follow_each_other_but_dmesg_repeats() {
        assert_eq!(parse(&(LOG.to_string() + &later())).unwrap().len(), 10);
        assert_eq!(parse(&LOG.repeat(2)).unwrap().len(), 5);
    }
}
