//! pahole on the structs and unions that C passes: it has to find them laid out as stitch does.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use host::toolchain::Toolchain;
use serde_json::Value;

use super::{counts, list, same, succeed, text};

/// What pahole tells of an object's structs and unions, by name.
pub type Structs = HashMap<String, Struct>;

/// A struct or a union.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Struct {
    /// Bytes; pahole does not say it of a union.
    size: Option<u64>,
    members: Vec<Member>,
}

/// Name, and bytes: offset and size.
type Member = (String, u64, u64);

/// Asks pahole of all structs: for some by name it ends with a failure even where it finds them.
pub fn structs(toolchain: &Toolchain, object: &Path) -> Result<Structs> {
    let mut command = toolchain.command("pahole");
    let command = command.args(["-F", "dwarf", "--anon_include"]);
    Ok(parse(&succeed(command.arg(object))?))
}

/// Compares each struct that this part passes to Rust or takes from it; their names.
pub fn same_structs(report: &Value, part: &str, structs: &Structs) -> Result<Vec<String>> {
    let own = format!("{part}, DWARF, ");
    let views = list(report, "stitches")
        .iter()
        .flat_map(|stitch| list(&stitch["verdict"], "views"))
        .filter(|view| text(view, "source").starts_with(&own));
    let mut compared = Vec::new();
    for layout in views.flat_map(|view| list(view, "layouts")) {
        let name = text(layout, "name");
        let other = structs.get(name).with_context(|| format!("no {name}"))?;
        let size = layout["size"].as_u64().filter(|_| layout["union"] == false);
        let fields = list(layout, "fields").iter().filter_map(member);
        ensure!(
            size == other.size,
            "{name}: stitch: {size:?} bytes\npahole: {:?}",
            other.size
        );
        same(&counts(fields), &counts(other.members.iter().cloned())).context(name.to_owned())?;
        compared.push(name.to_owned());
    }
    Ok(compared)
}

/// Bits that only fill a gap are none, as to pahole; an array without an end has no size.
fn member(field: &Value) -> Option<Member> {
    Some((
        field["name"].as_str()?.to_owned(),
        field["offset"].as_u64()?,
        field["size"].as_u64().unwrap_or(0),
    ))
}

/// What pahole printed.
fn parse(printed: &str) -> Structs {
    let mut all = HashMap::new();
    let (mut tag, mut found) = ("", Struct::default());
    // Where the members of the structs in this struct begin.
    let mut inner: Vec<usize> = Vec::new();
    for line in printed.lines() {
        let nested = line.starts_with('\t');
        let line = line.trim_start();
        let (opens, closes) = (line.ends_with('{'), line.starts_with('}'));
        match (nested, opens, closes) {
            (false, true, _) => tag = name(line.trim_end_matches([' ', '{'])),
            (false, _, true) => {
                // `typedef struct {` has its name behind.
                let name = match tag {
                    "struct" | "union" => name(declared(line)),
                    tag => tag,
                };
                all.insert(name.to_owned(), std::mem::take(&mut found));
            }
            (true, true, _) => inner.push(found.members.len()),
            (true, _, _) => {
                let member = member_line(line);
                let start = if closes { inner.pop() } else { None };
                // What a struct without a name has in it is the outer one's.
                if let (Some(start), Some(_)) = (start, &member) {
                    found.members.truncate(start);
                }
                found.members.extend(member);
                found.size = found.size.or(size_line(line));
            }
            (false, false, false) => {}
        }
    }
    all
}

/// `/* size: 40, cachelines: 1, members: 4 */`
fn size_line(line: &str) -> Option<u64> {
    let (size, _) = line.strip_prefix("/* size: ")?.split_once(',')?;
    size.parse().ok()
}

/// `const char  *   (*run)(void);    /*     8     8 */`; none for what has no name.
fn member_line(line: &str) -> Option<Member> {
    let (declaration, comment) = line.split_once(';')?;
    let comment = comment.trim().strip_prefix("/*")?.strip_suffix("*/")?;
    let (offset, size) = comment.trim().rsplit_once(' ')?;
    // Of bits: `964: 3`, the unit's byte and the bit in it.
    let (byte, bit) = offset.trim().split_once(':').unwrap_or((offset, "0"));
    let (byte, bit): (u64, u64) = (byte.trim().parse().ok()?, bit.trim().parse().ok()?);
    let name = name(declared(declaration));
    (!name.is_empty()).then(|| (name.to_owned(), byte + bit / 8, size.parse().unwrap_or(0)))
}

/// A declaration without its attributes and its end.
fn declared(declaration: &str) -> &str {
    let declared = declaration.split(" __attribute__").next();
    declared.unwrap_or(declaration).trim_end_matches(';')
}

/// What is declared: `run` of `void (*run)(void)`, `ends` of `struct point ends[2]`.
fn name(declaration: &str) -> &str {
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    if let Some((_, rest)) = declaration.split_once("(*") {
        return rest.split(|letter| !is_name(letter)).next().unwrap_or(rest);
    }
    let declared = declaration.split(['[', ':']).next().unwrap_or(declaration);
    declared
        .trim_end()
        .rsplit(|letter| !is_name(letter))
        .next()
        .unwrap_or(declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
struct outer {
\ts8                         layer;                /*     0     1 */

\t/* XXX 3 bytes hole, try to pack */

\tunion {
\t\ts32                x;                    /*     4     4 */
\t\tu16                sides[2];             /*     4     4 */
\t};                                            /*     4     4 */
\tstruct {
\t\tint                hidden;               /*     8     4 */
\t} named __attribute__((__aligned__(4)));        /*     8     4 */
\tconst char  *              (*run)(void *);       /*    16     8 */
\tunsigned int               few:3;                /*    24: 9  4 */
\tunsigned int               :0;

\t/* size: 32, cachelines: 1, members: 5 */
};
typedef union {
\tint                counter;              /*     0     4 */
} atomic_t __attribute__((__aligned__(4)));
";

    #[test]
    fn structs_of_pahole() {
        let expected = [
            ("layer", 0, 1),
            ("x", 4, 4),
            ("sides", 4, 4),
            ("named", 8, 4),
            ("run", 16, 8),
            ("few", 25, 4),
        ];
        let expected = expected.map(|(name, offset, size)| (name.to_owned(), offset, size));
        let outer = Struct {
            size: Some(32),
            members: expected.to_vec(),
        };
        let atomic = Struct {
            size: None,
            members: vec![("counter".to_owned(), 0, 4)],
        };
        let all = [("outer".to_owned(), outer), ("atomic_t".to_owned(), atomic)];
        assert_eq!(parse(SAID), all.into());
    }
}
