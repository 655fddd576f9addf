//! The lab: provides a Rust-enabled kernel, boots it in QEMU, loads hello_rust.ko, judges the log.

pub mod accelerator;
pub mod archive;
pub mod bench;
pub mod cache;
pub mod commands;
pub mod doctor;
pub mod exit;
pub mod host;
pub mod initramfs;
pub mod kernel;
pub mod ktap;
pub mod machine;
pub mod module;
pub mod options;
pub mod progress;
pub mod source;
pub mod stock;
pub mod toolchain;
pub mod verdict;
pub mod walkthrough;
