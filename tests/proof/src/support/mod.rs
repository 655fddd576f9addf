//! What tests share.

pub mod processes;
pub mod proxy;
pub mod scratch;
pub mod world;
