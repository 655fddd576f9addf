//! What the walkthrough can be told.

use clap::Parser;

/// Object files, linking, shared and static libraries, in C and in Rust: each claim is a command,
/// its output, and a check.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 all claims are shown; 1 one is not, or a tool for it is missing; 2 \
                  for a usage\nthat it does not know, or without a C compiler or rustc."
)]
pub struct Options {
    /// Only this part; may be given more than once
    #[arg(long = "part", value_name = "N")]
    pub parts: Vec<String>,
    /// Writes a page for the documentation, without what differs from run to run
    #[arg(long)]
    pub markdown: bool,
    /// The C compiler: of gcc's family or of clang's [default: gcc, else cc, else clang]
    #[arg(long, env = "CC")]
    pub cc: Option<String>,
    /// The Rust compiler [default: rustc]
    #[arg(long, env = "RUSTC")]
    pub rustc: Option<String>,
    /// The program stitch, for part 6 [default: the one on PATH]
    #[arg(long, env = "STITCH", value_name = "PATH")]
    pub stitch: Option<String>,
    /// How many seconds a command may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}
