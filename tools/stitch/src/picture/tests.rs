use std::collections::HashSet;

use super::layout::{Layout, Rect};
use super::palette;
use super::scene::{Scene, Side};
use crate::model::*;
use crate::words;

const NOWHERE: &str =
    "<script>alert('1')</script> \"q\" &amp; ]]> \u{0}\u{1b}[31m\u{202e}abc\u{2066}\u{fffe} שלום\n";

fn part(name: &str, language: Language, globals: &[&str]) -> Part {
    let rust = language == Language::Rust;
    let compiler = if rust {
        "rustc version 1.85.1 (4eb161250 2025-03-15) (built from a source tarball)"
    } else {
        "Debian clang version 19.1.7 (3+b1)"
    };
    let stem = name.trim_end_matches(".o");
    let section = |name: &str, kind, size| Section {
        name: name.to_owned(),
        kind,
        size,
    };
    Part {
        name: name.to_owned(),
        path: format!("/tmp/module/{name}"),
        language,
        compiler: Some(compiler.to_owned()),
        source: Some(format!("{stem}.{}", if rust { "rs" } else { "c" })),
        sections: vec![
            section(".text", "text", 1131),
            section(".rodata", "rodata", 530),
            section(".bss", "bss", 24),
            section(".debug_*", "debug", 31645),
        ],
        defined: globals.iter().map(|name| symbol(name, 'T')).collect(),
        needed: Vec::new(),
    }
}

fn symbol(name: &str, letter: char) -> Symbol {
    Symbol {
        name: name.to_owned(),
        demangled: None,
        letter,
        size: 16,
    }
}

fn needs(part: &str, relocation: &str, sites: usize) -> Use {
    Use {
        part: part.to_owned(),
        sites: (0..sites)
            .map(|index| Site {
                section: ".text".to_owned(),
                offset: index as u64 * 16,
                function: Some("greet".to_owned()),
                place: Some(Place {
                    file: "hello_rust.rs".to_owned(),
                    line: 60,
                }),
                relocation: relocation.to_owned(),
                addend: -4,
            })
            .collect(),
    }
}

fn stitch(name: &str, definer: &Part, uses: Vec<Use>, outcome: Outcome) -> Stitch {
    let view = |language, says: String| View {
        language,
        says,
        source: "DWARF, definition".to_owned(),
        place: Some(Place {
            file: "a.c".to_owned(),
            line: 3,
        }),
        also: vec!["b.o, DWARF, declaration".to_owned()],
        layouts: Vec::new(),
    };
    Stitch {
        symbol: name.to_owned(),
        function: true,
        definer: definer.name.clone(),
        language: definer.language,
        place: None,
        linked: Some(".text+0x40".to_owned()),
        uses,
        verdict: Verdict {
            outcome,
            views: vec![
                view(Language::C, format!("int {name}(const char *text)")),
                view(Language::Rust, format!("fn {name}(text: *const u8) -> i32")),
            ],
            reasons: vec!["the first is const".to_owned()],
            causes: vec![(outcome, "const".to_owned())],
        },
    }
}

fn taken(name: &str, language: Language, gpl_only: Option<bool>, uses: Vec<Use>) -> Taken {
    Taken {
        symbol: name.to_owned(),
        demangled: None,
        language,
        gpl_only,
        crc: Some(0x1234),
        uses,
    }
}

fn size(language: Language, owner: &str) -> Size {
    Size {
        language,
        owner: owner.to_owned(),
        text: 1000,
        rodata: 200,
        data: 30,
        bss: 4,
    }
}

const PLT: &str = "R_X86_64_PLT32";

