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
    let functions = || {
        file.symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text)
    };
    let next = functions().find(|symbol| symbol.name() == Ok(next));
    let next = next.context("no such function")?.address();
    let last = next - CALL;
    let caller = functions()
        .find(|symbol| (symbol.address()..symbol.address() + symbol.size()).contains(&last));
    let caller = caller.context("no function before it")?;
    let offset = last - caller.address();
    Ok(format!(
        "{}+{offset:#x}/{:#x}",
        caller.name()?,
        caller.size()
    ))
}
