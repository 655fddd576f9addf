//! `make doctor`: what was checked, what was found, what is wrong, and how to fix it.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{ensure, Context, Result};
use comfy_table::{presets, ContentArrangement, Table, TableComponent};
use diagnostic::Diagnostic;
use host::cache::Cache;
use host::project::project;
use host::toolchain::Toolchain;
use host::{mirrors, programs, sandbox};
use serde::Serialize;

use crate::guest::machine::Accelerator;
use crate::guest::probe::{self, Outlook};
use crate::kernel::build;
use crate::kernel::sources::Folder;
use crate::kernel::stock;
use crate::options::Settings;

/// The state of what was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// A problem.
    Bad,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    state: State,
    what: String,
    found: String,
    /// The problem, or what is worth knowing.
    remark: String,
    /// The command that fixes it.
    help: String,
}

impl Finding {
    fn new(state: State, what: &str, found: impl Into<String>) -> Self {
        Finding {
            state,
            what: what.to_owned(),
            found: found.into(),
            remark: String::new(),
            help: String::new(),
        }
    }

    fn because(mut self, remark: impl Into<String>, help: impl Into<String>) -> Self {
        self.remark = remark.into();
        self.help = help.into();
        self
    }
}

/// Checks the host, the lab's cache, the user's module if there is one, and `kdir` if one is given.
/// Changes nothing.
pub fn doctor(settings: &Settings, kdir: Option<&str>, json: bool) -> Result<()> {
    let mut findings = host_programs();
    findings.push(namespaces());
    let cache = Cache::open();
    match &cache {
        Ok(cache) => findings.extend(lab(cache)),
        Err(error) => findings.push(
            Finding::new(State::Bad, "cache", "not usable").because(format!("{error:#}"), ""),
        ),
    }
    findings.extend(module(settings, cache.as_ref().ok()));
    if let Some(kdir) = kdir {
        findings.extend(kernel_tree(kdir)?);
    }

    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?)
    } else {
        println!("{}", table(&findings))
    }
    match findings
        .iter()
        .filter(|finding| finding.state == State::Bad)
        .count()
    {
        0 => Ok(()),
        1 => Err(Diagnostic::new("1 problem found").into()),
        bad => Err(Diagnostic::new(format!("{bad} problems found")).into()),
    }
}

fn host_programs() -> Vec<Finding> {
    programs::NEEDS
        .iter()
        .map(|need| match programs::which(need.program) {
            Some(path) => Finding::new(State::Ok, need.program, path.display().to_string()),
            None => Finding::new(State::Bad, need.program, "not installed").because(
                format!("needed: it {}", need.why),
                programs::install_command(&[need.package]).join(" "),
            ),
        })
        .collect()
}

/// Whether an ordinary user can enter the toolchain folder.
fn namespaces() -> Finding {
    const WHAT: &str = "user namespaces";
    if programs::which("bwrap").is_none() {
        return Finding::new(State::Note, WHAT, "not checked, since there is no bwrap");
    }
    match sandbox::enter() {
        Ok(()) => Finding::new(State::Ok, WHAT, "usable"),
        Err(said) => Finding::new(State::Bad, WHAT, said)
            .because(sandbox::NO_NAMESPACES, sandbox::allow_namespaces()),
    }
}

fn lab(cache: &Cache) -> Vec<Finding> {
    let toolchain = toolchain(cache);
    let mut findings = vec![space(cache)];
    if toolchain.state != State::Ok {
        findings.push(mirror());
    }
    findings.push(toolchain);
    findings.push(kernels(cache));
    findings.push(accelerator(probe::outlook(cache)));
    findings
}

fn accelerator(outlook: Outlook) -> Finding {
    const WHAT: &str = "accelerator";
    let emulation = Finding::new(State::Note, WHAT, Accelerator::Tcg.name());
    match outlook {
        Outlook::Works => Finding::new(State::Ok, WHAT, Accelerator::Kvm.name()),
        Outlook::Unknown => Finding::new(State::Note, WHAT, "not tried yet").because(
            "/dev/kvm exists; make run tries it with a real guest, and remembers the result",
            "make run",
        ),
        Outlook::Fails { why, removal } => emulation.because(
            format!("/dev/kvm exists, but {why}; {}", probe::RETRIED),
            format!("{removal}, then make run, which tries KVM again"),
        ),
        Outlook::NoDevice(error) => match error.kind() {
            ErrorKind::NotFound => emulation.because(
                "this host has no /dev/kvm, so guests are emulated, which is slower",
                "",
            ),
            ErrorKind::PermissionDenied => emulation.because(
                format!("/dev/kvm exists, but cannot be opened: {error}"),
                "sudo usermod -aG kvm $USER, then log in again",
            ),
            _ => emulation.because(format!("/dev/kvm cannot be opened: {error}"), ""),
        },
    }
}