fn hello_rust() -> Report {
    let count = "hello_rust_count_chars";
    let from_c = ["whom", "times", "current", "repeat"].map(|name| format!("c_helper_{name}"));
    let rust = part("hello_rust_main.o", Language::Rust, &[count, "init_module"]);
    let mut globals: Vec<&str> = from_c.iter().map(String::as_str).collect();
    globals.push("times_set");
    let c = part("c_helper.o", Language::C, &globals);
    let mut stitches: Vec<Stitch> = from_c
        .iter()
        .map(|name| stitch(name, &c, vec![needs(&rust.name, PLT, 1)], Outcome::Same))
        .collect();
    let uses = vec![needs(&c.name, PLT, 2)];
    stitches.push(stitch(count, &rust, uses, Outcome::Same));
    let shore = ["_printk", "kstrtouint", "memcpy", "memset", "strlen"].map(|name| {
        taken(
            name,
            Language::C,
            Some(name == "memset"),
            vec![needs(&c.name, PLT, 2)],
        )
    });
    let mut shore = shore.to_vec();
    for name in ["kernel::error::to_result", "kernel::print::call_printk"] {
        let uses = vec![needs(&rust.name, PLT, 1)];
        shore.push(taken(name, Language::Rust, Some(true), uses));
    }
    Report {
        kernel: Vec::new(),
        causes: Vec::new(),
        module: "hello_rust".to_owned(),
        parts: vec![rust, c],
        stitches,
        shore,
        sizes: vec![size(Language::Rust, "core"), size(Language::C, "")],
    }
}

fn three() -> Report {
    let outcomes = words::OUTCOMES.map(|(outcome, ..)| outcome);
    let mut report = hello_rust();
    let test = part("kunit.o", Language::C, &["kunit_suite"]);
    for (stitch, outcome) in report.stitches.iter_mut().zip(outcomes) {
        stitch.verdict.outcome = outcome;
        if stitch.language == Language::Rust {
            stitch.uses.push(needs(&test.name, "R_X86_64_32S", 3));
        }
    }
    report.stitches[4]
        .uses
        .push(needs("kunit.o", "R_X86_64_32S", 3));
    report.parts.push(test);
    report
        .parts
        .push(part("entry.o", Language::Assembly, &["entry"]));
    report
}

/// `parts` objects, every third of Rust, `crossings` stitches of which some have two users.
fn many(parts: usize, crossings: usize, names: usize) -> Report {
    let outcomes = words::OUTCOMES.map(|(outcome, ..)| outcome);
    let mut report = Report {
        module: "drm_panic_and_more".to_owned(),
        ..Report::default()
    };
    for index in 0..parts {
        let (language, word) = match index % 3 {
            0 => (Language::Rust, "rust"),
            1 if index % 5 == 1 => (Language::Assembly, "entry"),
            _ => (Language::C, "helper"),
        };
        let globals: Vec<String> = (0..names / parts.max(1))
            .map(|name| format!("{word}_{index}_does_thing_{name}"))
            .collect();
        let globals: Vec<&str> = globals.iter().map(String::as_str).collect();
        report
            .parts
            .push(part(&format!("{word}_{index}.o"), language, &globals));
    }
    let rust: Vec<&Part> = report
        .parts
        .iter()
        .filter(|p| p.language == Language::Rust)
        .collect();
    let other: Vec<&Part> = report
        .parts
        .iter()
        .filter(|p| p.language != Language::Rust)
        .collect();
    let mut stitches = Vec::new();
    for index in 0..crossings {
        // Neither even nor random: a few objects have much to do with each other.
        let (a, b) = (
            rust[index * index % rust.len()],
            other[index * 7 / 4 % other.len()],
        );
        let (definer, user) = if index % 3 == 0 { (a, b) } else { (b, a) };
        let mut uses = vec![needs(&user.name, PLT, index % 4 + 1)];
        if index % 6 == 1 {
            uses.push(needs(&rust[(index + 1) % rust.len()].name, PLT, 1));
        }
        let name = match definer.defined.get(index % definer.defined.len().max(1)) {
            Some(symbol) if crossings < 100 => format!("{}_{index}", symbol.name),
            _ => format!("crossing_number_{index}"),
        };
        let outcome = outcomes[if index % 10 < 7 { 0 } else { index % 4 }];
        stitches.push(stitch(&name, definer, uses, outcome));
    }
    report.shore = (0..names)
        .map(|index| {
            let language = [Language::C, Language::Rust][index % 2];
            let gpl = [Some(true), Some(false), None][index % 3];
            let uses = vec![needs(&report.parts[index % parts].name, PLT, index % 50)];
            taken(
                &format!("kernel_gives_{}", index * index),
                language,
                gpl,
                uses,
            )
        })
        .collect();
    report.stitches = stitches;
    report
}

