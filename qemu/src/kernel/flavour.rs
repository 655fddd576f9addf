//! Which kernel is asked for.

use host::arch::Arch;

/// `KERNEL=stock`: the newest of Debian's own kernels.
pub const NEWEST: &str = "stock";

/// Whether `KERNEL=` names a stock kernel: [`NEWEST`], or a release as `uname -r` prints it.
pub fn is_stock(kernel: &str) -> bool {
    let release = kernel.starts_with(|first: char| first.is_ascii_digit());
    kernel == NEWEST || release && arch_of(kernel).is_some() && !kernel.contains('/')
}

/// The architecture of a stock kernel, by its release.
pub fn arch_of(release: &str) -> Option<Arch> {
    let (_, name) = release.rsplit_once('-')?;
    let mut all = Arch::ALL.iter();
    all.find(|arch| arch.words().debian == name).copied()
}

/// The C compiler of a kernel, and so of its modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Compiler {
    /// `LLVM=1`.
    Clang,
    /// Kbuild's default.
    Gcc,
}

impl Compiler {
    /// As LAB_CC names it.
    pub fn name(self) -> &'static str {
        match self {
            Compiler::Clang => "clang",
            Compiler::Gcc => "gcc",
        }
    }
}

/// What a kernel checks that is too slow for everyday use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Nothing.
    None,
    /// Memory, locks and more: KASAN, lockdep, UBSAN and kmemleak.
    Kasan,
    /// The same, but with KCSAN in the place of KASAN and kmemleak: data races. A kernel cannot have both.
    Kcsan,
}

impl Checks {
    /// As `DEBUG=` names them.
    ///
    /// # Errors
    ///
    /// For other words.
    pub fn named(word: &str) -> Result<Self, String> {
        match word {
            "" | "0" | "n" | "no" | "f" | "false" | "off" => Ok(Checks::None),
            "kcsan" => Ok(Checks::Kcsan),
            "1" | "y" | "yes" | "t" | "true" | "on" | "kasan" => Ok(Checks::Kasan),
            _ => Err("DEBUG=1 is the kernel with KASAN, DEBUG=kcsan the one with KCSAN".to_owned()),
        }
    }

    /// The word for `DEBUG=`.
    pub fn word(self) -> &'static str {
        match self {
            Checks::None => "0",
            Checks::Kasan => "1",
            Checks::Kcsan => "kcsan",
        }
    }

    /// Whether kmemleak finds what a module loses. With KCSAN, it has not found the leak that the proof plants.
    pub fn finds_leaks(self) -> bool {
        self == Checks::Kasan
    }

    /// The end of the kernel's name.
    fn suffix(self) -> &'static str {
        match self {
            Checks::None => "",
            Checks::Kasan => "-debug",
            Checks::Kcsan => "-kcsan",
        }
    }
}

/// Which kernel is asked for.
#[derive(Debug, Clone)]
pub struct Flavour {
    /// The architecture.
    pub arch: Arch,
    /// The series in Debian's archive, such as `7.3`; or the release of a stock kernel.
    pub series: String,
    /// The C compiler.
    pub compiler: Compiler,
    /// What it checks.
    pub debug: Checks,
}

impl Flavour {
    /// Its name in messages and logs, such as `7.3-clang`.
    pub fn name(&self) -> String {
        if self.series == NEWEST {
            return format!("{NEWEST}{}", self.arch.words().suffix);
        }
        if self.is_stock() {
            return self.series.clone();
        }
        let compiler = self.compiler.name();
        let debug = self.debug.suffix();
        let series = self.series.replace('/', "_");
        format!("{series}-{compiler}{debug}{}", self.arch.words().suffix)
    }

    /// Whether it is one of Debian's own.
    pub fn is_stock(&self) -> bool {
        is_stock(&self.series)
    }

    /// The variables for `make`, for this kernel and for its modules.
    pub fn make_options(&self) -> Vec<String> {
        let words = self.arch.words();
        let foreign = self.arch.is_foreign();
        let arch = foreign.then(|| format!("ARCH={}", words.kernel));
        let compiler = match self.compiler {
            Compiler::Clang => Some("LLVM=1".to_owned()),
            Compiler::Gcc => foreign.then(|| format!("CROSS_COMPILE={}-", words.triple)),
        };
        arch.into_iter().chain(compiler).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_stock_kernels() {
        for (kernel, meant) in [
            ("stock", true),
            ("7.3.4+deb13-amd64", true),
            ("7.3.4+deb13-rt-amd64", true),
            ("7.3.4+deb13-arm64", true),
            ("7.3", false),
            ("6.12", false),
        ] {
            assert_eq!(is_stock(kernel), meant, "{kernel}");
        }
    }
}
