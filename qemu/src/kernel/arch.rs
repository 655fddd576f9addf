//! The architectures: all words of Kbuild, QEMU and Debian that differ between them, in a table.

/// An architecture for which the lab builds and boots kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Arch {
    /// 64-bit x86. Rust for the kernel knows no other.
    #[value(alias = "x86_64", alias = "amd64")]
    X86,
}

/// What an architecture is called, and its machine.
pub struct Words {
    /// Its folder in the kernel's `arch/`, and `ARCH=`.
    pub kernel: &'static str,
    /// In the names of Debian's packages and kernels.
    pub debian: &'static str,
    /// The program that emulates it.
    pub qemu: &'static str,
    /// QEMU's arguments for a machine with as little as Linux needs.
    pub machine: &'static [&'static str],
    /// The kernel's words for its first serial port, and for ending QEMU by a panic.
    pub append: &'static str,
}

const X86: Words = Words {
    kernel: "x86",
    debian: "amd64",
    qemu: "qemu-system-x86_64",
    // No firmware tables, no PCI: nothing to wait for. The serial ports are added later.
    machine: &[
        "-machine",
        "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=off",
    ],
    // reboot=t: a triple fault ends the guest; -no-reboot ends QEMU with it.
    append: "console=ttyS0 reboot=t",
};

impl Arch {
    /// Its row of the table.
    pub fn words(self) -> &'static Words {
        match self {
            Arch::X86 => &X86,
        }
    }
}
