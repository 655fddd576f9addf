//! The results of a module on several kernels: a row for each check, a column for each kernel.

use comfy_table::{presets, Table, TableComponent};

use super::test::{Case, Outcome, Test};

/// What a check of a kernel came to: `ok`, `ok, 28 of 28`, `FAIL, 1 of 28`, `skip`.
fn cell(test: &str, cases: &[Case]) -> String {
    let below = format!("{test}::");
    let below: Vec<&Case> = cases
        .iter()
        .filter(|case| case.name.starts_with(&below))
        .collect();
    let count = |failed| {
        let has = |case: &&&Case| matches!(case.outcome, Outcome::Failed(_)) == failed;
        format!("{} of {}", below.iter().filter(has).count(), below.len())
    };
    let all_well = !below
        .iter()
        .any(|case| matches!(case.outcome, Outcome::Failed(_)));
    let own = cases.iter().find(|case| case.name == test);
    match own.map(|case| &case.outcome) {
        None => "not run".to_owned(),
        Some(Outcome::Failed(_)) => "FAIL".to_owned(),
        Some(Outcome::Skipped(_)) => "skip".to_owned(),
        Some(Outcome::Passed) if below.is_empty() => "ok".to_owned(),
        Some(Outcome::Passed) if all_well => format!("ok, {}", count(false)),
        Some(Outcome::Passed) => format!("FAIL, {}", count(true)),
    }
}

/// The table of tests that are called `title::kernel::check`.
pub fn table(title: &str, tests: &[Test], cases: &[Case]) -> Table {
    let (mut kernels, mut checks) = (Vec::new(), Vec::new());
    let parts = tests.iter().filter_map(|test| {
        let name = test.name.strip_prefix(title)?.strip_prefix("::")?;
        name.split_once("::")
    });
    for (kernel, check) in parts {
        for (list, item) in [(&mut kernels, kernel), (&mut checks, check)] {
            if !list.contains(&item) {
                list.push(item);
            }
        }
    }
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .set_header([&[title], &kernels[..]].concat());
    for check in checks {
        let mut row = vec![check.to_owned()];
        row.extend(kernels.iter().map(|kernel| {
            let name = format!("{title}::{kernel}::{check}");
            let is_test = tests.iter().any(|test| test.name == name);
            if is_test {
                cell(&name, cases)
            } else {
                String::new()
            }
        }));
        table.add_row(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_cell() {
        let failed = || Outcome::Failed("why".to_owned());
        let case = |name: &str, outcome| Case::of_many(name, outcome);
        let cases = [
            case("m::k::a", Outcome::Passed),
            case("m::k::b", Outcome::Passed),
            case("m::k::b::s.one", Outcome::Passed),
            case("m::k::b::s.two", failed()),
            case("m::k::c", Outcome::Skipped("why".to_owned())),
            case("m::l::a", failed()),
            case("m::l::b", Outcome::Passed),
            case("m::l::b::s.one", Outcome::Passed),
        ];
        let names = [
            "m::k::a", "m::k::b", "m::k::c", "m::l::a", "m::l::b", "m::l::d",
        ];
        let tests = names.map(|name| Test::new(name, |_| Ok(())));
        let table = table("m", &tests, &cases);
        let rows = table.row_iter().map(|row| {
            let cells = row.cell_iter().map(|cell| cell.content());
            cells.collect::<Vec<_>>().join("|")
        });
        let expected = [
            "a|ok|FAIL",
            "b|FAIL, 1 of 2|ok, 1 of 1",
            "c|skip|",
            "d||not run",
        ];
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}
