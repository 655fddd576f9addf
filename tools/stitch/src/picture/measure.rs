//! Sizes, in pixels.

use crate::report::words;

/// The font size of names.
pub const SMALL: i32 = 12;
/// The font size of the name of a node.
pub const LARGE: i32 = 15;
/// The font size of labels on wires.
pub const LABEL: i32 = 11;
/// The margin of the picture; the wires to the kernel are in it.
pub const MARGIN: i32 = 36;
/// The padding of a node.
pub const PAD: i32 = 14;
/// The width of the column with nm's letters.
pub const LETTER: i32 = 20;
/// The height of title and summary.
pub const TOP: i32 = 84;
/// The width of the sample in an entry of the legend.
pub const SAMPLE: i32 = 44;
/// The height of a line of the legend.
pub const LEGEND: i32 = 24;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rect {
    pub x: i32,
    pub y: i32,
    pub width: i32,
    pub height: i32,
}

/// The maximum width of a text.
pub fn width(text: &str, size: i32) -> i32 {
    (words::cells(text) as i32 * size * 3 + 4) / 5
}
