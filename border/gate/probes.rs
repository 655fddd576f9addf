// SPDX-License-Identifier: GPL-2.0

//! Statics that have the type of a symbol, for programs that read debug information: compilers
//! describe a static, but not every symbol that is only referenced.

use std::fmt::Write;

use crate::bindings::{Symbol, SymbolKind};

/// The module's linker script discards this section.
pub(crate) const SECTION: &str = ".discard.border.probe";

/// The prefix of a probe's name, before that of the symbol.
pub(crate) const PROBE: &str = "__probe_of_";

pub(crate) fn in_c(symbol: &str) -> String {
    format!(
        "static __typeof__({symbol}) *{PROBE}{symbol}\n\
         \t__attribute__((__used__, __section__(\"{SECTION}\")));"
    )
}

/// rustc compares the type of each static with that of the symbol. The static does not hold the
/// address of the symbol: that would be a reference to it.
pub(crate) fn in_rust(symbols: &[Symbol]) -> String {
    let mut text = String::new();
    for symbol in symbols {
        let Symbol {
            name,
            rust_name,
            pointer,
            ..
        } = symbol;
        let (held, address) = match symbol.kind {
            Some(SymbolKind::Function(_)) => (pointer.clone(), rust_name.clone()),
            // A raw pointer is not Sync. Rust before 1.82 needs the `unsafe`.
            _ => (
                format!("fn({pointer})"),
                format!(
                    "unsafe {{ ::core::ptr::{}!({rust_name}) }}",
                    addr_of(pointer)
                ),
            ),
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "#[used]\n#[link_section = \"{SECTION}\"]\n\
             static {PROBE}{name}: ::core::option::Option<{held}> = {{\n    \
             #[allow(unused_unsafe)]\n    const _: fn() = || {{\n        let _: {pointer} = {address};\n    }};\n    \
             ::core::option::Option::None\n}};\n"
        );
    }
    text
}

fn addr_of(pointer: &str) -> &str {
    if pointer.starts_with("*mut") {
        "addr_of_mut"
    } else {
        "addr_of"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::Bindings;

    #[test]
    fn functions_and_data() {
        let source = "extern \"C\" { pub fn f(a: c_int) -> c_int; } \
                      extern \"C\" { pub static mut n: u32; }";
        let probes = in_rust(&Bindings::new(source).symbols);
        for part in [
            "static __probe_of_f: ::core::option::Option<unsafe extern \"C\" fn(a:c_int)->c_int> = {",
            "let _: unsafe extern \"C\" fn(a:c_int)->c_int = f;",
            "static __probe_of_n: ::core::option::Option<fn(*mut u32)> = {",
            "let _: *mut u32 = unsafe { ::core::ptr::addr_of_mut!(n) };",
        ] {
            let plain = |text: &str| text.replace(' ', "");
            assert!(plain(&probes).contains(&plain(part)), "{part}: {probes}");
        }
    }
}
