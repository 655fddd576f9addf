//! Probes: a static of a symbol's declared type, which holds its address, put beside the declaration.
//! The compiler rejects it unless the types are equal, and its debug information then has the type,
//! with everything resolved.
//!
//! `read` finds the probes that an object has. `compile` compiles the sources again, with probes, by
//! the command that Kbuild recorded (`command` keeps only the flags that affect meaning). Only a
//! temporary directory is written to.

mod c;
mod command;
pub mod compile;
pub mod read;
mod rust;
mod source;
