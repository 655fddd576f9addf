//! Two views of a symbol, compared: `differences` walks both types, `signatures` compares functions,
//! `values` what is passed or stored, and `fields` structs and unions. `subject` says what a
//! difference is about, so that many crossings can share it.

pub mod differences;
mod fields;
mod signatures;
mod subject;
mod values;
