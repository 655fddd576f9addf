//! `make fmt`: formats the Rust files of a module, in the kernel's style or its own. C stays as it is: the
//! kernel's .clang-format is only an aid for those who write.

use std::fs;
use std::io::{Seek, Write};
use std::path::Path;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;
use host::cache::Cache;
use host::toolchain::Toolchain;

use super::places::home_with_rust;
use crate::commands::lab::provide_source;
use crate::exit::Exit;
use crate::kernel::sources::Sources;
use crate::options::Settings;

/// The names that rustfmt looks for.
const STYLES: &[&str] = &["rustfmt.toml", ".rustfmt.toml"];

/// Formats the files in place, or only names those that would change.
pub fn fmt(settings: &Settings, check: bool) -> Result<()> {
    let folder = settings.module_folder()?;
    let sources = Sources::of(folder.as_ref());
    let home = home_with_rust(&sources)?;
    let cache = Cache::open()?;
    let toolchain = Toolchain::provide(&cache)?;
    let mut styles = STYLES.iter().map(|name| home.join(name));
    let style = match styles.find(|style| style.is_file()) {
        Some(own) => own,
        None => provide_source(settings, &cache, &toolchain, &settings.flavour())?
            .dir
            .join(STYLES[1]),
    };
    let style = fs::read(&style).with_context(|| format!("cannot read {}", style.display()))?;

    let mut changed = Vec::new();
    for file in sources.rust_files(cache.dir())? {
        let old = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let new = formatted(&toolchain, &file, &old, &style)?;
        if new != old {
            println!("{}", file.display());
            if !check {
                fs::write(&file, new)
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
            changed.push(file.display().to_string());
        }
    }
    if check && !changed.is_empty() {
        return Err(Diagnostic::new("not formatted")
            .exit(Exit::Failed)
            .note(changed.join("\n"))
            .help("make fmt, without CHECK=")
            .into());
    }
    Ok(())
}

/// A file as rustfmt writes it. From its standard input, rustfmt does not go on to the modules that the file
/// declares: some are generated.
fn formatted(toolchain: &Toolchain, file: &Path, content: &[u8], style: &[u8]) -> Result<Vec<u8>> {
    // Only the cache is visible in the toolchain.
    let mut config = tempfile::Builder::new()
        .suffix(".toml")
        .tempfile_in(toolchain.cache())?;
    config.write_all(style)?;
    let mut input = tempfile::tempfile()?;
    input.write_all(content)?;
    input.rewind()?;
    let mut rustfmt = toolchain.command("rustfmt");
    rustfmt
        .args(["--edition", "2021", "--config-path"])
        .arg(config.path());
    let output = rustfmt.stdin(input).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Diagnostic::new("rustfmt cannot read a file")
        .exit(Exit::Failed)
        .note(said.replace("<stdin>", &file.display().to_string()))
        .into())
}
