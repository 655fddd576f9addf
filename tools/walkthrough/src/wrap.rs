//! Wraps text and commands to a width.

/// Wraps sentences into lines of at most `width` characters.
pub fn words(text: &str, width: usize) -> Vec<String> {
    joined(text.split_whitespace(), width, "")
}

/// Wraps sentences, each line with a line break.
pub fn paragraph(text: &str, width: usize) -> String {
    let lines = words(text, width).into_iter();
    lines.map(|line| line + "\n").collect()
}

/// Wraps a command into lines of at most `width` characters. They can be pasted as they are: all but
/// the last end with a backslash, none within quotes.
pub fn command(command: &str, width: usize) -> Vec<String> {
    if length(command) <= width {
        return vec![command.to_owned()];
    }
    let mut lines = joined(unquoted_words(command).into_iter(), width - 2, "    ");
    let last = lines.len().saturating_sub(1);
    for line in &mut lines[..last] {
        line.push_str(" \\");
    }
    lines
}

fn joined<'t>(
    words: impl Iterator<Item = &'t str>,
    width: usize,
    indent: &'static str,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if length(line) + 1 + length(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("{indent}{word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Splits at spaces outside quotes, but not between an option such as -o and its argument.
fn unquoted_words(command: &str) -> Vec<&str> {
    let (mut words, mut quote, mut start, mut word) = (Vec::new(), None, 0, 0);
    for (at, c) in command.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), close) if open == close => quote = None,
            (None, ' ') => {
                let option = at - word == 2 && command[word..].starts_with('-');
                word = at + 1;
                if !option {
                    words.push(&command[start..at]);
                    start = word;
                }
            }
            _ => {}
        }
    }
    words.push(&command[start..]);
    words
}

/// The length in characters.
pub fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        assert_eq!(words("one two  three", 7), ["one two", "three"]);
        assert_eq!(words("extraordinary", 7), ["extraordinary"]);
        assert!(words("", 7).is_empty());
    }

    #[test]
    fn a_command_that_can_be_typed() {
        assert_eq!(command("cc -c a.c", 20), ["cc -c a.c"]);
        assert_eq!(
            command("sed 's/one two/three/' a.c && cc a.c", 24),
            ["sed 's/one two/three/' \\", "    a.c && cc a.c"]
        );
        assert_eq!(
            command("cc main.c hello.c -o a_long_name", 24),
            ["cc main.c hello.c \\", "    -o a_long_name"]
        );
    }
}
