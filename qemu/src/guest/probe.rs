//! Whether KVM works on this host: if a real guest runs under it, KVM is used, else QEMU's emulation (TCG).

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use host::cache::{self, Cache};
use host::toolchain::Toolchain;

use crate::guest::initramfs::{Initramfs, Programs};
use crate::guest::machine::{Accelerator, Machine, Outcome, Size};
use crate::guest::rom;
use crate::kernel::build::Kernel;

/// A guest that does nothing takes a second; a KVM that hangs never ends.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// The one to use on this host for a kernel. That of another architecture needs emulation.
///
/// /dev/kvm can exist, open, and still hang its guest forever. So the lab boots a real guest with a
/// time limit, and remembers the result.
pub fn choose(
    cache: &Cache,
    toolchain: &Toolchain,
    kernel: &Kernel,
    programs: &Programs,
) -> Result<Accelerator> {
    if kernel.flavour.arch.is_foreign() {
        return Ok(Accelerator::Tcg);
    }
    if let Err(why) = open_device() {
        let name = Accelerator::Tcg.name();
        eprintln!("lab: accelerator: {name}, since /dev/kvm: {why}");
        return Ok(Accelerator::Tcg);
    }
    let memory = Memory::of(cache, &toolchain.versions);
    if let Some(known) = memory.recall() {
        return Ok(known.accelerator());
    }

    let limit = PROBE_LIMIT.as_secs();
    eprintln!("lab: trying KVM with a real guest, {limit} s at most");
    let found = find(memory.has_failure(), || probe(toolchain, kernel, programs))?;
    memory.keep(&found)?;
    eprintln!("lab: accelerator: {}", found.describe(&memory));
    Ok(found.accelerator())
}

/// Whether KVM works, as a guest has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kvm {
    /// Its guest ran.
    Works,
    /// It did not, for this reason.
    Fails(String),
}

impl Kvm {
    fn accelerator(&self) -> Accelerator {
        match self {
            Kvm::Works => Accelerator::Kvm,
            Kvm::Fails(_) => Accelerator::Tcg,
        }
    }

    /// The result, how long it is remembered, and how to try again.
    fn describe(&self, memory: &Memory) -> String {
        let (why, until) = match self {
            Kvm::Works => ("its guest ran", "remembered"),
            Kvm::Fails(why) => (why.as_str(), RETRIED),
        };
        let name = self.accelerator().name();
        format!(
            "{name}: {why}; {until}; to try KVM again: {}",
            memory.removal()
        )
    }
}

/// How long a failure is remembered, in words.
pub const RETRIED: &str = "tried again after the next boot of the host, or in a day";

/// What `make doctor` reports about the accelerator.
pub enum Outlook {
    /// /dev/kvm does not exist, or cannot be opened.
    NoDevice(io::Error),
    /// Not tried yet, or too long ago.
    Unknown,
    /// KVM.
    Works,
    /// TCG, although /dev/kvm exists.
    Fails {
        /// Why KVM failed.
        why: String,
        /// The command that makes the next run try again.
        removal: String,
    },
}

/// Checks the host, and what an earlier run found.
pub fn outlook(cache: &Cache) -> Outlook {
    if let Err(why) = open_device() {
        return Outlook::NoDevice(why);
    }
    // Without a toolchain there is no QEMU that could have been tried.
    let Some(toolchain) = Toolchain::existing(cache) else {
        return Outlook::Unknown;
    };
    let memory = Memory::of(cache, &toolchain.versions);
    match memory.recall() {
        None => Outlook::Unknown,
        Some(Kvm::Works) => Outlook::Works,
        Some(Kvm::Fails(why)) => Outlook::Fails {
            why,
            removal: memory.removal(),
        },
    }
}

fn open_device() -> io::Result<fs::File> {
    fs::File::options().read(true).write(true).open("/dev/kvm")
}

/// Tries KVM, and tries again if it fails for the first time: on a busy host, one guest that is late
/// would have all later ones emulated. A refusal comes at once both times. A hang takes the limit
/// twice, but only once a day.
fn find(failed_before: bool, mut probe: impl FnMut() -> Result<Kvm>) -> Result<Kvm> {
    match probe()? {
        Kvm::Fails(why) if !failed_before => {
            eprintln!("lab: {why}; trying once more");
            probe()
        }
        found => Ok(found),
    }
}

/// First with a guest of a few bytes, which a KVM that cannot work refuses at once, where a kernel would
/// get as far as the limit; then with a kernel.
fn probe(toolchain: &Toolchain, kernel: &Kernel, programs: &Programs) -> Result<Kvm> {
    match meaning(rom::run(toolchain, Accelerator::Kvm, PROBE_LIMIT)?) {
        Kvm::Works => boots(toolchain, kernel, programs),
        fails => Ok(fails),
    }
}

/// Whether KVM boots a kernel to its job.
pub fn boots(toolchain: &Toolchain, kernel: &Kernel, programs: &Programs) -> Result<Kvm> {
    let machine = Machine {
        toolchain,
        kernel,
        accelerator: Accelerator::Kvm,
        size: Size {
            memory: 256,
            cpus: 1,
            limit: PROBE_LIMIT,
        },
    };
    let guest = machine.run(Initramfs::new(programs, "true")?, "")?;
    Ok(meaning(guest.outcome))
}

fn meaning(outcome: Outcome) -> Kvm {
    match outcome {
        Outcome::Answered(0) => Kvm::Works,
        Outcome::TimedOut => Kvm::Fails(format!(
            "KVM's guest did not finish within {} s",
            PROBE_LIMIT.as_secs()
        )),
        Outcome::Died(complaint) => Kvm::Fails(format!("KVM refused: {}", one_line(&complaint))),
        _ => Kvm::Fails("KVM's guest crashed".to_owned()),
    }
}

