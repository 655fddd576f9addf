//! Places everything, in whole pixels, by the width of a monospace font.

use super::kernel::KernelBox;
use super::measure::{width, Rect, LABEL, LARGE, LEGEND, LETTER, MARGIN, PAD, SAMPLE, SMALL, TOP};
use super::node::{Kind, Line, Node, Pin, Side};
use super::route::{self, Port, Ports};
use super::scene::{Net, Scene};
use crate::report::words;

/// The gap between vertical wires, if there are few, or [`MANY`].
const TRACK: [i32; 2] = [10, 7];
const MANY: usize = 30;
/// Ports are moved up on the left and down on the right if their wire is not straight, so that wires of
/// the same height on both sides never touch.
const NUDGE: i32 = 4;
const NARROWEST: i32 = 720;
/// The height of a line in a node.
const ROW: i32 = 22;
pub struct Wire {
    pub path: String,
    pub head: String,
    /// Its labels, at each user.
    pub labels: Vec<Label>,
}

/// A label on a wire.
pub struct Label {
    /// Where it starts or ends.
    pub x: i32,
    pub y: i32,
    /// Whether `x` is its end.
    pub end: bool,
    pub text: String,
}

/// An entry of the legend.
pub struct Entry {
    pub x: i32,
    pub y: i32,
    pub item: Item,
    pub text: String,
}

/// What an entry of the legend explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// An index of [`words::LANGUAGES`].
    Language(usize),
    /// An index of [`words::OUTCOMES`].
    Outcome(usize),
    /// The bars of the sizes.
    Bar,
}

/// The gutter between the columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gutter {
    /// The right side of the left nodes.
    pub left: i32,
    /// The left side of the right nodes.
    pub right: i32,
}

pub struct Layout<'r> {
    pub width: i32,
    pub height: i32,
    /// What the colours, dashes and bars mean.
    pub legend: Vec<Entry>,
    pub nodes: Vec<Rect>,
    pub wires: Vec<Wire>,
    /// The place of the title above nodes without crossings, if there are others.
    pub below_title: Option<i32>,
    /// The wires to the kernel: at most one for each side.
    pub kernel_wires: Vec<String>,
    pub kernel: KernelBox<'r>,
}

impl<'r> Layout<'r> {
    /// Lays out a scene.
    pub fn of(scene: &Scene<'r>) -> Self {
        let left = column(scene, Side::Left);
        let right = column(scene, Side::Right);
        let label = |left: bool| {
            let users = scene.nets.iter().flat_map(|net| &net.users);
            let here = users.filter(|(pin, _)| is_left(scene, *pin) == left);
            let widest = here.map(|(_, label)| width(label, LABEL)).max();
            widest.unwrap_or(0).max(16) + 20
        };
        let labels = (label(true), label(false));

        // Heights first: they determine how many tracks the gutter needs.
        let mut nodes = vec![Rect::default(); scene.nodes.len()];
        let bottom = stack(scene, &mut nodes);
        let mut ports: Vec<Ports> = scene.nets.iter().map(|n| ends(scene, &nodes, n)).collect();
        ports.iter_mut().for_each(nudge);
        let (tracks, count) = route::tracks(&ports);

        let between = if scene.nets.is_empty() {
            0
        } else {
            labels.0 + labels.1 + (count as i32 + 1).max(4) * TRACK[usize::from(count > MANY)]
        };
        let inner = (left + between + right).max(NARROWEST);
        // Spare width goes to the gutter.
        let gutter = Gutter {
            left: MARGIN + left,
            right: MARGIN + inner - right,
        };
        let legend = legend(scene, MARGIN, TOP, inner);
        let top = legend.last().map_or(TOP, |entry| entry.y) + 2 * LEGEND;

        for (node, rect) in scene.nodes.iter().zip(&mut nodes) {
            rect.y += top;
            (rect.x, rect.width) = match node.side {
                Side::Left => (MARGIN, left),
                _ => (gutter.right, right),
            };
        }
        for port in ports.iter_mut().flatten() {
            port.y += top;
        }
        let spare = gutter.right - gutter.left - labels.0 - labels.1;
        let step = spare / (count as i32 + 1);
        let track_x = |track: usize| gutter.left + labels.0 + (track as i32 + 1) * step;
        let wires = scene.nets.iter().zip(ports).zip(tracks);
        let wires = wires
            .map(|((net, ports), track)| wire(net, ports, track.map(track_x), gutter))
            .collect();

        let mut below = top + bottom;
        let mut below_title = None;
        if scene.nodes.iter().any(|node| node.side == Side::Below) {
            if bottom > 0 {
                below_title = Some(below + ROW);
                below += 2 * ROW;
            }
            below = grid(scene, &mut nodes, below, inner);
        }
        let kernel = KernelBox::of(scene.report, MARGIN, below + 2 * ROW, inner);
        let kernel_wires = [Side::Left, Side::Right]
            .iter()
            .filter_map(|&side| kernel_wire(scene, &nodes, side, kernel.rect.y, inner))
            .collect();
        Layout {
            width: inner + 2 * MARGIN,
            height: kernel.rect.y + kernel.rect.height + MARGIN,
            legend,
            nodes,
            wires,
            below_title,
            kernel_wires,
            kernel,
        }
    }
}

