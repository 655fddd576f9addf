//! Command-line options.

use clap::Parser;

/// Object files, linking, and shared and static libraries, in C and in Rust: each claim is a
/// command, its output, and a check.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 all claims are shown; 1 a claim is not shown, or a tool it needs is \
                  missing;\n2 wrong usage, or no C compiler or rustc."
)]
pub struct Options {
    /// Run only this part; may be repeated
    #[arg(long = "part", value_name = "N")]
    pub parts: Vec<String>,
    /// Write a page for the documentation, with placeholders for what differs from run to run
    #[arg(long)]
    pub markdown: bool,
    /// The C compiler, gcc or clang [default: gcc, then cc, then clang]
    #[arg(long, env = "CC")]
    pub cc: Option<String>,
    /// The Rust compiler [default: rustc]
    #[arg(long, env = "RUSTC")]
    pub rustc: Option<String>,
    /// The program stitch, for part 6 [default: stitch on PATH]
    #[arg(long, env = "STITCH", value_name = "PATH")]
    pub stitch: Option<String>,
    /// Time limit for each command, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}