fn space(cache: &Cache) -> Finding {
    let found = cache.dir().display().to_string();
    // For the toolchain and one kernel. Too strict where both exist already, so only a note.
    match cache.require_space(6 << 30, "the lab") {
        Ok(()) => Finding::new(State::Ok, "cache", found),
        Err(error) => Finding::new(State::Note, "cache", found).because(format!("{error:#}"), ""),
    }
}

fn toolchain(cache: &Cache) -> Finding {
    match Toolchain::existing(cache) {
        Some(toolchain) if toolchain.lost().is_some() => {
            let lost = toolchain.lost().unwrap_or_default();
            Finding::new(State::Bad, "toolchain", format!("without {lost}")).because(
                format!("{lost} is missing from the toolchain"),
                toolchain.renewal(),
            )
        }
        Some(toolchain) => {
            let versions: Vec<&str> = toolchain.versions.lines().collect();
            Finding::new(State::Ok, "toolchain", versions.join("\n"))
        }
        None => Finding::new(State::Note, "toolchain", "not made yet")
            .because("make run makes it: 2 GB, about half a minute", "make run"),
    }
}

/// Whether the package mirror answers; checked only while it is needed.
fn mirror() -> Finding {
    const WHAT: &str = "package mirror";
    let Some(address) = mirrors::mirror_address() else {
        return Finding::new(State::Note, WHAT, "mmdebstrap's default; not checked");
    };
    let answer = address
        .to_socket_addrs()
        .map_err(|error| error.to_string())
        .and_then(|mut addresses| addresses.next().ok_or("the name has no address".to_owned()))
        .and_then(|address| {
            TcpStream::connect_timeout(&address, Duration::from_secs(3))
                .map_err(|error| error.to_string())
        });
    match answer {
        Ok(_) => Finding::new(State::Ok, WHAT, address),
        Err(error) => Finding::new(State::Bad, WHAT, format!("{address}: {error}")).because(
            "packages cannot be fetched",
            "check the network connection, then run the same command again",
        ),
    }
}

fn kernels(cache: &Cache) -> Finding {
    let own = build::built(cache).into_iter().map(|(flavour, _)| flavour);
    let mut names: Vec<String> = own.chain(stock::built(cache)).collect();
    names.sort();
    // A flavour may have several kernels, from different recipes.
    names.dedup();
    if !names.is_empty() {
        return Finding::new(State::Ok, "the lab's kernels", names.join(", "));
    }
    Finding::new(State::Note, "the lab's kernels", "none yet").because(
        "make run builds one: about 5 minutes on 2 cores",
        "make run",
    )
}

/// The module's folder, and what else the user's variables name.
fn module(settings: &Settings, cache: Option<&Cache>) -> Vec<Finding> {
    let folder = match settings.module_folder() {
        Ok(Some(folder)) => folder,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![found::<()>("M", None, Err(error))],
    };
    let text = |path: &Path| path.display().to_string();
    let options = settings.config.clone().or(folder.config());
    let script = settings.run.clone().or(folder.test().as_deref().map(text));
    let mut findings = vec![
        Finding::new(State::Ok, "M", text(folder.path())),
        found(
            "CONFIG",
            options.as_deref().map(text),
            settings.kernel_options(),
        ),
        found("RUN", script, settings.guest_run()),
    ];
    findings.extend(settings.guest_files().iter().map(|file| {
        let exists = fs::metadata(file).with_context(|| text(file));
        found("FILES", Some(text(file)), exists)
    }));
    findings.extend(cache.map(|cache| builds(cache, &folder)));
    findings
}

/// What a variable, or a file in the module's folder, says.
fn found<T>(what: &str, found: Option<String>, read: Result<T>) -> Finding {
    match read {
        Ok(_) => Finding::new(State::Ok, what, found.unwrap_or("none".to_owned())),
        Err(error) => {
            Finding::new(State::Bad, what, "not usable").because(diagnostic::render(&error), "")
        }
    }
}

