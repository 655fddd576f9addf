//! The programs that the lab needs on the host; installs them, after saying so.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use diagnostic::Diagnostic;

/// A program that the lab runs on the host, and its Debian package.
pub struct Need {
    /// The program's name.
    pub program: &'static str,
    /// Debian's package.
    pub package: &'static str,
    /// What it is for.
    pub why: &'static str,
}

/// Everything that the lab runs outside its toolchain.
pub const NEEDS: &[Need] = &[
    Need {
        program: "mmdebstrap",
        package: "mmdebstrap",
        why: "makes the toolchain folder",
    },
    Need {
        program: "bwrap",
        package: "bubblewrap",
        why: "enters the toolchain folder, as root or not",
    },
];

/// Finds a program on `PATH`.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

/// The programs that the host does not have.
pub fn missing() -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| which(need.program).is_none())
        .collect()
}

/// Installs what is missing, after saying so.
///
/// # Errors
///
/// With `LAB_NO_INSTALL=1`, without apt-get, or without root and sudo.
pub fn provide() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let command = install_command(&packages);
    let missing_here = || {
        Diagnostic::new(format!("missing on this host: {}", packages.join(", ")))
            .help(format!("run: {}", command.join(" ")))
    };

    if std::env::var_os("LAB_NO_INSTALL").is_some_and(|value| value != "0" && !value.is_empty()) {
        return Err(missing_here()
            .note("LAB_NO_INSTALL is set, so nothing was installed")
            .into());
    }
    if which("apt-get").is_none() {
        return Err(missing_here()
            .note("no apt-get: install them with this system's own tools")
            .into());
    }
    if command[0] == "sudo" && which("sudo").is_none() {
        return Err(missing_here()
            .note("not root, and there is no sudo")
            .help(format!("run as root: {}", command[1..].join(" ")))
            .into());
    }
    install(&missing, &command).map_err(|error| missing_here().note(format!("{error:#}")).into())
}

fn install(missing: &[&Need], command: &[&str]) -> Result<()> {
    for need in missing {
        eprintln!("lab: this host has no {}, which {}", need.program, need.why);
    }
    // A fresh machine may have no package lists, or old ones.
    let update: Vec<&str> = command
        .iter()
        .copied()
        .take_while(|word| *word != "install")
        .collect();
    for command in [[&update[..], &["update"]].concat(), command.to_vec()] {
        eprintln!("lab: running: {}", command.join(" "));
        let output = Command::new(command[0])
            .args(&command[1..])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()
            .with_context(|| format!("cannot run {}", command[0]))?;
        if !output.status.success() {
            anyhow::bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
    }
    Ok(())
}

/// The command that installs Debian packages on this host.
pub fn install_command<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let mut command = vec!["apt-get", "install", "-y", "--no-install-recommends"];
    if !rustix::process::geteuid().is_root() {
        command.insert(0, "sudo");
    }
    command.extend(packages);
    command
}
