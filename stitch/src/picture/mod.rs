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

use crate::model::Report;

/// The picture alone, as a file that a browser shows and other pages can take in.
pub fn svg(report: &Report) -> String {
    let scene = scene::Scene::of(report);
    let layout = layout::Layout::of(&scene);
    let mut xml = xml::Xml::new();
    svg::draw(&mut xml, &scene, &layout, true);
    xml.finish()
}

/// A page with the picture, and all that it shows as tables.
pub fn html(report: &Report) -> String {
    let scene = scene::Scene::of(report);
    let layout = layout::Layout::of(&scene);
    let mut xml = xml::Xml::new();
    html::page(&mut xml, &scene, &layout);
    format!("<!DOCTYPE html>\n{}", xml.finish())
}
