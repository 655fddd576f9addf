//! Selects the tools for the commands: gcc and binutils, or clang and LLVM's.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

/// The values of the variables in commands.
#[derive(Debug, Clone)]
pub struct Tools {
    names: Vec<(&'static str, String)>,
}

/// How to install a missing program or library.
#[rustfmt::skip]
const PACKAGES: &[(&str, &str)] = &[
    ("ar", "apt-get install binutils"),
    ("bash", "apt-get install bash"),
    ("gcc", "apt-get install gcc"),
    ("ldd", "apt-get install libc-bin"),
    ("libc.a", "apt-get install libc6-dev (elsewhere: glibc-static)"),
    ("nm", "apt-get install binutils"),
    ("readelf", "apt-get install binutils"),
    ("rustc", "apt-get install rustc, or https://rustup.rs, or set RUSTC"),
    ("size", "apt-get install binutils"),
    ("stitch", "build it with make stitch, or set STITCH or --stitch"),
];

/// How to install a missing program or library, if known.
pub fn help(missing: &str) -> Option<&'static str> {
    let mut packages = PACKAGES.iter();
    Some(packages.find(|(name, _)| *name == missing)?.1)
}

impl Tools {
    /// The tools of the C compiler's family, and this rustc.
    ///
    /// # Errors
    ///
    /// Without bash, a C compiler or rustc.
    pub fn find(cc: Option<&str>, rustc: &str) -> Result<Self> {
        if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
            return Err(Diagnostic::new(
                "the walkthrough supports only Linux on x86-64, whose relocations and loader it checks",
            )
            .help("run it on such a machine, or read docs/walkthrough.md")
            .into());
        }
        required("bash")?;
        let rustc = &required(rustc)?;
        let cc = match cc {
            Some(cc) => required(cc)?,
            None => first(["gcc", "cc", "clang"])
                .ok_or_else(|| {
                    Diagnostic::new("no C compiler found")
                        .note("PATH: no gcc, cc or clang")
                        .help("apt-get install gcc, or set CC")
                })?
                .to_owned(),
        };
        let cc = cc.as_str();
        Ok(if is_clang(cc) {
            Tools::of_llvm(cc, rustc, |name| which(name).is_some())
        } else {
            Tools::of_gnu(cc, rustc)
        })
    }

    /// gcc and binutils.
    pub fn of_gnu(cc: &str, rustc: &str) -> Self {
        Tools::of(&[
            ("CC", cc),
            ("LINKER", "collect2"),
            ("LINK", cc),
            ("RUSTLINK", &format!("{rustc} -C linker={cc}")),
            ("RUSTC", rustc),
            ("NM", "nm"),
            ("READELF", "readelf"),
            ("SIZE", "size"),
            ("AR", "ar"),
        ])
    }

    /// clang, with those of LLVM's tools that exist, else binutils.
    pub fn of_llvm(cc: &str, rustc: &str, exists: impl Fn(&str) -> bool) -> Self {
        // clang-19 belongs to llvm-nm-19.
        let version = match file_name(cc).rsplit_once('-') {
            Some((_, version)) if version.parse::<u32>().is_ok() => format!("-{version}"),
            _ => String::new(),
        };
        let tool = |name: &str, gnu: &str| {
            let names = [format!("{name}{version}"), name.to_owned(), gnu.to_owned()];
            let found = names.iter().find(|name| exists(name));
            found.cloned().unwrap_or_else(|| gnu.to_owned())
        };
        let rust = format!("{rustc} -C linker={cc}");
        let (linker, link, rust) = match tool("ld.lld", "ld").as_str() {
            "ld" => ("ld", cc.to_owned(), rust),
            _ => (
                "ld.lld",
                format!("{cc} -fuse-ld=lld"),
                format!("{rust} -C link-arg=-fuse-ld=lld"),
            ),
        };
        Tools::of(&[
            ("CC", cc),
            ("LINKER", linker),
            ("LINK", &link),
            ("RUSTLINK", &rust),
            ("RUSTC", rustc),
            ("NM", &tool("llvm-nm", "nm")),
            ("READELF", &tool("llvm-readelf", "readelf")),
            ("SIZE", &tool("llvm-size", "size")),
            ("AR", &tool("llvm-ar", "ar")),
        ])
    }

    /// With these names. A name comes before its own prefixes.
    pub fn of(names: &[(&'static str, &str)]) -> Self {
        let names = names.iter();
        Tools {
            names: names
                .map(|(name, tool)| (*name, tool.to_string()))
                .collect(),
        }
    }

    /// Replaces each `$NAME` in a text by the tool.
    pub fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, tool) in &self.names {
            text = text.replace(&format!("${name}"), tool);
        }
        text
    }
}

/// Finds a program and returns a name that works in any folder.
fn required(program: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./+-".contains(c);
    match which(program).filter(|_| program.chars().all(plain)) {
        Some(_) if !program.contains('/') => Ok(program.to_owned()),
        Some(file) => {
            let file = std::path::absolute(file).context("cannot determine the current folder")?;
            Ok(file.to_string_lossy().into_owned())
        }
        None => Err(Diagnostic::new(format!("no program “{program}” found"))
            .note("looked on PATH, or at the given path")
            .help(help(file_name(program)).unwrap_or("give an existing program, without options"))
            .into()),
    }
}

fn is_clang(cc: &str) -> bool {
    let version = Command::new(cc).arg("--version").output();
    version.is_ok_and(|version| String::from_utf8_lossy(&version.stdout).contains("clang"))
}

fn first<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    names.into_iter().find(|name| which(name).is_some())
}

fn file_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Finds a program by its path, or on `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    if program.is_empty() {
        return None;
    }
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|file| is_program(file));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filled() {
        let tools = Tools::of_gnu("gcc-14", "rustc");
        assert_eq!(
            tools.fill("$LINK main.o; $LINKER; $RUSTLINK main.rs; $NM; $RUSTC; $HOME"),
            "gcc-14 main.o; collect2; rustc -C linker=gcc-14 main.rs; nm; rustc; $HOME"
        );
    }

    #[test]
    fn required_tools() {
        for (cc, rustc, words) in [
            (Some("no-such-cc"), "rustc", "no program “no-such-cc”"),
            (Some("gcc -O2"), "rustc", "no program “gcc -O2”"),
            (None, "/no/rustc", "no program “/no/rustc”"),
        ] {
            let error = Tools::find(cc, rustc).expect_err("no such tool");
            let text = diagnostic::render(&error);
            assert!(text.contains(words) && text.contains("help: "), "{text}");
            assert_eq!(diagnostic::exit_of(&error), 2);
        }
    }
}
