//! Words instead of what differs from run to run and from machine to machine, for a page that stays.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Replaces them, and remembers hashes, so that the same one gets the same number.
#[derive(Default)]
pub struct Placeholders {
    hashes: Vec<String>,
}

static HASH: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9a-f]{64}\b"));

/// The rest, in this order. Numbers of a fixed width keep it, so that columns stay in line.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // Folders: the toolchain's, or a temporary one.
        (r"(^|[\s`'\x22(\[=])(?:/[\w.+-]+)+/", "$1/…/"),
        // Times of dmesg.
        (r"^\[ *[0-9]+\.[0-9]+\] ", "[…] "),
        // Symbols and units of rustc: what makes them unique.
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
    /// A line without them.
    pub fn put(&mut self, line: &str) -> String {
        let line = HASH.replace_all(line, |found: &Captures<'_>| self.hash(&found[0]));
        RULES
            .iter()
            .fold(line.into_owned(), |line, (rule, instead)| {
                rule.replace_all(&line, *instead).into_owned()
            })
    }

    fn hash(&mut self, hash: &str) -> String {
        let known = self.hashes.iter().position(|known| known == hash);
        let number = known.unwrap_or_else(|| {
            self.hashes.push(hash.to_owned());
            self.hashes.len() - 1
        });
        format!("<hash {}>", number + 1)
    }
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
            assert_eq!(placeholders.put(line), expected);
        }
    }

    #[test]
    fn the_same_hash_gets_the_same_number() {
        let mut placeholders = Placeholders::default();
        let (one, two) = ("a1".repeat(32), "b2".repeat(32));
        let put = [&one, &two, &one].map(|hash| placeholders.put(&format!("{hash}  main")));
        assert_eq!(put, ["<hash 1>  main", "<hash 2>  main", "<hash 1>  main"]);
    }
}
