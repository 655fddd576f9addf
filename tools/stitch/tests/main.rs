//! stitch on real objects, valid and damaged.

mod common;
mod damage;
mod hidden;
mod joined;
mod picture;
mod probes;
mod report;
