//! The host: the toolchain and its sandbox, the cache, the progress of long commands.

pub mod arch;
pub mod cache;
pub mod mirrors;
pub mod packages;
pub mod programs;
pub mod progress;
pub mod project;
pub mod sandbox;
pub mod toolchain;
pub mod whole;
