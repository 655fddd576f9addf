//! stitch on real objects, valid and damaged.

mod common;
mod damage;
mod hidden;
mod picture;
mod probes;
mod report;
