//! Is it as a step says? Each check finds the lines that prove it, or says what is wrong.

use std::collections::HashMap;

use crate::model::{Check, Step};
use crate::shell::{End, Ran};
use crate::tools::Tools;

/// What a check can look at.
pub struct Seen<'s> {
    /// What came of the command.
    pub ran: &'s Ran,
    /// What earlier steps of the part wrote to standard output, by their names.
    pub earlier: &'s HashMap<&'static str, String>,
    /// What the variables stand for.
    pub tools: &'s Tools,
}

/// A line that proves a check, and what in it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Which of [`Ran::lines`], from 0 on.
    pub line: usize,
    /// What the check looks at, in the line's order.
    pub words: Vec<String>,
}

/// What the checks of a step say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The lines that prove it.
    pub witnesses: Vec<Witness>,
    /// What is not as the step says: sentences without a full stop.
    pub wrong: Vec<String>,
}

/// Judges a step.
pub fn judge(step: &Step, seen: &Seen<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    let end = seen.ran.end;
    if end != End::Exit(step.exit) {
        let sentence = format!("{end}, and has to end with {}", step.exit);
        judgement.wrong.push(sentence);
    }
    for check in step.checks {
        match seen.find(check) {
            Ok(witnesses) => judgement.witnesses.extend(witnesses),
            Err(wrong) => judgement.wrong.push(wrong),
        }
    }
    judgement
}

impl Seen<'_> {
    fn find(&self, check: &Check) -> Result<Vec<Witness>, String> {
        match *check {
            Check::Letter(name, letter) => self.letter(name, letter),
            Check::Line(words) => self.line(words),
            Check::NoLine(words) => self.no_line(words),
            Check::Output(text) => self.output(text),
            Check::Silent => self.silent(),
            Check::Undefined(name) => self.undefined(name),
            Check::SameAs(name) => self.compared(name, true),
            Check::NotAs(name) => self.compared(name, false),
        }
    }

    fn letter(&self, name: &str, letter: char) -> Result<Vec<Witness>, String> {
        let mut witnesses = Vec::new();
        for (line, text) in self.ran.lines().enumerate() {
            match symbol(text) {
                Some((found, symbol)) if symbol == name && found == letter => {
                    let words = vec![format!("{letter} {name}")];
                    witnesses.push(Witness { line, words });
                }
                Some((found, symbol)) if symbol == name => {
                    return Err(format!("{name} has the letter {found}, not {letter}"));
                }
                _ => {}
            }
        }
        if witnesses.is_empty() {
            return Err(format!("no symbol {name} is listed"));
        }
        Ok(witnesses)
    }

    fn line(&self, words: &[&str]) -> Result<Vec<Witness>, String> {
        let words: Vec<String> = words.iter().map(|word| self.tools.fill(word)).collect();
        match self.ran.lines().position(|line| in_order(line, &words)) {
            Some(line) => Ok(vec![Witness { line, words }]),
            None => Err(format!("no line has “{}”", words.join(" … "))),
        }
    }

    fn no_line(&self, words: &str) -> Result<Vec<Witness>, String> {
        let words = self.tools.fill(words);
        match self.ran.lines().find(|line| line.contains(&words)) {
            Some(line) => Err(format!("a line has “{words}”: {}", line.trim())),
            None => Ok(Vec::new()),
        }
    }

    fn output(&self, text: &str) -> Result<Vec<Witness>, String> {
        let said = self.ran.stdout.strip_suffix('\n');
        if said != Some(text) {
            return Err(format!("the output is not exactly “{text}”"));
        }
        Ok(self.all())
    }

    fn silent(&self) -> Result<Vec<Witness>, String> {
        match self.ran.lines().next() {
            Some(line) => Err(format!("it says something: {}", line.trim())),
            None => Ok(Vec::new()),
        }
    }

    fn undefined(&self, name: &str) -> Result<Vec<Witness>, String> {
        // GNU ld, old and new, then lld.
        let ways = [
            format!("undefined reference to `{name}'"),
            format!("undefined reference to '{name}'"),
            format!("undefined symbol: {name}"),
        ];
        let mut lines = self.ran.lines().enumerate();
        let found = lines.find_map(|(line, text)| {
            let way = ways.iter().find(|way| text.trim_end().ends_with(*way))?;
            let words = vec![way.clone()];
            Some(vec![Witness { line, words }])
        });
        found.ok_or_else(|| format!("the linker does not say that {name} is undefined"))
    }

    fn compared(&self, name: &str, same: bool) -> Result<Vec<Witness>, String> {
        let before = self.earlier.get(name);
        let before = before.ok_or_else(|| format!("no step before it is called {name}"))?;
        match (*before == self.ran.stdout, same) {
            (true, true) | (false, false) => Ok(self.all()),
            (false, true) => Err(format!("the output is not that of “{name}”")),
            (true, false) => Err(format!("the output is still that of “{name}”")),
        }
    }

    /// All of standard output is what matters.
    fn all(&self) -> Vec<Witness> {
        let lines = self.ran.stdout.lines().enumerate();
        lines
            .map(|(line, _)| Witness {
                line,
                words: Vec::new(),
            })
            .collect()
    }
}

