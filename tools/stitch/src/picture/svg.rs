//! Draws a [`Layout`] as SVG.

use super::kernel::{readable, Group, Name};
use super::layout::{line_y, Entry, Item, Label, Layout};
use super::measure::{width, Rect, LABEL, LARGE, LEGEND, LETTER, MARGIN, PAD, SAMPLE, SMALL, TOP};
use super::node::{Kind, Line, Node};
use super::palette;
use super::scene::Scene;
use super::xml::Xml;
use crate::model::Report;
use crate::report::words;

/// The height of a size bar.
const BAR: i32 = 3;

/// The style sheet, one rule per line.
const STYLE: &str = "\
.stitch-picture{color-scheme:light dark;font-family:ui-monospace,monospace;font-size:12px}
.stitch-picture text{fill:var(--ink);direction:ltr;unicode-bidi:isolate-override;white-space:pre}
.stitch-picture .title{font-size:22px;font-weight:700}
.stitch-picture .name{font-size:15px;font-weight:700}
.stitch-picture .label{font-size:11px}
.stitch-picture .quiet{fill:var(--muted)}
.stitch-picture .head{fill:var(--muted);font-style:italic}
.stitch-picture .strong{font-weight:700}
.stitch-picture .paper{fill:var(--paper)}
.stitch-picture .node{stroke-width:1.5}
.stitch-picture .edge{stroke:none}
.stitch-picture .node.rust{fill:var(--rust-fill);stroke:var(--rust)}
.stitch-picture .node.c{fill:var(--c-fill);stroke:var(--c)}
.stitch-picture .node.assembly{fill:var(--assembly-fill);stroke:var(--assembly)}
.stitch-picture .node.unknown{fill:var(--unknown-fill);stroke:var(--unknown);stroke-dasharray:6 3}
.stitch-picture .tag.rust,.stitch-picture .bar.rust{fill:var(--rust)}
.stitch-picture .tag.c,.stitch-picture .bar.c{fill:var(--c)}
.stitch-picture .tag.assembly,.stitch-picture .bar.assembly{fill:var(--assembly)}
.stitch-picture .tag.unknown,.stitch-picture .bar.unknown{fill:var(--unknown)}
.stitch-picture .bar.rodata{opacity:.6}
.stitch-picture .bar.data{opacity:.3}
.stitch-picture .wire{fill:none;stroke-width:1.6;stroke-linejoin:round}
.stitch-picture .wire .hand{stroke:transparent;stroke-width:11;stroke-dasharray:none}
.stitch-picture .wire .tip{stroke:none}
.stitch-picture .wire:hover{stroke-width:3.2}
.stitch-picture .agrees{stroke:var(--agrees)}
.stitch-picture .abi{stroke:var(--abi);stroke-dasharray:9 4}
.stitch-picture .unclear{stroke:var(--unclear);stroke-dasharray:2 4}
.stitch-picture .disagrees{stroke:var(--disagrees);stroke-width:2.6;stroke-dasharray:12 3 3 3}
.stitch-picture text.agrees,.stitch-picture .agrees text,.stitch-picture .agrees .tip{fill:var(--agrees);stroke:none}
.stitch-picture text.abi,.stitch-picture .abi text,.stitch-picture .abi .tip{fill:var(--abi);stroke:none}
.stitch-picture text.unclear,.stitch-picture .unclear text,.stitch-picture .unclear .tip{fill:var(--unclear);stroke:none}
.stitch-picture text.disagrees,.stitch-picture .disagrees text,.stitch-picture .disagrees .tip{fill:var(--disagrees);stroke:none}
.stitch-picture .disagrees text{font-weight:700}
.stitch-picture .kernel{fill:var(--kernel-fill);stroke:var(--kernel-line);stroke-width:1.5}
.stitch-picture .kernel-wire{fill:none;stroke:var(--kernel-line);stroke-width:1.3}
.stitch-picture .kernel-text{fill:var(--kernel-line)}
";

