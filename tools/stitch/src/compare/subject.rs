//! What a difference is about, wherever it is met: crossings that lead to the same field of the
//! same struct have one cause.

/// Of `field `len` of what parameter 1 points to, `buffer``, the ``field `len` of `buffer` ``;
/// nothing for a parameter, which is a crossing's own.
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
    if what.starts_with("the ") || what.starts_with("arguments ") {
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

/// The struct that a way ends in.
fn structure(what: &str) -> Option<&str> {
    let way = what.strip_suffix(", far behind").unwrap_or(what);
    let way = way.strip_suffix('`')?;
    let last = way.rsplit_once(", `").map(|(_, name)| name);
    // Where the way is too long to be told, it is left out.
    last.or_else(|| way.rsplit_once(" of `").map(|(_, name)| name))
        .or_else(|| way.strip_prefix('`'))
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
            ("field `x` of `point`, far behind", "field `x` of `point`"),
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
