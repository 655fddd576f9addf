//! The page: the picture, and everything in it as tables.

use std::cmp::Reverse;
use std::fmt::Display;

use super::layout::Layout;
use super::scene::Scene;
use super::xml::Xml;
use super::{palette, svg};
use crate::model::{Crossing, Language, Outcome, Part, Report};
use crate::report::tables::{self, Cell};
use crate::report::words;

const STYLE: &str = "\
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main,header{margin:0 auto;padding:0 24px;max-width:1500px}
header{padding-top:20px}
h1{margin:0;font:700 1.7rem/1.3 ui-monospace,monospace;overflow-wrap:anywhere}
h2{margin:2.2rem 0 .6rem;font-size:1.25rem}
p{margin:.4rem 0;max-width:75ch}
nav a{margin-right:1.2em}
a{color:var(--c)}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--c);outline-offset:2px}
.scroll{overflow-x:auto}
figure{margin:1rem 0;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;font-size:.875rem;min-width:100%}
th,td{padding:6px 14px 6px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{border-bottom:2px solid var(--muted);color:var(--muted);font-weight:600;white-space:nowrap}
tbody th{font-weight:600}
td.number,th.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
code{font:inherit;font-family:ui-monospace,monospace;overflow-wrap:anywhere;direction:ltr;unicode-bidi:isolate-override}
td ul{margin:0;padding-left:1.1em}
th .quiet{font-weight:400}
.mid{min-width:10em}
td div+div{margin-top:.5em}
.wide{min-width:19em}
.name{min-width:11em}
.quiet{color:var(--muted)}
.verdict{font-weight:700}
.agrees{color:var(--agrees)}.abi{color:var(--abi)}.unclear{color:var(--unclear)}.disagrees{color:var(--disagrees)}
.rust{color:var(--rust)}.c{color:var(--c)}.assembly{color:var(--assembly)}.unknown{color:var(--unknown)}
details{margin:.5rem 0}
summary{cursor:pointer}
@media print{.scroll{overflow:visible}}
";

/// A page with the picture, unless there are too many crossings, and with everything as tables.
pub fn html(report: &Report) -> String {
    let scene = Scene::of(report);
    let drawn = scene.as_ref().map(|scene| (scene, Layout::of(scene)));
    let mut xml = Xml::new();
    page(&mut xml, report, drawn.as_ref());
    format!("<!DOCTYPE html>\n{}", xml.finish())
}

fn page(xml: &mut Xml, report: &Report, drawn: Option<&(&Scene<'_>, Layout<'_>)>) {
    xml.open("html", &[("lang", &"en")]);
    xml.open("head", &[]);
    xml.empty("meta", &[("charset", &"utf-8")]);
    xml.empty(
        "meta",
        &[
            ("name", &"viewport"),
            ("content", &"width=device-width, initial-scale=1"),
        ],
    );
    let title = format!("{}: linked from Rust and C", report.module);
    xml.element("title", &[], &title);
    let fit = drawn.map_or_else(String::new, |(_, layout)| fit(layout));
    xml.style(&(palette::properties(":root") + STYLE + &fit));
    xml.close();
    xml.open("body", &[]);
    xml.open("header", &[]);
    xml.element("h1", &[], &report.module);
    xml.element("p", &[], &summary(report));
    contents(xml);
    xml.close();
    xml.open("main", &[]);
    if let Some((scene, layout)) = drawn {
        figure(xml, scene, layout);
    }
    parts(xml, report);
    crossings(xml, report);
    causes(xml, report);
    imports(xml, report);
    sizes(xml, report);
    xml.close();
    xml.close();
    xml.close();
}

/// As small as its text is legible, and at most as large as the text of the page.
fn fit(layout: &Layout<'_>) -> String {
    format!(
        "figure svg{{display:block;width:100%;height:auto;margin:0 auto;\
         min-width:{}px;max-width:{}px}}\n",
        layout.width * 9 / 10,
        layout.width * 6 / 5,
    )
}

fn figure(xml: &mut Xml, scene: &Scene<'_>, layout: &Layout<'_>) {
    xml.open(
        "figure",
        &[
            ("class", &"scroll"),
            ("id", &"picture"),
            ("tabindex", &"0"),
            ("aria-label", &"The picture"),
        ],
    );
    svg::draw(xml, scene, layout, false);
    xml.close();
}

fn summary(report: &Report) -> String {
    let from = match report.imports.len() {
        0 => "It has no kernel imports.".to_owned(),
        many => format!("It has {}.", words::count(many, "kernel import")),
    };
    format!("{} {from}", words::summary(report))
}

const SECTIONS: [(&str, &str); 5] = [
    ("parts", "Objects"),
    ("crossings", "Crossings"),
    ("causes", "Causes"),
    ("imports", "Kernel imports"),
    ("sizes", "Bytes in memory"),
];

fn contents(xml: &mut Xml) {
    xml.open("nav", &[("aria-label", &"Contents")]);
    for (id, title) in SECTIONS {
        xml.element("a", &[("href", &format!("#{id}"))], title);
    }
    xml.close();
}

fn section(xml: &mut Xml, which: usize) {
    let (id, title) = SECTIONS[which];
    xml.open("section", &[("id", &id)]);
    xml.element("h2", &[], title);
}

/// Opens a table, which scrolls on a narrow screen; `#` marks columns of numbers.
fn table(xml: &mut Xml, label: &str, columns: &[&str]) {
    xml.open(
        "div",
        &[
            ("class", &"scroll"),
            ("tabindex", &"0"),
            ("role", &"region"),
            ("aria-label", &label),
        ],
    );
    xml.open("table", &[]);
    xml.open("thead", &[]);
    xml.open("tr", &[]);
    for column in columns {
        match column.strip_prefix('#') {
            Some(column) => xml.element("th", &[("scope", &"col"), ("class", &"number")], column),
            None => xml.element("th", &[("scope", &"col")], column),
        }
    }
    xml.close();
    xml.close();
    xml.open("tbody", &[]);
}

fn end_table(xml: &mut Xml) {
    for _ in 0..3 {
        xml.close();
    }
}

fn parts(xml: &mut Xml, report: &Report) {
    section(xml, 0);
    if report.parts.is_empty() {
        xml.element("p", &[], "None.");
        return xml.close();
    }
    let columns = [
        "object",
        "language",
        "source",
        "compiler",
        "#text",
        "#rodata",
        "#data",
        "#bss",
        "#debug",
        "#defined",
        "#undefined",
    ];
    table(xml, "Objects", &columns);
    for part in &report.parts {
        xml.open("tr", &[]);
        xml.open("th", &[("scope", &"row"), ("class", &"name")]);
        xml.element("code", &[("title", &part.path)], &part.name);
        xml.close();
        language_cell(xml, part.language);
        for (about, tag) in [(&part.source, "code"), (&part.compiler, "span")] {
            xml.open("td", &[("class", &"mid")]);
            xml.element(tag, &[], about.as_deref().unwrap_or("unknown"));
            xml.close();
        }
        let debug = part.sections.iter().filter(|s| s.kind == "debug");
        let debug = debug.fold(0, |sum: u64, s| sum.saturating_add(s.size));
        for bytes in words::bytes(part).into_iter().chain([debug]) {
            numeric(xml, bytes);
        }
        numeric(xml, part.defined.len() as u64);
        numeric(xml, part.needed.len() as u64);
        xml.close();
    }
    end_table(xml);
    for part in &report.parts {
        symbols(xml, part);
    }
    xml.close();
}

/// The symbols of an object, folded.
fn symbols(xml: &mut Xml, part: &Part) {
    let all = part.defined.len() + part.needed.len();
    if all == 0 {
        return;
    }
    xml.open("details", &[]);
    xml.open("summary", &[]);
    xml.text("Symbols of ");
    xml.inline("code", &part.name);
    xml.text(&format!(" ({})", words::number(all as u64)));
    xml.close();
    let label = format!("Symbols of {}", part.name);
    rows(xml, &label, &tables::symbols(part));
    xml.close();
}

/// A table that the report has, too.
fn rows(xml: &mut Xml, label: &str, rows: &tables::Table) {
    table(xml, label, rows.columns);
    for row in &rows.rows {
        xml.open("tr", &[]);
        for one in row {
            match one {
                Cell::Text(text) => xml.element("td", &[], text),
                Cell::Code { text, symbol } => {
                    xml.open("td", &[]);
                    match symbol {
                        Some(symbol) => xml.element("code", &[("title", symbol)], text),
                        None if text.is_empty() => {}
                        None => xml.element("code", &[], text),
                    }
                    xml.close();
                }
                Cell::Number(number) => numeric(xml, *number),
                Cell::Language(language) => language_cell(xml, *language),
                Cell::Outcome(outcome) => {
                    xml.open("td", &[]);
                    verdict(xml, *outcome);
                    xml.close();
                }
            }
        }
        xml.close();
    }
    end_table(xml);
}

fn verdict(xml: &mut Xml, outcome: Outcome) {
    let class = format!("verdict {}", words::outcome_class(outcome));
    let text = format!("{} {}", words::mark(outcome), words::outcome(outcome));
    xml.element("span", &[("class", &class)], &text);
}

fn crossings(xml: &mut Xml, report: &Report) {
    section(xml, 1);
    let mut order: Vec<&Crossing> = report.crossings.iter().chain(&report.kernel).collect();
    if order.is_empty() {
        xml.element("p", &[], "None.");
        return xml.close();
    }
    if order.iter().any(|one| one.verdict.outcome != Outcome::Same) {
        xml.element("p", &[], "The worst come first.");
    }
    let columns = ["symbol", "verdict", "in Rust", "in C", "where"];
    table(xml, "Crossings", &columns);
    order.sort_by_key(|crossing| Reverse(crossing.verdict.outcome));
    for crossing in order {
        row(xml, crossing);
    }
    end_table(xml);
    xml.close();
}

fn row(xml: &mut Xml, crossing: &Crossing) {
    let outcome = crossing.verdict.outcome;
    xml.open("tr", &[]);
    xml.open("th", &[("scope", &"row"), ("class", &"name")]);
    xml.element("code", &[], &crossing.symbol);
    let what = if crossing.function {
        "function"
    } else {
        "data"
    };
    xml.element("div", &[("class", &"quiet")], what);
    xml.close();

    xml.open("td", &[("class", &"name")]);
    verdict(xml, outcome);
    for reason in &crossing.verdict.reasons {
        xml.element("div", &[], reason);
    }
    xml.close();

    // Everything that is not Rust is compared as C.
    for rust in [true, false] {
        xml.open("td", &[("class", &"wide")]);
        let views = crossing.verdict.views.iter();
        let mut none = true;
        for view in views.filter(|view| (view.language == Language::Rust) == rust) {
            none = false;
            xml.open("div", &[]);
            xml.element("code", &[], &view.says);
            let source = words::source(view);
            xml.element("div", &[("class", &"quiet")], &source);
            xml.close();
        }
        if none {
            xml.element("span", &[("class", &"quiet")], "unknown");
        }
        xml.close();
    }

    xml.open("td", &[("class", &"wide")]);
    xml.element("div", &[], &format!("defined {}", words::defined(crossing)));
    xml.element("div", &[], "used");
    xml.open("ul", &[]);
    for line in words::used(&crossing.uses, usize::MAX) {
        xml.element("li", &[], &line);
    }
    xml.close();
    xml.close();
    xml.close();
}

fn causes(xml: &mut Xml, report: &Report) {
    section(xml, 2);
    if report.causes.is_empty() {
        xml.element("p", &[], "None: both sides agree on all crossings.")
    } else {
        rows(xml, "Causes", &tables::causes(&report.causes))
    }
    xml.close();
}

fn imports(xml: &mut Xml, report: &Report) {
    section(xml, 3);
    if report.imports.is_empty() {
        xml.element("p", &[], "None.")
    } else {
        rows(xml, "Kernel imports", &tables::imports(&report.imports))
    }
    xml.close();
}

fn sizes(xml: &mut Xml, report: &Report) {
    section(xml, 4);
    rows(xml, "Bytes in memory", &tables::sizes(&report.sizes));
    xml.close();
}

fn language_cell(xml: &mut Xml, language: Language) {
    let class: &dyn Display = &words::language_class(language);
    xml.element("td", &[("class", class)], words::language(language));
}

fn numeric(xml: &mut Xml, number: u64) {
    xml.element("td", &[("class", &"number")], &words::number(number));
}
