//! Runs the tests in parallel, each in its own process, and builds their kernels beside them.
//!
//! Neither libtest-mimic nor cargo-nextest supports tests that share a kernel which has to be built
//! first, or tests whose cases (of a KUnit suite, of a hundred mutants) are known only after they ran;
//! and nextest would be one more program to build on a bare machine. What they do well works the same
//! here: names and `TESTS==exact`, a list, a time limit, a process for each test, and JUnit.

pub mod child;
pub mod display;
pub mod report;
pub mod run;
pub mod schedule;
pub mod table;
pub mod test;
