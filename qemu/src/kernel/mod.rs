//! Kernels and their modules: where their sources come from, and how they are built.

pub mod archive;
pub mod build;
pub mod config;
pub mod flavour;
pub mod module;
pub mod source;
pub mod stock;
