//! Input: from paths on the command line to objects in memory, and how Kbuild built them.

pub mod cmd_file;
pub mod modules;
pub mod object;
pub mod parallel;
pub mod paths;
pub mod producer;
pub mod sort;
