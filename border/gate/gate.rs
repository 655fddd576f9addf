// SPDX-License-Identifier: GPL-2.0

//! The gate of the border: what a build asks it, so that no crossing between Rust and C goes
//! unchecked. `border.mk` builds it with the rustc of the module and calls it:
//!
//! * `gate contract`: may this header be a contract, and what does the C compiler have to confirm?
//! * `gate compile`: runs a compiler; where it fails over a crossing, tells what the contract says.
//! * `gate objects`: what crosses between the finished objects, and is all of it in the contract?
//!
//! It has no dependencies: a kernel build can fetch none.

mod bindings;
mod compile;
mod contract;
mod declared;
mod header;
mod layout;
mod objects;
mod probes;
mod problem;
mod scan;
mod tokens;

use std::process::ExitCode;

use problem::Problem;

const USAGE: &str = "usage: gate contract HEADER PREPROCESSED BINDINGS RUST LAYOUT
       gate compile contract|rust|c CONTRACT... -- COMPILER ARGUMENTS...
       gate objects NM SYMVERS REPORT CONTRACT.rs... -- RUST.o... -- C.o...";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();

    let done = match &words[..] {
        ["contract", header, preprocessed, bindings, rust, layout] => {
            contract::check(header, preprocessed, bindings, rust, layout)
        }
        ["compile", rest @ ..] => return compile::run(rest),
        ["objects", nm, symvers, report, rest @ ..] => objects::check(nm, symvers, report, rest),
        _ => Err(vec![Problem::of_use(USAGE)]),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                eprint!("{problem}");
            }
            ExitCode::FAILURE
        }
    }
}
