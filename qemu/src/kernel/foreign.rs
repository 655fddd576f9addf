//! The toolchain for another architecture than this host's: Debian's packages that emulate it, compile for
//! it, and run in its guests.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use host::arch::Arch;
use host::cache::Cache;
use host::toolchain::Toolchain;

use super::archive::Archive;
use super::flavour::Flavour;

/// What runs in a guest is below this folder of the toolchain, since the host's own has the same names.
const GUEST: &str = "guest";

/// Debian's package for guests.
const BUSYBOX: &str = "busybox-static";

/// gdb for all architectures. The host's own knows only the host's.
const GDB: &str = "gdb-multiarch";

/// Provides the toolchain for a kernel; makes what is missing.
pub fn toolchain(cache: &Cache, flavour: &Flavour) -> Result<Toolchain> {
    let arch = flavour.arch;
    let toolchain = Toolchain::provide(cache)?;
    if !arch.is_foreign() {
        return Ok(toolchain);
    }
    let words = arch.words();
    let mut host = vec![words.qemu_package, GDB];
    host.extend(words.cross);
    if flavour.is_stock() {
        host.extend(words.cross_of_stock);
    }
    let host: Vec<String> = host.into_iter().map(str::to_owned).collect();
    let guest = [format!("{BUSYBOX}:{}", words.debian)];
    let gcc = format!("{}-gcc", words.triple);
    let programs = [words.qemu, &gcc];
    toolchain.with(
        cache,
        &[&host[..], &guest].concat(),
        &programs,
        |native, root| {
            let purpose = format!("toolchain for {}", words.kernel);
            let log = cache.place_for("log/toolchain")?;
            let archive = Archive::ask(cache, native, arch, &purpose, log)?;
            archive.unpack(&host, root)?;
            fs::create_dir_all(root.join(GUEST))?;
            archive.unpack(&guest, &root.join(GUEST))
        },
    )
}

/// busybox for guests.
pub fn busybox(toolchain: &Toolchain, arch: Arch) -> PathBuf {
    let root = toolchain.file(if arch.is_foreign() { GUEST } else { "" });
    root.join("usr/bin/busybox")
}

/// gdb for guests.
pub fn gdb(arch: Arch) -> &'static str {
    if arch.is_foreign() {
        GDB
    } else {
        "gdb"
    }
}
