mod reports;

use std::collections::HashSet;

use self::reports::*;
use super::layout::Layout;
use super::measure::{width, Rect};
use super::node::Side;
use super::palette;
use super::scene::Scene;
use crate::model::Report;
use crate::report::words;

/// The picture and the page, which is XML but for the document type.
fn forms(report: &Report) -> [String; 2] {
    let page = super::html(report);
    let page = page
        .strip_prefix("<!DOCTYPE html>\n")
        .expect("a document type");
    [svg(report), page.to_owned()]
}

fn svg(report: &Report) -> String {
    super::svg(report).expect("few crossings")
}

fn drawn(report: &Report) -> Scene<'_> {
    Scene::of(report).expect("few crossings")
}

#[test]
fn output_is_well_formed_with_unique_ids() {
    for (name, report) in all() {
        for text in forms(&report) {
            let options = roxmltree::ParsingOptions {
                nodes_limit: u32::MAX,
                ..Default::default()
            };
            let parsed = roxmltree::Document::parse_with_options(&text, options);
            let document = parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut ids = HashSet::new();
            for id in document
                .descendants()
                .filter_map(|node| node.attribute("id"))
            {
                assert!(ids.insert(id), "{name}: {id} twice");
            }
            for node in document.descendants() {
                if let Some(labels) = node.attribute("aria-labelledby") {
                    assert!(labels.split(' ').all(|id| ids.contains(id)), "{labels}");
                }
                let tag = node.tag_name().name();
                assert!(
                    !["script", "image", "use", "link", "img"].contains(&tag),
                    "{tag}"
                );
                assert!(!node.attributes().any(|a| a.name().starts_with("on")));
            }
            let svg = document
                .descendants()
                .find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "svg")));
            assert_eq!(svg.and_then(|svg| svg.attribute("role")), Some("img"));
        }
    }
}

#[test]
fn output_is_self_contained() {
    for (name, report) in all() {
        for text in forms(&report) {
            for outside in ["url(", "@import", "src=", "javascript:", "https:"] {
                assert!(!text.contains(outside), "{name}: {outside}");
            }
            assert_eq!(text.matches("http:").count(), 1, "the namespace");
        }
    }
}

#[test]
fn names_are_escaped() {
    for text in forms(&hostile()) {
        assert!(!text.contains("<script") && text.contains("&lt;script&gt;"));
        assert!(!text.contains("\" &amp; ]]"));
        let bad = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2066}' | '\u{fffe}')
        };
        assert!(!text.contains(bad));
    }
}

/// The texts, without tooltips.
fn written<'d>(document: &'d roxmltree::Document<'_>) -> HashSet<&'d str> {
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text") || node.tag_name().name() == "text");
    texts
        .filter_map(|node| node.children().rfind(|child| child.is_text())?.text())
        .collect()
}

#[test]
fn all_crossings_are_shown() {
    for (name, report) in all() {
        if name == "hostile" {
            continue;
        }
        let [svg, page] = forms(&report);
        let document = roxmltree::Document::parse(&svg).expect("checked above");
        let written = written(&document);
        for crossing in &report.crossings {
            assert!(
                written.contains(crossing.symbol.as_str()),
                "{name}: {}",
                crossing.symbol
            );
            for view in &crossing.verdict.views {
                assert!(
                    svg.contains(&view.says.replace('>', "&gt;")),
                    "{name}: {}",
                    view.says
                );
                assert!(
                    page.contains(&view.says.replace('>', "&gt;")),
                    "{name}: {}",
                    view.says
                );
            }
        }
        for import in &report.imports {
            assert!(
                page.contains(&format!(">{}<", import.symbol)),
                "{name}: {}",
                import.symbol
            );
        }
        for part in &report.parts {
            assert!(
                written.contains(part.name.as_str()),
                "{name}: {}",
                part.name
            );
        }
    }
}

