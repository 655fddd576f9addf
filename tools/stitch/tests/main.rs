//! stitch on real objects, sound and damaged.

mod common;
mod damage;
mod hidden;
mod picture;
mod probes;
mod report;
