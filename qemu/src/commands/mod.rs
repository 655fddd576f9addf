//! What the lab can be asked to do.

pub mod bench;
pub mod coverage;
pub mod desk;
pub mod doctor;
pub mod fuzz;
pub mod gdb;
pub mod lab;
pub mod new;
pub mod run;
pub mod stitch;
pub mod storm;
pub mod walkthrough;
pub mod watch;
