//! What stitch can be told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// How a kernel module was stitched from Rust and C, and whether both mean the same.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes of check: 0 both sides mean the same; 1 they differ; 3 something is \
                  unknown.\nOf both: 2 for a usage that stitch does not know, or a file that it \
                  cannot read.\nreport exits with 0 whatever it had to report."
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
    /// Says nothing when both sides mean the same by all that crosses; for scripts
    Check {
        /// What to read.
        #[command(flatten)]
        input: Input,
        /// Accepts what is unknown
        #[arg(long)]
        allow_unknown: bool,
        /// Refuses what differs in the language only
        #[arg(long)]
        strict: bool,
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
    /// Asks the compilers what the objects do not tell: compiles their sources again, in a scratch
    /// folder, which runs the macros in them
    #[arg(long)]
    pub probe: bool,
    /// The kernel's vmlinux, for what the module declares of it by itself [default: with --probe,
    /// that of the kernel for which Kbuild made the objects]
    #[arg(long, value_name = "FILE", requires = "probe")]
    pub kernel: Option<PathBuf>,
    /// rustc for --probe: the one that made the objects
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "rustc",
        requires = "probe"
    )]
    pub rustc: PathBuf,
    /// clang or gcc for --probe [default: by the name of the one that made the object]
    #[arg(long, value_name = "PROGRAM", requires = "probe")]
    pub cc: Option<PathBuf>,
}
