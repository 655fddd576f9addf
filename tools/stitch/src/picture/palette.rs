//! The colours, light and dark.

/// (name in the style sheet, light, dark). Text has AA contrast on all backgrounds, as a test checks.
pub const COLOURS: &[(&str, &str, &str)] = &[
    ("paper", "#ffffff", "#12161b"),
    ("ink", "#1b1f24", "#e8ebef"),
    ("muted", "#545d68", "#a7b1bd"),
    ("line", "#c9d0d8", "#3a434e"),
    ("rust-fill", "#fdf3ec", "#291c15"),
    ("rust", "#a33a0c", "#f2a07a"),
    ("c-fill", "#eef4fc", "#15222f"),
    ("c", "#1d5aa0", "#86b8f3"),
    ("assembly-fill", "#f5f0fc", "#221a31"),
    ("assembly", "#68409b", "#c0a3ef"),
    ("unknown-fill", "#f4f4f4", "#22252a"),
    ("unknown", "#555b62", "#b4bbc4"),
    ("kernel-fill", "#edf6f3", "#11231f"),
    ("kernel-line", "#2b6a5d", "#6fc2b0"),
    ("agrees", "#176f31", "#56c776"),
    ("abi", "#835400", "#e3b548"),
    ("unclear", "#5a6370", "#aab5c1"),
    ("disagrees", "#bb141a", "#ff837e"),
];

/// The colours as custom properties of `selector`.
pub fn properties(selector: &str) -> String {
    let all = |pick: fn(&(&str, &'static str, &'static str)) -> &'static str| -> String {
        let one = |colour| format!("--{}:{};", name(colour), pick(colour));
        COLOURS.iter().map(one).collect()
    };
    format!(
        "{selector}{{color-scheme:light dark;{}}}\n\
         @media (prefers-color-scheme:dark){{{selector}{{{}}}}}\n",
        all(|&(_, light, _)| light),
        all(|&(.., dark)| dark),
    )
}

/// A style sheet, one rule per line, with each `var(--name)` replaced by the light colour, followed by a
/// media query for the dark ones. Only browsers support custom properties: librsvg, and with it file
/// managers and ImageMagick, would draw everything black.
pub fn plain(style: &str) -> String {
    let light = COLOURS.iter().fold(style.to_owned(), |style, colour| {
        style.replace(&variable(colour), colour.1)
    });
    let dark: String = style.lines().filter_map(coloured).collect();
    let dark = COLOURS.iter().fold(dark, |style, colour| {
        style.replace(&variable(colour), colour.2)
    });
    format!("{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n")
}

/// The declarations of a rule that have a colour.
fn coloured(rule: &str) -> Option<String> {
    let (selector, declarations) = rule.trim_end_matches('}').split_once('{')?;
    let named = declarations.split(';').filter(|it| it.contains("var(--"));
    let named: Vec<&str> = named.collect();
    (!named.is_empty()).then(|| format!("{selector}{{{}}}\n", named.join(";")))
}

fn variable(colour: &(&str, &str, &str)) -> String {
    format!("var(--{})", name(colour))
}

fn name<'c>(colour: &(&'c str, &str, &str)) -> &'c str {
    colour.0
}
