//! The lab's exit codes.

/// The exit codes that README.md lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A test failed, or the kernel refused the module.
    Failed = 1,
    /// Something is missing or wrong on the host or the command line.
    Host = diagnostic::HOST as isize,
    /// The guest panicked, or its log has a splat.
    Splat = 3,
    /// The guest did not finish in time.
    Timeout = 4,
    /// QEMU itself died.
    Qemu = 5,
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> u8 {
        exit as u8
    }
}
