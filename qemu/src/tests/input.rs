//! To come.
use super::Test;
/// None yet.
pub fn tests() -> Vec<Test> {
    Vec::new()
}
