//! The options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Shows how a kernel module was linked from Rust and C, and checks that both agree
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit status of check: 0 if both sides agree, 1 if they differ, 3 if something is \
                  unknown.\nreport exits with status 0, whatever it reports.\nBoth exit with status 2 \
                  for invalid options, or if a file cannot be read."
)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Shows a module's objects, what crosses between them, its kernel imports and its sizes
    Report {
        /// The files.
        #[command(flatten)]
        input: Input,
        /// Write JSON to standard output, one line per module
        #[arg(long)]
        json: bool,
        /// Draw a picture of the module
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        /// Write a page with the picture and the whole report
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Checks that both sides agree on every symbol that crosses; prints nothing if they do
    Check {
        /// The files.
        #[command(flatten)]
        input: Input,
        /// Accept what is unknown
        #[arg(long)]
        allow_unknown: bool,
        /// Reject what differs in the language only
        #[arg(long)]
        strict: bool,
    },
}

/// The files to read, and how.
#[derive(Debug, Args)]
pub struct Input {
    /// A module's build directory, its .ko or .mod there, .o files, or a .ko with its .o files
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The kernel's Module.symvers, which says which symbols are GPL-only
    #[arg(long, value_name = "FILE")]
    pub symvers: Option<PathBuf>,
    /// Compile the sources again, in a temporary directory, to learn the types that the objects do not
    /// record; this runs their macros
    #[arg(long)]
    pub probe: bool,
    /// The kernel's vmlinux, to check what the module itself declares of the kernel [default: that of
    /// the kernel for which Kbuild built the objects]
    #[arg(long, value_name = "FILE", requires = "probe")]
    pub kernel: Option<PathBuf>,
    /// rustc for --probe: the one that compiled the objects
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "rustc",
        requires = "probe"
    )]
    pub rustc: PathBuf,
    /// clang or gcc for --probe [default: whichever compiled the object]
    #[arg(long, value_name = "PROGRAM", requires = "probe")]
    pub cc: Option<PathBuf>,
}