/// The kernels that the lab has built a module for.
fn builds(cache: &Cache, folder: &Folder) -> Finding {
    const WHAT: &str = "the lab's builds of it";
    let own = format!("{}-", folder.sources().name);
    let names = cache.folders("module").into_iter();
    let mut names: Vec<String> = names
        .filter_map(|(name, _)| {
            let kernel = name.strip_prefix(&own)?;
            let (flavour, _recipe) = kernel.rsplit_once('-')?;
            Some(flavour.strip_prefix("quiet-").unwrap_or(flavour).to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Finding::new(State::Note, WHAT, "none yet");
    }
    Finding::new(State::Ok, WHAT, names.join(", "))
}

/// What `make KDIR=…` would say about this tree: the same script checks it.
fn kernel_tree(kdir: &str) -> Result<Vec<Finding>> {
    let script = project().join("tools/check-kernel.sh");
    let output = Command::new(&script)
        .arg(kdir)
        .output()
        .with_context(|| format!("cannot run {}", script.display()))?;
    let findings: Vec<Finding> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(parse)
        .collect();
    ensure!(
        !findings.is_empty(),
        "{} printed nothing: {}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(findings)
}

/// A line of `check-kernel.sh`: the fields of a [`Finding`], separated by tabs.
fn parse(line: &str) -> Option<Finding> {
    let mut fields = line.split('\t');
    let state = match fields.next()? {
        "ok" => State::Ok,
        "note" => State::Note,
        "bad" => State::Bad,
        _ => return None,
    };
    let finding = Finding::new(state, fields.next()?, fields.next()?);
    Some(finding.because(
        fields.next().unwrap_or_default(),
        fields.next().unwrap_or_default(),
    ))
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["", "checked", "found", "problem or remark", "how to fix it"]);
    if !table.is_tty() {
        table.set_width(160);
    }
    for finding in findings {
        let mark = match finding.state {
            State::Ok => "ok",
            State::Note => "note",
            State::Bad => "BAD",
        };
        table.add_row([
            mark,
            &finding.what,
            &finding.found,
            &finding.remark,
            &finding.help,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulation_is_noted_with_its_reason() {
        let removal = || "rm /cache/accelerator".to_owned();
        let fails = Outlook::Fails {
            why: "KVM's guest did not finish within 10 s".to_owned(),
            removal: removal(),
        };
        for (outlook, state, remark, help) in [
            (Outlook::Works, State::Ok, "", ""),
            (
                Outlook::Unknown,
                State::Note,
                "make run tries it",
                "make run",
            ),
            (
                fails,
                State::Note,
                "did not finish within 10 s; tried again",
                &removal(),
            ),
            (
                Outlook::NoDevice(ErrorKind::NotFound.into()),
                State::Note,
                "this host has no /dev/kvm",
                "",
            ),
            (
                Outlook::NoDevice(ErrorKind::PermissionDenied.into()),
                State::Note,
                "cannot be opened: permission denied",
                "sudo usermod -aG kvm $USER",
            ),
        ] {
            let finding = accelerator(outlook);
            assert_eq!(finding.state, state);
            assert!(finding.remark.contains(remark), "{finding:?}");
            assert!(finding.help.starts_with(help), "{finding:?}");
        }
    }

    #[test]
    fn kernels_are_listed_by_what_they_are() -> Result<()> {
        let place = tempfile::tempdir()?;
        let cache = Cache::at(place.path().to_owned())?;
        assert_eq!(kernels(&cache).state, State::Note);
        for whole in [
            "kernel/7.3-clang-0000000a/lab.recipe",
            "kernel/7.3-clang-0000000b/lab.recipe",
            "kernel/6.12-gcc-0000000c/lab.recipe",
            "stock/7.3.4+deb13-amd64/metadata",
        ] {
            fs::write(cache.place_for(whole)?, "")?;
        }
        cache.place_for("kernel/6.12-clang-0000000d/half.o")?;
        cache.place_for("kernel/run/x")?;
        let found = kernels(&cache).found;
        assert_eq!(found, "6.12-gcc, 7.3-clang, 7.3.4+deb13-amd64");
        Ok(())
    }

    #[test]
    fn lines_of_the_script() {
        assert_eq!(
            parse("bad\trustc\trustc 1.96\tanother one\tmake RUSTC=x"),
            Some(
                Finding::new(State::Bad, "rustc", "rustc 1.96")
                    .because("another one", "make RUSTC=x")
            )
        );
        assert_eq!(
            parse("ok\tKDIR\t/x"),
            Some(Finding::new(State::Ok, "KDIR", "/x"))
        );
        assert_eq!(parse("rubbish"), None);
    }
}
