//! The guest: what is in it, the machine that runs it, and who executes it.

pub mod channel;
mod ends;
pub mod files;
pub mod initramfs;
pub mod job;
pub mod machine;
pub mod probe;
pub mod rom;
