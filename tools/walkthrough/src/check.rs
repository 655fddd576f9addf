//! Checks a command's output. Each check returns the lines that prove it, or what is wrong.

use std::collections::HashMap;

use crate::model::{Check, Command};
use crate::shell::{Output, Status};
use crate::tools::Tools;

/// What a check can look at.
pub struct Context<'c> {
    /// The output of the command.
    pub output: &'c Output,
    /// Standard output of earlier commands of the part, by name.
    pub earlier: &'c HashMap<&'static str, String>,
    /// What the variables stand for.
    pub tools: &'c Tools,
}

/// A line that proves a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its index in [`Output::lines`].
    pub line: usize,
    /// What the check looks at, in the line's order.
    pub words: Vec<String>,
}

impl Context<'_> {
    /// Checks the exit status and the output. Each error is a sentence without a full stop.
    pub fn check(&self, command: &Command) -> Result<Vec<Evidence>, Vec<String>> {
        let (mut evidence, mut errors) = (Vec::new(), Vec::new());
        let status = self.output.status;
        if status != Status::Exit(command.exit) {
            errors.push(format!("{status}, expected exit status {}", command.exit));
        }
        for check in command.checks {
            match self.check_one(check) {
                Ok(found) => evidence.extend(found),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(evidence)
        } else {
            Err(errors)
        }
    }

    fn check_one(&self, check: &Check) -> Result<Vec<Evidence>, String> {
        match *check {
            Check::Letter(name, letter) => self.letter(name, letter),
            Check::Line(words) => self.line(words),
            Check::NoLine(words) => self.no_line(words),
            Check::Output(text) => self.output_is(text),
            Check::Silent => self.silent(),
            Check::Undefined(name) => self.undefined(name),
            Check::SameAs(name) => self.same_as(name),
            Check::NotAs(name) => self.not_as(name),
        }
    }

    fn letter(&self, name: &str, letter: char) -> Result<Vec<Evidence>, String> {
        let mut evidence = Vec::new();
        for (line, text) in self.output.lines().enumerate() {
            match symbol(text) {
                Some((found, symbol)) if symbol == name && found == letter => {
                    let words = vec![format!("{letter} {name}")];
                    evidence.push(Evidence { line, words });
                }
                Some((found, symbol)) if symbol == name => {
                    return Err(format!("{name} has the letter {found}, not {letter}"));
                }
                _ => {}
            }
        }
        if evidence.is_empty() {
            return Err(format!("symbol {name} is not listed"));
        }
        Ok(evidence)
    }

    fn line(&self, words: &[&str]) -> Result<Vec<Evidence>, String> {
        let words: Vec<String> = words.iter().map(|word| self.tools.fill(word)).collect();
        match self.output.lines().position(|line| in_order(line, &words)) {
            Some(line) => Ok(vec![Evidence { line, words }]),
            None => Err(format!("no line has “{}”", words.join(" … "))),
        }
    }

    fn no_line(&self, words: &str) -> Result<Vec<Evidence>, String> {
        let words = self.tools.fill(words);
        match self.output.lines().find(|line| line.contains(&words)) {
            Some(line) => Err(format!("a line has “{words}”: {}", line.trim())),
            None => Ok(Vec::new()),
        }
    }

    fn output_is(&self, text: &str) -> Result<Vec<Evidence>, String> {
        if self.output.stdout.strip_suffix('\n') != Some(text) {
            return Err(format!("the output is not exactly “{text}”"));
        }
        Ok(self.all())
    }

    fn silent(&self) -> Result<Vec<Evidence>, String> {
        match self.output.lines().next() {
            Some(line) => Err(format!("unexpected output: {}", line.trim())),
            None => Ok(Vec::new()),
        }
    }

    fn undefined(&self, name: &str) -> Result<Vec<Evidence>, String> {
        // GNU ld, old and new, then lld.
        let messages = [
            format!("undefined reference to `{name}'"),
            format!("undefined reference to '{name}'"),
            format!("undefined symbol: {name}"),
        ];
        let mut lines = self.output.lines().enumerate();
        let found = lines.find_map(|(line, text)| {
            let message = messages.iter().find(|m| text.trim_end().ends_with(*m))?;
            let words = vec![message.clone()];
            Some(vec![Evidence { line, words }])
        });
        found.ok_or_else(|| format!("the linker does not report {name} as undefined"))
    }

    fn same_as(&self, name: &str) -> Result<Vec<Evidence>, String> {
        if self.earlier.get(name) != Some(&self.output.stdout) {
            return Err(format!("the output differs from that of “{name}”"));
        }
        Ok(self.all())
    }

    fn not_as(&self, name: &str) -> Result<Vec<Evidence>, String> {
        match self.earlier.get(name) {
            Some(stdout) if *stdout != self.output.stdout => Ok(self.all()),
            _ => Err(format!("the output is still that of “{name}”")),
        }
    }

    /// Every line of standard output is evidence.
    fn all(&self) -> Vec<Evidence> {
        let lines = self.output.stdout.lines().enumerate();
        lines
            .map(|(line, _)| Evidence {
                line,
                words: Vec::new(),
            })
            .collect()
    }
}

