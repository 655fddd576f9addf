//! The calls across the border that are left in the loops, as the toolchain's disassembler shows them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use host::toolchain::Toolchain;

use super::counts::split;

/// Calls in each loop, by its name.
pub type Calls = BTreeMap<String, usize>;

/// The functions of both halves that the loops call, and the wrappers of static inlines.
const CROSSING: [&str; 2] = ["crossing_c_", "crossing_rs_"];

/// Calls, and jumps that take the place of one: on x86, and on arm64.
const BRANCHES: [&str; 6] = ["call", "callq", "jmp", "jmpq", "bl", "b"];

/// The loops that cross, and those in which the compiler may inline.
const LOOPS: [&str; 3] = ["from_rust", "to_rust", "one_object"];

/// Reads a module.
pub fn left(toolchain: &Toolchain, ko: &Path) -> Result<Calls> {
    let output = toolchain
        .command("llvm-objdump")
        .args(["--disassemble", "--reloc", "--no-show-raw-insn"])
        .arg(ko)
        .output()
        .context("cannot start llvm-objdump")?;
    ensure!(
        output.status.success(),
        "llvm-objdump {}: {}",
        ko.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    in_listing(&String::from_utf8_lossy(&output.stdout))
        .with_context(|| format!("cannot read the instructions of {}", ko.display()))
}

/// A call or a jump is followed by its relocation; without one, it is within the section, and its own
/// line has the target.
fn in_listing(listing: &str) -> Result<Calls> {
    let mut calls = Calls::new();
    let mut own: Option<&mut usize> = None;
    let mut lines = listing.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = function(line) {
            own = LOOPS
                .contains(&split(name).0)
                .then(|| calls.entry(name.to_owned()).or_default());
        } else if let (Some(calls), Some(written)) = (own.as_deref_mut(), branch(line)) {
            let relocated = lines.peek().and_then(|next| relocation(next));
            let target = relocated.or(written);
            let crosses = |start: &str| target.is_some_and(|target| target.starts_with(start));
            ensure!(
                !target.is_some_and(|target| target.starts_with('.')),
                "a branch to a place without a name: {line}"
            );
            *calls += usize::from(CROSSING.iter().any(|start| crosses(start)));
        }
    }
    ensure!(!calls.is_empty(), "none of the loops is there");
    Ok(calls)
}

/// `0000000000000010 <from_rust_number>:`
fn function(line: &str) -> Option<&str> {
    let (address, name) = line.split_once(" <")?;
    let is_address = address.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.strip_suffix(">:").filter(|_| is_address)
}

/// `      1b:       callq   0x20 <from_rust_number+0x10>`: the target, if it is a whole function.
fn branch(line: &str) -> Option<Option<&str>> {
    let (_, instruction) = line.split_once(":")?;
    let mut words = instruction.split_whitespace();
    let name = words.next()?;
    let is_branch = BRANCHES.contains(&name);
    let target = words.last().and_then(|target| {
        let name = target.strip_prefix('<')?.strip_suffix('>')?;
        (!name.contains('+')).then_some(name)
    });
    is_branch.then_some(target)
}

/// `000000000000001c:  R_X86_64_PLT32 crossing_c_add-0x4`: the symbol.
fn relocation(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once(":  R_")?;
    let symbol = rest.split_whitespace().nth(1)?;
    let end = symbol.find(['-', '+']).unwrap_or(symbol.len());
    Some(&symbol[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\n\
        /module/crossing.ko:\tfile format elf64-x86-64\n\n\
        Disassembly of section .text:\n\n\
        0000000000000010 <from_rust_number>:\n      \
          10:      \tendbr64\n      \
          1b:      \tcallq\t0x20 <from_rust_number+0x10>\n\
        \t\t000000000000001c:  R_X86_64_PLT32\tcrossing_c_add-0x4\n      \
          20:      \tjne\t0x1b <from_rust_number+0xb>\n      \
          22:      \tjmp\t0x40 <crossing_c_rest>\n\n\
        0000000000000030 <from_rust_string>:\n      \
          30:      \tcallq\t0x35 <from_rust_string+0x5>\n\
        \t\t0000000000000031:  R_X86_64_PLT32\tstrlen-0x4\n      \
          35:      \tcallq\t*%rax\n\n\
        0000000000000040 <crossing_c_visit>:\n      \
          40:      \tcallq\t0x45 <crossing_c_visit+0x5>\n\
        \t\t0000000000000041:  R_X86_64_PLT32\tcrossing_rs_add-0x4\n";

    #[test]
    fn calls_in_loops() -> Result<()> {
        let calls = in_listing(LISTING)?;
        let calls: Vec<_> = calls.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(calls, [("from_rust_number", 2), ("from_rust_string", 0)]);
        Ok(())
    }

    #[test]
    fn what_has_no_name() {
        let section = LISTING.replace("crossing_c_add-0x4", ".text+0x3c");
        assert!(in_listing(&section).is_err());
        assert!(in_listing("").is_err());
    }
}
