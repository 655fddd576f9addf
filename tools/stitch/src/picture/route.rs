//! Routes the wires: each goes into the gutter, up or down on a track of its own, and out.

/// The gap between the ends of vertical wires on one track.
const BETWEEN: i32 = 8;

/// Where a wire meets a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Whether it is on the left side of the gutter.
    pub left: bool,
    /// Its height.
    pub y: i32,
}

/// The ports of a wire, that of the definer first.
pub type Ports = Vec<Port>;

/// Assigns tracks such that no two wires overlap; `None` for straight wires. Returns their number, too.
pub fn tracks(wires: &[Ports]) -> (Vec<Option<usize>>, usize) {
    let mut order: Vec<(bool, i32, usize)> = Vec::new();
    for (index, ports) in wires.iter().enumerate() {
        let (top, bottom) = span(ports);
        if top == bottom {
            continue;
        }
        let (left, right) = (middle(ports, true), middle(ports, false));
        let down = left < right;
        // Of two wires that go down, the upper one turns later, so that they do not cross.
        order.push((down, if down { -left } else { left }, index));
    }
    order.sort_unstable();

    let mut tracks: Vec<Vec<(i32, i32, bool)>> = Vec::new();
    let mut found = vec![None; wires.len()];
    for (down, _, index) in order {
        let (top, bottom) = span(&wires[index]);
        let over = |&&(a, b, _): &&(i32, i32, bool)| a - BETWEEN < bottom && top < b + BETWEEN;
        let after = tracks
            .iter()
            .rposition(|track| track.iter().filter(over).any(|&(.., way)| way == down));
        let first = after.map_or(0, |track| track + 1);
        let free = (first..tracks.len()).find(|&t| !tracks[t].iter().any(|one| over(&one)));
        let track = free.unwrap_or(tracks.len());
        if track == tracks.len() {
            tracks.push(Vec::new());
        }
        tracks[track].push((top, bottom, down));
        found[index] = Some(track);
    }
    (found, tracks.len())
}

/// From its highest port to its lowest.
pub fn span(ports: &[Port]) -> (i32, i32) {
    let ys = || ports.iter().map(|port| port.y);
    (ys().min().unwrap_or(0), ys().max().unwrap_or(0))
}

fn middle(ports: &[Port], left: bool) -> i32 {
    let of = |left: bool| {
        let ys = ports.iter().filter(|port| port.left == left);
        let (sum, count) = ys.fold((0, 0), |(sum, count), port| (sum + port.y, count + 1));
        (count > 0).then(|| sum / count)
    };
    of(left).or(of(!left)).unwrap_or(0)
}

/// The path of a wire, in pieces that do not overlap: dashes would merge. `left` and `right` are the
/// sides of the gutter.
pub fn path(ports: &[Port], track: Option<i32>, left: i32, right: i32) -> String {
    let edge = |port: &Port| if port.left { left } else { right };
    let Some((definer, users)) = ports.split_first() else {
        return String::new();
    };
    let end = edge(definer) + if definer.left { HEAD } else { -HEAD };
    let Some(x) = track else {
        let starts = users
            .iter()
            .map(|user| format!("M{},{} H{end}", edge(user), user.y));
        return starts.collect::<Vec<_>>().join(" ");
    };
    let mut pieces = vec![];
    let (top, bottom) = span(ports);
    let farthest = |y: i32| y == top || y == bottom;
    // The end is drawn once, with one of the farthest users, so that it has a bend.
    let mut ended = false;
    for user in users {
        let mut piece = format!("M{},{}", edge(user), user.y);
        let down = definer.y - user.y;
        let turn = |height: i32| TURN.min(height.abs() / 2);
        let bend = turn(down);
        let towards = if edge(user) < x { -bend } else { bend };
        if down == 0 {
            piece += &format!(" H{x}");
        } else {
            piece += &format!(
                " H{} Q{x},{} {x},{}",
                x + towards,
                user.y,
                user.y + bend * down.signum(),
            );
        }
        if farthest(user.y) && down != 0 {
            piece += &format!(" V{}", definer.y - bend * down.signum());
            let out = if definer.left { -bend } else { bend };
            piece += &format!(" Q{x},{} {},{}", definer.y, x + out, definer.y);
            if !ended {
                piece += &format!(" H{end}");
                ended = true;
            }
        }
        pieces.push(piece);
    }
    if !ended {
        pieces.push(format!("M{x},{} H{end}", definer.y));
    }
    pieces.join(" ")
}

/// The length of an arrowhead.
pub const HEAD: i32 = 9;
const TURN: i32 = 8;

/// The path of an arrowhead.
pub fn head(definer: Port, left: i32, right: i32) -> String {
    let y = definer.y;
    let (tip, back) = if definer.left {
        (left, left + HEAD)
    } else {
        (right, right - HEAD)
    };
    format!("M{tip},{y} L{back},{} V{} Z", y - 5, y + 5)
}