/// The file that remembers the result: a word, the reason of a failure and the host's boot ID at the
/// time, and the versions for which it is valid.
struct Memory {
    file: PathBuf,
    /// This boot of the host.
    boot: String,
    /// The host's kernel, and the toolchain's programs with QEMU among them.
    versions: String,
}

/// How long a failure is valid: the host may be less busy later, or repaired.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Memory {
    fn of(cache: &Cache, toolchain: &str) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let host = rustix::system::uname();
        Memory {
            file: cache.dir().join("accelerator"),
            boot: boot.trim().to_owned(),
            versions: format!("{}\n{toolchain}", host.release().to_string_lossy()),
        }
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap_or_default()
    }

    /// The result, if it is still valid.
    fn recall(&self) -> Option<Kvm> {
        let text = self.text();
        let found = text.strip_suffix(&self.versions)?;
        if found == "Kvm\n" {
            return Some(Kvm::Works);
        }
        // Earlier versions of the lab wrote no reason, and never tried again.
        let (why, boot) = found.strip_prefix("Tcg\nbecause ")?.split_once("\nboot ")?;
        let written = self.file.metadata().and_then(|data| data.modified());
        let age = written.ok()?.elapsed().unwrap_or_default();
        let counts = boot.trim_end() == self.boot && age < DAY;
        counts.then(|| Kvm::Fails(why.to_owned()))
    }

    /// Whether the last try failed, no matter how long ago.
    fn has_failure(&self) -> bool {
        self.text().starts_with("Tcg\n")
    }

    fn keep(&self, found: &Kvm) -> Result<()> {
        let found = match found {
            Kvm::Works => "Kvm\n".to_owned(),
            Kvm::Fails(why) => format!("Tcg\nbecause {why}\nboot {}\n", self.boot),
        };
        cache::write_whole(&self.file, (found + &self.versions).as_bytes())
    }

    /// The command that makes the next run try again.
    fn removal(&self) -> String {
        format!("rm {}", self.file.display())
    }
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    const QEMU: &str = "rustc 1.85.1\nQEMU emulator version 10.0.13\n";

    fn memory(folder: &tempfile::TempDir, boot: &str) -> Memory {
        Memory {
            file: folder.path().join("accelerator"),
            boot: boot.to_owned(),
            versions: format!("6.12.0-amd64\n{QEMU}"),
        }
    }

    fn late() -> Kvm {
        Kvm::Fails("KVM's guest did not finish within 10 s".to_owned())
    }

    #[test]
    fn works_counts_until_a_version_changes() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let now = memory(&folder, "a");
        assert_eq!(now.recall(), None);
        now.keep(&Kvm::Works)?;
        assert_eq!(now.recall(), Some(Kvm::Works));
        assert_eq!(memory(&folder, "b").recall(), Some(Kvm::Works));
        let updated = Memory {
            versions: format!("6.12.1-amd64\n{QEMU}"),
            ..now
        };
        assert_eq!(updated.recall(), None);
        Ok(())
    }

    #[test]
    fn a_failure_counts_for_this_boot_and_a_day() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let now = memory(&folder, "a");
        now.keep(&late())?;
        assert_eq!(now.recall(), Some(late()));
        assert_eq!(memory(&folder, "b").recall(), None);

        let file = fs::File::options().append(true).open(&now.file)?;
        for (hours, counts) in [(23, true), (25, false)] {
            let past = SystemTime::now() - Duration::from_secs(hours * 60 * 60);
            file.set_modified(past)?;
            assert_eq!(now.recall().is_some(), counts, "{hours} hours ago");
        }
        assert!(now.has_failure(), "of whatever age");
        Ok(())
    }

    #[test]
    fn what_earlier_versions_wrote() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let now = memory(&folder, "a");
        let versions = &now.versions;
        for (text, recalled) in [
            (format!("Kvm\n{versions}"), Some(Kvm::Works)),
            (format!("Tcg\n{versions}"), None),
            ("Tcg\nother versions\n".to_owned(), None),
            (String::new(), None),
        ] {
            fs::write(&now.file, &text)?;
            assert_eq!(now.recall(), recalled, "{text}");
        }
        Ok(())
    }

    #[test]
    fn the_first_failure_is_tried_again() -> Result<()> {
        for (failed_before, tries, found) in [
            (false, vec![Kvm::Works], Kvm::Works),
            (false, vec![late(), Kvm::Works], Kvm::Works),
            (false, vec![late(), late()], late()),
            (true, vec![late()], late()),
            (true, vec![Kvm::Works], Kvm::Works),
        ] {
            let mut left = tries.iter().cloned();
            let probe = || Ok(left.next().expect("not so many tries"));
            assert_eq!(find(failed_before, probe)?, found, "{tries:?}");
            assert_eq!(left.next(), None, "{tries:?}");
        }
        Ok(())
    }

    #[test]
    fn what_was_found_is_told_with_a_way_to_find_it_anew() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let now = memory(&folder, "a");
        let removal = format!("; to try KVM again: rm {}", now.file.display());
        for (found, words) in [
            (Kvm::Works, "KVM: its guest ran; remembered"),
            (
                Kvm::Fails(format!(
                    "KVM refused: {}",
                    one_line("exit status: 1: a\n b\n")
                )),
                "TCG (emulation): KVM refused: exit status: 1: a; b; \
                 tried again after the next boot of the host, or in a day",
            ),
        ] {
            assert_eq!(found.describe(&now), format!("{words}{removal}"));
        }
        Ok(())
    }
}
