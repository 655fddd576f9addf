//! The tables.

use anyhow::{Context, Result};
use comfy_table::Table;
use serde::Serialize;

use super::super::report::table;
use super::calls::Calls;
use super::counts::{of_call, Counts};

/// (what crosses, the loop that does it, the loops of C that do the same)
#[rustfmt::skip] // a table reads best as a table
const ROWS: [(&str, &str, &str); 8] = [
    ("Rust to C: a number",                "from_rust_number",   "number"),
    ("C to Rust: a number",                "to_rust_number",     "number"),
    ("callback with a context",            "from_rust_callback", "callback"),
    ("errno to Result in place: Ok",       "from_rust_errno",    "errno"),
    ("errno by to_result(): Ok",           "from_rust_success",  "success"),
    ("errno by to_result(): Err",          "from_rust_failure",  "failure"),
    ("string to &CStr, its length",        "from_rust_string",   "string"),
    ("struct by pointer",                  "from_rust_struct",   "struct"),
];

/// How the halves are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// By the linker.
    Linked,
    /// LLVM inlines the inline functions of a contract into Rust.
    Inlined,
    /// LLVM sees all of the module.
    Fused,
}

impl Joined {
    /// The loops of C that do the same with as much in sight: no crossing may take more than they do.
    fn as_in_c(self, name: &str) -> &'static str {
        match self {
            Joined::Linked => "two_objects",
            // A function of Rust is never inline in a contract.
            Joined::Inlined if name.starts_with("to_rust") => "two_objects",
            Joined::Inlined | Joined::Fused => "one_object",
        }
    }
}

/// A way to build the module, and what was counted then.
pub struct Build {
    /// Its name.
    pub name: &'static str,
    /// How the halves are joined.
    pub joined: Joined,
    /// Instructions.
    pub counts: Counts,
    /// Calls that cross.
    pub calls: Calls,
}

/// The bytes of a module without debug information.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Size {
    /// All of its file.
    pub file: f64,
    /// Text and constants.
    pub text: f64,
}

/// A crossing, built in one way.
#[derive(Debug, Serialize)]
struct Cell {
    build: &'static str,
    /// Of each call, without the loop around it.
    instructions: i64,
    /// As many more than C to C, if its compiler sees as much.
    more: i64,
    met: bool,
    /// Instructions in the loop that call or jump across the border.
    calls: usize,
}

/// A kind of crossing.
#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    /// C to C, by plain objects.
    one_object: i64,
    /// Whether the compiler has inlined that.
    inlined: bool,
    two_objects: i64,
    cells: Vec<Cell>,
}

impl Row {
    fn new(&(what, name, in_c): &(&'static str, &str, &str), builds: &[Build]) -> Result<Self> {
        let plain = builds.first().context("nothing was counted")?;
        let c_to_c = |group: &str| of_call(&plain.counts, &format!("{group}_{in_c}"));
        let cell = |build: &Build| -> Result<Cell> {
            let instructions = of_call(&build.counts, name)?;
            let more = instructions - c_to_c(build.joined.as_in_c(name))?;
            Ok(Cell {
                build: build.name,
                instructions,
                more,
                met: more <= 0,
                calls: calls_in(&build.calls, name)?,
            })
        };
        Ok(Row {
            what,
            one_object: c_to_c("one_object")?,
            inlined: calls_in(&plain.calls, &format!("one_object_{in_c}"))? == 0,
            two_objects: c_to_c("two_objects")?,
            cells: builds.iter().map(cell).collect::<Result<_>>()?,
        })
    }
}

/// The size of a module beside that of its twin in C alone.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// The module, and how it was built.
    pub what: String,
    /// Its own.
    pub size: Size,
    /// The twin's, by plain objects.
    pub twin: Size,
}

/// All that was counted on one kernel.
#[derive(Debug, Serialize)]
pub struct Kernel {
    kernel: String,
    /// The ways to build that were counted.
    builds: Vec<&'static str>,
    rows: Vec<Row>,
    sizes: Vec<Compared>,
    /// Why the compilers' bitcode cannot be joined here.
    apart: Option<String>,
}

impl Kernel {
    /// The first of the builds has what C to C takes.
    pub fn new(
        kernel: String,
        builds: &[Build],
        sizes: Vec<Compared>,
        apart: Option<String>,
    ) -> Result<Self> {
        let rows = ROWS.iter().map(|row| Row::new(row, builds));
        Ok(Kernel {
            kernel,
            builds: builds.iter().map(|build| build.name).collect(),
            rows: rows.collect::<Result<_>>()?,
            sizes,
            apart,
        })
    }

    fn print(&self) {
        let kernel = &self.kernel;
        println!(
            "Instructions of a call, on {kernel}:\n\n{}\n",
            self.counts()
        );
        if let Some(why) = &self.apart {
            println!("fused: not available, and static inlines are linked: {why}\n");
        }
        println!("{}\n", self.goals());
        println!(
            "Bytes of the module, without debug information:\n\n{}\n",
            self.bytes()
        );
    }

