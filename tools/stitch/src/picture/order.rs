//! The order of nodes, and of the symbols in them, such that few wires cross.

use std::collections::{BTreeMap, HashMap};

use super::node::{node, Node, Side};
use crate::model::{Crossing, Language, Report};

/// A crossing, between nodes.
pub struct Edge<'r> {
    pub crossing: &'r Crossing,
    /// The defining node.
    pub definer: usize,
    /// The using nodes, with the indices of their uses.
    pub users: BTreeMap<usize, usize>,
}

/// Whether a node lists exports or imports first: wires between two nodes are then straight.
pub fn sections(side: Side) -> [bool; 2] {
    match side {
        Side::Left => [true, false],
        _ => [false, true],
    }
}

/// Finds the nodes of each crossing, and adds nodes for missing objects.
pub fn crossings<'r>(report: &'r Report, nodes: &mut Vec<Node<'r>>) -> Vec<Edge<'r>> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        known.entry(node.name).or_insert(index);
    }
    let mut find = |name: &'r str, language| {
        *known.entry(name).or_insert_with(|| {
            nodes.push(node(name, language, None));
            nodes.len() - 1
        })
    };
    report
        .crossings
        .iter()
        .map(|crossing| Edge {
            crossing,
            definer: find(&crossing.definer, crossing.language),
            // In reverse, so that of several uses by one object the first counts.
            users: crossing
                .uses
                .iter()
                .enumerate()
                .rev()
                .map(|(which, need)| (find(&need.part, Language::Unknown), which))
                .collect(),
        })
        .collect()
}

/// Assigns sides to nodes, and sorts them such that few wires cross.
pub fn arrange(nodes: &mut Vec<Node<'_>>, crossings: &mut [Edge<'_>]) {
    // (the other node, whether it exports the symbol)
    let mut partners: Vec<Vec<(usize, bool)>> = vec![Vec::new(); nodes.len()];
    for crossing in crossings.iter() {
        for &user in crossing.users.keys() {
            partners[user].push((crossing.definer, true));
            partners[crossing.definer].push((user, false));
        }
    }
    for (node, partners) in nodes.iter_mut().zip(&partners) {
        node.side = match (partners.is_empty(), node.language) {
            (true, _) => Side::Below,
            (false, Language::Rust) => Side::Left,
            (false, _) => Side::Right,
        };
    }
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|&index| (nodes[index].side, nodes[index].language));
    for round in 0..8 {
        let moving = if round % 2 == 0 {
            Side::Right
        } else {
            Side::Left
        };
        let ranks = ranks(&order);
        let key = |index: usize| {
            if nodes[index].side != moving {
                return 0;
            }
            // The upper or lower half of the other node; see sections().
            mean(partners[index].iter().map(|&(partner, exports)| {
                2 * ranks[partner] + usize::from(exports != sections(nodes[partner].side)[0])
            }))
        };
        order.sort_by_cached_key(|&index| (nodes[index].side, key(index)));
    }

    let ranks = ranks(&order);
    let mut moved: Vec<_> = std::mem::take(nodes).into_iter().zip(&ranks).collect();
    moved.sort_by_key(|&(_, rank)| rank);
    nodes.extend(moved.into_iter().map(|(node, _)| node));
    for crossing in crossings {
        crossing.definer = ranks[crossing.definer];
        crossing.users = std::mem::take(&mut crossing.users)
            .into_iter()
            .map(|(user, which)| (ranks[user], which))
            .collect();
    }
}

/// The rank of each index in an order.
fn ranks(order: &[usize]) -> Vec<usize> {
    let mut ranks = vec![0; order.len()];
    for (rank, &index) in order.iter().enumerate() {
        ranks[index] = rank;
    }
    ranks
}

/// The mean, in thousandths.
fn mean(numbers: impl Iterator<Item = usize>) -> usize {
    let (sum, count) = numbers.fold((0, 0), |(sum, count), n| (sum + n, count + 1));
    sum * 1000 / count.max(1)
}

/// The exports or imports of a node, in the order of the nodes at the other ends.
pub fn sorted(crossings: &[Edge<'_>], node: usize, exports: bool) -> Vec<usize> {
    let mut found: Vec<(usize, &str, usize)> = Vec::new();
    for (number, crossing) in crossings.iter().enumerate() {
        let rank = if exports && crossing.definer == node {
            mean(crossing.users.keys().copied())
        } else if !exports && crossing.users.contains_key(&node) {
            crossing.definer
        } else {
            continue;
        };
        found.push((rank, &crossing.crossing.symbol, number));
    }
    found.sort_unstable();
    found.into_iter().map(|(.., number)| number).collect()
}
