//! The border as a part of a build: what a change sets off, what an interrupt leaves behind, and
//! whether docs/border.md is true.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::SystemTime;

use anyhow::{ensure, Context, Result};
use host::project::project;

use crate::harness::test::Test;
use crate::support::context::{
    flavours, main_flavour, must_contain, printed, succeed, tail, TestContext,
};
use crate::support::processes::wait_for;
use lab::commands::lab::Lab;
use lab::kernel::flavour::Compiler;
use lab::kernel::module::Module;
use lab::kernel::sources::{Files, Sources, HELLO_RUST};

/// hello_rust in a folder of its own: other tests look at what is built in the usual one.
const TOUCHED: Sources = Sources {
    name: "touched",
    ..HELLO_RUST
};

/// The same module, its Kbuild written in other words.
const OTHERWISE: Sources = Sources {
    name: "otherwise",
    files: Files::Listed(&[("border", "border")]),
    fused: false,
};

/// The lists of a module's objects; and a flag that kernels with CONFIG_LTO_CLANG have.
const KBUILD: &str = "obj-m := greeter.o\n\
    greeter-objs := greeter_main.o\n\
    greeter-m := clock.o\n\
    greeter-contracts := clock.h\n\
    ccflags-y := -fvisibility=hidden\n\
    include $(src)/border/border.mk\n";

/// The smallest module, out of docs/border.md.
const DOCUMENTED: Sources = Sources {
    name: "documented",
    files: Files::Listed(&[("border", "border")]),
    fused: false,
};

/// (what is touched, below the module's folder or the kernel's source; what Kbuild has to make)
const CHANGES: &[(&str, &[&str])] = &[
    ("", &[]),
    (
        "c_helper.h",
        &[
            "BINDGEN c_helper_h.rs",
            "RUSTC hello_rust_main.o",
            "EXPAND hello_rust_main.expanded",
            "CPP c_helper.contracts",
            "CC c_helper.o",
            "BORDER hello_rust.border",
        ],
    ),
    (
        "include/linux/types.h",
        &[
            "BINDGEN c_helper_h.rs",
            "RUSTC hello_rust_main.o",
            "EXPAND hello_rust_main.expanded",
            "CPP c_helper.contracts",
            "CC c_helper.o",
            "BORDER hello_rust.border",
        ],
    ),
    (
        "hello_rust.rs",
        &[
            "RUSTC hello_rust_main.o",
            "EXPAND hello_rust_main.expanded",
            "BORDER hello_rust.border",
        ],
    ),
    (
        "c_helper.c",
        &[
            "CPP c_helper.contracts",
            "CC c_helper.o",
            "BORDER hello_rust.border",
        ],
    ),
    ("", &[]),
];

/// Each Kbuild and each compiler once.
const CHANGED: [&str; 2] = ["7.3-clang", "6.12-gcc"];

/// What Kbuild may make besides, of the finished module.
const STITCHING: &[&str] = &["LD", "MODPOST", "BTF"];

/// The tests.
pub fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for flavour in flavours() {
        let test = |what, run: fn(&TestContext, &Lab) -> Result<()>| {
            let name = format!("border::{}::{what}", flavour.name());
            Test::new(name, move |context| run(context, &*context.lab()?)).on(&flavour)
        };
        // It touches a header of the kernel, which others would see.
        if CHANGED.contains(&flavour.name().as_str()) {
            tests.push(test("a change rebuilds what depends on it", changes).alone());
            tests.push(test("Kbuild files as others write them", other_kbuild));
        }
        tests.push(test("docs/border.md is true", documentation));
    }
    tests.push(
        Test::new("border::an interrupt leaves no half of a file", |context| {
            interrupted(&*context.lab()?)
        })
        .on(&main_flavour()),
    );
    tests
}

