//! The walkthrough: every claim, with both families of tools, and the page in the documentation.

use anyhow::{ensure, Context, Result};

use super::world::{built, main_flavour, must_say, said, succeed, World};
use super::Test;
use crate::module::project;
use crate::walkthrough::command;

/// The tests.
pub fn tests() -> Vec<Test> {
    let families = ["gcc", "clang"].map(|cc| {
        Test::new(format!("walkthrough::every claim, by {cc}"), move |world| {
            every_claim(world, cc)
        })
    });
    let mut tests = Vec::from(families);
    tests.push(Test::new("walkthrough::docs/walkthrough.md", page));
    tests
}

fn every_claim(world: &World, cc: &str) -> Result<()> {
    let lab = world.lab(&main_flavour())?;
    built("stitch").and(built("walkthrough"))?;
    let output = command(&lab.toolchain)?.args(["--cc", cc]).output()?;
    ensure!(output.status.success(), "{}", said(&output));
    must_say(&said(&output), " shown, 0 not shown\n")
}

/// It was made from a run with the same compilers, of the same sources.
fn page(world: &World) -> Result<()> {
    let lab = world.lab(&main_flavour())?;
    built("stitch").and(built("walkthrough"))?;
    let today = succeed(command(&lab.toolchain)?.args(["--cc", "gcc", "--markdown"]))?;
    let file = project().join("docs/walkthrough.md");
    let there = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines = there.lines().zip(today.lines()).enumerate();
    let differs = lines.find(|(_, (there, today))| there != today);
    ensure!(
        there == today,
        "docs/walkthrough.md is stale: {differs:?}\n  mend: make docs/walkthrough.md"
    );
    Ok(())
}
