//! Types as a compiler has recorded them, and what they are to the machine.
//!
//! `graph` has the model. `entries`, `dwarf`, `describe` and `convention` fill it from debug
//! information. `fields` and `classes` say how a type lies in memory and in registers. `compare`,
//! with `calls`, `values` and `layout`, holds two of them against each other; `spell` and `layouts`
//! write them down. `subject` tells what a difference is about, wherever it is met.

pub mod btf;
mod calls;
pub mod classes;
pub mod compare;
mod convention;
mod describe;
pub mod dwarf;
pub mod entries;
pub mod fields;
pub mod graph;
mod layout;
pub mod layouts;
pub mod spell;
mod subject;
mod values;
