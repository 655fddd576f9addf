//! The lab: provides a Rust-enabled kernel, boots it in QEMU, loads hello_rust.ko, judges the log.
//!
//! Each folder uses only those below it here: commands, judge, guest, kernel; all use the crate
//! `host`.

pub mod commands;
pub mod exit;
pub mod guest;
pub mod judge;
pub mod kernel;
pub mod options;
