//! Reads what a guest printed: splats, refusals, test results.

pub mod console;
pub mod decode;
pub mod guest;
pub mod ktap;
pub mod refusals;
pub mod splats;
