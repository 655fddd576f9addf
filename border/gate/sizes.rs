// SPDX-License-Identifier: GPL-2.0

//! The kernel's structs, which Rust has from the kernel crate: nothing of the module tells the C
//! compiler how large Rust takes them to be. So each object has something as large as each of
//! them, and nm tells the sizes.

use crate::header::Header;
use crate::object::{Language, Object};
use crate::probes::SECTION;
use crate::problem::{Layer, Problem};

/// How the name of it begins; the struct's follows.
pub(crate) const SIZE_OF: &str = "__border_size_of_";

/// `struct page`, if the kernel's headers show all of it.
fn in_words_of_c(header: &Header<'_>, name: &str) -> Option<String> {
    let tags = ["struct", "union"].into_iter();
    let mut types = tags.map(|tag| format!("{tag} {name}"));
    types.find(|ty| header.has_body(ty))
}

pub(crate) fn in_c(header: &Header<'_>, kernel: &[String]) -> String {
    let of = |name: &String| {
        let ty = in_words_of_c(header, name)?;
        Some(format!(
            "static char {SIZE_OF}{name}[sizeof({ty})]\n\
             \t__attribute__((__used__, __section__(\"{SECTION}\")));\n"
        ))
    };
    kernel.iter().filter_map(of).collect()
}

pub(crate) fn in_rust(header: &Header<'_>, kernel: &[String]) -> String {
    let of = |name: &String| {
        in_words_of_c(header, name)?;
        let size = format!("::core::mem::size_of::<{name}>()");
        Some(format!(
            "#[used]\n#[link_section = \"{SECTION}\"]\n\
             static {SIZE_OF}{name}: [u8; {size}] = [0; {size}];\n"
        ))
    };
    kernel.iter().filter_map(of).collect()
}

/// Those of which a C object has another size than Rust.
pub(crate) fn problems(objects: &[Object]) -> Vec<Problem> {
    let (rust, c): (Vec<_>, Vec<_>) = objects
        .iter()
        .partition(|object| object.language == Language::Rust);
    let mut told: Vec<_> = rust.iter().flat_map(|rust| &rust.symbols.sizes).collect();
    told.sort();
    told.dedup();
    let pairs = told
        .iter()
        .flat_map(|told| c.iter().map(move |c| (told, c)));
    pairs
        .filter_map(|((name, rust), object)| {
            let c = object.symbols.sizes.get(*name)?;
            let what = format!("size of {name} is not the same in both halves");
            let problem = Problem::new(Layer::C, what)
                .note(format!("the kernel crate: Rust was told {rust}"))
                .note(format!("{}: C has {c}", object.source))
                .help("take the flag or the #pragma away that changes it for C");
            (c != *rust).then_some(problem)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole() {
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
