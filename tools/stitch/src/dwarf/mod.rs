//! The debug information of an object.
//!
//! `load` finds its sections and applies their relocations. `unit` says who compiled a unit, `lines`
//! which source line a byte of code comes from, `inlined` which call led there, `copies` how often a
//! function was inlined, `places` where a symbol is defined. `find` looks for the entries about given
//! symbols, and `types`, with `describe` and `convention`, reads the types that they refer to.

mod convention;
mod copies;
mod describe;
pub mod find;
pub mod inlined;
pub mod lines;
pub mod load;
mod places;
pub mod types;
pub mod unit;
