//! The guest of a few bytes, by which the lab finds out at once that KVM does not work.

use std::fs::File;
use std::time::Duration;

use anyhow::{ensure, Result};

use crate::harness::test::{CannotRun, Test};
use crate::support::context::{main_flavour, TestContext};
use lab::guest::machine::{Accelerator, Outcome};
use lab::guest::{probe, rom};

const LIMIT: Duration = Duration::from_secs(10);

/// The tests.
pub fn tests() -> Vec<Test> {
    vec![
        Test::new("kvm::the guest of a few bytes ends", ends).on(&main_flavour()),
        Test::new(
            "kvm::what does not run a few bytes boots no kernel",
            agrees_with_kernel,
        )
        .on(&main_flavour()),
    ]
}

fn ends(context: &TestContext) -> Result<()> {
    let outcome = rom::run(&context.toolchain()?, Accelerator::Tcg, LIMIT)?;
    ensure!(outcome == Outcome::Answered(0), "{outcome:?}");
    Ok(())
}

/// Where the few bytes run, a kernel decides, as in the lab.
fn agrees_with_kernel(context: &TestContext) -> Result<()> {
    if let Err(why) = File::options().read(true).write(true).open("/dev/kvm") {
        return Err(CannotRun(format!("/dev/kvm: {why}")).into());
    }
    let lab = context.lab()?;
    let few = rom::run(&lab.toolchain, Accelerator::Kvm, LIMIT)?;
    if few != Outcome::Answered(0) {
        let kernel = probe::boots(&lab.toolchain, &lab.kernel, &lab.programs)?;
        ensure!(kernel != probe::Kvm::Works, "{few:?}, but a kernel boots");
    }
    Ok(())
}