/// The vertical middle of a line.
pub fn line_y(rect: &Rect, line: usize) -> i32 {
    rect.y + ROW / 2 + line as i32 * ROW + ROW / 2
}

fn height(node: &Node<'_>) -> i32 {
    (node.lines.len() as i32 + 1) * ROW
}

fn is_left(scene: &Scene<'_>, pin: Pin) -> bool {
    let node = scene.nodes.get(pin.node);
    node.is_some_and(|node| node.side == Side::Left)
}

/// The width of the nodes of one side.
fn column(scene: &Scene<'_>, side: Side) -> i32 {
    let nodes = scene.nodes.iter().filter(|node| node.side == side);
    let widest = nodes.map(node_width).max();
    widest.unwrap_or(0)
}

fn node_width(node: &Node<'_>) -> i32 {
    let lines = node.lines.iter().map(|line| line_width(node, line));
    lines.max().unwrap_or(0).max(200) + 2 * PAD
}

fn line_width(node: &Node<'_>, line: &Line) -> i32 {
    match line.kind {
        Kind::Name => {
            let tag = words::language(node.language);
            width(&line.text, LARGE) + 20 + width(tag, SMALL)
        }
        Kind::Crossing | Kind::Other => {
            let letter = line.letter.map_or(0, |_| LETTER);
            letter + width(&line.text, SMALL)
        }
        _ => width(&line.text, SMALL),
    }
}

/// Stacks the nodes of each side, from 0; returns where the longer side ends.
fn stack(scene: &Scene<'_>, nodes: &mut [Rect]) -> i32 {
    let mut below = [0, 0];
    for (node, rect) in scene.nodes.iter().zip(nodes) {
        let column = match node.side {
            Side::Left => &mut below[0],
            Side::Right => &mut below[1],
            Side::Below => continue,
        };
        rect.y = *column;
        rect.height = height(node);
        *column += rect.height + ROW;
    }
    (below[0].max(below[1]) - ROW).max(0)
}

/// Places the nodes without crossings in a grid; returns where it ends.
fn grid(scene: &Scene<'_>, nodes: &mut [Rect], top: i32, inner: i32) -> i32 {
    let below_title: Vec<usize> = (0..scene.nodes.len())
        .filter(|&index| scene.nodes[index].side == Side::Below)
        .collect();
    let wide = column(scene, Side::Below);
    let columns = ((inner + ROW) / (wide + ROW)).max(1) as usize;
    let mut y = top;
    for line in below_title.chunks(columns) {
        let mut tallest = 0;
        for (place, &index) in line.iter().enumerate() {
            nodes[index] = Rect {
                x: MARGIN + place as i32 * (wide + ROW),
                y,
                width: wide.min(inner),
                height: height(&scene.nodes[index]),
            };
            tallest = tallest.max(nodes[index].height);
        }
        y += tallest + ROW;
    }
    y - ROW
}

/// The port of the definer, then those of the users.
fn ends(scene: &Scene<'_>, nodes: &[Rect], net: &Net) -> Ports {
    let port = |pin: Pin| {
        let rect = nodes.get(pin.node).copied().unwrap_or_default();
        Port {
            left: is_left(scene, pin),
            y: line_y(&rect, pin.line),
        }
    };
    let users = net.users.iter().map(|&(pin, _)| port(pin));
    std::iter::once(port(net.definer)).chain(users).collect()
}

