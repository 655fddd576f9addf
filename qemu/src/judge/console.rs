//! The lines of a guest's console, and which of them the kernel printed.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

/// One line of a console, split into the kernel's time stamp and the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Message<'a> {
    /// The stamp with its brackets; `None` for output of user space.
    pub stamp: Option<&'a str>,
    /// The message, with its indentation, without the line's end.
    pub text: &'a str,
}

/// The prefix that `print_prefix` in kernel/printk/printk.c writes: the time with
/// `CONFIG_PRINTK_TIME`, thread or CPU with `CONFIG_PRINTK_CALLER`, one space.
static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\[ *\d+\.\d{6}\])(?:\[ *[TC]\d+\])?(?: |$)").expect("a valid pattern")
});

/// All lines of a log, from the kernel and from user space.
pub fn messages(log: &str) -> impl Iterator<Item = Message<'_>> {
    log.lines().map(|line| {
        let line = line.trim_end_matches('\r');
        // Not anchored: user space may have left an unfinished line, a prompt for instance.
        match STAMP.captures(line) {
            Some(found) => Message {
                stamp: found.get(1).map(|stamp| stamp.as_str()),
                text: &line[found.get_match().end()..],
            },
            None => Message {
                stamp: None,
                text: line,
            },
        }
    })
}

/// The kernel's lines only, each once: what `dmesg` repeats on the console is left out. Without any
/// stamp in the log (`printk.time=0`, or the results file of a KUnit suite) the two cannot be told
/// apart, and all lines count.
pub fn kernel_messages(log: &str) -> Vec<Message<'_>> {
    let mut lines: Vec<_> = messages(log).collect();
    if lines.iter().all(|line| line.stamp.is_none()) {
        return lines;
    }
    let (mut seen, mut latest, mut repeating) = (HashSet::new(), None, false);
    lines.retain(|line| line.stamp.is_some());
    lines.retain(|line| {
        // A line may come twice in one microsecond, but only a repetition goes back in time.
        repeating = !seen.insert(*line) && (line.stamp < latest || repeating);
        latest = latest.max(line.stamp);
        !repeating
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_stripped_wherever_they_stand() {
        let text = |log| messages(log).next().expect("a line").text;
        assert_eq!(text("[    0.532101] text\r\n"), "text");
        assert_eq!(
            text("[    0.532101][   T42]     # indented"),
            "    # indented"
        );
        assert_eq!(text("[12345.532101][    C0] text"), "text");
        assert_eq!(text("<4>[    0.532101] text"), "text");
        assert_eq!(text("/ # [    0.532101] BUG: x"), "BUG: x");
        assert_eq!(text("[    0.532101]"), "");
        assert_eq!(text("[mem 0x0-0x1] text"), "[mem 0x0-0x1] text");
    }
}
