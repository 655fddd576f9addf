//! What is in the toolchain: Debian's packages, and what their installation would have added.

use crate::arch::Arch;

/// Debian 13.
pub const SUITE: &str = "trixie";

/// Debian's packages in the folder, by purpose; their dependencies are added.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "a shell and the basic tools",
        &[
            "bash",
            "coreutils",
            "dash",
            "debianutils",
            "diffutils",
            "findutils",
            "grep",
            "gzip",
            "hostname",
            "libc-bin",
            "mawk",
            "sed",
            "tar",
            "util-linux",
        ],
    ),
    (
        "fetching kernel sources",
        &[
            "apt",
            "ca-certificates",
            "debian-archive-keyring",
            "xz-utils",
        ],
    ),
    (
        "the Rust half",
        &[
            "bindgen",
            "cargo",
            "rust-clippy",
            "rust-src",
            "rustc",
            "rustfmt",
        ],
    ),
    ("the C half, by clang", &["clang", "lld", "llvm"]),
    (
        "the C half, by gcc; programs of the kernel's build",
        &["gcc", "libc6-dev"],
    ),
    (
        "the kernel's build",
        &[
            "bc",
            "bison",
            "cpio",
            "flex",
            "kmod",
            "libdw-dev",
            "libelf-dev",
            "libssl-dev",
            "make",
            "openssl",
            "pahole",
            "patch",
            "perl",
            "python3-minimal",
        ],
    ),
    (
        "the machine and its guest",
        &["busybox-static", Arch::NATIVE.words().qemu_package],
    ),
    ("a developer's desk", &["clangd", "gdb", "rust-analyzer"]),
    ("lints", &["python3-pip", "shellcheck"]),
];

/// What configuring the packages would have made: links (name, target) ...
pub const LINKS: &[(&str, &str)] = &[("usr/bin/awk", "mawk"), ("usr/bin/cc", "gcc")];

/// ... and files over which the host's are mounted.
pub const MOUNT_POINTS: &[&str] = &["etc/hosts", "etc/passwd", "etc/group", "etc/resolv.conf"];

/// The packages' names.
pub fn packages() -> impl Iterator<Item = &'static str> {
    PACKAGES.iter().flat_map(|(_, names)| names.iter().copied())
}
