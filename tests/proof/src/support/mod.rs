//! What tests share.

pub mod context;
pub mod language_server;
pub mod processes;
pub mod proxy;
pub mod scratch;
pub mod terminal;