#[test]
fn verdicts_do_not_depend_on_colour() {
    let svg = svg(&three());
    for words::OutcomeWords {
        outcome,
        name,
        class,
        mark,
        ..
    } in words::OUTCOMES
    {
        let label = format!(">{mark} R_X86_64_PLT32");
        assert!(svg.contains(&label), "{outcome:?}: {label}");
        assert!(svg.contains(&format!(">{mark} {name}: ")), "{outcome:?}");
        assert!(
            svg.contains(&format!("class=\"wire {class}\"")),
            "{outcome:?}"
        );
    }
    assert_eq!(
        svg.matches("stroke-dasharray").count(),
        5,
        "three dashed wires, one solid one, one dashed node"
    );
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

#[test]
fn nodes_do_not_overlap() {
    for (name, report) in all() {
        let scene = drawn(&report);
        let layout = Layout::of(&scene);
        let mut all = layout.nodes.clone();
        all.push(layout.kernel.rect);
        for (index, one) in all.iter().enumerate() {
            assert!(one.width > 0 && one.height > 0, "{name}");
            assert!(
                one.x > 0 && one.x + one.width < layout.width,
                "{name}: {one:?}"
            );
            assert!(
                one.y > 0 && one.y + one.height < layout.height,
                "{name}: {one:?}"
            );
            for other in &all[..index] {
                assert!(!overlap(one, other), "{name}: {one:?} {other:?}");
            }
        }
    }
}

/// The boxes of all texts, in a monospace font.
fn boxes<'d>(document: &'d roxmltree::Document<'_>) -> Vec<(Rect, &'d str)> {
    let texts = document
        .descendants()
        .filter(|node| node.tag_name().name() == "text");
    texts
        .map(|node| {
            let number = |name| node.attribute(name).and_then(|n| n.parse::<i32>().ok());
            let class = node.attribute("class").unwrap_or_default();
            let has = |what| class.split(' ').any(|class| class == what);
            let size = match () {
                () if has("title") => 22,
                () if has("name") => 15,
                () if has("label") => 11,
                () => 12,
            };
            let text = node.children().rfind(|child| child.is_text());
            let text = text.and_then(|text| text.text()).unwrap_or_default();
            let rect = Rect {
                x: number("x").expect("a number"),
                y: number("y").expect("a number") - size * 3 / 4,
                width: width(text, size),
                height: size * 9 / 10,
            };
            (rect, text)
        })
        .collect()
}

#[test]
fn texts_do_not_overlap() {
    for (name, report) in all() {
        let svg = svg(&report);
        let document = roxmltree::Document::parse(&svg).expect("checked above");
        let wide: i32 = document
            .root_element()
            .attribute("width")
            .and_then(|w| w.parse().ok())
            .expect("a width");
        let mut boxes = boxes(&document);
        boxes.sort_by_key(|(rect, _)| rect.y);
        for (index, (one, text)) in boxes.iter().enumerate() {
            assert!(
                one.x >= 0 && one.x + one.width <= wide,
                "{name}: {text} outside"
            );
            let below = boxes[index + 1..]
                .iter()
                .take_while(|(other, _)| other.y < one.y + one.height);
            for (other, second) in below {
                assert!(
                    !overlap(one, other),
                    "{name}: {text:?} {one:?} over {second:?} {other:?}"
                );
            }
        }
    }
}

/// The straight pieces of a path: ((x, y), (x, y)).
fn pieces(path: &str) -> Vec<((i32, i32), (i32, i32))> {
    let (mut at, mut found) = ((0, 0), Vec::new());
    let mut words = path.split(' ');
    while let Some(word) = words.next() {
        let (letter, rest) = word.split_at(1);
        let pair = |text: &str| {
            let (x, y) = text.split_once(',').expect("a pair");
            (x.parse().expect("a number"), y.parse().expect("a number"))
        };
        let next = match letter {
            "M" => pair(rest),
            "H" => (rest.parse().expect("a number"), at.1),
            "V" => (at.0, rest.parse().expect("a number")),
            _ => pair(words.next().expect("an end of the bend")),
        };
        if letter == "H" || letter == "V" {
            found.push((at, next));
        }
        at = next;
    }
    found
}

