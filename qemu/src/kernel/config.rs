//! The configuration of a kernel: the fragments in qemu/config that it takes.

use std::fs;

use super::flavour::{Checks, Compiler, Flavour};
use super::source::Source;

const BASE: &str = include_str!("../../config/base.config");
const VERSIONS: &str = include_str!("../../config/versions.config");
const CLANG: &str = include_str!("../../config/clang.config");
const DEBUG: &str = include_str!("../../config/debug.config");
const KCSAN: &str = include_str!("../../config/kcsan.config");

/// Options that not every kernel with Rust has: the option, and the Kconfig file that defines it.
const NOT_ALWAYS: &[(&str, &str)] = &[
    ("KUNIT_AUTORUN_ENABLED", "lib/kunit/Kconfig"),
    ("PROC_SYSCTL", "fs/proc/Kconfig"),
];

/// The options to set, without comments; `options` are the user's.
pub fn fragment(flavour: &Flavour, source: &Source, options: &str) -> String {
    let options = set_off(options);
    let words = flavour.arch.words();
    // Kconfig silently drops an option that the kernel does not have.
    let knows = |file: &str, option: &str| {
        fs::read_to_string(source.dir.join(file))
            .is_ok_and(|text| text.lines().any(|line| line == format!("config {option}")))
    };
    let too_new = |line: &str| {
        let mut options = NOT_ALWAYS.iter();
        options.any(|(name, file)| line == format!("CONFIG_{name}=y") && !knows(file, name))
    };
    let versions = knows("kernel/module/Kconfig", "GENDWARFKSYMS");
    let inline_helpers = knows("lib/Kconfig.debug", "RUST_INLINE_HELPERS");
    let parts = [
        (true, BASE),
        (true, words.config),
        (flavour.compiler == Compiler::Clang, words.clang_config),
        // gendwarfksyms reads the debug information of each object, which takes long in a debug kernel.
        (versions && flavour.debug == Checks::None, VERSIONS),
        (flavour.compiler == Compiler::Clang && inline_helpers, CLANG),
        (flavour.debug != Checks::None, DEBUG),
        (flavour.debug == Checks::Kcsan, KCSAN),
        (true, options.as_str()),
    ];
    let lines: Vec<&str> = parts
        .iter()
        .filter(|(wanted, _)| *wanted)
        .flat_map(|(_, text)| text.lines())
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !too_new(line))
        .collect();
    // A later part overrides an earlier one.
    let name = |line: &str| line.split('=').next().map(str::to_owned);
    let last = |(nth, line): &(usize, &&str)| {
        let mut later = lines[nth + 1..].iter();
        !later.any(|other| name(other) == name(line))
    };
    let kept = lines.iter().enumerate().filter(last);
    kept.flat_map(|(_, line)| [*line, "\n"]).collect()
}

/// `# CONFIG_X is not set` is `CONFIG_X=n` in another form.
pub fn set_off(options: &str) -> String {
    let lines = options.lines().map(str::trim).map(|line| {
        let name = line.strip_prefix("# ");
        match name.and_then(|line| line.strip_suffix(" is not set")) {
            Some(name) => format!("{name}=n\n"),
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::arch::Arch;

    #[test]
    fn every_option_has_its_reason() {
        let of_one = Arch::ALL.iter().map(|arch| arch.words());
        let of_one = of_one.flat_map(|words| [words.config, words.clang_config]);
        let all = [BASE, VERSIONS, CLANG, DEBUG, KCSAN]
            .into_iter()
            .chain(of_one);
        for line in all.flat_map(str::lines) {
            if let Some(option) = line.strip_prefix("CONFIG_") {
                let reason = option
                    .split_once('#')
                    .map_or("", |(_, reason)| reason.trim());
                assert!(!reason.is_empty(), "no reason: {line}");
            }
        }
    }
}
