//! Reduces a compiler command to what affects the meaning of the sources.

use std::path::Path;

/// Flags that are kept, as lists of words.
struct Flags {
    /// Flags with an argument in the next word.
    with_next: &'static str,
    /// Flags that are one word.
    single: &'static str,
    /// Prefixes of flags.
    prefixes: &'static str,
}

/// Flags of rustc. All others affect the generated code, or write files. Of those that affect it, crates have
/// to agree on some: `TARGET_MODIFIER` in rustc_session/src/options.rs.
const RUSTC: Flags = Flags {
    with_next: "--edition --cfg --check-cfg --crate-name --extern -L --target --sysroot",
    single: "-Zunstable-options",
    prefixes: "--edition= --cfg= --check-cfg= --crate-name= --extern= -L --target= --sysroot= @ \
               -Zcrate-attr= -Zallow-features= -Ctarget-cpu= -Ctarget-feature= -Cpanic= \
               -Zfixed-x18 -Zsanitizer=shadow-call-stack -Zbranch-protection= \
               -Cdebug-assertions -Coverflow-checks",
};

/// Flags of clang and GCC.
const C: Flags = Flags {
    with_next: "-D -U -I -include -imacros -isystem -iquote -idirafter -target",
    single: "-nostdinc -undef -ansi -fsigned-char -funsigned-char -fno-signed-char \
             -fno-unsigned-char -fsigned-bitfields -funsigned-bitfields -fshort-enums \
             -fno-short-enums -fshort-wchar -fno-short-wchar -fplan9-extensions -fgnu89-inline \
             -ffreestanding -fhosted -fPIC -fpic -fno-PIE -fno-pie -fno-pic",
    prefixes: "-D -U -I -std= -O -m --target= --sysroot= -fpack-struct -fms- -fno-builtin \
               -fsanitize= -ffixed- -fcf-protection",
};

/// Variables that the sources or rustc may read.
const ENVIRONMENT: &[&str] = &["OBJTREE", "RUST_MODFILE"];

/// A reduced command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The compiler, by the name or path that was run.
    pub program: Option<String>,
    pub environment: Vec<(String, String)>,
    pub flags: Vec<String>,
    /// Whether it optimises (`-Copt-level`), which disables `cfg(debug_assertions)`.
    pub optimised: bool,
}

/// Reduces a command of rustc for this source.
pub fn rustc(words: &[String], source: &str) -> Invocation {
    let mut invocation = of(words, source, &RUSTC, &["rustc", "clippy-driver"]);
    let mut level = words
        .iter()
        .filter_map(|word| word.strip_prefix("-Copt-level="));
    invocation.optimised = level.next_back().is_some_and(|level| level != "0")
        || words.iter().any(|word| word == "-O");
    invocation
}

/// Reduces a command of clang or GCC for this source.
pub fn c(words: &[String], source: &str) -> Invocation {
    of(words, source, &C, &["clang", "gcc", "cc"])
}

fn of(words: &[String], source: &str, flags: &Flags, programs: &[&str]) -> Invocation {
    let mut invocation = Invocation::default();
    let is_program = |word: &String| {
        let name = Path::new(word)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        // `x86_64-linux-gnu-gcc-14`, `clang-19`
        let mut parts = name
            .split('-')
            .filter(|part| !part.starts_with(|c: char| c.is_ascii_digit()));
        programs.contains(&&*name)
            || parts
                .next_back()
                .is_some_and(|last| programs.contains(&last))
    };
    let source_at = words
        .iter()
        .position(|word| word == source || word.ends_with(&format!("/{source}")));
    let end = source_at.unwrap_or(words.len());
    // Wrappers may come first: ccache, env.
    let start = words
        .iter()
        .take(end)
        .rposition(is_program)
        .map_or(0, |at| at + 1);
    invocation.program = start.checked_sub(1).map(|at| words[at].clone());
    for word in words.iter().take(start) {
        if let Some((name, value)) = word.split_once('=') {
            if ENVIRONMENT.contains(&name) {
                invocation
                    .environment
                    .push((name.to_owned(), value.to_owned()));
            }
        }
    }
    let mut rest = words
        .iter()
        .skip(start)
        .take_while(|word| !word.starts_with(';') && *word != "&&");
    while let Some(word) = rest.next() {
        let ends = word.ends_with(';');
        let word = word.trim_end_matches(';');
        let has = |list: &str| list.split(' ').any(|flag| flag == word);
        let with_next = has(flags.with_next);
        let mut prefixes = flags.prefixes.split(' ');
        if with_next || has(flags.single) || prefixes.any(|prefix| word.starts_with(prefix)) {
            invocation.flags.push(word.to_owned());
        }
        if with_next {
            invocation.flags.extend(rest.next().cloned());
        }
        if ends {
            break;
        }
    }
    invocation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn of_rustc() {
        let command = "A=1 RUST_MODFILE=./m ccache rustc --edition=2021 \
                       -Wmissing_docs -Copt-level=2 --cfg MODULE @x/rustc_cfg --extern kernel -L \
                       k/rust --out-dir . --emit=llvm-bc=m.bc m.rs ;llvm-link --cfg no";
        let invocation = rustc(&words(command), "m.rs");
        let environment = [("RUST_MODFILE".to_owned(), "./m".to_owned())];
        assert_eq!(invocation.environment, environment);
        let flags = "--edition=2021 --cfg MODULE @x/rustc_cfg --extern kernel -L k/rust";
        assert_eq!(invocation.flags, words(flags));
        assert!(invocation.optimised);
        assert_eq!(invocation.program.as_deref(), Some("rustc"));
    }

    #[test]
    fn of_c() {
        let command = "ccache x86_64-linux-gnu-gcc-14 -Wp,-MMD,.a.d -nostdinc -I k/include \
                       -include k/kconfig.h -DX=1 -fplugin=evil.so -fdump-tree-all -g -O2 -c -o \
                       a.o sub/a.c ; ./objtool -DNO a.o";
        let invocation = c(&words(command), "a.c");
        let flags = "-nostdinc -I k/include -include k/kconfig.h -DX=1 -O2";
        assert_eq!(invocation.flags, words(flags));
        let gcc = invocation.program.as_deref();
        assert_eq!(gcc, Some("x86_64-linux-gnu-gcc-14"));
        assert_eq!(c(&words("make a.c"), "a.c").program, None);
    }

    /// As the kernel calls them for arm64.
    #[test]
    fn of_another_target() {
        let command = "clang --target=aarch64-linux-gnu -mgeneral-regs-only -g -ffixed-x18 \
                       -fsanitize=shadow-call-stack -mbranch-protection=pac-ret+bti \
                       -Wa,-march=armv8.5-a -c -o a.o a.c";
        let flags = "--target=aarch64-linux-gnu -mgeneral-regs-only -ffixed-x18 \
                     -fsanitize=shadow-call-stack -mbranch-protection=pac-ret+bti";
        assert_eq!(c(&words(command), "a.c").flags, words(flags));
        let command = "rustc -g --target=aarch64-unknown-none-softfloat -Zfixed-x18 \
                       -Zsanitizer=shadow-call-stack -Zbranch-protection=bti,pac-ret m.rs";
        let flags = "--target=aarch64-unknown-none-softfloat -Zfixed-x18 \
                     -Zsanitizer=shadow-call-stack -Zbranch-protection=bti,pac-ret";
        assert_eq!(rustc(&words(command), "m.rs").flags, words(flags));
    }
}
