//! The colours, by day and by night.

/// (name in the style sheet, light, dark). Those of text are AA on those that they are written on:
/// a test sees to it.
pub const COLOURS: &[(&str, &str, &str)] = &[
    ("paper", "#ffffff", "#12161b"),
    ("ink", "#1b1f24", "#e8ebef"),
    ("muted", "#545d68", "#a7b1bd"),
    ("line", "#c9d0d8", "#3a434e"),
    ("rust-room", "#fdf3ec", "#291c15"),
    ("rust", "#a33a0c", "#f2a07a"),
    ("c-room", "#eef4fc", "#15222f"),
    ("c", "#1d5aa0", "#86b8f3"),
    ("assembly-room", "#f5f0fc", "#221a31"),
    ("assembly", "#68409b", "#c0a3ef"),
    ("unknown-room", "#f4f4f4", "#22252a"),
    ("unknown", "#555b62", "#b4bbc4"),
    ("shore", "#edf6f3", "#11231f"),
    ("shore-line", "#2b6a5d", "#6fc2b0"),
    ("agrees", "#176f31", "#56c776"),
    ("abi", "#835400", "#e3b548"),
    ("unclear", "#5a6370", "#aab5c1"),
    ("disagrees", "#bb141a", "#ff837e"),
];

/// As custom properties of what `selector` finds.
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

/// A style sheet with a rule a line, in which each `var(--name)` is the light colour itself; the
/// dark ones follow for those who want them. Only browsers know custom properties: file managers,
/// ImageMagick and what else draws by librsvg would paint all of it black.
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

/// Of a rule, the declarations that have a colour by its name.
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
