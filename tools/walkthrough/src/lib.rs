//! The walkthrough: what object files, linking, and shared and static libraries are, in C and Rust.
//! Each claim is a command, its real output, and a check that fails if the claim is false.

pub mod check;
pub mod excerpt;
pub mod host;
pub mod markdown;
pub mod model;
pub mod options;
pub mod parts;
pub mod placeholders;
pub mod render;
pub mod report;
pub mod runner;
pub mod shell;
pub mod terminal;
pub mod tools;
pub mod wrap;

use markdown::Markdown;
use render::Renderer;
use terminal::{colours, Terminal};

/// Markdown, or the terminal.
pub fn renderer(markdown: bool) -> Box<dyn Renderer> {
    if markdown {
        Box::<Markdown>::default()
    } else {
        Box::new(Terminal::new(colours()))
    }
}
