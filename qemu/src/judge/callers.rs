//! Who has called a function that does not return, such as `panic()`: the return address is behind the
//! caller's last instruction, and arm64's call traces name the function that begins there.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use object::{Object, ObjectSymbol, SymbolKind};
use regex::{Captures, Regex};

/// ` next+0x0/0x18 [module]`. Where the processor itself has stopped, a mark such as `(P)` follows.
static FRAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^ +(?<name>[^\s+]+)\+0x0/0x[0-9a-f]+(?: \[(?<module>\w+)\])?$")
        .expect("a valid pattern")
});

/// Bytes of arm64's call instruction.
const CALL: u64 = 4;

/// A report in which such lines name the caller. They stay as they are if it is not found.
pub fn named(report: &str, vmlinux: &Path, modules: &Path) -> String {
    let caller = |found: &Captures| {
        let module = found.name("module").map(|name| name.as_str());
        let file = module.map_or(vmlinux.to_owned(), |name| {
            modules.join(format!("{name}.ko"))
        });
        let Ok(caller) = caller_before(&file, &found["name"]) else {
            return found[0].to_owned();
        };
        let module = module.map_or_else(String::new, |name| format!(" [{name}]"));
        format!(" {caller}{module}")
    };
    FRAME.replace_all(report, caller).into_owned()
}

/// The last instruction before a function, as `name+offset/size`.
fn caller_before(file: &Path, next: &str) -> Result<String> {
    let content = fs::read(file)?;
    let file = object::File::parse(&*content)?;
    let symbols = file
        .symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text);
    let functions = symbols.filter_map(|symbol| {
        Some(Function {
            name: symbol.name().ok()?.to_owned(),
            address: symbol.address(),
            size: symbol.size(),
        })
    });
    last_before(&functions.collect::<Vec<_>>(), next)
}

struct Function {
    name: String,
    address: u64,
    size: u64,
}

fn last_before(functions: &[Function], next: &str) -> Result<String> {
    let next = functions.iter().find(|function| function.name == next);
    let next = next.context("no such function")?.address;
    // At the start of a section of an object, there is none.
    let last = next.checked_sub(CALL).context("no function before it")?;
    let caller = functions.iter().find_map(|function| {
        let offset = last.checked_sub(function.address)?;
        (offset < function.size).then_some((function, offset))
    });
    let (caller, offset) = caller.context("no function before it")?;
    Ok(format!("{}+{offset:#x}/{:#x}", caller.name, caller.size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_ends_where_the_next_function_begins() {
        let function = |name: &str, address, size| Function {
            name: name.to_owned(),
            address,
            size,
        };
        let functions = [
            function("first", 0, 8),
            function("second", 8, 16),
            function("third", 24, 8),
            // A module can say anything of its functions.
            function("endless", 4, u64::MAX),
        ];
        let caller = |next| last_before(&functions, next).ok();
        assert_eq!(caller("second").as_deref(), Some("first+0x4/0x8"));
        assert_eq!(caller("third").as_deref(), Some("second+0xc/0x10"));
        assert_eq!(caller("first"), None);
        assert_eq!(caller("fourth"), None);
    }
}
