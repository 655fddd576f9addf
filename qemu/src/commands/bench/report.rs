//! The tables of a benchmark.

use comfy_table::{presets, CellAlignment, Row, Table, TableComponent};
use serde::Serialize;

/// Seconds that the border may add to a warm build.
const BORDER_TARGET: f64 = 0.3;

/// Several measurements of one thing.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Measured {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (count, end) = (values.len(), values.len().saturating_sub(1));
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        Measured {
            median: (at(end / 2) + at(count / 2)) / 2.0,
            min: at(0),
            max: at(end),
        }
    }
}

/// A line of the first table.
#[derive(Debug, Clone, Serialize)]
pub struct Time {
    pub what: String,
    pub unit: &'static str,
    #[serde(flatten)]
    pub measured: Measured,
    pub target: Option<f64>,
    pub met: Option<bool>,
}

impl Time {
    /// Seconds.
    pub fn new(what: &str, values: Vec<f64>, target: Option<f64>) -> Self {
        let measured = Measured::new(values);
        Time {
            what: what.to_owned(),
            unit: "s",
            met: target.map(|target| measured.median <= target),
            measured,
            target,
        }
    }

    /// So many times.
    pub fn ratio(what: &str, values: Vec<f64>, target: Option<f64>) -> Self {
        Time {
            unit: "x",
            ..Time::new(what, values, target)
        }
    }

    pub fn cells(&self) -> [String; 5] {
        let Measured { median, min, max } = self.measured;
        let unit = self.unit;
        [
            self.what.clone(),
            format!("{median:.3} {unit}"),
            format!("{min:.3} to {max:.3} {unit}"),
            self.target
                .map_or(String::new(), |most| format!("at most {most} {unit}")),
            match self.met {
                Some(true) => "met".to_owned(),
                Some(false) => "not met".to_owned(),
                None => String::new(),
            },
        ]
    }
}

/// A line of the later tables: hello_rust.ko beside another module.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    pub what: String,
    pub rust: Measured,
    pub twin: Measured,
    pub ratio: Measured,
}

impl Comparison {
    /// What was measured together is compared with each other.
    pub fn new(what: &str, rust: Vec<f64>, twin: Vec<f64>) -> Self {
        let ratio = rust.iter().zip(&twin).map(|(rust, twin)| rust / twin);
        Comparison {
            what: what.to_owned(),
            ratio: Measured::new(ratio.collect()),
            rust: Measured::new(rust),
            twin: Measured::new(twin),
        }
    }

    pub fn cells(&self) -> [String; 4] {
        let cell = |measured: &Measured| match *measured {
            Measured { median, min, max } if min == max => format!("{median}"),
            Measured { median, min, max } => format!("{median:.2} ({min:.2} to {max:.2})"),
        };
        [
            self.what.clone(),
            cell(&self.rust),
            cell(&self.twin),
            match self.ratio.median {
                ratio if ratio.is_finite() => format!("{ratio:.2} x"),
                _ => String::new(),
            },
        ]
    }
}

/// All that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    pub conditions: String,
    pub times: Vec<Time>,
    pub twins: Vec<Comparison>,
    pub border: Vec<Comparison>,
}

impl Report {
    /// Prints all tables.
    pub fn print(&self) {
        println!("{}\n", self.conditions);
        let header = ["", "median", "min to max", "target", ""];
        println!("{}\n", table(header, self.times.iter().map(Time::cells)));

        println!("Stripped of debug information, beside a twin in C alone that says the same:\n");
        let header = ["", "hello_rust.ko", "hello_twin.ko", "ratio"];
        println!(
            "{}\n",
            table(header, self.twins.iter().map(Comparison::cells))
        );

        println!("What the border costs, beside the same module with bindgen alone:\n");
        let header = ["", "with the border", "without", "ratio"];
        println!(
            "{}",
            table(header, self.border.iter().map(Comparison::cells))
        );
        println!("{}\n", self.most_that_it_adds());

        println!("From nothing it takes minutes, each step tells how many:");
        println!("  XDG_CACHE_HOME=$(mktemp -d) make run");
    }

    /// The largest difference of two medians among the builds.
    fn most_that_it_adds(&self) -> String {
        let builds = self
            .border
            .iter()
            .filter(|comparison| comparison.what.ends_with(", s"));
        let most = builds
            .map(|comparison| comparison.rust.median - comparison.twin.median)
            .fold(f64::NEG_INFINITY, f64::max);
        let met = if most <= BORDER_TARGET {
            "met"
        } else {
            "not met"
        };
        format!(
            "It adds at most {most:.3} s to a build (at most {} s: {met}).",
            BORDER_TARGET
        )
    }
}

/// A table without lines between its rows, numbers to the right.
pub fn table<'h, L>(
    header: impl IntoIterator<Item = &'h str>,
    lines: impl Iterator<Item = L>,
) -> Table
where
    L: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .set_header(header)
        .add_rows(lines.map(Row::from));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let summary = |values: &[f64]| {
            let Measured { median, min, max } = Measured::new(values.to_vec());
            (median, min, max)
        };
        assert_eq!(summary(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(summary(&[4.0, 1.0, 2.0, 3.0]), (2.5, 1.0, 4.0));
        assert_eq!(summary(&[7.0]), (7.0, 7.0, 7.0));
    }
}
