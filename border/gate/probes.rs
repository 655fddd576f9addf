// SPDX-License-Identifier: GPL-2.0

//! How each half has each symbol of a contract, for those who read the objects: compilers write no
//! debug information of all that is only used, but they do of a static.

use std::fmt::Write;

use crate::bindings::{Symbol, SymbolKind};

/// The section, which the module's linker script throws away.
pub(crate) const SECTION: &str = ".discard.border.probe";

/// How the name of a probe begins; the symbol follows.
pub(crate) const PROBE: &str = "__probe_of_";

/// In C: a pointer of the type that the symbol has there.
pub(crate) fn of_c(symbol: &str) -> String {
    format!(
        "static __typeof__({symbol}) *{PROBE}{symbol}\n\
         \t__attribute__((__used__, __section__(\"{SECTION}\")));"
    )
}

/// In Rust: a static for each symbol, which rustc refuses unless it has the symbol's type. It is
/// without the symbol's address: nothing is used that was not used.
pub(crate) fn of(symbols: &[Symbol]) -> String {
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
            // An address alone cannot be in a static that all may read. To take it is safe since
            // Rust 1.82.
            _ => (
                format!("fn({pointer})"),
                format!(
                    "unsafe {{ ::core::ptr::{}!({rust_name}) }}",
                    address_of(pointer)
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

fn address_of(pointer: &str) -> &str {
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
    fn of_functions_and_data() {
        let source = "extern \"C\" { pub fn f(a: c_int) -> c_int; } \
                      extern \"C\" { pub static mut n: u32; }";
        let probes = of(&Bindings::new(source).symbols);
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