/// Parses a line of nm: letter and name, without the version that `nm -D` appends.
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
    use crate::model::run;

    fn check_all(
        command: &Command,
        status: Status,
        stdout: &str,
        stderr: &str,
    ) -> Result<Vec<Evidence>, Vec<String>> {
        let output = Output {
            status,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        };
        let context = Context {
            output: &output,
            earlier: &HashMap::from([("before", "one\n".to_owned())]),
            tools: &Tools::of(&[("CC", "gcc-14")]),
        };
        context.check(command)
    }

    fn check(check: &'static [Check], stdout: &str, stderr: &str) -> Result<Vec<usize>, String> {
        match check_all(&run("").checks(check), Status::Exit(0), stdout, stderr) {
            Ok(evidence) => Ok(evidence.iter().map(|e| e.line).collect()),
            Err(errors) => Err(errors.join("; ")),
        }
    }

    #[test]
    fn an_exit_status() {
        let checked = |status| check_all(&run("").exits(126), status, "", "");
        assert_eq!(checked(Status::Exit(126)), Ok(vec![]));
        let timeout = Status::Timeout(std::time::Duration::from_secs(9));
        for (status, text) in [
            (Status::Exit(0), "status 0"),
            (Status::Signal(11), "signal 11"),
            (timeout, "after 9 s"),
        ] {
            let error = checked(status).expect_err("another status").join("");
            assert!(error.contains(text) && error.contains("126"), "{error}");
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
        let line = |text| check(&[Check::Line(&["$CC", "main.o"])], "first\n", text);
        assert_eq!(line("x gcc-14 main.o y\n"), Ok(vec![1]));
        for text in ["gcc-14\nmain.o\n", "main.o gcc-14\n", "gcc main.o\n", ""] {
            assert!(line(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_line() {
        let no_line = |text| check(&[Check::NoLine("libhello")], "libc\n", text);
        assert_eq!(no_line(""), Ok(vec![]));
        assert!(no_line("libhello.so => not found\n").is_err());
    }

    #[test]
    fn an_output() {
        let output = |text| check(&[Check::Output("hello")], text, "a warning\n");
        assert_eq!(output("hello\n"), Ok(vec![0]));
        for text in ["hello\n\n", "hello", " hello\n", "", "hello\nmore\n"] {
            assert!(output(text).is_err(), "{text}");
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
        let undefined = |text| check(&[Check::Undefined("hello")], "", text);
        for text in [
            "main.c:(.text+0x5): undefined reference to `hello'\n",
            "main.c:(.text+0x5): undefined reference to 'hello'\n",
            "ld.lld: error: undefined symbol: hello\n",
        ] {
            assert_eq!(undefined(text), Ok(vec![0]), "{text}");
        }
        for text in [
            "undefined reference to `hello2'\n",
            "undefined symbol: hello2\n",
            "hello\n",
        ] {
            assert!(undefined(text).is_err(), "{text}");
        }
    }

    #[test]
    fn compared_with_an_earlier_step() {
        let same = |text| check(&[Check::SameAs("before")], text, "");
        let other = |text| check(&[Check::NotAs("before")], text, "");
        assert_eq!(same("one\n"), Ok(vec![0]));
        assert!(same("two\n").is_err());
        assert_eq!(other("two\n"), Ok(vec![0]));
        assert!(other("one\n").is_err());
        for unknown in [&[Check::SameAs("never")], &[Check::NotAs("never")]] {
            assert!(check(unknown, "one\n", "").is_err());
        }
    }
}
