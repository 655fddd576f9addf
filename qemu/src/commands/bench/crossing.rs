//! `make bench-crossing`: what a call between Rust and C costs, in instructions.
//!
//! Nothing is timed. QEMU's emulator counts the guest's instructions exactly, so every run of one
//! module on one kernel must say the same; if it does not, that is an error.

mod calls;
mod counts;
mod report;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

pub use self::counts::Counts;
use self::report::{Build, Compared, Joined, Kernel, Report, Size};
use super::{size_of, APPEND};
use crate::commands::lab::Lab;
use crate::exit::Exit;
use crate::guest::initramfs::Initramfs;
use crate::guest::machine::Accelerator;
use crate::kernel::flavour::{is_stock, Compiler, Flavour};
use crate::kernel::module::Module;
use crate::kernel::sources::{Files, Sources, HELLO_RUST};
use crate::options::Settings;

/// A file of the module's, which has the same name in its build folder.
macro_rules! own {
    ($name:literal) => {
        (concat!("tests/crossing/", $name), $name)
    };
}

/// The module with the functions of C in an object of their own.
pub const PLAIN: Sources = Sources {
    name: "crossing",
    files: Files::Listed(&[
        own!("Kbuild"),
        own!("crossing.h"),
        own!("crossing_c.h"),
        own!("crossing.rs"),
        own!("rows.h"),
        own!("one_object.c"),
        own!("two_objects.c"),
        own!("count.c"),
        ("border", "border"),
    ]),
    fused: false,
};

/// The same with these functions as static inlines.
const INLINE: Sources = Sources {
    name: "crossing_inline",
    files: Files::Listed(&[
        own!("Kbuild"),
        own!("crossing.h"),
        ("tests/crossing/inline.h", "crossing_c.h"),
        own!("crossing.rs"),
        own!("rows.h"),
        own!("one_object.c"),
        own!("two_objects.c"),
        own!("count.c"),
        ("border", "border"),
    ]),
    fused: false,
};

const FUSED: Sources = Sources {
    fused: true,
    ..PLAIN
};

/// The same in C alone.
const TWIN: Sources = Sources {
    name: "crossing_twin",
    files: Files::Listed(&[
        ("tests/crossing/twin.kbuild", "Kbuild"),
        ("tests/plain/unchecked.h", "crossing_layout.h"),
        ("tests/plain/unchecked.h", "crossing_c_layout.h"),
        own!("crossing.h"),
        own!("crossing_c.h"),
        own!("twin.c"),
        own!("rows.h"),
        own!("one_object.c"),
        own!("two_objects.c"),
        own!("count.c"),
    ]),
    fused: false,
};

/// The name of all of them.
const KO: &str = "crossing.ko";

/// The ways to build the module; what becomes of them where rustc and the C compiler have one LLVM.
const VARIANTS: &[(&str, Sources, Joined)] = &[
    ("plain objects", PLAIN, Joined::Linked),
    ("static inline", INLINE, Joined::Inlined),
    ("fused", FUSED, Joined::Fused),
];

/// Counts on all kernels that are asked for, and prints the tables.
pub fn bench(settings: &Settings, both: bool, runs: u32, json: bool) -> Result<()> {
    if settings.accel == Some(Accelerator::Kvm) {
        return Err(
            Diagnostic::new("KVM cannot count instructions: bench-crossing needs TCG")
                .help("leave out ACCEL=kvm")
                .into(),
        );
    }
    let settings = &Settings {
        // No guest has to find out whether KVM works.
        accel: Some(Accelerator::Counting),
        // One at a time, or the order of their instructions would be a matter of chance.
        cpus: 1,
        ..settings.clone()
    };
    let flavours = flavours(settings, both).into_iter();
    let kernels = flavours.map(|flavour| kernel(settings, &Lab::provide(settings, flavour)?, runs));
    let report = Report::new(runs, kernels.collect::<Result<_>>()?);
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?)
    } else {
        report.print()
    }
    Ok(())
}

/// The kernel that is asked for, or the same by both compilers: Debian's own are built by one.
fn flavours(settings: &Settings, both: bool) -> Vec<Flavour> {
    let asked = settings.flavour();
    if !both || is_stock(&asked.series) {
        return vec![asked];
    }
    let by = |compiler| Flavour {
        compiler,
        ..asked.clone()
    };
    [Compiler::Clang, Compiler::Gcc].map(by).into()
}

