//! Reads what a guest printed: splats, refused modules, test results.

pub mod callers;
pub mod console;
pub mod decode;
pub mod guest;
pub mod ktap;
pub mod refusals;
pub mod splats;
