//! The walkthrough: what object files, linking, shared and static libraries are, in C and in Rust.
//! Each claim is a command, its real output, and a check that fails if the claim is not so.

pub mod check;
pub mod excerpt;
pub mod host;
pub mod model;
pub mod options;
pub mod page;
pub mod paper;
pub mod parts;
pub mod placeholders;
pub mod runner;
pub mod shell;
pub mod terminal;
pub mod tools;
pub mod wrap;
