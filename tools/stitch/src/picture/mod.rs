//! The picture: a module's objects as boxes, its crossings as arrows, and the kernel below; and the
//! page around it.
//!
//! `scene` says what is shown, `order` where it goes, `layout`, with `route` and `kernel`, at which
//! coordinates; `svg` and `html` write it by `xml`.

mod html;
mod kernel;
mod layout;
mod measure;
mod node;
mod order;
mod palette;
mod route;
mod scene;
mod svg;
#[cfg(test)]
mod tests;
mod xml;

pub use html::html;
pub use scene::MOST_CROSSINGS;
pub use svg::svg;
