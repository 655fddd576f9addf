//! What the fuzz targets share.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of the stack on which a signal is handled.
const HANDLERS_STACK: usize = 64 * 1024;

/// Makes an input that needs too much of the stack a finding, as any other that fails: libFuzzer saves the
/// input in its signal handlers, which need some stack themselves.
pub fn report_stack_overflow() {
    extern "C" fn fail(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // libFuzzer handles SIGABRT.
        std::process::abort()
    }
    let memory: &'static mut [u8] = Box::leak(Box::new([0; HANDLERS_STACK]));
    let stack = libc::stack_t {
        ss_sp: memory.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: memory.len(),
    };
    // SAFETY: zeros are a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = fail as extern "C" fn(_, _, _) as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: nothing else uses the stack, and the handler only ends the process.
    let failed = unsafe {
        libc::sigaltstack(&stack, std::ptr::null_mut())
            | libc::sigaction(libc::SIGSEGV, &action, std::ptr::null_mut())
    };
    assert_eq!(failed, 0, "no stack for signals");
}

/// What stands alone in a line between the parts of an input.
const BETWEEN: &str = "%%%%\n";

/// The parts of an input, with empty ones for those that are missing.
pub fn parts<const N: usize>(input: &str) -> [&str; N] {
    let mut parts = input.splitn(N, BETWEEN);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A folder in memory, for programs that read files. It has the process's number, so that the next run
/// finds no files of others.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it.
    pub fn new(target: &str) -> Self {
        let path = PathBuf::from(format!("/dev/shm/fuzz-{target}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder in memory");
        Folder(path)
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("written to memory");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An object that is well, which `fuzz/run.sh` has compiled from tools/stitch/tests/objects.
pub fn object(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("FUZZ_OBJECTS").expect("FUZZ_OBJECTS, as fuzz/run.sh sets it");
    let file = Path::new(&folder).join(name);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
