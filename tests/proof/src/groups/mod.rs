//! The tests, group by group.

mod border;
mod contracts;
mod dkms;
mod docs;
mod faults;
mod gdb;
mod guest;
mod input;
mod kdir;
mod lints;
mod metadata;
mod modules;
mod mutants;
mod mutations;
mod splats;
mod stitch;
mod stock;
mod walkthrough;
mod watch;

use crate::harness::test::Test;
use lab::kernel::flavour::{is_stock, NEWEST};

/// All tests; those on a stock kernel use the requested one, or the newest.
pub fn all(kernel: &str) -> Vec<Test> {
    let stock = if is_stock(kernel) { kernel } else { NEWEST };
    [
        lints::tests(),
        guest::tests(),
        splats::tests(),
        faults::tests(),
        input::tests(),
        modules::tests(),
        gdb::tests(),
        watch::tests(),
        kdir::tests(),
        border::tests(),
        contracts::tests(),
        stitch::tests(),
        mutants::tests(),
        walkthrough::tests(),
        stock::tests_on(stock),
        modules::tests_on(stock),
        walkthrough::tests_on(stock),
        metadata::tests(stock),
        dkms::tests(stock),
        docs::tests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