fn hostile() -> Report {
    let long = "very_long_name_".repeat(334);
    let rust = part(&format!("{NOWHERE}.o"), Language::Rust, &[NOWHERE, &long]);
    let c = part(&long, Language::C, &["漢字かな交じり文".repeat(9).as_str()]);
    let mut stitches = Vec::new();
    for (name, outcome) in [NOWHERE, &long, "漢字", "", "e\u{301}\u{301}"].iter().zip([
        Outcome::Same,
        Outcome::Language,
        Outcome::Unknown,
        Outcome::Differs,
        Outcome::Same,
    ]) {
        let uses = vec![needs(&c.name, NOWHERE, 300), needs(&c.name, &long, 0)];
        stitches.push(stitch(name, &rust, uses, outcome));
    }
    // Of an object that nobody gave; of the same language; of the same object.
    let ghost = part("ghost.o", Language::C, &[]);
    stitches.push(stitch(
        "from_a_ghost",
        &ghost,
        vec![needs(&rust.name, PLT, 1)],
        Outcome::Same,
    ));
    let uses = vec![
        needs(&ghost.name, PLT, 1),
        needs("second ghost", PLT, 1),
        needs(&c.name, PLT, 1),
    ];
    stitches.push(stitch("among_c", &c, uses, Outcome::Same));
    stitches.push(stitch("for_nobody", &c, Vec::new(), Outcome::Unknown));
    let mut huge = part("huge.o", Language::Unknown, &[]);
    huge.compiler = None;
    huge.source = None;
    for section in &mut huge.sections {
        section.size = u64::MAX;
    }
    Report {
        kernel: Vec::new(),
        causes: vec![Cause {
            outcome: Outcome::Differs,
            text: NOWHERE.to_owned(),
            symbols: vec![NOWHERE.to_owned(); 9],
        }],
        module: NOWHERE.repeat(20),
        parts: vec![rust.clone(), c, rust, huge],
        stitches,
        shore: vec![
            taken(NOWHERE, Language::C, None, Vec::new()),
            taken(
                &long,
                Language::Unknown,
                Some(true),
                vec![needs("nobody", NOWHERE, 2)],
            ),
        ],
        sizes: vec![size(Language::Rust, NOWHERE)],
    }
}

fn all() -> Vec<(&'static str, Report)> {
    let none = Report {
        module: "plain".to_owned(),
        parts: vec![part("plain.o", Language::C, &["init_module"])],
        ..Report::default()
    };
    vec![
        ("hello_rust", hello_rust()),
        ("three", three()),
        ("crowd", many(12, 58, 60)),
        ("many", many(30, 60, 300)),
        ("empty", Report::default()),
        ("none", none),
        ("hostile", hostile()),
    ]
}

/// Both forms, and what a parser makes of them. The document type is all that is not XML.
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
fn it_is_well_formed_and_has_no_id_twice() {
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
fn nothing_from_outside_is_needed() {
    for (name, report) in all() {
        for text in forms(&report) {
            for outside in ["url(", "@import", "src=", "javascript:", "https:"] {
                assert!(!text.contains(outside), "{name}: {outside}");
            }
            assert_eq!(text.matches("http:").count(), 1, "the name space");
        }
    }
}

#[test]
fn no_name_is_more_than_text() {
    for text in forms(&hostile()) {
        assert!(!text.contains("<script") && text.contains("&lt;script&gt;"));
        assert!(!text.contains("\" &amp; ]]"));
        let bad = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2066}' | '\u{fffe}')
        };
        assert!(!text.contains(bad));
    }
}

