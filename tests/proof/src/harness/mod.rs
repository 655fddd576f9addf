//! Runs the tests side by side, each in a process of its own that can be ended, and builds their
//! kernels beside them.
//!
//! libtest-mimic and cargo-nextest were looked at first. Neither knows tests that share a kernel
//! which has to be built before them, or tests whose cases (a KUnit suite's, a hundred mutants) are
//! known only once they ran; and nextest would be one more program to build on a bare machine. What
//! they do well is done alike: names and `TESTS==exact`, a list, a time limit, a process for each
//! test, and JUnit.

pub mod child;
pub mod display;
pub mod report;
pub mod run;
pub mod schedule;
pub mod test;
