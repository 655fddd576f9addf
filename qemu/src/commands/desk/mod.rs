//! A developer's desk: what editors need of a module, its lints, its documentation, its format.

pub mod clangd;
pub mod clippy;
pub mod doc;
pub mod editor;
pub mod fmt;
pub mod places;
pub mod recorded;
pub mod rust_analyzer;
