//! stitch on real objects, sound and damaged.

mod common;
mod damage;
mod declared;
mod disagreements;
mod ir;
mod picture;
mod report;
