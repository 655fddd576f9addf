//! Who executes the guest's instructions: KVM where it really works, else QEMU itself (TCG).

use std::fs;
use std::time::Duration;

use anyhow::Result;

use crate::cache::{self, Cache};
use crate::initramfs::{Initramfs, Programs};
use crate::kernel::Kernel;
use crate::machine::{Ending, Machine, Size};
use crate::toolchain::Toolchain;

/// A guest that does nothing takes a second; KVM that hangs never ends.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// QEMU's accelerators, as far as the lab uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Accelerator {
    /// The processor itself.
    Kvm,
    /// Emulation.
    Tcg,
}

impl Accelerator {
    /// QEMU's words for it.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Accelerator::Kvm => &["-accel", "kvm", "-cpu", "host"],
            Accelerator::Tcg => &["-accel", "tcg"],
        }
    }

    /// Words for the guest's kernel.
    ///
    /// Emulated clocks make calibration a quarter of the boot: busy waits of 100 ms for the local
    /// APIC's timer (the PIT serves as well), and the search for a delay loop's length, which
    /// only `udelay()` goes by.
    pub fn append(self) -> &'static str {
        match self {
            Accelerator::Kvm => "",
            Accelerator::Tcg => "nolapic_timer lpj=1000000",
        }
    }

    /// What a user calls it.
    fn name(self) -> &'static str {
        match self {
            Accelerator::Kvm => "KVM",
            Accelerator::Tcg => "TCG (emulation)",
        }
    }

    /// The one to use on this host.
    ///
    /// /dev/kvm can be there, open, and still hang its guest for ever, so a real guest is tried
    /// once, under a limit, and the outcome is remembered for this host's kernel and this QEMU.
    pub fn choose(
        cache: &Cache,
        toolchain: &Toolchain,
        kernel: &Kernel,
        programs: &Programs,
    ) -> Result<Self> {
        if let Err(why) = fs::File::options().read(true).write(true).open("/dev/kvm") {
            eprintln!("lab: accelerator: TCG (emulation), since /dev/kvm: {why}");
            return Ok(Accelerator::Tcg);
        }
        let memory = cache.place_for("accelerator")?;
        let host = rustix::system::uname();
        let here = format!(
            "{}\n{}",
            host.release().to_string_lossy(),
            toolchain.versions
        );
        for known in [Accelerator::Kvm, Accelerator::Tcg] {
            if cache::holds(&memory, &format!("{known:?}\n{here}")) {
                return Ok(known);
            }
        }

        eprintln!(
            "lab: trying KVM with a real guest, {} s at most",
            PROBE_LIMIT.as_secs()
        );
        let chosen = Self::probe(toolchain, kernel, programs)?;
        cache::write_whole(&memory, format!("{chosen:?}\n{here}").as_bytes())?;
        Ok(chosen)
    }

    /// What an earlier probe found, for `make doctor`.
    pub fn remembered(cache: &Cache) -> Option<String> {
        let memory = fs::read_to_string(cache.dir().join("accelerator")).ok()?;
        let known = [Accelerator::Kvm, Accelerator::Tcg]
            .into_iter()
            .find(|known| memory.starts_with(&format!("{known:?}\n")))?;
        Some(known.name().to_owned())
    }

    fn probe(toolchain: &Toolchain, kernel: &Kernel, programs: &Programs) -> Result<Self> {
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
        let (chosen, why) = match machine.run(Initramfs::new(programs, "true")?, "")?.ending {
            Ending::Answered(0) => (Accelerator::Kvm, "its guest answered".to_owned()),
            Ending::TimedOut => (
                Accelerator::Tcg,
                format!("KVM's guest gave no answer in {} s", PROBE_LIMIT.as_secs()),
            ),
            Ending::Died(complaint) => (Accelerator::Tcg, format!("KVM refused: {complaint}")),
            _ => (Accelerator::Tcg, "KVM's guest crashed".to_owned()),
        };
        eprintln!("lab: accelerator: {}: {why}; remembered", chosen.name());
        Ok(chosen)
    }
}
