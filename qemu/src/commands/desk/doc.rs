//! `make doc`: the documentation of a module's crates, which links to that of the kernel crate.

use anyhow::Result;
use diagnostic::Diagnostic;
use host::cache;

use super::places::Places;
use super::recorded::{commands, Language, Recorded};
use crate::commands::lab::Lab;
use crate::exit::Exit;
use crate::kernel::module::Module;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// The documentation, in the module's build folder.
pub const FOLDER: &str = "lab.doc";

/// Flags of rustc alone.
const RUSTC: (&[&str], &[&str]) = (
    &["--emit", "-Cdebuginfo", "-Zdwarf-version"],
    &["--out-dir", "-o", "--crate-name"],
);

/// Where the documentation of other crates is.
const ELSEWHERE: &[(&str, &str)] = &[
    ("core", "https://doc.rust-lang.org/"),
    ("kernel", "https://rust.docs.kernel.org/"),
    ("bindings", "https://rust.docs.kernel.org/"),
    ("ffi", "https://rust.docs.kernel.org/"),
    ("pin_init", "https://rust.docs.kernel.org/"),
];

/// Makes the documentation of each crate, and prints the paths of their first pages.
pub fn doc(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref());
    let lab = Lab::provide(settings, settings.flavour())?;
    let module = Module::stage(&lab.cache, &lab.kernel, &sources)?;
    let places = Places::of(&sources, &module)?;
    let crates = commands(&module, &lab.toolchain, Language::Rust)?;
    cache::remove(&places.copy.join(FOLDER))?;
    for it in &crates {
        document(it, &module, &places, &lab)?;
        let first = places.copy.join(FOLDER).join(it.name()).join("index.html");
        println!("{}", first.display());
    }
    Ok(())
}

/// Runs rustdoc with the flags of rustc.
fn document(it: &Recorded, module: &Module, places: &Places, lab: &Lab) -> Result<()> {
    let mut rustdoc = lab.toolchain.command_in(&it.dir, &[], "env");
    // Kbuild exports it: the kernel uses unstable features.
    rustdoc.arg("RUSTC_BOOTSTRAP=1");
    rustdoc.args(
        it.environment
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    rustdoc.arg("rustdoc").args(it.without(RUSTC.0, RUSTC.1));
    rustdoc
        .args(["--crate-name", &it.name()])
        .arg("--out-dir")
        .arg(places.copy.join(FOLDER));
    // A module has no API: what is worth reading is private.
    rustdoc.args(["--document-private-items", "--generate-link-to-definition"]);
    rustdoc.arg("--extern-html-root-takes-precedence");
    for (name, place) in ELSEWHERE {
        rustdoc.args(["--extern-html-root-url", &format!("{name}={place}")]);
    }
    let output = rustdoc.arg(&it.source).output()?;
    let printed = module.in_home(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        eprint!("{printed}");
        return Ok(());
    }
    Err(Diagnostic::new("rustdoc failed")
        .exit(Exit::Failed)
        .note(printed)
        .into())
}
