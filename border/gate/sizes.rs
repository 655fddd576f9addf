// SPDX-License-Identifier: GPL-2.0

//! The sizes of kernel structs. Rust has these types from the kernel crate, so no assertion of the
//! contract covers them. Each object gets a static of the size of each struct or union that is named by
//! its tag, for nm to read.

use crate::header::Header;
use crate::nm::SIZE_OF;
use crate::object::{Language, Object};
use crate::probes::SECTION;
use crate::problem::{Layer, Problem};

/// `struct page`, if the headers define it.
fn c_name(header: &Header<'_>, name: &str) -> Option<String> {
    let tags = ["struct", "union"].into_iter();
    let mut types = tags.map(|tag| format!("{tag} {name}"));
    types.find(|ty| header.has_body(ty))
}

pub(crate) fn in_c(header: &Header<'_>, kernel: &[String]) -> String {
    let of = |name: &String| {
        let ty = c_name(header, name)?;
        Some(format!(
            "static char {SIZE_OF}{name}[sizeof({ty})]\n\
             \t__attribute__((__used__, __section__(\"{SECTION}\")));\n"
        ))
    };
    kernel.iter().filter_map(of).collect()
}

pub(crate) fn in_rust(header: &Header<'_>, kernel: &[String]) -> String {
    let of = |name: &String| {
        c_name(header, name)?;
        let size = format!("::core::mem::size_of::<{name}>()");
        Some(format!(
            "#[used]\n#[link_section = \"{SECTION}\"]\n\
             static {SIZE_OF}{name}: [u8; {size}] = [0; {size}];\n"
        ))
    };
    kernel.iter().filter_map(of).collect()
}

pub(crate) fn problems(objects: &[Object]) -> Vec<Problem> {
    let (rust, c): (Vec<_>, Vec<_>) = objects
        .iter()
        .partition(|object| object.language == Language::Rust);
    let mut sizes: Vec<_> = rust.iter().flat_map(|rust| &rust.symbols.sizes).collect();
    sizes.sort();
    sizes.dedup();
    let mut problems = Vec::new();
    for (name, rust) in sizes {
        for object in &c {
            let size = object.symbols.sizes.get(name);
            if let Some(c) = size.filter(|size| *size != rust) {
                let what = format!("size of {name} differs between Rust and C");
                problems.push(
                    Layer::C
                        .error(what)
                        .note(format!("kernel crate: Rust has {rust}"))
                        .note(format!("{}: C has {c}", object.source))
                        .help("remove the flag or #pragma that changes it for C"),
                );
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_defined_structs() {
        let header =
            Header::of_text("struct page { int a; };\nstruct file;\nint f(struct page *);");
        let kernel = ["page", "file", "gfp_t"].map(str::to_owned);
        assert_eq!(
            in_c(&header, &kernel),
            "static char __border_size_of_page[sizeof(struct page)]\n\
             \t__attribute__((__used__, __section__(\".discard.border.probe\")));\n"
        );
        assert_eq!(in_rust(&header, &kernel).matches("static").count(), 1);
    }
}
