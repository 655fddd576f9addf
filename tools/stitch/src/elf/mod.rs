//! ELF: which files are objects, their sections, and symbol names.

pub mod compression;
pub mod demangle;
pub mod header;
pub mod nm;
pub mod sections;
