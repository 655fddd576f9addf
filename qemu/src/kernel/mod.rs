//! Kernels and their modules: where their sources come from, and how they are built.

pub mod advice;
pub mod archive;
pub mod build;
pub mod built;
pub mod config;
pub mod copy;
pub mod counting;
pub mod flavour;
pub mod foreign;
pub mod load;
pub mod module;
pub mod paths;
pub mod source;
pub mod sources;
pub mod stock;
pub mod userprogs;
