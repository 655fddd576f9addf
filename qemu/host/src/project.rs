//! The project's folder, and the CPUs of the host.

use std::path::PathBuf;

/// The project's folder: from the Makefile, or where this crate was built.
pub fn project() -> PathBuf {
    std::env::var_os("HELLO_RUST_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")),
        PathBuf::from,
    )
}

/// The number of jobs to run at once.
pub fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
