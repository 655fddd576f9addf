//! `make clippy`: the lints of clippy for a module's Rust half, by Kbuild's own `CLIPPY=1`.

use std::fs;

use anyhow::Result;

use super::places::{files_below, home_with_rust};
use crate::commands::lab::Lab;
use crate::kernel::module::{without_kbuild, Module};
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// Prints clippy's messages. As with `cargo clippy`, warnings are no failure.
///
/// # Errors
///
/// When the module does not compile, or violates a lint that it, or the kernel, denies.
pub fn clippy(settings: &Settings) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref());
    home_with_rust(&sources)?;
    let lab = Lab::provide(settings, settings.flavour())?;
    // In a copy of its own: clippy's objects are not those of rustc.
    let copy = Sources {
        name: &format!("{}-clippy", sources.name),
        ..sources
    };
    let module = Module::stage(&lab.cache, &lab.kernel, &copy)?;
    let mut files = Vec::new();
    files_below(module.dir(), &mut files)?;
    for object in files
        .iter()
        .filter(|file| file.extension().is_some_and(|is| is == "o"))
    {
        // clippy prints its warnings again only if it runs again.
        fs::remove_file(object)?;
    }
    let printed = module.in_home(&without_kbuild(
        &module.build(&lab.toolchain, &["CLIPPY=1"])?,
    ));
    if printed.trim().is_empty() {
        eprintln!("lab: clippy has no warnings");
    } else {
        println!("{printed}");
    }
    Ok(())
}
