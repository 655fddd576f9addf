//! ELF: which files are objects, their sections, relocations and symbol names.

pub mod demangle;
pub mod header;
pub mod nm;
pub mod relocations;
pub mod sections;
