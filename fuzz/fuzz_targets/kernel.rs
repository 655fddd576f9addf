//! A kernel, for stitch: its debug information, or its BTF.

#![no_main]

use std::cell::LazyCell;
use std::path::PathBuf;

use fuzz::Folder;
use libfuzzer_sys::fuzz_target;

struct Module {
    folder: Folder,
    /// Declares functions and data of the kernel.
    rust: PathBuf,
}

thread_local! {
    static MODULE: LazyCell<Module> = LazyCell::new(|| {
        let folder = Folder::new("kernel");
        let rust = folder.write("pair_main.o", fuzz::object("pair_main.o"));
        Module { folder, rust }
    });
}

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    MODULE.with(|module| {
        let Module { folder, rust } = &**module;
        let kernel = folder.write("vmlinux", input);
        let _ = stitch::all_forms(&[rust.clone()], None, Some(&kernel));
    });
});
