//! The tests, group by group.

mod border;
mod cargo;
pub mod checks;
mod contracts;
mod crossing;
mod desk;
mod dkms;
mod docs;
mod early;
mod faults;
mod foreign;
mod gdb;
mod guest;
mod input;
mod joined;
mod kdir;
mod kvm;
mod lints;
mod metadata;
mod module_tests;
mod modules;
mod mutants;
mod mutations;
mod new;
mod splats;
mod stitch;
mod stock;
mod walkthrough;
mod watch;

use crate::harness::test::Test;
use lab::kernel::flavour::{Flavour, NEWEST};

/// All tests; those on a stock kernel use the one that is asked for, or the newest.
pub fn all(asked: &[Flavour]) -> Vec<Test> {
    let stock = asked.iter().find(|kernel| kernel.is_stock());
    let stock = stock.map_or(NEWEST, |kernel| &kernel.series);
    [
        lints::tests(),
        guest::tests(),
        splats::tests(),
        faults::tests(),
        foreign::tests(),
        early::tests(),
        kvm::tests(),
        input::tests(),
        modules::tests(),
        module_tests::tests(),
        gdb::tests(),
        watch::tests(),
        new::tests(),
        desk::tests(),
        kdir::tests(),
        border::tests(),
        contracts::tests(),
        joined::tests(),
        crossing::tests(),
        stitch::tests(),
        mutants::tests(),
        walkthrough::tests(),
        stock::tests_on(stock),
        modules::tests_on(stock),
        new::tests_on(stock),
        desk::tests_on(stock),
        walkthrough::tests_on(stock),
        metadata::tests(stock),
        dkms::tests(stock),
        cargo::tests(),
        docs::tests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
