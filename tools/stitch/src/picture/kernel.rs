//! The kernel box: the imports, as groups of names across the width of the picture.

use super::measure::{width, Rect, SMALL};
use crate::model::{Import, Language, Report};
use crate::report::words;

/// The height of a name.
const ROW: i32 = 20;
const PAD: i32 = 18;
/// The height of a heading and the space below it.
const HEADING: i32 = 30;
const TITLE: i32 = 34;
/// The gap between columns.
const BETWEEN: i32 = 28;
/// The maximum width of a name.
const WIDEST: usize = 46;
/// The maximum number of names in a group; the page lists them all.
const MOST: usize = 240;
const TAG: &str = "GPL ";

pub struct KernelBox<'r> {
    pub rect: Rect,
    /// By language.
    pub groups: Vec<Group<'r>>,
}

/// The imports of one language.
pub struct Group<'r> {
    pub language: Language,
    /// The number of imports, including those that are not shown.
    pub all: usize,
    /// The number of them that are known to be GPL-only.
    pub gpl: usize,
    /// The place of the heading.
    pub y: i32,
    /// Those that are shown.
    pub names: Vec<Name<'r>>,
}

pub struct Name<'r> {
    pub import: &'r Import,
    /// Its name, shortened.
    pub text: String,
    /// `×2`
    pub times: String,
    pub x: i32,
    pub y: i32,
    /// The width of the tag before the name.
    pub tag: i32,
    /// The width of its column.
    pub width: i32,
}

impl<'r> KernelBox<'r> {
    /// Lays it out below `y`.
    pub fn of(report: &'r Report, x: i32, y: i32, inner: i32) -> Self {
        let mut below = y + TITLE;
        let mut groups = Vec::new();
        for (language, ..) in words::LANGUAGES {
            let all: Vec<&Import> = report
                .imports
                .iter()
                .filter(|import| import.language == language)
                .collect();
            if !all.is_empty() {
                let (group, height) = group(language, &all, x + PAD, below, inner - 2 * PAD);
                groups.push(group);
                below += height;
            }
        }
        if groups.is_empty() {
            below += ROW;
        }
        KernelBox {
            rect: Rect {
                x,
                y,
                width: inner,
                height: below + PAD - y,
            },
            groups,
        }
    }
}

fn group<'r>(
    language: Language,
    all: &[&'r Import],
    x: i32,
    y: i32,
    inner: i32,
) -> (Group<'r>, i32) {
    let shown: Vec<&Import> = all.iter().take(MOST).copied().collect();
    let gpl = all.iter().filter(|t| t.gpl_only == Some(true)).count();
    let tag = if gpl > 0 { width(TAG, SMALL) } else { 0 };
    let times = |import: &Import| match words::sites(&import.uses) {
        0 => String::new(),
        many => format!("×{}", words::number(many as u64)),
    };
    let named = |import: &&Import| words::cells(readable(import)).min(WIDEST);
    let name = shown.iter().map(named).max().unwrap_or(0);
    let most = shown
        .iter()
        .map(|import| words::cells(&times(import)))
        .max();
    let times_width = width(&"0".repeat(most.unwrap_or(0) + 2), SMALL);
    let wanted = tag + width(&"0".repeat(name), SMALL) + times_width + BETWEEN;

    let columns = ((inner + BETWEEN) / wanted).clamp(1, shown.len().max(1) as i32);
    let step = (inner + BETWEEN) / columns;
    let rows = (shown.len() as i32 + columns - 1) / columns;
    let fits = (step - BETWEEN - tag - times_width) * 5 / (3 * SMALL);
    let names = shown.iter().enumerate().map(|(index, &import)| {
        let index = index as i32;
        Name {
            import,
            text: words::shorten(readable(import), fits.clamp(8, WIDEST as i32) as usize),
            times: times(import),
            x: x + index / rows * step,
            y: y + HEADING + index % rows * ROW,
            tag,
            width: (step - BETWEEN).min(wanted - BETWEEN),
        }
    });
    let names = names.collect();
    let group = Group {
        language,
        all: all.len(),
        gpl,
        y: y + HEADING / 2,
        names,
    };
    (group, HEADING + rows * ROW + ROW / 2)
}

/// The name to show.
pub fn readable(import: &Import) -> &str {
    import.demangled.as_deref().unwrap_or(&import.symbol)
}
