//! The architectures: all words of Kbuild, QEMU and Debian that differ between them, in a table.

/// An architecture for which the lab builds and boots kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// 64-bit x86. Rust for the kernel knows no other.
    X86,
    /// 64-bit Arm, little-endian.
    Arm64,
}

/// What an architecture is called, how its kernel is configured, and which machine it boots in.
pub struct Words {
    /// `ARCH=`, and its folder in the kernel's `arch/`.
    pub kernel: &'static str,
    /// Other names of it that people use.
    aliases: &'static [&'static str],
    /// What the names of the lab's own kernels end with.
    pub suffix: &'static str,
    /// In the names of Debian's packages and kernels.
    pub debian: &'static str,
    /// For compilers. The names of GNU's programs for it start so: with a dash and `gcc`, for instance.
    pub triple: &'static str,
    /// The options of the lab's kernel, besides those of all architectures,
    pub config: &'static str,
    /// and of the one that clang builds.
    pub clang_config: &'static str,
    /// What QEMU boots, in the kernel's build folder; if none, `vmlinux` without its debug information.
    pub image: Option<&'static str>,
    /// The program that emulates it,
    pub qemu: &'static str,
    /// and Debian's package that has it.
    pub qemu_package: &'static str,
    /// QEMU's arguments for a machine with as little as Linux needs.
    pub machine: &'static [&'static str],
    /// The processor that QEMU emulates.
    pub cpu: &'static str,
    /// QEMU's option that adds a serial port, and how its value starts, before the name of a chardev.
    pub port: [&'static str; 2],
    /// The guest's device for a serial port, without its number. The first is the console.
    pub tty: &'static str,
    /// The source of firmware that tells whether KVM executes instructions, for `microvm`.
    pub rom: Option<&'static str>,
    /// Words for the kernel,
    pub append: &'static str,
    /// and more of them when QEMU emulates the processor.
    pub emulated: &'static str,
    /// The registers of a function's first arguments, as gdb names them.
    pub arguments: [&'static str; 3],
    /// Debian's packages with which a host of another architecture builds for it: gcc, and a C library for
    /// programs in the guest.
    pub cross: &'static [&'static str],
    /// More of them with which Debian's own kernels are built.
    pub cross_of_stock: &'static [&'static str],
}

const X86: Words = Words {
    kernel: "x86",
    aliases: &["x86_64", "amd64"],
    suffix: "",
    debian: "amd64",
    triple: "x86_64-linux-gnu",
    config: include_str!("../../config/x86.config"),
    clang_config: "",
    image: None,
    qemu: "qemu-system-x86_64",
    qemu_package: "qemu-system-x86",
    // No firmware tables, no PCI: nothing to wait for. Only one of its own serial ports can be had.
    machine: &[
        "-machine",
        "microvm,acpi=off,pit=on,pic=on,rtc=on,isa-serial=off",
    ],
    cpu: "qemu64",
    port: ["-device", "isa-serial,chardev="],
    tty: "ttyS",
    rom: Some(include_str!("../../guest/rom.S")),
    // reboot=t: a triple fault ends the guest; -no-reboot ends QEMU with it.
    append: "reboot=t",
    // Emulated clocks make calibration a quarter of the boot: busy waits of 100 ms for the local APIC's
    // timer (the PIT serves as well), and the search for a delay loop's length, which only `udelay()`
    // goes by.
    emulated: "nolapic_timer lpj=1000000",
    arguments: ["$rdi", "$rsi", "$rdx"],
    cross: &[
        "binutils-x86-64-linux-gnu",
        "cpp-14-x86-64-linux-gnu",
        "gcc-14-x86-64-linux-gnu",
        "gcc-x86-64-linux-gnu",
        "libc6-amd64-cross",
        "libc6-dev-amd64-cross",
        "libgcc-14-dev-amd64-cross",
        "libgcc-s1-amd64-cross",
        "linux-libc-dev-amd64-cross",
    ],
    cross_of_stock: &[],
};

const ARM64: Words = Words {
    kernel: "arm64",
    aliases: &["aarch64"],
    suffix: "-arm64",
    debian: "arm64",
    triple: "aarch64-linux-gnu",
    config: include_str!("../../config/arm64.config"),
    clang_config: include_str!("../../config/arm64-clang.config"),
    // QEMU starts an ELF file as firmware: without the device tree and the initramfs.
    image: Some("arch/arm64/boot/Image"),
    qemu: "qemu-system-aarch64",
    qemu_package: "qemu-system-arm",
    machine: &["-machine", "virt"],
    // With BTI and pointer authentication.
    cpu: "max",
    port: ["-serial", "chardev:"],
    tty: "ttyAMA",
    rom: None,
    append: "",
    emulated: "",
    arguments: ["$x0", "$x1", "$x2"],
    cross: &[
        "binutils-aarch64-linux-gnu",
        "cpp-14-aarch64-linux-gnu",
        "gcc-14-aarch64-linux-gnu",
        "gcc-aarch64-linux-gnu",
        "libc6-arm64-cross",
        "libc6-dev-arm64-cross",
        "libgcc-14-dev-arm64-cross",
        "libgcc-s1-arm64-cross",
        "linux-libc-dev-arm64-cross",
    ],
    // For the vDSO of 32-bit programs.
    cross_of_stock: &[
        "binutils-arm-linux-gnueabihf",
        "cpp-14-arm-linux-gnueabihf",
        "gcc-14-arm-linux-gnueabihf",
        "gcc-arm-linux-gnueabihf",
        "libgcc-14-dev-armhf-cross",
    ],
};

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the lab runs on x86-64 and arm64 hosts only");

impl Arch {
    /// All of them.
    pub const ALL: &[Arch] = &[Arch::X86, Arch::Arm64];

    /// The host's.
    pub const NATIVE: Arch = if cfg!(target_arch = "aarch64") {
        Arch::Arm64
    } else {
        Arch::X86
    };

    /// Its row of the table.
    pub const fn words(self) -> &'static Words {
        match self {
            Arch::X86 => &X86,
            Arch::Arm64 => &ARM64,
        }
    }

    /// Whether this host has another one.
    pub fn is_foreign(self) -> bool {
        self != Arch::NATIVE
    }

    /// The one of this name.
    ///
    /// # Errors
    ///
    /// The names that there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let has = |arch: &&Arch| {
            let words = arch.words();
            words.kernel == name || words.aliases.contains(&name)
        };
        Arch::ALL.iter().find(has).copied().ok_or_else(|| {
            let names: Vec<&str> = Arch::ALL.iter().map(|arch| arch.words().kernel).collect();
            format!("the lab has kernels for {}", names.join(" and "))
        })
    }
}
