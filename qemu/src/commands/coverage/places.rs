//! The places in a source file that have not run.

use serde::Deserialize;

/// A point in a file where another count begins.
#[derive(Deserialize, Clone, Copy)]
#[serde(from = "Exported")]
pub struct Segment {
    line: usize,
    /// In bytes, from 1.
    column: usize,
    /// Whether there is code from here on that has not run.
    is_unreached: bool,
}

/// As llvm-cov exports it: the line, the column, how often what follows has run, whether that is known,
/// whether a region begins here, and whether it is only the gap between two of them.
type Exported = (usize, usize, u64, bool, bool, bool);

impl From<Exported> for Segment {
    fn from((line, column, count, is_known, _, is_gap): Exported) -> Self {
        Segment {
            line,
            column,
            is_unreached: count == 0 && is_known && !is_gap,
        }
    }
}

/// Code that has not run, from its first character to its last.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The first line,
    pub line: usize,
    /// and where the code begins in it, in bytes, from 1.
    pub column: usize,
    /// The last line,
    pub last_line: usize,
    /// and where the code ends in it: the column behind.
    pub end: usize,
}

/// What has not run, without the braces and blanks around it.
pub fn unreached(segments: &[Segment], text: &str) -> Vec<Place> {
    let starts = starts_of_lines(text);
    let offset = |segment: &Segment| {
        let line = starts.get(segment.line.checked_sub(1)?)?;
        Some(line + segment.column.checked_sub(1)?)
    };
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for pair in segments.windows(2).filter(|pair| pair[0].is_unreached) {
        let (Some(from), Some(to)) = (offset(&pair[0]), offset(&pair[1])) else {
            continue;
        };
        match ranges.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            _ => ranges.push((from, to)),
        }
    }
    let places = ranges.into_iter();
    places
        .filter_map(|(from, to)| place(text, &starts, from, to))
        .collect()
}

/// The offset of each line.
fn starts_of_lines(text: &str) -> Vec<usize> {
    let ends = text.match_indices('\n').map(|(at, _)| at + 1);
    [0].into_iter().chain(ends).collect()
}

/// Nothing, if only braces and blanks are left.
fn place(text: &str, starts: &[usize], from: usize, to: usize) -> Option<Place> {
    let code = text.get(from..to.min(text.len()))?;
    let is_edge = |c: char| c.is_whitespace() || "{}".contains(c);
    let inner = code.trim_start_matches(is_edge);
    let from = from + code.len() - inner.len();
    let inner = inner.trim_end_matches(is_edge);
    if inner.is_empty() {
        return None;
    }
    let to = from + inner.len();
    let line_of = |offset: usize| starts.partition_point(|start| *start <= offset);
    let (line, last_line) = (line_of(from), line_of(to - 1));
    Some(Place {
        line,
        column: from - starts[line - 1] + 1,
        last_line,
        end: to - starts[last_line - 1] + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "fn f() -> R {\n    a()?;\n    if b {\n        c();\n        d();\n    }\n}\n";

    fn known(line: usize, column: usize, count: u64) -> Segment {
        (line, column, count, true, true, false).into()
    }

    #[test]
    fn a_part_of_a_line_and_whole_lines() {
        let segments = [
            known(1, 1, 3),
            known(2, 8, 0),
            known(2, 9, 3),
            (3, 9, 0, true, true, true).into(),
            known(3, 10, 0),
            known(6, 6, 3),
            (7, 2, 0, false, false, false).into(),
        ];
        let place = |line, column, last_line, end| Place {
            line,
            column,
            last_line,
            end,
        };
        assert_eq!(
            unreached(&segments, TEXT),
            [place(2, 8, 2, 9), place(4, 9, 5, 13)]
        );
    }

    #[test]
    fn braces_are_no_code() {
        let segments = [
            known(3, 10, 0),
            known(4, 1, 1),
            known(6, 5, 0),
            known(7, 1, 1),
        ];
        assert_eq!(unreached(&segments, TEXT), []);
    }

    #[test]
    fn neighbours_are_one_place() {
        let segments = [known(4, 9, 0), known(5, 9, 0), known(6, 6, 1)];
        assert_eq!(unreached(&segments, TEXT).len(), 1);
    }

    #[test]
    fn a_file_that_has_changed() {
        let segments = [known(4, 9, 0), known(90, 9, 1)];
        assert_eq!(unreached(&segments, TEXT), []);
    }
}
