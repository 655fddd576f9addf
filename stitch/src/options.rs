//! What stitch can be told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// How a kernel module was stitched from Rust and C, and whether both mean the same.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes of check: 0 all agree; 1 a disagreement; 3 something could not be \
                  told.\nOf both: 2 for a usage that stitch does not know, or a file that it \
                  cannot read.\nreport ends with 0 whatever it had to report."
)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// The two things that stitch does.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Shows a module's parts, its stitches, what it takes from the kernel, and its sizes
    Report {
        /// What to read.
        #[command(flatten)]
        input: Input,
        /// Writes JSON, a line for each module, to standard output
        #[arg(long)]
        json: bool,
        /// Draws the module's picture
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        /// Makes a page with the picture and the whole report
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Says nothing when all that crosses between Rust and C agrees; for scripts
    Check {
        /// What to read.
        #[command(flatten)]
        input: Input,
        /// Accepts what cannot be told
        #[arg(long)]
        allow_unknown: bool,
    },
}

/// What stitch reads.
#[derive(Debug, Args)]
pub struct Input {
    /// A module's build folder, its .ko or .mod there, .o files, or a .ko with its .o files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The kernel's Module.symvers: tells which of its symbols are for GPL modules only
    #[arg(long, value_name = "FILE")]
    pub symvers: Option<PathBuf>,
    /// Rust's declarations of what C defines: bindgen's output, or sources [default: all *_h.rs
    /// beside the objects, and the sources and kernel bindings that Kbuild's notes name]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub bindings: Vec<PathBuf>,
    /// LLVM IR that rustc wrote, of which the declarations count [default: the NAME.ll beside the
    /// objects, which `make M=… NAME.ll` makes]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub ir: Vec<PathBuf>,
}