#[test]
fn wires_stay_in_the_gutter_and_do_not_overlap() {
    for (name, report) in all() {
        let scene = drawn(&report);
        let layout = Layout::of(&scene);
        let nodes = || scene.nodes.iter().zip(&layout.nodes);
        let left = nodes()
            .filter(|(r, _)| r.side == Side::Left)
            .map(|(_, r)| r.x + r.width)
            .max();
        let right = nodes()
            .filter(|(r, _)| r.side == Side::Right)
            .map(|(_, r)| r.x)
            .min();
        let mut lines: Vec<(bool, i32, i32, i32, usize)> = Vec::new();
        for (index, wire) in layout.wires.iter().enumerate() {
            for ((x1, y1), (x2, y2)) in pieces(&wire.path) {
                assert!(x1.min(x2) >= left.unwrap_or(0), "{name}: {}", wire.path);
                assert!(
                    x1.max(x2) <= right.unwrap_or(layout.width),
                    "{name}: {}",
                    wire.path
                );
                if y1 == y2 {
                    lines.push((true, y1, x1.min(x2), x1.max(x2), index))
                } else {
                    lines.push((false, x1, y1.min(y2), y1.max(y2), index))
                }
            }
        }
        lines.sort_unstable();
        for (index, one) in lines.iter().enumerate() {
            let same = lines[index + 1..]
                .iter()
                .take_while(|other| (one.0, one.1) == (other.0, other.1));
            for other in same.filter(|other| other.4 != one.4) {
                assert!(
                    one.3 <= other.2 || other.3 <= one.2,
                    "{name}: {one:?} {other:?}"
                );
            }
        }
    }
}

#[test]
fn between_two_objects_wires_are_straight() {
    let report = hello_rust();
    let layout = Layout::of(&drawn(&report));
    assert_eq!(layout.wires.len(), 5);
    assert!(layout
        .wires
        .iter()
        .all(|wire| pieces(&wire.path).len() == 1));
}

#[test]
fn large_modules_are_tables_only() {
    let huge = many(60, 3000, 3000);
    assert_eq!(super::svg(&huge), None);
    let page = super::html(&huge);
    assert!(!page.contains("<svg") && page.contains("crossing_number_2999"));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for (name, report) in all() {
        assert_eq!(forms(&report), forms(&report.clone()), "{name}");
    }
}

#[test]
fn names_are_shortened_in_the_middle() {
    assert_eq!(words::shorten("abcdefgh", 8), "abcdefgh");
    assert_eq!(words::shorten("abcdefghi", 8), "abcd…ghi");
    assert!(words::cells(&words::shorten(&"漢".repeat(50), 9)) <= 9);
    let report = hostile();
    let svg = svg(&report);
    assert!(svg.contains(&"very_long_name_".repeat(334)), "in a title");
}

/// As WCAG 2 defines it.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("hexadecimal");
        let value = f64::from(value) / 255.0;
        if value <= 0.03928 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn colours_have_contrast() {
    let find = |name: &str| {
        palette::COLOURS
            .iter()
            .find(|c| c.0 == name)
            .expect("a colour")
    };
    let grounds = [
        "paper",
        "rust-fill",
        "c-fill",
        "assembly-fill",
        "unknown-fill",
        "kernel-fill",
    ];
    let inks = [
        "ink",
        "muted",
        "rust",
        "c",
        "assembly",
        "unknown",
        "kernel-line",
        "agrees",
        "abi",
        "unclear",
        "disagrees",
    ];
    for ground in grounds.map(find) {
        for ink in inks.map(find) {
            for (one, other) in [(ground.1, ink.1), (ground.2, ink.2)] {
                let (a, b) = (luminance(one) + 0.05, luminance(other) + 0.05);
                let contrast = a.max(b) / a.min(b);
                assert!(contrast >= 4.5, "{} on {}: {contrast:.2}", ink.0, ground.0);
            }
        }
    }
}

/// Writes them to STITCH_PICTURES, to be viewed in a browser.
#[test]
fn pictures_to_view() {
    let Some(folder) = std::env::var_os("STITCH_PICTURES").map(std::path::PathBuf::from) else {
        return;
    };
    for (name, report) in all() {
        std::fs::write(folder.join(format!("{name}.svg")), svg(&report)).expect("a folder");
        std::fs::write(folder.join(format!("{name}.html")), super::html(&report))
            .expect("a folder");
    }
}

/// For viewers that do not support custom properties.
#[test]
fn colours_are_plain() {
    for (name, report) in all() {
        let svg = svg(&report);
        assert!(!svg.contains("var("), "{name}");
        let (light, dark) = svg
            .split_once("@media (prefers-color-scheme:dark)")
            .expect("both");
        for (colour, of_day, of_night) in palette::COLOURS {
            // Only the page uses it.
            if *colour != "line" {
                assert!(light.contains(of_day), "{name}: {colour}");
                assert!(dark.contains(of_night), "{name}: {colour}");
            }
        }
    }
}
