//! Types as a compiler recorded them. `graph` has the types themselves, `claim` what an object says of a
//! symbol. `fields` and `classes` say how a type lies in memory and in registers; `spell` and
//! `layouts` write it down.

pub mod claim;
pub mod classes;
pub mod fields;
pub mod graph;
pub mod layouts;
pub mod spell;
