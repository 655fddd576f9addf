//! What tests share.

pub mod context;
pub mod processes;
pub mod proxy;
pub mod scratch;
pub mod terminal;
