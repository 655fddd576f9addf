//! An object of a module, for stitch: headers, symbols, relocations and debug information.

#![no_main]

use std::cell::LazyCell;
use std::path::PathBuf;

use fuzz::Folder;
use libfuzzer_sys::fuzz_target;

struct Module {
    folder: Folder,
    /// The other halves, which are well: what crosses has two sides.
    others: [PathBuf; 2],
}

thread_local! {
    static MODULE: LazyCell<Module> = LazyCell::new(|| {
        let folder = Folder::new("object");
        let others = ["pair_c.o", "pair_main.o"].map(|name| folder.write(name, fuzz::object(name)));
        Module { folder, others }
    });
}

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    MODULE.with(|module| {
        let Module { folder, others } = &**module;
        let object = folder.write("input.o", input);
        for other in others {
            let objects = [object.clone(), other.clone()];
            let _ = stitch::all_forms(&objects, None, None);
        }
    });
});
