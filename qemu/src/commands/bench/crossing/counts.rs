//! What the module prints, as instructions for each call.

use std::collections::BTreeMap;

use anyhow::{ensure, Context, Result};
use regex::Regex;

/// Instructions for each round of a loop, by the loop's name.
pub type Counts = BTreeMap<String, u64>;

/// The loop that calls nothing, of each half.
const NOTHING: &str = "nothing";

/// How often each loop runs, first and then.
const TIMES: [u64; 2] = [1000, 2000];

/// All loops are in these groups: the caller, and for C the object that it is in.
const GROUPS: [&str; 4] = ["one_object", "two_objects", "from_rust", "to_rust"];

/// A line such as `crossing: one_object_number(1000) = 500500 after 7031`.
struct Line {
    name: String,
    times: u64,
    result: u64,
    instructions: u64,
}

/// # Errors
///
/// When a loop is missing, rounds differ from each other, or Rust and C have not done the same work.
pub fn parse(output: &str) -> Result<Counts> {
    let lines = lines(output)?;
    let mut counts = Counts::new();
    for pair in lines.chunks(2) {
        let [first, then] = pair else {
            anyhow::bail!("the loop {} ran once:\n{output}", pair[0].name);
        };
        let name = &first.name;
        ensure!(
            then.name == *name && [first.times, then.times] == TIMES,
            "not two runs of the loop {name}:\n{output}"
        );
        let more = then.instructions.checked_sub(first.instructions);
        let each = more.filter(|more| more % TIMES[0] == 0);
        let each = each.with_context(|| {
            format!(
                "not all rounds of the loop {name} have as many instructions: {} took {}, {} took {}",
                first.times, first.instructions, then.times, then.instructions
            )
        })?;
        ensure!(
            counts.insert(name.clone(), each / TIMES[0]).is_none(),
            "the loop {name} is there twice:\n{output}"
        );
    }
    same_work(&lines)?;
    for group in GROUPS {
        let there = counts.keys().any(|name| split(name).0 == group);
        ensure!(there, "no loop of {group}:\n{output}");
    }
    Ok(counts)
}

fn lines(output: &str) -> Result<Vec<Line>> {
    let line = Regex::new(r"(?m)\] crossing: (\w+)\((\d+)\) = (\d+) after (\d+)$")?;
    let numbers = |found: regex::Captures| -> Result<Line> {
        Ok(Line {
            name: found[1].to_owned(),
            times: found[2].parse()?,
            result: found[3].parse()?,
            instructions: found[4].parse()?,
        })
    };
    let all = line.captures_iter(output).map(numbers);
    all.collect::<Result<_>>()
        .with_context(|| format!("cannot read what the guest printed:\n{output}"))
}

/// Loops of one kind return the same, from either language and into either.
fn same_work(lines: &[Line]) -> Result<()> {
    let mut results = BTreeMap::new();
    for line in lines {
        let kind = split(&line.name).1;
        let first = *results.entry((kind, line.times)).or_insert(line.result);
        ensure!(
            first == line.result,
            "{} returned {}, and others {first}",
            line.name,
            line.result
        );
    }
    Ok(())
}

/// `one_object_number` is `number` of `one_object`.
pub fn split(name: &str) -> (&str, &str) {
    name.rsplit_once('_').unwrap_or((name, ""))
}

/// The instructions of one call of a loop: what its rounds have more than those that call nothing.
pub fn of_call(counts: &Counts, name: &str) -> Result<i64> {
    let group = match split(name).0 {
        // C's loops in that object.
        "to_rust" => "two_objects",
        group => group,
    };
    let round = |name: &str| -> Result<i64> {
        let count = counts
            .get(name)
            .with_context(|| format!("the guest printed nothing of the loop {name}"))?;
        Ok(i64::try_from(*count)?)
    };
    Ok(round(name)? - round(&format!("{group}_{NOTHING}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log with one loop of each group.
    fn log() -> String {
        let mut log = "[    0.6] crossing: loading out-of-tree module taints kernel.\n".to_owned();
        for (name, each) in [
            ("one_object_nothing", 3),
            ("one_object_number", 4),
            ("two_objects_nothing", 3),
            ("from_rust_nothing", 2),
            ("from_rust_number", 9),
            ("to_rust_number", 8),
        ] {
            let result = if name.ends_with("number") { 7 } else { 0 };
            for times in TIMES {
                let after = 17 + each * times;
                log += &format!("[    0.7] crossing: {name}({times}) = {result} after {after}\n");
            }
        }
        log
    }

    #[test]
    fn what_a_call_adds_to_its_loop() -> Result<()> {
        let counts = parse(&log())?;
        for (name, call) in [
            ("one_object_number", 1),
            ("from_rust_number", 7),
            ("to_rust_number", 5),
        ] {
            assert_eq!(of_call(&counts, name)?, call, "{name}");
        }
        assert!(of_call(&counts, "from_rust_string").is_err());
        Ok(())
    }

    #[test]
    fn what_cannot_be_a_count() {
        let error = |from: &str, to: &str| {
            let log = log();
            assert!(log.contains(from), "{from}");
            let error = parse(&log.replacen(from, to, 1)).expect_err("an error");
            format!("{error:#}")
        };
        // An interrupt in one of the rounds.
        let odd = error("after 18017", "after 18117");
        assert!(odd.contains("not all rounds of the loop from_rust_number"));
        assert!(error("after 18017", "after 17").contains("not all rounds"));
        // Rust has done something else.
        let other = error("from_rust_number(2000) = 7", "from_rust_number(2000) = 8");
        assert!(other.contains("from_rust_number returned 8, and others 7"));
        // Lines that are lost, or cut.
        assert!(error(" after 18017", "").contains("not two runs of the loop from_rust_number"));
        assert!(error("to_rust_number(2000) = 7", "").contains("the loop to_rust_number ran once"));
        let none = error(
            "",
            "[ 0] crossing: a_b(1000) = 1 after 1\n[ 0] crossing: a_b(2000)\n",
        );
        assert!(none.contains("not two runs of the loop a_b"), "{none}");
    }
}
