//! Two views of a symbol, compared.
//!
//! `differences` walks both types, with `signatures` for functions, `values` for what is passed or
//! stored, and `fields` for structs and unions; `comparison` is what these share. `subject` says what a
//! difference is about, so that many crossings can share it.

pub mod comparison;
pub mod differences;
mod fields;
mod signatures;
mod subject;
mod values;
