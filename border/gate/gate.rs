// SPDX-License-Identifier: GPL-2.0

//! The gate of the border: what a build asks it, so that no crossing between Rust and C goes
//! unchecked. `border.mk` builds it with the rustc of the module and calls it:
//!
//! * `gate contract`: may this header be a contract, and what does the C compiler have to confirm?
//! * `gate unit`: does a C source see the same contract as Rust?
//! * `gate shell`: runs a compiler; where it fails over a crossing, tells what the contract says.
//! * `gate objects`: what crosses between the finished objects, and is all of it in the contract?
//!
//! It has no dependencies: a kernel build can fetch none.

mod bind;
mod bindings;
mod c_type;
mod contract;
mod expanded;
mod explain;
mod facts;
mod header;
mod nm;
mod object;
mod objects;
mod probes;
mod problem;
mod rust_type;
mod sizes;
mod tokens;
mod unit;

use std::process::ExitCode;

use problem::Problem;

const USAGE: &str =
    "usage: gate contract FOLDER HEADER KERNEL RUST LAYOUT OTHER.h... -- CC ARGUMENTS... \
     -- BINDGEN ARGUMENTS...
       gate unit LIST SOURCE CONTRACT.rs... -- CC ARGUMENTS...
       gate shell rust|c CONTRACT.rs... -c RECIPE
       gate objects NM SYMVERS REPORT CONTRACT.rs... -- RUST.o... -- C.o...";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // bindgen has a `--` of its own.
    let mut parts = words.splitn(3, |word| *word == "--");
    let mut part = || parts.next().unwrap_or_default();
    let (asked, second, third) = (part(), part(), part());

    let done = match asked {
        ["contract", folder, header, kernel, rust, layout, others @ ..] => {
            contract::check(&bind::Asked {
                folder,
                header,
                others,
                kernel,
                rust,
                layout,
                preprocessor: second,
                bindgen: third,
            })
        }
        ["unit", list, source, contracts @ ..] => unit::check(list, source, contracts, second),
        ["shell", ..] => return explain::run(&words[1..]),
        ["objects", nm, symvers, report, contracts @ ..] => objects::check(&objects::Asked {
            nm,
            symvers,
            report,
            contracts,
            rust: second,
            c: third,
        }),
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
