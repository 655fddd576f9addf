//! What a module consists of: its objects, their references, what crosses, and what is imported.

pub mod crossings;
pub mod imports;
pub mod joined;
pub mod parts;
pub mod references;
pub mod sizes;
