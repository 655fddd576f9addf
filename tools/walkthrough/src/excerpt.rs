//! Shortens an output: a few lines, none too long, and always the lines that prove the claim.

use std::ops::Range;

use crate::check::Evidence;
use crate::wrap;

/// How many lines of an output are shown; also the longest source.
pub const LIMIT: usize = 12;

/// A line of an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text, cut to the width.
    pub text: String,
    /// Whether it proves the claim.
    pub evidence: bool,
}

impl Line {
    fn plain(text: String) -> Self {
        let evidence = false;
        Line { text, evidence }
    }
}

/// The lines to show, each of at most `width` characters.
pub fn excerpt<'l>(
    lines: impl Iterator<Item = &'l str>,
    evidence: &[Evidence],
    width: usize,
) -> Vec<Line> {
    let lines: Vec<String> = lines.map(|line| line.replace('\t', "        ")).collect();
    let mut shown = Vec::new();
    let mut left_out = 0;
    for (number, keep) in selected(lines.len(), evidence).into_iter().enumerate() {
        if !keep {
            left_out += 1;
            continue;
        }
        shown.extend(more(&mut left_out));
        let line = &lines[number];
        match evidence.iter().find(|found| found.line == number) {
            Some(found) => shown.extend(proof(line, &found.words, width)),
            None => shown.push(Line::plain(cut(line, width))),
        }
    }
    shown.extend(more(&mut left_out));
    shown
}

/// The first lines, and all evidence.
fn selected(count: usize, evidence: &[Evidence]) -> Vec<bool> {
    let proves = |number| evidence.iter().any(|found| found.line == number);
    let mut room = LIMIT.saturating_sub((0..count).filter(|number| proves(*number)).count());
    (0..count)
        .map(|number| {
            let keep = proves(number) || count <= LIMIT || room > 0;
            if !proves(number) {
                room = room.saturating_sub(1);
            }
            keep
        })
        .collect()
}

fn more(left_out: &mut usize) -> Option<Line> {
    match std::mem::take(left_out) {
        0 => None,
        1 => Some(Line::plain("… 1 more line".to_owned())),
        count => Some(Line::plain(format!("… {count} more lines"))),
    }
}

fn cut(line: &str, width: usize) -> String {
    if wrap::length(line) <= width {
        return line.to_owned();
    }
    let mut cut: String = line.chars().take(width - 1).collect();
    cut.push('…');
    cut
}

/// A line of evidence: whole, or cut after its last word of evidence, or only those words.
fn proof(line: &str, words: &[String], width: usize) -> Vec<Line> {
    let short = cut(line, width);
    let lines = match words_in(&short, words) {
        Some(_) => vec![short],
        None => wrap::words(&words_alone(line, words), width),
    };
    let evidence = true;
    let lines = lines.into_iter();
    lines.map(|text| Line { text, evidence }).collect()
}

/// The words of evidence, each whole, and dots for what is left out.
fn words_alone(line: &str, proofs: &[String]) -> String {
    let found = words_in(line, proofs).unwrap_or_default();
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return line.to_owned();
    };
    let words: Vec<&str> = found.iter().map(|range| &line[range.clone()]).collect();
    let before = if line[..first.start].trim().is_empty() {
        ""
    } else {
        "… "
    };
    let after = if line[last.end..].trim().is_empty() {
        ""
    } else {
        " …"
    };
    format!("{before}{}{after}", words.join(" … "))
}

/// Finds the words of evidence in a line, one after the other, extended to the spaces around them.
fn words_in(line: &str, proofs: &[String]) -> Option<Vec<Range<usize>>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for proof in proofs {
        let at = line[start..].find(proof.as_str())?;
        let (at, end) = (start + at, start + at + proof.len());
        let from = line[..at].rfind(' ').map_or(0, |space| space + 1);
        let to = line[end..]
            .find(' ')
            .map_or(line.len(), |space| end + space);
        match found.last_mut() {
            // Both within one word.
            Some(last) if from < last.end => last.end = to,
            _ => found.push(from..to),
        }
        start = end;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str], proofs: &[(usize, &[&str])], width: usize) -> Vec<String> {
        let evidence: Vec<Evidence> = proofs
            .iter()
            .map(|(line, words)| Evidence {
                line: *line,
                words: words.iter().map(|word| word.to_string()).collect(),
            })
            .collect();
        let shown = excerpt(lines.iter().copied(), &evidence, width);
        shown.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_short_output_is_whole() {
        let lines = ["x"; LIMIT];
        assert_eq!(shown(&lines, &[], 10), lines);
        assert_eq!(shown(&["\tx"], &[], 10), ["        x"]);
    }

    #[test]
    fn evidence_is_shown_however_far() {
        let lines: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let text = shown(&lines, &[(20, &["20"]), (29, &["29"])], 40);
        assert_eq!(
            text[9..],
            [
                "line 9",
                "… 10 more lines",
                "line 20",
                "… 8 more lines",
                "line 29"
            ]
        );
        let text = shown(&lines, &[], 40);
        assert_eq!(text[11..], ["line 11", "… 18 more lines"]);
        let text = shown(&lines[..13], &[], 40);
        assert_eq!(text[12..], ["… 1 more line"]);
    }

    #[test]
    fn a_long_line() {
        let line = "/usr/lib/collect2 -a -b -c /lib/crt1.o main.o hello.o -d -lc -e";
        assert_eq!(shown(&[line], &[], 20), ["/usr/lib/collect2 -…"]);
        assert_eq!(
            shown(&[line], &[(0, &["collect2"])], 20),
            ["/usr/lib/collect2 -…"]
        );
        assert_eq!(
            shown(&["00 T _5hello5hello"], &[(0, &["T _", "5hello"])], 20),
            ["00 T _5hello5hello"]
        );
        assert_eq!(
            shown(&[line], &[(0, &["crt1.o", "main.o hello.o", "-lc"])], 40),
            ["… /lib/crt1.o … main.o hello.o … -lc …"]
        );
    }
}
