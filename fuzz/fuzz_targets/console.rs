//! What a guest prints: its console, and the output of its job, also of a storm. A guest can print anything.

#![no_main]

use std::time::Duration;

use lab::commands::storm::verdict::{answers, Fault};
use lab::guest::channel::split_answer;
use lab::guest::machine::{Guest, Outcome};
use lab::judge::{guest, ktap, refusals, splats};
use libfuzzer_sys::fuzz_target;
use rustix::io::Errno;

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    // As the lab reads it.
    let input = String::from_utf8_lossy(input);
    let [console, answer] = fuzz::parts(&input);
    let (output, status) = split_answer(answer);
    let outcomes = [
        status.map_or(Outcome::Silent, Outcome::Answered),
        Outcome::TimedOut,
        Outcome::Died(output.clone()),
    ];
    for splat in splats::splats(console) {
        assert!(!splat.line.is_empty() && !splat.report.is_empty());
    }
    let _ = ktap::parse(console);
    refusals::explain(console);
    for outcome in outcomes {
        let guest = Guest {
            outcome,
            console: console.to_owned(),
            output: output.clone(),
            wall: Duration::from_secs(60),
        };
        if let Err(error) = guest::judge(&guest, str::to_owned) {
            assert!(!error.to_string().is_empty());
            Fault::of_guest(&guest, error);
        }
        let _ = answers(&guest, &[("load", &[Errno::NOMEM])]);
    }
});
