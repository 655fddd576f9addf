//! The toolchain's language servers, for editors on the host.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use host::cache;
use host::sandbox;

use crate::commands::lab::Lab;

/// Writes a script that starts a program of the toolchain on the host's files, and says where it is: a
/// host may have none, or one that cannot load the kernel's proc macros, which fit one rustc only.
pub fn offer(lab: &Lab, program: &str) -> Result<()> {
    let script = lab.cache.place_for(&format!("bin/{program}"))?;
    let text = sandbox::script_on_host(&lab.toolchain.file("usr"), program);
    cache::write_whole(&script, text.as_bytes())?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("cannot change {}", script.display()))?;
    eprintln!(
        "lab: a {program} that fits, for your editor: {}",
        script.display()
    );
    Ok(())
}
