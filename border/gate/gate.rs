// SPDX-License-Identifier: GPL-2.0

//! The program that checks every crossing between Rust and C during a build. `border.mk` compiles
//! it with the rustc of the module, and calls it:
//!
//! * `gate contract` checks that a header can be a contract, and generates the Rust bindings and
//!   the assertions for the C compiler.
//! * `gate unit` checks that a C source sees the same contract as Rust.
//! * `gate shell` runs a compiler, and explains its errors in terms of the contract.
//! * `gate objects` checks that exactly the symbols of the contract cross between the finished
//!   objects.
//!
//! It has no dependencies, since a kernel build cannot fetch any.

mod assertions;
mod bind;
mod bindings;
mod c_type;
mod contract;
mod expanded;
mod explain;
mod header;
mod inline;
mod join;
mod nm;
mod object;
mod objects;
#[cfg(test)]
mod odd;
mod probes;
mod problem;
mod rust_type;
mod sizes;
mod tokens;
mod unit;

use std::process::ExitCode;

use problem::{failure, Layer};

const USAGE: &str =
    "usage: gate contract FOLDER HEADER KERNEL RUST LAYOUT OTHER.h... -- CC ARGUMENTS... \
     -- BINDGEN ARGUMENTS...
       gate unit LIST SOURCE CONTRACT.rs... -- CC ARGUMENTS...
       gate shell rust|c CONTRACT.rs... -c RECIPE
       gate objects NM SYMVERS REPORT CONTRACT.rs... -- RUST.o... -- C.o...
       gate inline LLVM_LINK JOINED.ll RUST.bc C.bc...
       gate fuse LLVM_LINK OPT NM JOINED.ll -- BITCODE... -- OBJECT...";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // bindgen's own arguments contain another `--`.
    let mut parts = words.splitn(3, |word| *word == "--");
    let mut part = || parts.next().unwrap_or_default();
    let (command, second, third) = (part(), part(), part());

    let result = match command {
        ["contract", folder, header, kernel, rust, layout, others @ ..] => {
            contract::check(&bind::Args {
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
        ["shell", "rust", contracts @ .., "-c", recipe] => {
            return explain::run(Layer::Rust, contracts, recipe)
        }
        ["shell", "c", contracts @ .., "-c", recipe] => {
            return explain::run(Layer::C, contracts, recipe)
        }
        ["objects", nm, symvers, report, contracts @ ..] => objects::check(&objects::Args {
            nm,
            symvers,
            report,
            contracts,
            rust: second,
            c: third,
        }),
        ["inline", link, joined, rust, others @ ..] => join::inline(link, joined, rust, others),
        ["fuse", link, opt, nm, joined] => join::fuse(&join::Fuse {
            link,
            opt,
            nm,
            joined,
            bitcode: second,
            objects: third,
        }),
        _ => Err(failure(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                eprint!("{problem}");
            }
            ExitCode::FAILURE
        }
    }
}
