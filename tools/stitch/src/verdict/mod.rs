//! Whether both sides of a crossing agree: `evidence` is what one object says of the symbols, `judge`
//! compares all that is said of one symbol, `verdicts` does so for a module, and `causes` lists what
//! many crossings have in common.

pub mod causes;
pub mod evidence;
pub mod judge;
pub mod verdicts;
