//! What the module takes from the kernel: as groups of names that fill the picture's width.

use super::measure::{width, Rect, SMALL};
use crate::model::{Import, Language, Report};
use crate::report::words;

/// A name's height.
const ROW: i32 = 20;
const PAD: i32 = 18;
/// Of a group's heading, and of the space behind it.
const HEADING: i32 = 30;
const TITLE: i32 = 34;
/// Between two columns.
const BETWEEN: i32 = 28;
/// What a name may take.
const WIDEST: usize = 46;
/// More names than these are no picture any more; the page has them all.
const MOST: usize = 240;
const TAG: &str = "GPL ";

/// All that is taken.
pub struct KernelBox<'r> {
    /// Where it lies.
    pub rect: Rect,
    /// By language.
    pub groups: Vec<Group<'r>>,
}

/// What is taken of one language.
pub struct Group<'r> {
    /// Which.
    pub language: Language,
    /// How many, those without room included.
    pub all: usize,
    /// How many of them are for modules under the GPL only, as far as it is known.
    pub gpl: usize,
    /// Of its heading.
    pub y: i32,
    /// Those with room.
    pub names: Vec<Name<'r>>,
}

/// One symbol.
pub struct Name<'r> {
    /// What it is.
    pub taken: &'r Import,
    /// Short enough.
    pub text: String,
    /// `×2`
    pub times: String,
    /// Its line's beginning.
    pub x: i32,
    /// Its line's beginning.
    pub y: i32,
    /// Of the tag before the name.
    pub tag: i32,
    /// To the end of its column.
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
                .filter(|taken| taken.language == language)
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
    let times = |taken: &Import| match words::sites(&taken.uses) {
        0 => String::new(),
        many => format!("×{}", words::number(many as u64)),
    };
    let named = |taken: &&Import| words::cells(readable(taken)).min(WIDEST);
    let name = shown.iter().map(named).max().unwrap_or(0);
    let most = shown.iter().map(|taken| words::cells(&times(taken))).max();
    let times_width = width(&"0".repeat(most.unwrap_or(0) + 2), SMALL);
    let wanted = tag + width(&"0".repeat(name), SMALL) + times_width + BETWEEN;

    let columns = ((inner + BETWEEN) / wanted).clamp(1, shown.len().max(1) as i32);
    let step = (inner + BETWEEN) / columns;
    let rows = (shown.len() as i32 + columns - 1) / columns;
    let fits = (step - BETWEEN - tag - times_width) * 5 / (3 * SMALL);
    let names = shown.iter().enumerate().map(|(index, &taken)| {
        let index = index as i32;
        Name {
            taken,
            text: words::shorten(readable(taken), fits.clamp(8, WIDEST as i32) as usize),
            times: times(taken),
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

/// As its language writes it.
pub fn readable(taken: &Import) -> &str {
    taken.demangled.as_deref().unwrap_or(&taken.symbol)
}
