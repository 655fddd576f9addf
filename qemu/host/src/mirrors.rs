//! Debian's mirrors, as configured for this host's apt.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tempfile::NamedTempFile;

use super::packages::SUITE;

/// The mirrors of this host's apt, for Debian 13; empty on a host without Debian's apt.
fn host_mirrors() -> Vec<String> {
    let (Some(main), Some(security)) = (host_mirror(false), host_mirror(true)) else {
        return Vec::new();
    };
    vec![
        format!("deb {main} {SUITE} main"),
        format!("deb {main} {SUITE}-updates main"),
        format!("deb {main} {SUITE}-backports main"),
        format!("deb {security} {SUITE}-security main"),
    ]
}

/// The address of Debian's archive, or of its security updates, in this host's apt sources.
fn host_mirror(security: bool) -> Option<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(SITE) $(CODENAME)"])
        .args(["Created-By: Packages", "Origin: Debian"])
        .output()
        .ok()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, codename)| codename.ends_with("-security") == security)
        .map(|(site, _)| site.trim_end_matches('/').to_owned())
}

/// Where packages come from, as `host:port`, if this host's apt knows.
pub fn mirror_address() -> Option<String> {
    let proxy = std::env::var("http_proxy").ok();
    let url = proxy
        .filter(|proxy| !proxy.is_empty())
        .or_else(|| host_mirror(false))?;
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(match (host.contains(':'), scheme) {
        (true, _) => host.to_owned(),
        (_, "https") => format!("{host}:443"),
        _ => format!("{host}:80"),
    })
}

/// For mmdebstrap's default mirrors: adds the suite with the newest kernels.
const BACKPORTS_HOOK: &str = "--setup-hook=cd \"$1/etc/apt\" && \
    sed -n 's/ trixie main/ trixie-backports main/p' sources.list >> sources.list";

/// Makes mmdebstrap install these packages of Debian 13 and their dependencies in a folder.
pub fn debian<'a>(
    mmdebstrap: &mut Command,
    options: &NamedTempFile,
    packages: impl Iterator<Item = &'a str>,
    folder: &Path,
) {
    mmdebstrap
        .arg(format!("--aptopt={}", options.path().display()))
        .arg("--aptopt=Apt::Install-Recommends \"false\"")
        .arg("--aptopt=Acquire::Languages \"none\"")
        .arg(format!(
            "--include={}",
            packages.collect::<Vec<_>>().join(",")
        ))
        .arg(SUITE)
        .arg(folder);
    match host_mirrors() {
        mirrors if !mirrors.is_empty() => mmdebstrap.args(mirrors),
        _ => mmdebstrap.arg(BACKPORTS_HOOK),
    };
}

/// A file with the settings of the host's apt for reaching its mirrors (proxies, certificates, clocks).
pub fn apt_options() -> Result<NamedTempFile> {
    const REACHING: &[&str] = &[
        "Acquire::http::",
        "Acquire::https::",
        "Acquire::Check-",
        "Acquire::Retries",
    ];
    let file = NamedTempFile::new()?;
    if let Ok(output) = Command::new("apt-config").arg("dump").output() {
        let text: String = String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| REACHING.iter().any(|option| line.starts_with(option)))
            .flat_map(|line| [line, "\n"])
            .collect();
        fs::write(file.path(), text)?;
    }
    Ok(file)
}
