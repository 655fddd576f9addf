//! What each side believes of a symbol, brought into one model.

pub mod bindings;
pub mod compare;
pub mod dwarf;
pub mod ir;
pub mod layouts;
pub mod lowered;
pub mod sections;
pub mod spell;
pub mod types;
