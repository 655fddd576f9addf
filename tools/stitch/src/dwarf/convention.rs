//! Calling conventions, as compilers record them.

use gimli::AttributeValue;

use super::load::Die;
use crate::arch;
use crate::types::graph::Convention;

/// `DW_CC_LLVM_Win64`: llvm/include/llvm/BinaryFormat/Dwarf.def
const LLVM_WIN64: gimli::DwCc = gimli::DwCc(0xc1);

/// The convention that clang records for a function; GCC records none.
pub fn recorded(entry: &Die<'_, '_>, c: &arch::Convention) -> gimli::Result<Convention> {
    Ok(match entry.attr_value(gimli::DW_AT_calling_convention)? {
        None | Some(AttributeValue::CallingConvention(gimli::DW_CC_normal)) => Convention::C,
        Some(AttributeValue::CallingConvention(number)) if c.recorded == Some(number) => {
            Convention::C
        }
        Some(AttributeValue::CallingConvention(LLVM_WIN64)) => Convention::Microsoft,
        Some(other) => Convention::Other(format!("{other:?}").into()),
    })
}

/// The convention in the name of a function pointer type: `unsafe extern "C" fn(u32) -> u32`.
pub fn of_name(name: &str, c: &arch::Convention) -> Convention {
    let mut rest = name;
    if let Some(behind) = rest.strip_prefix("for<") {
        rest = behind.split_once("> ").map_or(behind, |(_, rest)| rest);
    }
    rest = rest.strip_prefix("unsafe ").unwrap_or(rest);
    let Some(word) = rest.strip_prefix("extern \"") else {
        return if rest.starts_with("fn(") {
            Convention::Rust
        } else {
            Convention::Unknown
        };
    };
    let word = word.split('"').next().unwrap_or_default();
    match word.strip_suffix("-unwind").unwrap_or(word) {
        word if c.in_rust.contains(&word) => Convention::C,
        "win64" | "efiapi" => Convention::Microsoft,
        "Rust" => Convention::Rust,
        other => Convention::Other(other.into()),
    }
}

/// Whether the parameters in the name of a function pointer type end with `...`.
pub fn is_variadic(name: &str) -> bool {
    let Some((_, parameters)) = name.split_once("fn(") else {
        return false;
    };
    let mut depth = 0_u32;
    let end = parameters.find(|c| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' if depth == 0 => true,
        ')' => {
            depth -= 1;
            false
        }
        _ => false,
    });
    let parameters = end.and_then(|end| parameters.get(..end));
    parameters.is_some_and(|parameters| parameters.ends_with("..."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Arch;
    use object::elf::{EM_AARCH64, EM_X86_64};

    #[test]
    fn conventions_by_name() {
        let c = |machine| &Arch::of(machine).expect("a supported machine").convention;
        let (x86, arm) = (c(EM_X86_64), c(EM_AARCH64));
        for (name, convention) in [
            ("unsafe extern \"C\" fn(u32) -> u32", Convention::C),
            ("extern \"C-unwind\" fn()", Convention::C),
            (
                "for<'a> unsafe extern \"win64\" fn(&'a u32)",
                Convention::Microsoft,
            ),
            ("fn(extern \"C\" fn()) -> u64", Convention::Rust),
            ("unsafe fn()", Convention::Rust),
            (
                "extern \"rust-cold\" fn()",
                Convention::Other("rust-cold".into()),
            ),
        ] {
            assert_eq!(of_name(name, x86), convention, "{name}");
        }
        let efi = "unsafe extern \"efiapi\" fn()";
        assert_eq!(of_name(efi, x86), Convention::Microsoft);
        assert_eq!(of_name(efi, arm), Convention::C);
        assert!(is_variadic("unsafe extern \"C\" fn(*const u8, ...) -> i32"));
        assert!(!is_variadic(
            "extern \"C\" fn(unsafe extern \"C\" fn(u8, ...), u8)"
        ));
    }
}
