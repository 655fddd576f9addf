//! stitch on the LLVM IR that Kbuild makes of a Rust source: what rustc has made of Rust's view.

use std::fs;

use anyhow::{ensure, Context, Result};

use super::{list, report, text};
use crate::harness::test::Test;
use crate::support::world::{flavours, succeed};
use lab::commands::Lab;
use lab::kernel::Flavour;
use lab::module::HELLO_RUST;

/// As Kbuild names it: by the source.
const IR: &str = "hello_rust.ll";

/// The tests.
pub fn tests() -> Vec<Test> {
    let test = |flavour: Flavour| {
        let name = format!(
            "stitch::{}::hello_rust as rustc compiled it",
            flavour.name()
        );
        Test::new(name, |world| as_compiled(&*world.lab()?)).on(&flavour)
    };
    flavours().into_iter().map(test).collect()
}

/// All that Rust needs of C is declared there, and as C has it.
fn as_compiled(lab: &Lab) -> Result<()> {
    let module = lab.module(&HELLO_RUST)?;
    succeed(module.make(&lab.toolchain).arg(IR))?;
    let report = report(module.dir());
    let ir = module.dir().join(IR);
    fs::remove_file(&ir).with_context(|| format!("cannot remove {}", ir.display()))?;

    let report = report?;
    let stitches = list(&report, "stitches").iter();
    let of_c: Vec<_> = stitches
        .filter(|stitch| stitch["language"] == "c")
        .collect();
    ensure!(!of_c.is_empty(), "Rust needs nothing of C: {report}");
    for stitch in of_c {
        let verdict = &stitch["verdict"];
        let mut views = list(verdict, "views").iter();
        let seen = views.any(|view| text(view, "source") == format!("{IR}, LLVM IR"));
        ensure!(seen && verdict["outcome"] == "agrees", "{stitch}");
    }
    Ok(())
}
