//! What the checks of the border cost: hello_rust with them, and with bindgen alone.

use anyhow::Result;

use super::report::Comparison;
use super::{modified_now, size_of, SIZES};
use crate::commands::lab::Lab;
use crate::kernel::module::Module;
use crate::kernel::sources::{Files, Sources, HELLO_RUST};

/// hello_rust in a folder of its own, where only this benchmark changes things.
const CHECKED: Sources = Sources {
    name: "checked",
    ..HELLO_RUST
};

/// The same without the border.
const PLAIN: Sources = Sources {
    name: "plain",
    files: Files::Listed(&[
        ("tests/plain/Kbuild", "Kbuild"),
        ("tests/plain/unchecked.h", "c_helper_layout.h"),
        ("hello_rust.rs", "hello_rust.rs"),
        ("c_helper.c", "c_helper.c"),
        ("c_helper.h", "c_helper.h"),
        ("border", "border"),
    ]),
    fused: false,
};

/// What a person changes.
const CHANGED: [&str; 4] = ["", "hello_rust.rs", "c_helper.c", "c_helper.h"];

/// Both, built in turns; then their sizes.
pub fn cost(lab: &Lab, runs: u32) -> Result<Vec<Comparison>> {
    let modules = [
        Module::stage(&lab.cache, &lab.kernel, &CHECKED)?,
        Module::stage(&lab.cache, &lab.kernel, &PLAIN)?,
    ];
    for module in &modules {
        module.build(&lab.toolchain, &[])?;
    }

    let mut costs = Vec::new();
    for changed in CHANGED {
        let mut times = [Vec::new(), Vec::new()];
        for run in 1..=runs {
            eprintln!("lab: the border, {changed:?} changed, run {run} of {runs}");
            for (module, times) in modules.iter().zip(&mut times) {
                if !changed.is_empty() {
                    modified_now(&module.dir().join(changed))?;
                }
                let start = std::time::Instant::now();
                module.build(&lab.toolchain, &[])?;
                times.push(start.elapsed().as_secs_f64());
            }
        }
        let what = match changed {
            "" => "Kbuild, nothing changed, s".to_owned(),
            file => format!("Kbuild after {file}, s"),
        };
        let [checked, plain] = times;
        costs.push(Comparison::new(&what, checked, plain));
    }

    let [checked, plain] = modules;
    let sizes = size_of(lab, &checked, "hello_rust.ko")?
        .into_iter()
        .zip(size_of(lab, &plain, "hello_rust.ko")?);
    for (what, (checked, plain)) in SIZES.iter().zip(sizes) {
        costs.push(Comparison::new(what, vec![checked], vec![plain]));
    }
    Ok(costs)
}
