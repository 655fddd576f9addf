//! The report: a table of the files, and the places that have not run, with their text.

use comfy_table::{presets, CellAlignment, Table};

use super::places::Place;
use super::profile::File;

/// All of it.
pub fn report(files: &[File]) -> String {
    let mut report = format!("{}\n", table(files));
    let places: Vec<String> = files
        .iter()
        .flat_map(|file| file.unreached.iter().map(|place| shown(file, place)))
        .collect();
    if !places.is_empty() {
        report += "\nWhat has not run:\n";
    }
    for place in places {
        report += &format!("\n{place}");
    }
    report
}

fn places(file: &File) -> u64 {
    file.unreached.len() as u64
}

fn table(files: &[File]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["file", "lines", "have run", "per cent", "places not run"]);
    for nth in 1..=4 {
        if let Some(column) = table.column_mut(nth) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut add = |name: &str, lines: u64, reached: u64, places: u64| {
        table.add_row([
            name.to_owned(),
            lines.to_string(),
            reached.to_string(),
            per_cent(reached, lines),
            places.to_string(),
        ]);
    };
    for file in files {
        let name = file.path.display().to_string();
        add(&name, file.lines, file.reached, places(file));
    }
    let sum = |of: fn(&File) -> u64| files.iter().map(of).sum();
    add(
        "all",
        sum(|file| file.lines),
        sum(|file| file.reached),
        sum(places),
    );
    table
}

/// Rounded down: 100 are all of them.
fn per_cent(part: u64, whole: u64) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(1000);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// As compilers show a place: where it is, and its lines. A part of a line is underlined.
fn shown(file: &File, place: &Place) -> String {
    let mut shown = format!("{}:{}:{}\n", file.path.display(), place.line, place.column);
    let lines = file.text.lines().enumerate();
    let lines = lines.skip(place.line - 1);
    for (nth, line) in lines.take(place.last_line + 1 - place.line) {
        shown += &format!("{:5} | {line}\n", nth + 1);
    }
    let line = file.text.lines().nth(place.line - 1).unwrap_or_default();
    match mark(line, place) {
        Some(mark) => shown + &format!("      | {mark}\n"),
        None => shown,
    }
}

/// The line below a line, if only a part of that one has not run.
fn mark(line: &str, place: &Place) -> Option<String> {
    let (before, part) = (line.get(..place.column - 1)?, line.get(place.column - 1..)?);
    if place.last_line > place.line {
        return None;
    }
    let part = part.get(..place.end - place.column)?;
    let rest = line.get(place.end - 1..)?;
    if before.trim().is_empty() && rest.trim().is_empty() {
        return None;
    }
    let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
    let blanks: String = before.chars().map(blank).collect();
    Some(blanks + &"^".repeat(part.chars().count()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn place(line: usize, column: usize, last_line: usize, end: usize) -> Place {
        Place {
            line,
            column,
            last_line,
            end,
        }
    }

    fn file(unreached: Vec<Place>) -> File {
        File {
            path: PathBuf::from("a.c"),
            text: "\tö = a(b ?: c);\n\tif (d)\n\t\treturn e;\n".to_owned(),
            lines: 3,
            reached: 2,
            unreached,
        }
    }

    #[test]
    fn a_part_of_a_line_is_underlined() {
        let file = file(vec![place(1, 14, 1, 15), place(3, 3, 3, 12)]);
        assert_eq!(
            report(&file_list(file)),
            " file  lines  have run  per cent  places not run \n \
             a.c       3         2      66.6               2 \n \
             all       3         2      66.6               2 \n\
             \nWhat has not run:\n\
             \na.c:1:14\n    1 | \tö = a(b ?: c);\n      | \t           ^\n\
             \na.c:3:3\n    3 | \t\treturn e;\n"
        );
    }

    fn file_list(file: File) -> Vec<File> {
        vec![file]
    }

    #[test]
    fn a_hundred_per_cent_are_all() {
        assert_eq!(per_cent(1999, 2000), "99.9");
        assert_eq!(per_cent(2000, 2000), "100.0");
        assert_eq!(per_cent(0, 0), "100.0");
    }
}
