//! Replaces what differs from run to run and from machine to machine, for a reproducible page.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Replaces them. Hashes and checksums are numbered: the same value gets the same number.
#[derive(Default)]
pub struct Placeholders {
    hashes: Vec<String>,
    checksums: Vec<String>,
}

static HASH: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9a-f]{64}\b"));

/// As in Module.symvers.
static CHECKSUM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^0x[0-9a-f]{8}$"));

/// The other rules, in this order. Columns stay aligned.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // Folders.
        (r"(^|[\s`'\x22(\[=])(?:/[\w.+-]+)+/", "$1/…/"),
        // dmesg's timestamps.
        (r"^\[ *[0-9]+\.[0-9]+\] ", "[…] "),
        // The hashes in rustc's names of symbols and units.
        (r"17h[0-9a-f]{16}E", "17h…E"),
        (r"::h[0-9a-f]{16}\b", "::h…"),
        (r"(_R\w*?Cs)[0-9A-Za-z]+_", "${1}…_"),
        (r"\.[0-9a-f]{16}-cgu\.", ".…-cgu."),
        (r"\b(\.?Lanon)\.[0-9a-f]{32}\b", "$1.…"),
        // Addresses, other than 0, and offsets into code.
        (r"\b0x[0-9a-f]*[1-9a-f][0-9a-f]*\b", "0x…"),
        (
            r"^(?:0{4}|ffffffff)[0-9a-f]*[1-9a-f][0-9a-f]* ([A-Za-z]) ",
            "<address>        $1 ",
        ),
    ]
    .map(|(rule, instead)| (pattern(rule), instead))
    .into()
});

fn pattern(text: &'static str) -> Regex {
    Regex::new(text).expect("a pattern of this file")
}

impl Placeholders {
    /// Returns the line with placeholders.
    pub fn replace(&mut self, line: &str) -> String {
        let line = HASH.replace_all(line, |found: &Captures<'_>| {
            format!("<hash {}>", number(&mut self.hashes, &found[0]))
        });
        if CHECKSUM.is_match(&line) {
            return format!("<checksum {}>", number(&mut self.checksums, &line));
        }
        let rules = RULES.iter();
        rules.fold(line.into_owned(), |line, (rule, instead)| {
            rule.replace_all(&line, *instead).into_owned()
        })
    }
}

/// The number of a value, from 1 on, in the order in which they were first seen.
fn number(seen: &mut Vec<String>, value: &str) -> usize {
    let known = seen.iter().position(|known| known == value);
    known.unwrap_or_else(|| {
        seen.push(value.to_owned());
        seen.len() - 1
    }) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs() {
        let mut placeholders = Placeholders::default();
        for (line, expected) in [
            ("0000000000001149 T hello", "<address>        T hello"),
            ("0000000000000000 T hello", "0000000000000000 T hello"),
            ("                 U hello", "                 U hello"),
            (
                "        libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f87a0dd0000)",
                "        libc.so.6 => /…/libc.so.6 (0x…)",
            ),
            (
                "libhello.so => ./libhello.so (0x00007f1)",
                "libhello.so => ./libhello.so (0x…)",
            ),
            (
                "/usr/bin/ld: main.o: in function `main':",
                "/…/ld: main.o: in function `main':",
            ),
            (
                "main.c:(.text+0x5): undefined",
                "main.c:(.text+0x…): undefined",
            ),
            (
                "00 T _ZN5hello5hello17hcabebd886ab8c764E",
                "00 T _ZN5hello5hello17h…E",
            ),
            (
                "make: *** [/tmp/linux/Makefile:2:",
                "make: *** [/…/Makefile:2:",
            ),
            ("[    0.620000] say: hello", "[…] say: hello"),
            ("00 T _RNvCs1a2B_5hello5hello", "00 T _RNvCs…_5hello5hello"),
            (
                "\"/tmp/rustcAbCdEf/symbols.o\" \"-lc\"",
                "\"/…/symbols.o\" \"-lc\"",
            ),
        ] {
            assert_eq!(placeholders.replace(line), expected);
        }
    }

    #[test]
    fn checksums_are_numbered() {
        let mut placeholders = Placeholders::default();
        let replaced = ["0x0a1b2c3d", "0x00000000", "0x0a1b2c3d"].map(|c| placeholders.replace(c));
        assert_eq!(replaced, ["<checksum 1>", "<checksum 2>", "<checksum 1>"]);
    }

    #[test]
    fn the_same_hash_gets_the_same_number() {
        let mut placeholders = Placeholders::default();
        let (one, two) = ("a1".repeat(32), "b2".repeat(32));
        let replaced =
            [&one, &two, &one].map(|hash| placeholders.replace(&format!("{hash}  main")));
        assert_eq!(
            replaced,
            ["<hash 1>  main", "<hash 2>  main", "<hash 1>  main"]
        );
    }
}
