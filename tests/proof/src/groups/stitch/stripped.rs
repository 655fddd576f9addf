//! stitch on objects without debug information: it shows what it can, and says what it cannot.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{ensure, Context, Result};
use serde_json::Value;

use super::stitch;
use crate::harness::test::Test;
use crate::support::context::{flavours, printed, succeed};
use lab::commands::lab::Lab;
use lab::kernel::flavour::Flavour;
use lab::kernel::sources::HELLO_RUST;

const PARTS: [&str; 2] = ["hello_rust_main.o", "c_helper.o"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |flavour: Flavour| {
        let name = flavour.name();
        Test::new(
            format!("stitch::{name}::hello_rust without debug information"),
            |context| shows_what_it_can(&*context.lab()?),
        )
        .on(&flavour)
    };
    flavours().into_iter().map(test).collect()
}

fn shows_what_it_can(lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST)?;
    let folder = tempfile::tempdir_in(module.dir())?;
    let parts: Vec<PathBuf> = PARTS.iter().map(|name| folder.path().join(name)).collect();
    for (name, stripped) in PARTS.iter().zip(&parts) {
        succeed(
            lab.toolchain
                .command("llvm-strip")
                .args(["--strip-debug", "-o"])
                .arg(stripped)
                .arg(module.dir().join(name)),
        )?;
    }
    let json = |paths: &[PathBuf]| -> Result<Vec<Value>> {
        let printed = succeed(
            Command::new(stitch()?)
                .args(["report", "--json"])
                .args(paths),
        )?;
        let mut report: Value = serde_json::from_str(&printed).context("stitch wrote no JSON")?;
        let stitches = report["stitches"].take();
        serde_json::from_value(stitches).context("no list of stitches")
    };
    let whole = PARTS.map(|name| module.dir().join(name));
    let (found, expected) = (json(&parts)?, json(&whole)?);
    ensure!(
        symbols(&found) == symbols(&expected) && !found.is_empty(),
        "{:?}, but with debug information {:?}",
        symbols(&found),
        symbols(&expected)
    );
    for stitch in &found {
        let verdict = &stitch["verdict"];
        ensure!(verdict["outcome"] == "unknown", "{stitch}");
        let reasons = verdict["reasons"].to_string();
        ensure!(reasons.contains("has no debug information"), "{reasons}");
    }
    for (words, expected) in [(&["check"][..], 3), (&["check", "--allow-unknown"], 0)] {
        let output = Command::new(stitch()?).args(words).args(&parts).output()?;
        let code = output.status.code();
        ensure!(
            code == Some(expected),
            "{words:?}: {code:?}\n{}",
            printed(&output)
        );
    }
    Ok(())
}

fn symbols(stitches: &[Value]) -> Vec<&str> {
    let names = stitches.iter().map(|stitch| stitch["symbol"].as_str());
    names.flatten().collect()
}
