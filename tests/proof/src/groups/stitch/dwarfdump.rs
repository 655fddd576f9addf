//! llvm-dwarfdump on the functions that cross: it has to read the same of them as stitch does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use host::toolchain::Toolchain;
use serde_json::Value;

use super::dump::{Dump, Function};
use super::{list, succeed, text};

/// What llvm-dwarfdump prints of all of an object's entries.
pub fn entries(toolchain: &Toolchain, object: &Path) -> Result<String> {
    let mut command = toolchain.command("llvm-dwarfdump");
    succeed(command.arg("--debug-info").arg(object))
}

/// Compares each function of a report; how many views were compared.
///
/// `dumps` is what [`entries`] says of each part.
pub fn same_functions(
    report: &Value,
    folder: &Path,
    dumps: &BTreeMap<String, Dump<'_>>,
) -> Result<usize> {
    let stitches = list(report, "stitches").iter();
    let mut compared = 0;
    for stitch in stitches.filter(|stitch| stitch["function"] == true) {
        same_place(stitch, folder, dumps)?;
        let expected = expected(stitch, dumps)?;
        let views = list(&stitch["verdict"], "views").iter();
        let own = views.filter(|view| is_own(text(view, "source")));
        let mut own: Vec<(&str, &Value)> = own.map(|view| (text(view, "source"), view)).collect();
        // Of functions that the compiler made one of, the debug information tells of one only.
        own.retain(|(source, _)| expected.contains_key(*source) || !source.ends_with(PROBED));
        own.sort_by_key(|(source, _)| *source);
        let symbol = text(stitch, "symbol");
        let (here, there): (Vec<&str>, Vec<&str>) = (
            own.iter().map(|(source, _)| *source).collect(),
            expected.keys().map(String::as_str).collect(),
        );
        ensure!(
            here == there,
            "{symbol}: stitch has views from {here:?}, llvm-dwarfdump from {there:?}"
        );
        for (source, view) in own {
            let seen = Function {
                says: text(view, "says").to_owned(),
                place: place(&view["place"], folder),
            };
            let possible = &expected[source];
            ensure!(
                possible.contains(&seen),
                "{symbol}: stitch: {seen:?}\nllvm-dwarfdump: {possible:?}"
            );
            compared += 1;
        }
    }
    Ok(compared)
}

/// Whether a view is of what the compiler recorded by itself, or confirmed of what it recorded.
fn is_own(source: &str) -> bool {
    source.contains(", DWARF, ") || source.ends_with(PROBED)
}

/// The border has Rust's definitions confirmed: they are called as the contract has it.
const PROBED: &str = ", probe, definition";

/// Where a function is defined. Of one that the compiler made one with another, the line table may
/// know it, but only in the module's own sources.
fn same_place(stitch: &Value, folder: &Path, dumps: &BTreeMap<String, Dump<'_>>) -> Result<()> {
    let symbol = text(stitch, "symbol");
    let place = place(&stitch["place"], folder);
    let dump = dumps.get(text(stitch, "definer")).context("no such part")?;
    let right = match dump.functions(symbol, false).first() {
        Some(function) => place == function.place,
        None => place
            .as_ref()
            .is_none_or(|(file, _)| file.starts_with(folder)),
    };
    ensure!(right, "{symbol} is not defined at {place:?}");
    Ok(())
}

/// What llvm-dwarfdump tells of a stitch, by the source that stitch has to name for it.
fn expected(
    stitch: &Value,
    dumps: &BTreeMap<String, Dump<'_>>,
) -> Result<BTreeMap<String, Vec<Function>>> {
    let (symbol, definer) = (text(stitch, "symbol"), text(stitch, "definer"));
    let dump = dumps.get(definer).context("no such part")?;
    let functions = dump.one(symbol, false)?;
    let word = if dump.is_rust() {
        PROBED
    } else {
        ", DWARF, definition"
    };
    let mut all = vec![(format!("{definer}{word}"), functions)];
    for user in list(stitch, "uses").iter().map(|need| text(need, "part")) {
        let dump = dumps.get(user).context("no such part")?;
        if !dump.is_rust() {
            all.push((
                format!("{user}, DWARF, declaration"),
                dump.one(symbol, true)?,
            ));
        }
    }
    Ok(all.into_iter().filter(|(_, all)| !all.is_empty()).collect())
}

/// Paths are compared by their parts: `./c_helper.h` is `c_helper.h`.
fn place(place: &Value, folder: &Path) -> Option<(PathBuf, u64)> {
    Some((
        folder.join(place["file"].as_str()?),
        place["line"].as_u64()?,
    ))
}