fn kernel(settings: &Settings, lab: &Lab, runs: u32) -> Result<Kernel> {
    let apart = why_apart(lab)?;
    let twin = size(lab, &TWIN, KO)?;
    let (mut builds, mut sizes) = (Vec::new(), Vec::new());
    for (name, sources, joined) in VARIANTS {
        let joined = match (&apart, joined) {
            (Some(_), Joined::Fused) => continue,
            (Some(_), _) => Joined::Linked,
            (None, joined) => *joined,
        };
        let module = lab.module(sources)?;
        builds.push(Build {
            name,
            joined,
            counts: count_alike(settings, lab, &module, runs)?,
            calls: calls::left(&lab.toolchain, &module.dir().join(KO))?,
        });
        drop(module);
        sizes.push(Compared {
            what: format!("{KO}, {name}"),
            size: size(lab, sources, KO)?,
            twin,
        });
    }
    let twin = size(lab, &super::TWIN, "hello_twin.ko")?;
    for (name, fused) in [("plain objects", false), ("fused", true)] {
        if !fused || apart.is_none() {
            sizes.push(Compared {
                what: format!("hello_rust.ko, {name}"),
                size: size(lab, &HELLO_RUST.fused(fused), "hello_rust.ko")?,
                twin,
            });
        }
    }
    Kernel::new(lab.kernel.flavour.name(), &builds, sizes, apart)
}

/// What the border says when it cannot join the bitcode of both languages.
const APART: &str = "cannot be fused: ";

/// Why this kernel's compilers are not of one LLVM: then inline functions are linked, too.
fn why_apart(lab: &Lab) -> Result<Option<String>> {
    let Err(error) = lab.module(&FUSED) else {
        return Ok(None);
    };
    let message = diagnostic::render(&error);
    let why = message
        .split_once(APART)
        .and_then(|(_, why)| why.lines().next());
    match why {
        Some(why) => Ok(Some(why.trim_end_matches(".  Stop.").to_owned())),
        None => Err(error),
    }
}

/// The instructions of each call, after so many runs that must all say the same.
pub fn count_alike(
    settings: &Settings,
    lab: &Lab,
    module: &Module<'_>,
    runs: u32,
) -> Result<Counts> {
    let name = lab.kernel.flavour.name();
    let mut first: Option<Counts> = None;
    for run in 1..=runs {
        eprintln!("lab: counting on {name}, run {run} of {runs}");
        let counts = count(settings, lab, module)?;
        match &first {
            Some(first) if *first != counts => return Err(differ(first, &counts).into()),
            Some(_) => (),
            None => first = Some(counts),
        }
    }
    first.context("no run was asked for")
}

fn count(settings: &Settings, lab: &Lab, module: &Module<'_>) -> Result<Counts> {
    let job = "insmod /crossing.ko && rmmod crossing && dmesg\n";
    let mut initramfs = Initramfs::new(&lab.programs, job)?;
    initramfs.file(KO, 0o644, &module.stripped(&lab.toolchain, KO)?)?;
    let mut machine = lab.machine(settings);
    machine.accelerator = Accelerator::Counting;
    let guest = machine.run(initramfs, APPEND)?;
    lab.judge_module(&guest, &PLAIN)?;
    counts::parse(&guest.output)
}

fn differ(first: &Counts, other: &Counts) -> Diagnostic {
    let only = |one: &Counts, other: &Counts| -> BTreeMap<String, u64> {
        let new = |(name, count): (&String, &u64)| {
            (other.get(name) != Some(count)).then(|| (name.clone(), *count))
        };
        one.iter().filter_map(new).collect()
    };
    Diagnostic::new("two runs of one module count differently")
        .exit(Exit::Failed)
        .note(format!("first: {:?}", only(first, other)))
        .note(format!("then: {:?}", only(other, first)))
}

fn size(lab: &Lab, sources: &Sources, ko: &str) -> Result<Size> {
    match size_of(lab, &lab.module(sources)?, ko)?[..] {
        [file, text, ..] => Ok(Size { file, text }),
        _ => anyhow::bail!("{ko} has no sizes"),
    }
}
