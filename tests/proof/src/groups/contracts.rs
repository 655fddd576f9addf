//! tests/contracts: small modules, each with one thing in it that is easily got wrong. Those that
//! are right build, and of the others the border says what is wrong with them.

use anyhow::{ensure, Result};
use host::project::project;

use crate::harness::test::Test;
use crate::support::context::{flavours, printed, tail};
use lab::commands::lab::Lab;

/// Each Kbuild and each compiler once.
const KERNELS: [&str; 2] = ["7.3-clang", "6.12-gcc"];

/// The tests.
pub fn tests() -> Vec<Test> {
    flavours()
        .into_iter()
        .filter(|flavour| KERNELS.contains(&flavour.name().as_str()))
        .map(|flavour| {
            let name = format!("contracts::{}", flavour.name());
            Test::new(name, |context| score(&*context.lab()?))
                .on(&flavour)
                .minutes(10)
        })
        .collect()
}

/// The script that counts runs where the compilers are.
fn score(lab: &Lab) -> Result<()> {
    let folder = project().join("tests/contracts");
    let kernel = &lab.kernel;
    let mut command = lab.toolchain.command_in(&folder, &[&project()], "./score");
    command.arg("--project").arg(project());
    command.arg("--ksrc").arg(&kernel.source.dir);
    command.arg("--kbuild").arg(&kernel.dir);
    let output = command.output()?;
    ensure!(output.status.success(), "{}", tail(&printed(&output)));
    Ok(())
}