/// From nothing, by eight jobs at once; then one change after the other.
fn changes(_: &TestContext, lab: &Lab) -> Result<()> {
    let module = Module::stage(&lab.cache, &lab.kernel, &TOUCHED)?;
    module.make(&lab.toolchain).arg("clean").output()?;
    module.build(&lab.toolchain, &["-j8"])?;
    // compile_commands.json is made of these: they begin with the compilers.
    for object in ["c_helper.o", "hello_rust_main.o"] {
        let recorded = fs::read_to_string(module.dir().join(format!(".{object}.cmd")))?;
        ensure!(!recorded.contains("gate"), "{recorded}");
    }

    for (touched, expected) in CHANGES {
        let _restored = match *touched {
            "" => None,
            file if file.starts_with("include/") => Some(touch(&lab.kernel.source.dir.join(file))?),
            file => Some(touch(&module.dir().join(file))?),
        };
        let made = made(&module.build(&lab.toolchain, &["-j8"])?);
        let own: Vec<&str> = made
            .iter()
            .map(String::as_str)
            .filter(|line| !STITCHING.iter().any(|tool| line.starts_with(tool)))
            .filter(|line| !line.ends_with(".mod.o") && !line.ends_with(".module-common.o"))
            .collect();
        let mut sorted = own.clone();
        sorted.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        ensure!(sorted == expected, "touched {touched:?}: made {made:?}");
    }
    Ok(())
}

/// `RUSTC hello_rust_main.o` of `  RUSTC [M] hello_rust_main.o`, whatever the folder.
fn made(printed: &str) -> Vec<String> {
    printed
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter_map(|line| {
            let (tool, rest) = line.trim().split_once(' ')?;
            let file = rest.rsplit(['/', ' ']).next()?;
            tool.chars()
                .all(|c| c.is_ascii_uppercase())
                .then(|| format!("{tool} {file}"))
        })
        .collect()
}

/// Gives a file back its time: the kernel's sources are not this test's own.
struct Touched(fs::File, SystemTime);

impl Drop for Touched {
    fn drop(&mut self) {
        let _ = self.0.set_modified(self.1);
    }
}

