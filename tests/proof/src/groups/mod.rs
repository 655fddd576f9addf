//! The tests, group by group.

mod border;
mod cargo;
pub mod checks;
mod contracts;
mod coverage;
mod crossing;
mod desk;
mod dkms;
mod docs;
mod early;
mod faults;
mod foreign;
mod fuzz;
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
mod security;
mod splats;
mod stitch;
mod stock;
mod storm;
mod walkthrough;
mod watch;

use crate::harness::test::Test;
use crate::support::context::flavour;
use lab::kernel::flavour::{Compiler, Flavour, NEWEST};

/// All tests; those on a stock kernel use the one that is asked for, or the newest.
pub fn all(asked: &[Flavour]) -> Vec<Test> {
    let newest = flavour(NEWEST, Compiler::Gcc);
    let asked = asked.iter().find(|kernel| kernel.is_stock());
    let stock = asked.unwrap_or(&newest);
    // What is installed on this host is for its own architecture.
    let native = if stock.arch.is_foreign() {
        &newest
    } else {
        stock
    };
    [
        lints::tests(),
        guest::tests(),
        splats::tests(),
        faults::tests(),
        foreign::tests(),
        fuzz::tests(),
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
        storm::tests(),
        coverage::tests(),
        walkthrough::tests(),
        stock::tests_on(stock),
        modules::tests_on(stock),
        new::tests_on(stock),
        desk::tests_on(stock),
        walkthrough::tests_on(stock),
        metadata::tests(native),
        dkms::tests(native),
        cargo::tests(),
        security::tests(),
        docs::tests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
