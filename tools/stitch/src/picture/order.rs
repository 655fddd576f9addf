//! Which room stands where, and what it lists first, so that few wires cross.

use std::collections::{BTreeMap, HashMap};

use super::node::{node, Node, Side};
use crate::model::{Crossing, Language, Report};

/// A stitch, with rooms for names.
pub struct Edge<'r> {
    /// Itself.
    pub crossing: &'r Crossing,
    /// Who defines it.
    pub definer: usize,
    /// Who needs it: (room, which of the stitch's uses).
    pub users: BTreeMap<usize, usize>,
}

/// What a room lists first: so that the wires between two rooms side by side are straight.
pub fn sections(side: Side) -> [bool; 2] {
    match side {
        Side::Left => [true, false],
        _ => [false, true],
    }
}

/// Finds the rooms of each stitch, and makes one where a stitch speaks of an object unheard of.
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
            // Backwards: should an object be named twice, the first counts.
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

/// Gives each room a side, and an order in which fewer wires cross.
pub fn arrange(nodes: &mut Vec<Node<'_>>, crossings: &mut [Edge<'_>]) {
    // (the other room, whether that one defines)
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
            // Upper or lower half of the other room: see sections().
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

/// The place of each in an order.
fn ranks(order: &[usize]) -> Vec<usize> {
    let mut ranks = vec![0; order.len()];
    for (rank, &index) in order.iter().enumerate() {
        ranks[index] = rank;
    }
    ranks
}

/// In thousandths.
fn mean(numbers: impl Iterator<Item = usize>) -> usize {
    let (sum, count) = numbers.fold((0, 0), |(sum, count), n| (sum + n, count + 1));
    sum * 1000 / count.max(1)
}

/// What a room gives or needs, in the order of the rooms at the other ends.
pub fn sorted(crossings: &[Edge<'_>], node: usize, exports: bool) -> Vec<usize> {
    let mut found: Vec<(usize, &str, usize)> = Vec::new();
    for (number, crossing) in crossings.iter().enumerate() {
        let rank = match exports {
            true if crossing.definer == node => mean(crossing.users.keys().copied()),
            false if crossing.users.contains_key(&node) => crossing.definer,
            _ => continue,
        };
        found.push((rank, &crossing.crossing.symbol, number));
    }
    found.sort_unstable();
    found.into_iter().map(|(.., number)| number).collect()
}
