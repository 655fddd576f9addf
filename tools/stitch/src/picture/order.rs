//! Which room stands where, and what it lists first, so that few wires cross.

use std::collections::{BTreeMap, HashMap};

use super::scene::{room, Room, Side};
use crate::model::{Language, Report, Stitch};

/// A stitch, with rooms for names.
pub struct Crossing<'r> {
    /// Itself.
    pub stitch: &'r Stitch,
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
pub fn crossings<'r>(report: &'r Report, rooms: &mut Vec<Room<'r>>) -> Vec<Crossing<'r>> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (index, room) in rooms.iter().enumerate() {
        known.entry(room.name).or_insert(index);
    }
    let mut find = |name: &'r str, language| {
        *known.entry(name).or_insert_with(|| {
            rooms.push(room(name, language, None));
            rooms.len() - 1
        })
    };
    report
        .stitches
        .iter()
        .map(|stitch| Crossing {
            stitch,
            definer: find(&stitch.definer, stitch.language),
            // Backwards: should an object be named twice, the first counts.
            users: stitch
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
pub fn arrange(rooms: &mut Vec<Room<'_>>, crossings: &mut [Crossing<'_>]) {
    // (the other room, whether that one defines)
    let mut partners: Vec<Vec<(usize, bool)>> = vec![Vec::new(); rooms.len()];
    for crossing in crossings.iter() {
        for &user in crossing.users.keys() {
            partners[user].push((crossing.definer, true));
            partners[crossing.definer].push((user, false));
        }
    }
    for (room, partners) in rooms.iter_mut().zip(&partners) {
        room.side = match (partners.is_empty(), room.language) {
            (true, _) => Side::Apart,
            (false, Language::Rust) => Side::Left,
            (false, _) => Side::Right,
        };
    }
    let mut order: Vec<usize> = (0..rooms.len()).collect();
    order.sort_by_key(|&index| (rooms[index].side, rooms[index].language));
    for round in 0..8 {
        let moving = if round % 2 == 0 {
            Side::Right
        } else {
            Side::Left
        };
        let ranks = ranks(&order);
        let key = |index: usize| {
            if rooms[index].side != moving {
                return 0;
            }
            // Upper or lower half of the other room: see sections().
            mean(partners[index].iter().map(|&(partner, gives)| {
                2 * ranks[partner] + usize::from(gives != sections(rooms[partner].side)[0])
            }))
        };
        order.sort_by_cached_key(|&index| (rooms[index].side, key(index)));
    }

    let ranks = ranks(&order);
    let mut moved: Vec<_> = std::mem::take(rooms).into_iter().zip(&ranks).collect();
    moved.sort_by_key(|&(_, rank)| rank);
    rooms.extend(moved.into_iter().map(|(room, _)| room));
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
pub fn sorted(crossings: &[Crossing<'_>], room: usize, gives: bool) -> Vec<usize> {
    let mut found: Vec<(usize, &str, usize)> = Vec::new();
    for (number, crossing) in crossings.iter().enumerate() {
        let rank = match gives {
            true if crossing.definer == room => mean(crossing.users.keys().copied()),
            false if crossing.users.contains_key(&room) => crossing.definer,
            _ => continue,
        };
        found.push((rank, &crossing.stitch.symbol, number));
    }
    found.sort_unstable();
    found.into_iter().map(|(.., number)| number).collect()
}