fn touch(path: &Path) -> Result<Touched> {
    let file = fs::File::options()
        .append(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let before = file.metadata()?.modified()?;
    file.set_modified(SystemTime::now())?;
    Ok(Touched(file, before))
}

/// bindgen is killed with half of its output written: the next build makes all of it anew.
fn interrupted(lab: &Lab) -> Result<()> {
    const HALF: &str = "#!/bin/sh\n\
        echo 'pub const HALF: u32 = 1;'\n\
        touch reached\n\
        exec sleep 600\n";
    let module = Module::stage(&lab.cache, &lab.kernel, &TOUCHED)?;
    module.make(&lab.toolchain).arg("clean").output()?;
    let (script, reached) = (module.dir().join("half"), module.dir().join("reached"));
    fs::write(&script, HALF)?;
    let _ = fs::remove_file(&reached);

    let mut child = module
        .make(&lab.toolchain)
        .arg(format!("BINDGEN=sh {}", script.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let half = wait_for("bindgen to begin", || reached.exists().then_some(()));
    // The sandbox ends with its first process.
    child.kill()?;
    child.wait()?;
    half?;
    let _ = fs::remove_file(&script);
    let _ = fs::remove_file(&reached);

    ensure!(!module.dir().join("c_helper_h.rs").exists());
    module.build(&lab.toolchain, &[])?;
    must_contain(
        &fs::read_to_string(module.dir().join("c_helper_h.rs"))?,
        "pub fn c_helper_repeat",
    )
}

/// What the page shows is what a new user gets: its files build, load, and cross as it says.
fn documentation(context: &TestContext, lab: &Lab) -> Result<()> {
    let page = fs::read_to_string(project().join("docs/border.md"))?;
    let module = Module::stage(&lab.cache, &lab.kernel, &DOCUMENTED)?;
    let files = files_of(&page);
    ensure!(files.len() == 4, "docs/border.md has {} files", files.len());
    for (name, text) in &files {
        fs::write(module.dir().join(name), text)?;
    }
    let output = module.make(&lab.toolchain).output()?;
    let text = printed(&output);
    ensure!(output.status.success(), "{}", tail(&text));
    ensure!(!text.contains("warning"), "{}", tail(&text));

    let report = fs::read_to_string(module.dir().join("greeter.border"))?;
    let shown = match lab.kernel.flavour.compiler {
        Compiler::Clang => report.clone(),
        Compiler::Gcc => {
            let called = "called as clock_ticks__extern";
            must_contain(&report, called)?;
            must_contain(&page, called)?;
            report.replace(called, "no call is left in Rust")
        }
    };
    ensure!(
        page.contains(&places_without_folders(&shown)),
        "docs/border.md does not show\n{report}"
    );
    let ko = module.stripped(&lab.toolchain, "greeter.ko")?;
    let job = "insmod /greeter.ko && rmmod greeter && dmesg\n";
    let dmesg = context.boot_well(lab, &[("greeter.ko", &ko)], job)?;
    must_contain(&dmesg, "greeter: C: ")?;
    must_contain(&dmesg, "greeter: Rust: ")
}

/// What means the same to Kbuild and to C means the same to the border.
fn other_kbuild(_: &TestContext, lab: &Lab) -> Result<()> {
    let page = fs::read_to_string(project().join("docs/border.md"))?;
    let module = Module::stage(&lab.cache, &lab.kernel, &OTHERWISE)?;
    // Several folders may share one border.
    let below = module.dir().join("below");
    fs::create_dir_all(&below)?;
    for (name, text) in files_of(&page) {
        let text = match name {
            "Kbuild" => KBUILD.to_owned(),
            // In Rust, this would be a comment without an end.
            "clock.h" => format!("/* Shared with lib/*.c. */\n{text}"),
            _ => text.to_owned(),
        };
        fs::write(module.dir().join(name), &text)?;
        fs::write(
            below.join(name),
            text.replace("border/border", "../border/border"),
        )?;
    }
    module.build(&lab.toolchain, &[])?;
    fs::write(module.dir().join("Kbuild"), "obj-m := below/\n")?;
    module.build(&lab.toolchain, &[])?;
    for folder in [module.dir(), &below] {
        let report = fs::read_to_string(folder.join("greeter.border"))?;
        for crossing in ["clock_ticks      C to Rust", "greeter_seconds  Rust to C"] {
            must_contain(&report, crossing)?;
        }
    }
    // Another body of the inline function reaches the object that Rust calls, or that it is inlined into.
    let header = fs::read_to_string(below.join("clock.h"))?;
    let body = "get_jiffies_64() - INITIAL_JIFFIES";
    let changed = header.replace(body, &format!("{body} ^ 0x5eed"));
    fs::write(below.join("clock.h"), changed)?;
    module.build(&lab.toolchain, &[])?;
    let mut objdump = lab.toolchain.command("llvm-objdump");
    objdump.arg("-d").arg(below.join("greeter.o"));
    must_contain(&succeed(&mut objdump)?, "0x5eed")
}

/// The code blocks that begin with `file: NAME`, without that line where it is no C or Rust.
fn files_of(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| {
            let (_language, text) = block.split_once('\n')?;
            let (first, rest) = text.split_once('\n')?;
            let name = first.split("file: ").nth(1)?.split(' ').next()?;
            Some((name, rest))
        })
        .collect()
}

/// 6.12 gives the compilers whole paths, later kernels those below the module's folder.
fn places_without_folders(report: &str) -> String {
    report
        .lines()
        .map(|line| match line.split_once("  /") {
            Some((name, rest)) => {
                let place = rest
                    .split_once(".h:")
                    .map_or(0, |(path, _)| path.rfind('/').map_or(0, |at| at + 1));
                format!("{name}  {}\n", &rest[place..])
            }
            None => format!("{line}\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kbuild_made() {
        let printed =
            "make: x\n  RUSTC [M] hello_rust_main.o\n  CC [M]  /a/b/c_helper.o\n  note: this\n";
        assert_eq!(made(printed), ["RUSTC hello_rust_main.o", "CC c_helper.o"]);
    }

    #[test]
    fn files_in_a_page() {
        let page = "a\n```make\n# file: Kbuild\nobj-m := a.o\n```\nb\n```\nno file\n```\n\
                    c\n```c\n/* file: a.c */\nint a;\n```\n";
        assert_eq!(
            files_of(page),
            [("Kbuild", "obj-m := a.o"), ("a.c", "int a;")]
        );
    }

    #[test]
    fn places() {
        assert_eq!(
            places_without_folders("f  C to Rust  /x/y.d/a.h:9: int f(void)\n"),
            "f  C to Rust  a.h:9: int f(void)\n"
        );
    }
}