    fn counts(&self) -> Table {
        let cell = |cell: &Cell| {
            let calls = match cell.calls {
                0 => "no call".to_owned(),
                1 => "1 call".to_owned(),
                calls => format!("{calls} calls"),
            };
            format!("{} ({:+}), {calls}", cell.instructions, cell.more)
        };
        let mut header = vec!["", "C to C, one object", "two objects"];
        header.extend(&self.builds);
        let rows = self.rows.iter().map(|row| {
            let how = if row.inlined { "inlined" } else { "a call" };
            let c_to_c = [
                format!("{}, {how}", row.one_object),
                row.two_objects.to_string(),
            ];
            let cells = row.cells.iter().map(cell);
            let what = [row.what.to_owned()];
            what.into_iter()
                .chain(c_to_c)
                .chain(cells)
                .collect::<Vec<_>>()
        });
        table(header, rows)
    }

    /// The rows in which a build takes more than C.
    fn goals(&self) -> String {
        let goal = |(nth, build): (usize, &&str)| {
            let cells = self.rows.iter().map(|row| (row.what, &row.cells[nth]));
            let missed = cells.filter(|(_, cell)| !cell.met);
            let missed: Vec<&str> = missed.map(|(what, _)| what).collect();
            match &missed[..] {
                [] => format!("{build}: no more than C to C (met)"),
                missed => format!("{build}: more than C to C (not met): {}", missed.join("; ")),
            }
        };
        let goals: Vec<String> = self.builds.iter().enumerate().map(goal).collect();
        goals.join("\n")
    }

    fn bytes(&self) -> Table {
        let rows = self.sizes.iter().map(|Compared { what, size, twin }| {
            [
                what.clone(),
                size.file.to_string(),
                size.text.to_string(),
                twin.text.to_string(),
                format!("{:.2} x", size.text / twin.text),
            ]
        });
        let header = ["", "file", "text and constants", "in C alone", "ratio"];
        table(header, rows)
    }
}

fn calls_in(calls: &Calls, name: &str) -> Result<usize> {
    let found = calls.get(name);
    let found = found.with_context(|| format!("the loop {name} is not in the module"))?;
    Ok(*found)
}

/// All that was counted.
#[derive(Debug, Serialize)]
pub struct Report {
    conditions: String,
    kernels: Vec<Kernel>,
}

impl Report {
    /// Of so many runs, which all said the same.
    pub fn new(runs: u32, kernels: Vec<Kernel>) -> Self {
        Report {
            conditions: format!(
                "Instructions, as TCG counts them on any host; {runs} run(s), all alike"
            ),
            kernels,
        }
    }

    /// Prints all tables.
    pub fn print(&self) {
        println!("{}\n", self.conditions);
        for kernel in &self.kernels {
            kernel.print();
        }
        println!(
            "In brackets: as many more than C to C, in two objects if the halves are linked, else in one."
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module in which each call across the border takes as many instructions.
    fn build(name: &'static str, joined: Joined, crossing: u64) -> Build {
        let mut counts = Counts::new();
        for (group, in_c) in [("one_object", 1), ("two_objects", 5)] {
            counts.insert(format!("{group}_nothing"), 3);
            counts.extend(ROWS.map(|(_, _, name)| (format!("{group}_{name}"), 3 + in_c)));
        }
        counts.insert("from_rust_nothing".to_owned(), 3);
        counts.extend(ROWS.map(|(_, name, _)| (name.to_owned(), 3 + crossing)));
        Build {
            name,
            joined,
            calls: counts.keys().map(|name| (name.clone(), 1)).collect(),
            counts,
        }
    }

    #[test]
    fn more_than_c_to_c() -> Result<()> {
        let builds = [
            build("plain", Joined::Linked, 5),
            build("inline", Joined::Inlined, 1),
            build("dear", Joined::Fused, 2),
        ];
        let size = |text| Size { file: 20.0, text };
        let sizes = Compared {
            what: "a.ko".to_owned(),
            size: size(11.0),
            twin: size(10.0),
        };
        let kernel = Kernel::new("7.3-clang".to_owned(), &builds, vec![sizes], None)?;
        for row in &kernel.rows {
            assert_eq!(
                (row.one_object, row.two_objects, row.inlined),
                (1, 5, false)
            );
            let cells = row.cells.iter().map(|cell| (cell.more, cell.met));
            let inline = if row.what.starts_with("C to Rust") {
                // There is no such thing as an inline function of Rust's.
                (-4, true)
            } else {
                (0, true)
            };
            assert_eq!(cells.collect::<Vec<_>>(), [(0, true), inline, (1, false)]);
        }
        let goals = kernel.goals();
        assert!(goals.contains("plain: no more than C to C (met)"));
        assert!(goals.contains("dear: more than C to C (not met): Rust to C: a number; C to"));
        assert!(kernel.counts().to_string().contains("2 (+1), 1 call"));
        assert!(kernel.bytes().to_string().contains("1.10 x"));
        Ok(())
    }
}