/// Moves ports that are not opposite another port of their wire.
fn nudge(ports: &mut Ports) {
    let before = ports.clone();
    for port in ports {
        let opposite = |other: &Port| other.y == port.y && other.left != port.left;
        if !before.iter().any(opposite) {
            port.y += if port.left { -NUDGE } else { NUDGE };
        }
    }
}

fn wire(net: &Net, ports: Ports, track: Option<i32>, gutter: Gutter) -> Wire {
    let users = ports.iter().skip(1).zip(&net.users);
    let labels = users
        .map(|(port, (_, label))| {
            let x = if port.left {
                gutter.left + 8
            } else {
                gutter.right - 8
            };
            Label {
                x,
                y: port.y - 6,
                end: !port.left,
                text: label.clone(),
            }
        })
        .collect();
    let path = route::path(&ports, track, gutter.left, gutter.right);
    let head = route::head(ports[0], gutter.left, gutter.right);
    Wire { path, head, labels }
}

/// The wire from the outer side of the nodes down to the kernel box.
fn kernel_wire(
    scene: &Scene<'_>,
    nodes: &[Rect],
    side: Side,
    kernel: i32,
    inner: i32,
) -> Option<String> {
    let (edge, x) = match side {
        Side::Left => (MARGIN, MARGIN / 2),
        _ => (MARGIN + inner, MARGIN + inner + MARGIN / 2),
    };
    let in_ = if side == Side::Left { 1 } else { -1 };
    let mut path = String::new();
    let mut first = None;
    for (node, rect) in scene.nodes.iter().zip(nodes) {
        let line = node.lines.iter().position(|line| line.kind == Kind::Kernel);
        let Some(line) = line.filter(|_| node.side == side) else {
            continue;
        };
        let y = line_y(rect, line);
        path += &format!("M{edge},{y} H{} Q{x},{y} {x},{} ", x + in_ * 8, y + 8);
        first.get_or_insert(y + 8);
    }
    let end = kernel + 26;
    path += &format!(
        "M{x},{} V{} Q{x},{end} {},{end} ",
        first?,
        end - 8,
        x + in_ * 8
    );
    path += &format!("H{}", edge - in_ * 6);
    path += &format!(
        " M{},{} L{edge},{end} L{},{}",
        edge - in_ * 6,
        end - 4,
        edge - in_ * 6,
        end + 4
    );
    Some(path)
}

/// The legend of what occurs.
fn legend(scene: &Scene<'_>, x: i32, y: i32, inner: i32) -> Vec<Entry> {
    let mut items: Vec<(Item, String)> = Vec::new();
    for (index, &(language, name, _)) in words::LANGUAGES.iter().enumerate() {
        let nodes = scene.nodes.iter();
        let many = nodes.filter(|node| node.language == language).count();
        if many > 0 {
            let text = format!("{name}: {}", words::count(many, "object"));
            items.push((Item::Language(index), text));
        }
    }
    if !scene.report.parts.is_empty() {
        let text = "bar: text, rodata, data and bss".to_owned();
        items.push((Item::Bar, text));
    }
    for (index, one) in words::OUTCOMES.iter().enumerate() {
        let many = words::how_many(scene.report, one.outcome);
        if many > 0 {
            let text = format!("{} {}: {}", one.mark, one.name, words::number(many as u64));
            items.push((Item::Outcome(index), text));
        }
    }
    let (mut at, mut line) = (x, y);
    let mut entries = Vec::new();
    let mut outcomes = false;
    for (item, text) in items {
        let wide = SAMPLE + width(&text, SMALL) + 22;
        let new = matches!(item, Item::Outcome(_)) && !outcomes && !entries.is_empty();
        outcomes |= matches!(item, Item::Outcome(_));
        if new || (at > x && at + wide > x + inner) {
            (at, line) = (x, line + LEGEND);
        }
        entries.push(Entry {
            x: at,
            y: line,
            item,
            text,
        });
        at += wide;
    }
    entries
}
