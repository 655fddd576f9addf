//! What the picture shows: nodes, their lines, and the wires between them.

use std::collections::{BTreeSet, HashMap};

use super::node::{node, Kind, Node, Pin};
use super::order::{arrange, crossings, sections, sorted, Edge};
use crate::dwarf::find::PROBE_PREFIX;
use crate::model::{Outcome, Report};
use crate::report::words;

/// The maximum number of crossings in a picture.
pub const MOST_CROSSINGS: usize = 60;
/// The maximum number of other symbols in a node, if the module has few objects.
const MOST_OTHERS: usize = 8;
/// The maximum number of objects that are few.
const FEW: usize = 6;

pub struct Scene<'r> {
    pub report: &'r Report,
    pub nodes: Vec<Node<'r>>,
    pub nets: Vec<Net>,
}

/// A wire from the users of a symbol to its definer.
pub struct Net {
    pub outcome: Outcome,
    pub tooltip: String,
    pub definer: Pin,
    /// The users, with labels.
    pub users: Vec<(Pin, String)>,
}

impl<'r> Scene<'r> {
    /// The scene of a report; `None` if there are too many crossings.
    pub fn of(report: &'r Report) -> Option<Self> {
        if report.crossings.len() > MOST_CROSSINGS {
            return None;
        }
        let mut nodes: Vec<Node> = report
            .parts
            .iter()
            .map(|part| node(&part.name, part.language, Some(part)))
            .collect();
        let mut crossings = crossings(report, &mut nodes);
        arrange(&mut nodes, &mut crossings);

        let mut scene = Scene {
            report,
            nodes,
            nets: Vec::new(),
        };
        for node in &mut scene.nodes {
            node.about();
        }
        scene.wires(&crossings);
        scene.rest(&crossings);
        Some(scene)
    }

    /// Adds the symbols that cross, and their wires.
    fn wires(&mut self, crossings: &[Edge<'_>]) {
        let mut ends: HashMap<(usize, usize, bool), usize> = HashMap::new();
        for index in 0..self.nodes.len() {
            for exports in sections(self.nodes[index].side) {
                let wanted = sorted(crossings, index, exports);
                if wanted.is_empty() {
                    continue;
                }
                let node = &mut self.nodes[index];
                node.head(if exports { "exports" } else { "imports" });
                for number in wanted {
                    ends.insert((number, index, exports), node.lines.len());
                    let symbol = &crossings[number].crossing.symbol;
                    let line = node.symbol(Kind::Crossing, symbol, exports);
                    node.lines.push(line);
                }
            }
        }
        for (number, crossing) in crossings.iter().enumerate() {
            let pin = |node: usize, exports: bool| {
                let line = *ends.get(&(number, node, exports))?;
                Some(Pin { node, line })
            };
            let outcome = crossing.crossing.verdict.outcome;
            let users = crossing.users.iter().filter_map(|(&node, &which)| {
                let sites = &crossing.crossing.uses.get(which)?.sites;
                let label = format!("{} {}", words::mark(outcome), words::relocations(sites));
                Some((pin(node, false)?, label))
            });
            let users: Vec<_> = users.collect();
            if let (Some(definer), false) = (pin(crossing.definer, true), users.is_empty()) {
                self.nets.push(Net {
                    outcome,
                    tooltip: words::tooltip(crossing.crossing),
                    definer,
                    users,
                });
            }
        }
    }

    /// Adds symbols that do not cross, and kernel imports.
    fn rest(&mut self, crossings: &[Edge<'_>]) {
        let crossing: BTreeSet<(usize, &str)> = crossings
            .iter()
            .map(|c| (c.definer, c.crossing.symbol.as_str()))
            .collect();
        let mut imports: HashMap<&str, usize> = HashMap::new();
        for used in self.report.imports.iter().flat_map(|import| &import.uses) {
            *imports.entry(&used.part).or_default() += 1;
        }
        let few = self.nodes.len() <= FEW;
        for (index, node) in self.nodes.iter_mut().enumerate() {
            let Some(part) = node.part else {
                continue;
            };
            let (global, local): (Vec<_>, Vec<_>) = part
                .defined
                .iter()
                .filter(|symbol| !crossing.contains(&(index, symbol.name.as_str())))
                // Probes are not part of the module.
                .filter(|symbol| !symbol.name.contains(PROBE_PREFIX))
                .partition(|symbol| !symbol.letter.is_ascii_lowercase());
            let shown = if few { MOST_OTHERS } else { 0 };
            if few && !global.is_empty() {
                node.head("other symbols");
            }
            for symbol in global.iter().take(shown) {
                let line = node.symbol(Kind::Other, &symbol.name, true);
                node.lines.push(line);
            }
            let more = global.len().saturating_sub(shown);
            let left = match (more, local.len()) {
                (0, 0) => None,
                (0, local) => Some(words::count(local, "local symbol")),
                (more, local) => {
                    let local = match local {
                        0 => String::new(),
                        local => format!(", {} local", words::number(local as u64)),
                    };
                    let further = if few { " more" } else { "" };
                    let many = words::number(more as u64);
                    Some(format!("{many}{further} global{local}, not crossing"))
                }
            };
            if let Some(left) = left {
                node.note(left);
            }
            if let Some(&many) = imports.get(node.name) {
                let text = format!("{} from the kernel", words::count(many, "import"));
                node.line(Kind::Kernel, text, None);
            }
        }
    }
}
