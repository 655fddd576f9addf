//! The picture: a module's objects as rooms, its stitches as arrows, the kernel as the shore below.

mod html;
mod layout;
mod order;
mod palette;
mod route;
mod scene;
mod shore;
mod svg;
#[cfg(test)]
mod tests;

mod xml;

pub use scene::MOST_CROSSINGS;

use layout::Layout;
use scene::Scene;

use crate::model::Report;

/// The picture alone, as a file that a browser shows and other pages can take in; `None` for more
/// crossings than [`MOST_CROSSINGS`].
pub fn svg(report: &Report) -> Option<String> {
    let scene = Scene::of(report)?;
    let layout = Layout::of(&scene);
    let mut xml = xml::Xml::new();
    svg::draw(&mut xml, &scene, &layout, true);
    Some(xml.finish())
}

/// A page with the picture, if there is one, and all that it shows as tables.
pub fn html(report: &Report) -> String {
    let scene = Scene::of(report);
    let drawn = scene.as_ref().map(|scene| (scene, Layout::of(scene)));
    let mut xml = xml::Xml::new();
    html::page(&mut xml, report, drawn.as_ref());
    format!("<!DOCTYPE html>\n{}", xml.finish())
}