/// What the element's own text says, without the tooltip in it.
fn written<'d>(document: &'d roxmltree::Document<'_>) -> HashSet<&'d str> {
    let texts = document
        .descendants()
        .filter(|node| node.has_tag_name("text") || node.tag_name().name() == "text");
    texts
        .filter_map(|node| node.children().rfind(|child| child.is_text())?.text())
        .collect()
}

#[test]
fn every_crossing_is_there() {
    for (name, report) in all() {
        if name == "hostile" {
            continue;
        }
        let [svg, page] = forms(&report);
        let document = roxmltree::Document::parse(&svg).expect("checked above");
        let written = written(&document);
        for stitch in &report.stitches {
            assert!(
                written.contains(stitch.symbol.as_str()),
                "{name}: {}",
                stitch.symbol
            );
            for view in &stitch.verdict.views {
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
        for taken in &report.shore {
            assert!(
                page.contains(&format!(">{}<", taken.symbol)),
                "{name}: {}",
                taken.symbol
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
fn no_verdict_is_told_by_colour_alone() {
    let svg = svg(&three());
    for (outcome, name, class, mark, _) in words::OUTCOMES {
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
        "three dashes, one none, one room"
    );
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

#[test]
fn rooms_are_apart_and_inside() {
    for (name, report) in all() {
        let scene = drawn(&report);
        let layout = Layout::of(&scene);
        let mut all = layout.rooms.clone();
        all.push(layout.shore.rect);
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

/// (x, y, width, text): as wide as a monospace font makes it.
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
                width: super::layout::width(text, size),
                height: size * 9 / 10,
            };
            (rect, text)
        })
        .collect()
}

#[test]
fn no_text_is_over_another_or_outside() {
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

/// The straight pieces of a wire's line: ((x, y), (x, y)).
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
fn wires_stay_in_the_gutter_and_never_lie_upon_each_other() {
    for (name, report) in all() {
        let scene = drawn(&report);
        let layout = Layout::of(&scene);
        let rooms = || scene.rooms.iter().zip(&layout.rooms);
        let left = rooms()
            .filter(|(r, _)| r.side == Side::Left)
            .map(|(_, r)| r.x + r.width)
            .max();
        let right = rooms()
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
        "rust-room",
        "c-room",
        "assembly-room",
        "unknown-room",
        "shore",
    ];
    let inks = [
        "ink",
        "muted",
        "rust",
        "c",
        "assembly",
        "unknown",
        "shore-line",
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

/// Leaves them where STITCH_PICTURES says, for a person to look at in a browser.
#[test]
fn pictures_can_be_looked_at() {
    let Some(folder) = std::env::var_os("STITCH_PICTURES").map(std::path::PathBuf::from) else {
        return;
    };
    for (name, report) in all() {
        std::fs::write(folder.join(format!("{name}.svg")), svg(&report)).expect("a folder");
        std::fs::write(folder.join(format!("{name}.html")), super::html(&report))
            .expect("a folder");
    }
}

/// In viewers that know no custom properties as well.
#[test]
fn colours_are_plain() {
    for (name, report) in all() {
        let svg = svg(&report);
        assert!(!svg.contains("var("), "{name}");
        let (light, dark) = svg
            .split_once("@media (prefers-color-scheme:dark)")
            .expect("both");
        for (colour, of_day, of_night) in palette::COLOURS {
            // The page alone has lines between its tables.
            if *colour != "line" {
                assert!(light.contains(of_day), "{name}: {colour}");
                assert!(dark.contains(of_night), "{name}: {colour}");
            }
        }
    }
}