/// The picture as a file of its own; `None` for more crossings than
/// [`super::scene::MOST_CROSSINGS`].
pub fn svg(report: &Report) -> Option<String> {
    let scene = Scene::of(report)?;
    let mut xml = Xml::new();
    draw(&mut xml, &scene, &Layout::of(&scene), true);
    Some(xml.finish())
}

/// Draws a picture; without a title in a page, which has one.
pub fn draw(xml: &mut Xml, scene: &Scene<'_>, layout: &Layout<'_>, titled: bool) {
    let report = scene.report;
    let top = if titled { 0 } else { TOP - LEGEND };
    let (width, height) = (layout.width, layout.height - top);
    xml.open(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("class", &"stitch-picture"),
            ("role", &"img"),
            ("aria-labelledby", &"stitch-title stitch-desc"),
            ("viewBox", &format!("0 {top} {width} {height}")),
            ("width", &width),
            ("height", &height),
        ],
    );
    let title = format!("{}: linked from Rust and C", report.module);
    xml.element("title", &[("id", &"stitch-title")], &title);
    xml.element("desc", &[("id", &"stitch-desc")], &description(scene));
    xml.style(&palette::plain(STYLE));
    rect(xml, "paper", 0, top, width, height);
    if titled {
        heading(xml, scene, layout);
    }
    for entry in &layout.legend {
        explain(xml, entry);
    }
    for path in &layout.kernel_wires {
        xml.open("path", &[("class", &"kernel-wire"), ("d", path)]);
        xml.element("title", &[], "the kernel imports of these objects");
        xml.close();
    }
    let largest = scene.nodes.iter().map(|node| sum(node)).max().unwrap_or(0);
    for (index, (node, rect)) in scene.nodes.iter().zip(&layout.nodes).enumerate() {
        draw_node(xml, index, node, rect, largest);
    }
    if let Some(y) = layout.below_title {
        let text = "No crossings:";
        put(xml, MARGIN, y + 4, "head", text, None);
    }
    draw_wires(xml, scene, layout);
    draw_kernel(xml, layout);
    xml.close();
}

/// The picture in words, for screen readers.
fn description(scene: &Scene<'_>) -> String {
    let mut text = words::summary(scene.report);
    let imports = words::count(scene.report.imports.len(), "kernel import");
    text += &format!(" It has {imports}.");
    if scene.report.parts.len() <= 12 {
        for crossing in &scene.report.crossings {
            let users: Vec<&str> = crossing.uses.iter().map(|u| u.part.as_str()).collect();
            text += &format!(
                " {} goes from {} to {}: {}.",
                crossing.symbol,
                crossing.definer,
                users.join(", "),
                words::outcome(crossing.verdict.outcome),
            );
        }
    }
    text
}

fn heading(xml: &mut Xml, scene: &Scene<'_>, layout: &Layout<'_>) {
    let inner = layout.width - 2 * MARGIN;
    let fits = (inner * 5 / (3 * 22)).max(8) as usize;
    let module = &scene.report.module;
    let short = words::shorten(module, fits);
    let full = (short != *module).then_some(module.as_str());
    put(xml, MARGIN, MARGIN + 8, "title", &short, full);
    let summary = words::summary(scene.report);
    put(xml, MARGIN, MARGIN + 28, "quiet", &summary, None);
}

fn explain(xml: &mut Xml, entry: &Entry) {
    let (x, y) = (entry.x, entry.y);
    match entry.item {
        Item::Language(which) => {
            let class = format!("node {}", words::LANGUAGES[which].2);
            rect(xml, &class, x, y - 7, 34, 14);
        }
        Item::Bar => {
            for (kind, at, wide) in [("text", 0, 16), ("rodata", 16, 11), ("data", 27, 7)] {
                rect(
                    xml,
                    &format!("bar unknown {kind}"),
                    x + at,
                    y - 2,
                    wide,
                    BAR + 1,
                );
            }
        }
        Item::Outcome(which) => {
            let class = format!("wire {}", words::OUTCOMES[which].class);
            xml.open("g", &[("class", &class)]);
            xml.empty("path", &[("d", &format!("M{x},{y} H{}", x + 26))]);
            let tip = format!("M{},{y} L{},{} V{} Z", x + 35, x + 26, y - 5, y + 5);
            xml.empty("path", &[("class", &"tip"), ("d", &tip)]);
            xml.close();
        }
    }
    put(xml, x + SAMPLE, y + 4, "", &entry.text, None);
}

