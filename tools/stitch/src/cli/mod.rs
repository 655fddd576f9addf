//! The command line: its options, its two subcommands, and their exit codes.

pub mod commands;
pub mod options;
