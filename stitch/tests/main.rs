//! stitch on real objects, sound and damaged.

mod common;
mod damage;
mod picture;
mod probes;
mod report;
