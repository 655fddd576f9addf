//! Mangled names of Rust: demangled, and the crate that they belong to.

use std::fmt::{self, Write};

use rustc_demangle::try_demangle;

/// Names of generic instances can be very long.
const LONGEST: usize = 2048;

/// The demangled name, without hashes; `None` if it is not mangled.
pub fn demangled(name: &str) -> Option<String> {
    let parsed = try_demangle(name).ok()?;
    let mut text = Cut(String::new());
    // Stops at the limit: the whole text could be huge.
    let whole = write!(text, "{parsed:#}").is_ok();
    Some(if whole { text.0 } else { text.0 + "…" })
}

/// The name to show: demangled if it is mangled, and cut if it is too long.
pub fn readable(name: &str) -> String {
    demangled(name).unwrap_or_else(|| match name.char_indices().nth(LONGEST) {
        Some((end, _)) => name.get(..end).unwrap_or_default().to_owned() + "…",
        None => name.to_owned(),
    })
}

struct Cut(String);

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

/// The crate whose source defines a mangled name.
///
/// An instance of a generic function belongs to the crate that defines it, not to the one that
/// instantiates it: `core::mem::MaybeUninit<hello_rust::HelloRust>::assume_init_drop` is core's code.
/// A function in an `impl` belongs to the crate that has the `impl`, and a default method of a trait
/// to the crate of the trait.
pub fn crate_of(name: &str) -> Option<String> {
    match name.strip_prefix("_R") {
        Some(v0) => root(v0).or_else(|| by_trait(name)),
        None => by_path(&demangled(name)?),
    }
}

/// The crate at the root of the path of a v0 name; see RFC 2603 for the grammar.
fn root(v0: &str) -> Option<String> {
    let mut rest = v0;
    loop {
        let (tag, behind) = rest.split_at_checked(1)?;
        rest = match tag {
            // A nested path.
            "N" => behind.get(1..)?,
            // Generic arguments.
            "I" => behind,
            // An inherent impl, a trait impl.
            "M" | "X" => without_disambiguator(behind)?,
            "C" => return identifier(without_disambiguator(behind)?),
            _ => return None,
        };
    }
}

/// Skips `s_`, `s0_`, `sa1B_`.
fn without_disambiguator(text: &str) -> Option<&str> {
    match text.strip_prefix('s') {
        Some(number) => number.split_once('_').map(|(_, rest)| rest),
        None => Some(text),
    }
}

/// `10hello_rust`, `5_1abcd`
fn identifier(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (length, rest) = text.split_at_checked(digits)?;
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    rest.get(..length.parse().ok()?).map(str::to_owned)
}

/// `core` of `<u32 as core::fmt::Display>::fmt`: the crate of the trait.
fn by_trait(name: &str) -> Option<String> {
    let demangled = demangled(name)?;
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in demangled.char_indices() {
        match c {
            // Of `fn() -> u8`.
            '>' if before == '-' => {}
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ' ' if depth == 1 => {
                if let Some(path) = demangled.get(at..)?.strip_prefix(" as ") {
                    return by_path(path);
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// `core` of `core::fmt::Display`
fn by_path(path: &str) -> Option<String> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
    let first = path.get(..end.unwrap_or(path.len()))?;
    (!first.is_empty()).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        for (name, owner) in [
            ("_RNvCsgqOCdhn9Fa5_10hello_rust5greet", "hello_rust"),
            (
                "_RNvMs0_NtNtCs2lKf6AS60Zg_4core3mem12maybe_uninitINtB5_11MaybeUninitNtCsgqOCdhn9Fa5_10hello_rust9HelloRustE16assume_init_dropB15_",
                "core",
            ),
            (
                "_RNvXs0_CsgqOCdhn9Fa5_10hello_rustNtB5_9HelloRustNtNtNtCs2lKf6AS60Zg_4core3ops4drop4Drop4drop",
                "hello_rust",
            ),
            (
                "_RNvXs5_NtCsb5MLIFMWygY_6kernel3fmtRmNtB5_7Display3fmtCsgqOCdhn9Fa5_10hello_rust",
                "kernel",
            ),
            ("_RNvYmNtNtCs2lKf6AS60Zg_4core3cmp3Ord3max", "core"),
            ("_ZN4core3fmt5write17h0123456789abcdefE", "core"),
        ] {
            assert_eq!(crate_of(name).as_deref(), Some(owner), "{name}");
        }
        for name in [
            "c_helper_repeat",
            "_R",
            "_RC",
            "_RNv",
            "_RC99999999999999999999x",
            "_Ré",
        ] {
            assert_eq!(crate_of(name), None, "{name}");
        }
    }

    #[test]
    fn for_people() {
        assert_eq!(
            demangled("_RNvCsgqOCdhn9Fa5_10hello_rust5greet").as_deref(),
            Some("hello_rust::greet")
        );
        assert_eq!(demangled("_printk"), None);
        assert_eq!(readable("memcpy"), "memcpy");
        assert!(readable(&"x".repeat(9000)).len() < 3000);
    }
}
