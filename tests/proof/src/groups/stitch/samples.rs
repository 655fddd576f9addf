//! stitch on modules that others wrote: the kernel's own samples, built from the sources that the
//! lab's kernels were built from.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{ensure, Context, Result};

use super::asked;
use crate::harness::test::Test;
use crate::support::context::{debug_flavour, flavours, TestContext};
use lab::commands::lab::Lab;
use lab::kernel::module::Module;
use lab::kernel::sources::{Files, Sources};

/// A module below `samples/rust`.
struct Sample {
    kernel: &'static str,
    module: &'static str,
    sources: &'static [&'static str],
    /// What crosses between Rust and C there, and what comes of it.
    crossing: &'static [(&'static str, &'static str)],
}

const SAMPLES: &[Sample] = &[
    // Its C half is a tracepoint, which only the debug kernel has.
    Sample {
        kernel: "7.3-clang-debug",
        module: "rust_print",
        sources: &["rust_print_main.rs", "rust_print_events.c"],
        crossing: &[
            // To Rust it is a constant; and its structs, to the last one that they lead to, have
            // enums that bindgen makes integers of.
            ("__tracepoint_rust_sample_loaded", "language"),
            ("rust_do_trace_rust_sample_loaded", "same"),
        ],
    },
    Sample {
        kernel: "7.3-gcc",
        module: "rust_minimal",
        sources: &["rust_minimal.rs"],
        crossing: &[],
    },
    Sample {
        kernel: "6.12-clang",
        module: "rust_print",
        sources: &["rust_print.rs"],
        crossing: &[],
    },
];

/// Where they are built.
const FOLDER: Sources = Sources {
    name: "samples",
    files: Files::Listed(&[]),
    fused: false,
};

/// The tests.
pub fn tests() -> Vec<Test> {
    let kernels = flavours().into_iter().chain([debug_flavour()]);
    let mut tests = Vec::new();
    for flavour in kernels {
        for sample in SAMPLES.iter().filter(|s| s.kernel == flavour.name()) {
            let name = format!("stitch::{}::{} of the kernel", sample.kernel, sample.module);
            let run = move |context: &TestContext| agrees(&*context.lab()?, sample);
            tests.push(Test::new(name, run).on(&flavour));
        }
    }
    tests
}

fn agrees(lab: &Lab, sample: &Sample) -> Result<()> {
    let module = Module::stage(&lab.cache, &lab.kernel, &FOLDER)?;
    let samples = lab.kernel.source.dir.join("samples/rust");
    for name in sample.sources {
        let from = samples.join(name);
        fs::copy(&from, module.dir().join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    fs::write(module.dir().join("Kbuild"), kbuild(sample))?;
    module.build(&lab.toolchain, &[])?;

    let list = format!("{}.mod", sample.module);
    let report = asked::report(&lab.toolchain, module.dir(), &list)?;
    let stitches = report["stitches"].as_array().into_iter().flatten();
    let outcomes: BTreeMap<Option<&str>, Option<&str>> = stitches
        .map(|stitch| (&stitch["symbol"], &stitch["verdict"]["outcome"]))
        .map(|(symbol, outcome)| (symbol.as_str(), outcome.as_str()))
        .collect();
    let agree = sample
        .crossing
        .iter()
        .map(|&(name, outcome)| (Some(name), Some(outcome)));
    ensure!(
        outcomes == agree.collect(),
        "{}: {outcomes:?}",
        sample.module
    );
    Ok(())
}

/// As the samples' own Makefile has it; a module of one source has that one's name.
fn kbuild(sample: &Sample) -> String {
    let module = sample.module;
    let objects: Vec<String> = sample
        .sources
        .iter()
        .filter_map(|source| Some(format!("{}.o", source.rsplit_once('.')?.0)))
        .collect();
    match &objects[..] {
        [_] => format!("obj-m := {module}.o\n"),
        several => format!("obj-m := {module}.o\n{module}-y := {}\n", several.join(" ")),
    }
}