fn draw_node(xml: &mut Xml, index: usize, node: &Node<'_>, area: &Rect, largest: u64) {
    let class = format!("node {}", words::language_class(node.language));
    xml.open("g", &[("id", &format!("stitch-node-{}", index + 1))]);
    xml.empty(
        "rect",
        &[
            ("class", &class),
            ("x", &area.x),
            ("y", &area.y),
            ("width", &area.width),
            ("height", &area.height),
            ("rx", &8),
        ],
    );
    for (number, line) in node.lines.iter().enumerate() {
        let y = line_y(area, number);
        let x = area.x + PAD;
        let full = line.full.as_deref();
        match line.kind {
            Kind::Name => {
                put(xml, x, y + 5, "name", &line.text, full);
                let tag = words::language(node.language);
                let class = format!("tag strong {}", words::language_class(node.language));
                let at = area.x + area.width - PAD - width(tag, SMALL);
                put(xml, at, y + 5, &class, tag, None);
            }
            Kind::Sizes => {
                put(xml, x, y + 2, "", &line.text, full);
                draw_bar(xml, node, x, y + 8, area.width - 2 * PAD, largest);
            }
            Kind::Crossing | Kind::Other => draw_symbol(xml, line, x, y),
            Kind::About | Kind::Note | Kind::Kernel => {
                put(xml, x, y + 4, "quiet", &line.text, full);
            }
            Kind::Head => put(xml, x, y + 5, "head", &line.text, full),
        }
    }
    xml.close();
}

fn draw_symbol(xml: &mut Xml, line: &Line, mut x: i32, y: i32) {
    let full = line.full.as_deref();
    if let Some(letter) = line.letter {
        put(xml, x, y + 4, "quiet", &letter.to_string(), None);
        x += LETTER;
    }
    let class = match line.kind {
        Kind::Other => "quiet",
        _ => "",
    };
    put(xml, x, y + 4, class, &line.text, full);
}

