//! What a difference is about, without the path from the symbol: crossings that reach the same field of
//! the same struct share a cause.

/// ``field `len` of `buffer` `` for ``field `len` of what parameter 1 points to, `buffer` ``; empty for a
/// parameter, which no other crossing shares.
pub fn of(what: &str) -> String {
    let behind = |start: &str, end: &str| {
        let inner = of(what.strip_prefix(start)?.strip_suffix(end)?);
        (!inner.is_empty()).then(|| format!("{start}{inner}{end}"))
    };
    if let Some(text) = behind("what ", " points to").or_else(|| behind("what ", " calls")) {
        return text;
    }
    if let Some((part, called)) = what.split_once(" of what ") {
        let of_call = called.ends_with(" calls") && !part.starts_with("field ");
        match of(&format!("what {called}")) {
            callee if of_call && !callee.is_empty() => return format!("{part} of {callee}"),
            _ if of_call => return of(part),
            _ => {}
        }
    }
    if what.starts_with("the ") || what.starts_with("variadic ") {
        return what.to_owned();
    }
    let Some(structure) = structure(what) else {
        return String::new();
    };
    match what
        .strip_prefix("field `")
        .and_then(|rest| rest.split_once("` of "))
    {
        Some((field, _)) => format!("field `{field}` of `{structure}`"),
        None => format!("`{structure}`"),
    }
}

/// The last struct of a path.
fn structure(what: &str) -> Option<&str> {
    let path = what.strip_suffix(", deeply nested").unwrap_or(what);
    let path = path.strip_suffix('`')?;
    let last = path.rsplit_once(", `").map(|(_, name)| name);
    // A path that is too long was omitted.
    last.or_else(|| path.rsplit_once(" of `").map(|(_, name)| name))
        .or_else(|| path.strip_prefix('`'))
        .filter(|name| !name.contains('`'))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_it_is_about() {
        for (what, about) in [
            ("parameter 2 `len`", ""),
            ("what parameter 1 `to` points to", ""),
            ("the result", "the result"),
            ("the calling convention", "the calling convention"),
            ("what parameter 1 `s` points to, `s`", "`s`"),
            (
                "field `len` of what parameter 1 points to, `s`",
                "field `len` of `s`",
            ),
            (
                "field `x` of field `at` of what parameter 1 points to, `s`, `point`",
                "field `x` of `point`",
            ),
            (
                "field `x` of `point`, deeply nested",
                "field `x` of `point`",
            ),
            (
                "what field `next` of what it points to, `node` points to",
                "what field `next` of `node` points to",
            ),
            (
                "parameter 1 of what field `open` of what it points to, `ops` calls",
                "parameter 1 of what field `open` of `ops` calls",
            ),
            ("parameter 1 of what parameter 2 `visit` calls", ""),
            ("the result of what parameter 2 `visit` calls", "the result"),
        ] {
            assert_eq!(of(what), about, "{what}");
        }
    }
}
