//! Sizes, in pixels.

use crate::report::words;

/// The font of names.
pub const SMALL: i32 = 12;
/// The font of a room's name.
pub const LARGE: i32 = 15;
/// The font of what is written on a wire.
pub const LABEL: i32 = 11;
/// Around the picture; what is taken from the kernel goes down there.
pub const MARGIN: i32 = 36;
/// Inside a room.
pub const PAD: i32 = 14;
/// Of the column with nm's letters.
pub const LETTER: i32 = 20;
/// Title, summary and legend.
pub const TOP: i32 = 84;
/// What an entry of the legend shows, before its text.
pub const SAMPLE: i32 = 44;
/// One line of the legend.
pub const LEGEND: i32 = 24;

/// A room's, or the shore's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rect {
    /// From the left.
    pub x: i32,
    /// From above.
    pub y: i32,
    /// To the right.
    pub width: i32,
    /// Down.
    pub height: i32,
}

/// How wide a text is at most.
pub fn width(text: &str, size: i32) -> i32 {
    (words::cells(text) as i32 * size * 3 + 4) / 5
}