fn sum(node: &Node<'_>) -> u64 {
    let bytes = node.part.map_or([0; 4], words::bytes);
    bytes
        .iter()
        .fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// A bar whose length is the size of the object relative to the largest.
fn draw_bar(xml: &mut Xml, node: &Node<'_>, x: i32, y: i32, all: i32, largest: u64) {
    let [text, rodata, data, bss] = node.part.map_or([0; 4], words::bytes);
    let class = words::language_class(node.language);
    // In 128 bits, for absurd sizes.
    let long = |bytes: u64| {
        let long = u128::from(bytes) * u128::from(all.unsigned_abs()) / u128::from(largest.max(1));
        i32::try_from(long).unwrap_or(all).min(all)
    };
    let ends = [
        long(text),
        long(text.saturating_add(rodata)),
        long(
            text.saturating_add(rodata)
                .saturating_add(data)
                .saturating_add(bss),
        ),
    ];
    let mut start = 0;
    for (kind, end) in ["text", "rodata", "data"].iter().zip(ends) {
        if end > start {
            rect(
                xml,
                &format!("bar {class} {kind}"),
                x + start,
                y,
                end - start,
                BAR,
            );
            start = end;
        }
    }
}

fn draw_wires(xml: &mut Xml, scene: &Scene<'_>, layout: &Layout<'_>) {
    // The worst come last, on top.
    let mut order: Vec<usize> = (0..layout.wires.len()).collect();
    order.sort_by_key(|&index| scene.nets[index].outcome);
    for index in order {
        let (net, wire) = (&scene.nets[index], &layout.wires[index]);
        let class = format!("wire {}", words::outcome_class(net.outcome));
        xml.open("g", &[("class", &class)]);
        xml.element("title", &[], &net.tooltip);
        xml.empty("path", &[("class", &"hand"), ("d", &wire.path)]);
        xml.empty("path", &[("d", &wire.path)]);
        xml.empty("path", &[("class", &"tip"), ("d", &wire.head)]);
        for Label { x, y, end, text } in &wire.labels {
            let x = if *end { x - width(text, LABEL) } else { *x };
            put(xml, x, *y, "label", text, None);
        }
        xml.close();
    }
}

fn draw_kernel(xml: &mut Xml, layout: &Layout<'_>) {
    let kernel = &layout.kernel;
    let Rect {
        x,
        y,
        width,
        height,
    } = kernel.rect;
    // A wavy edge.
    let waves = (width / 36).max(1);
    let mut path = format!("M{x},{y}");
    for wave in 1..=waves {
        let (from, to) = (width * (wave - 1) / waves, width * wave / waves);
        let up = if wave % 2 == 0 { 5 } else { -5 };
        path += &format!(" Q{},{} {},{y}", x + (from + to) / 2, y + up, x + to);
    }
    path += &format!(" V{} H{x} Z", y + height);
    xml.empty("path", &[("class", &"kernel"), ("d", &path)]);
    let title = "The kernel";
    put(xml, x + 18, y + 31, "name kernel-text", title, None);
    let names: usize = kernel.groups.iter().map(|group| group.all).sum();
    let mut text = match names {
        0 => "No imports.".to_owned(),
        many => format!(
            "{} imported; ×: number of relocations",
            words::count(many, "symbol")
        ),
    };
    let mut all = kernel.groups.iter().flat_map(|group| &group.names);
    if names > 0 && all.all(|name| name.import.gpl_only.is_none()) {
        text += "; it is not known which are GPL-only";
    }
    let at = x + 18 + super::measure::width(title, LARGE) + 16;
    put(xml, at, y + 31, "quiet", &text, None);
    for group in &kernel.groups {
        draw_group(xml, group, x + 18);
    }
}

fn draw_group(xml: &mut Xml, group: &Group<'_>, x: i32) {
    let name = words::language(group.language);
    let class = format!("tag strong {}", words::language_class(group.language));
    put(xml, x, group.y + 6, &class, name, None);
    let mut text = words::number(group.all as u64);
    if group.gpl > 0 {
        text += &format!(", {} of them GPL-only", group.gpl);
    }
    let left = group.all - group.names.len();
    if left > 0 {
        text += &format!("; {} of them not shown", words::number(left as u64));
    }
    put(
        xml,
        x + width(name, SMALL) + 12,
        group.y + 6,
        "quiet",
        &text,
        None,
    );
    for name in &group.names {
        draw_name(xml, name);
    }
}

fn draw_name(xml: &mut Xml, name: &Name<'_>) {
    let y = name.y + 14;
    let full = if name.text == name.import.symbol {
        None
    } else {
        Some(format!("{}\n{}", readable(name.import), name.import.symbol))
    };
    let tag = match name.import.gpl_only {
        Some(true) => "GPL",
        Some(false) => "",
        None if name.tag > 0 => "?",
        None => "",
    };
    if !tag.is_empty() {
        put(xml, name.x, y, "kernel-text strong", tag, None);
    }
    put(xml, name.x + name.tag, y, "", &name.text, full.as_deref());
    if !name.times.is_empty() {
        let x = name.x + name.width - width(&name.times, SMALL);
        put(xml, x, y, "quiet", &name.times, None);
    }
}

fn rect(xml: &mut Xml, class: &str, x: i32, y: i32, width: i32, height: i32) {
    xml.empty(
        "rect",
        &[
            ("class", &class),
            ("x", &x),
            ("y", &y),
            ("width", &width),
            ("height", &height),
        ],
    );
}

/// A line of text, perhaps with a tooltip.
fn put(xml: &mut Xml, x: i32, y: i32, class: &str, text: &str, full: Option<&str>) {
    let all: [(&'static str, &dyn std::fmt::Display); 3] =
        [("x", &x), ("y", &y), ("class", &class)];
    xml.open("text", if class.is_empty() { &all[..2] } else { &all });
    if let Some(full) = full {
        xml.inline("title", full);
    }
    xml.text(text);
    xml.close();
}
