// SPDX-License-Identifier: GPL-2.0

//! The list of what crosses, for people and for `make stitch`.

use super::Border;
use crate::object::{Language, Object};

impl Border {
    pub(crate) fn report(&self) -> String {
        let mut report = String::from("# symbols that cross, and their declarations\n");
        let lengths = self.declared.iter().map(|declared| declared.c_name().len());
        let width = lengths.max().unwrap_or(0);
        for declared in &self.declared {
            let name = &declared.name;
            let mut rust = self.in_language(Language::Rust);
            let direction = if rust.any(|object| object.symbols.defined.contains(name)) {
                "Rust to C"
            } else {
                "C to Rust"
            };
            let declaration = &declared.declaration;
            report += &format!("{:width$}  {direction}  {declaration}", declared.c_name());
            if declared.inline {
                report += &format!(": {}", self.inlined(name));
            }
            report.push('\n');
        }
        report
    }

    /// What Rust's calls of an inline function have become.
    fn inlined(&self, name: &str) -> String {
        let has = |test: &dyn Fn(&Object) -> bool| {
            let mut objects = self.in_language(Language::Rust);
            objects
                .find(|object| test(object))
                .map(|object| &object.name)
        };
        if has(&|object| object.symbols.referenced.contains(name)).is_some() {
            format!("called as {name}")
        } else if let Some(object) = has(&|object| object.symbols.has_local(name)) {
            format!("a local function of {object}")
        } else {
            "no call is left in Rust".to_owned()
        }
    }
}
