// SPDX-License-Identifier: GPL-2.0

//! The values of constants.

use super::Assertions;
use crate::bindings::Value;

impl Assertions<'_, '_> {
    pub(super) fn constants(&mut self) {
        for (name, value) in &self.bindings.constants {
            let place = self.header.place_of(name);
            match value {
                Value::Number(rust) => self.assert(&equals(name, rust), &place, name, rust),
                Value::Text(rust) => {
                    let c = c_text(rust.strip_suffix("\\0").unwrap_or(rust));
                    // Not strcmp(): the text may contain a NUL.
                    let condition = format!(
                        "sizeof({name}) == sizeof(\"{c}\") && \
                         __builtin_memcmp({name}, \"{c}\", sizeof(\"{c}\")) == 0"
                    );
                    // _Static_assert() allows few escape sequences in its message.
                    let rust = c.replace('\\', "\\\\").replace('"', "\\\"");
                    self.assert(&condition, &place, name, &rust);
                }
                Value::Other => self.error(
                    format!("the value of {name} cannot be compared between C and Rust"),
                    place,
                    "declare a function that returns it",
                ),
            }
        }
    }
}

fn equals(name: &str, rust: &str) -> String {
    let digits = rust.trim_start_matches('-');
    // C takes digits for an unsigned long only with a suffix.
    let suffix = if digits.parse::<i64>().is_err() && !digits.contains('.') {
        "ULL"
    } else {
        ""
    };
    // In C, ~0U equals -1.
    let sign = u8::from(rust.starts_with('-'));
    format!("({name}) == {rust}{suffix} && (({name}) < 0) == {sign}")
}

/// The contents of a Rust string literal as C spells them. `\x07` has two digits in Rust and any
/// number of them in C, where octal escapes have at most three.
fn c_text(rust: &str) -> String {
    let mut text = String::new();
    let mut rest = rust.chars();
    while let Some(c) = rest.next() {
        text.push(c);
        if c != '\\' {
            continue;
        }
        match rest.next() {
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16).unwrap_or_default();
                text += &format!("{byte:03o}");
            }
            Some('0') => text += "000",
            other => text.extend(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        assert_eq!(c_text("a\\x07b\\0\\\\x41\\n"), "a\\007b\\000\\\\x41\\n");
    }
}