/// A line of nm: a symbol's letter and its name, without the version that `nm -D` adds.
fn symbol(line: &str) -> Option<(char, &str)> {
    let mut words = line.split_whitespace().rev();
    let (name, letter) = (words.next()?, words.next()?);
    let mut letters = letter.chars();
    let (letter, None) = (letters.next()?, letters.next()) else {
        return None;
    };
    Some((letter, name.split('@').next().unwrap_or(name)))
}

fn in_order(line: &str, words: &[String]) -> bool {
    let mut rest = line;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::step;

    fn judged(step: &Step, end: End, stdout: &str, stderr: &str) -> Judgement {
        let ran = Ran {
            end,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        let seen = Seen {
            ran: &ran,
            earlier: &HashMap::from([("before", "one\n".to_owned())]),
            tools: &Tools::of(&[("CC", "gcc-14")]),
        };
        judge(step, &seen)
    }

    fn check(check: &'static [Check], stdout: &str, stderr: &str) -> Result<Vec<usize>, String> {
        let step = step("", "").checks(check);
        let mut judgement = judged(&step, End::Exit(0), stdout, stderr);
        match judgement.wrong.pop() {
            Some(wrong) => Err(wrong),
            None => Ok(judgement.witnesses.iter().map(|w| w.line).collect()),
        }
    }

    #[test]
    fn an_exit_code() {
        let wrong = |end| judged(&step("", "").ends(126), end, "", "").wrong;
        assert!(wrong(End::Exit(126)).is_empty());
        for (end, words) in [
            (End::Exit(0), "it ended with 0"),
            (End::Signal(11), "signal 11"),
            (
                End::TimeLimit(std::time::Duration::from_secs(9)),
                "after 9 s",
            ),
        ] {
            let said = wrong(end).join("");
            assert!(
                said.contains(words) && said.contains("end with 126"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_letter() {
        let hello = |listed| check(&[Check::Letter("hello", 'T')], listed, "");
        assert_eq!(hello("0000000000000000 T hello\n   U puts\n"), Ok(vec![0]));
        assert_eq!(
            hello("   U puts@GLIBC_2.2.5\n00 T hello@@V1\n"),
            Ok(vec![1])
        );
        for listed in [
            "   U hello\n",
            "00 t hello\n",
            "00 T hello\n U hello\n",
            "00 T hello2\n",
            "",
        ] {
            assert!(hello(listed).is_err(), "{listed}");
        }
    }

    #[test]
    fn a_line() {
        let line = |said| check(&[Check::Line(&["$CC", "main.o"])], "first\n", said);
        assert_eq!(line("x gcc-14 main.o y\n"), Ok(vec![1]));
        for said in ["gcc-14\nmain.o\n", "main.o gcc-14\n", "gcc main.o\n", ""] {
            assert!(line(said).is_err(), "{said}");
        }
    }

    #[test]
    fn no_line() {
        let no_line = |said| check(&[Check::NoLine("libhello")], "libc\n", said);
        assert_eq!(no_line(""), Ok(vec![]));
        assert!(no_line("libhello.so => not found\n").is_err());
    }

    #[test]
    fn an_output() {
        let output = |said| check(&[Check::Output("hello")], said, "a warning\n");
        assert_eq!(output("hello\n"), Ok(vec![0]));
        for said in ["hello\n\n", "hello", " hello\n", "", "hello\nmore\n"] {
            assert!(output(said).is_err(), "{said}");
        }
    }

    #[test]
    fn silence() {
        assert_eq!(check(&[Check::Silent], "", ""), Ok(vec![]));
        assert!(check(&[Check::Silent], "\n", "").is_err());
        assert!(check(&[Check::Silent], "", "a warning\n").is_err());
    }

    #[test]
    fn an_undefined_symbol() {
        let undefined = |said| check(&[Check::Undefined("hello")], "", said);
        for said in [
            "main.c:(.text+0x5): undefined reference to `hello'\n",
            "main.c:(.text+0x5): undefined reference to 'hello'\n",
            "ld.lld: error: undefined symbol: hello\n",
        ] {
            assert_eq!(undefined(said), Ok(vec![0]), "{said}");
        }
        for said in [
            "undefined reference to `hello2'\n",
            "undefined symbol: hello2\n",
            "hello\n",
        ] {
            assert!(undefined(said).is_err(), "{said}");
        }
    }

    #[test]
    fn compared_with_an_earlier_step() {
        let same = |said| check(&[Check::SameAs("before")], said, "");
        let other = |said| check(&[Check::NotAs("before")], said, "");
        assert_eq!(same("one\n"), Ok(vec![0]));
        assert!(same("two\n").is_err());
        assert_eq!(other("two\n"), Ok(vec![0]));
        assert!(other("one\n").is_err());
        for unknown in [Check::SameAs("never"), Check::NotAs("never")] {
            let ran = Ran {
                end: End::Exit(0),
                stdout: String::new(),
                stderr: String::new(),
            };
            let seen = Seen {
                ran: &ran,
                earlier: &HashMap::new(),
                tools: &Tools::of(&[]),
            };
            assert!(seen.find(&unknown).is_err());
        }
    }
}
