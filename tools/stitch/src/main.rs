//! The program `stitch`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stitch::main()
}
