//! What Kbuild writes beside the objects, for stitch: a `.mod`, a `.cmd`, and Module.symvers.

#![no_main]

use std::cell::LazyCell;

use fuzz::Folder;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FOLDER: LazyCell<Folder> = LazyCell::new(|| {
        let folder = Folder::new("kbuild");
        for name in ["pair_c.o", "pair_main.o"] {
            folder.write(name, fuzz::object(name));
        }
        folder
    });
}

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let [list, of_c, of_rust, symvers] = fuzz::parts(&text);
    FOLDER.with(|folder| {
        folder.write(".pair_c.o.cmd", of_c);
        folder.write(".pair_main.o.cmd", of_rust);
        let list = folder.write("pair.mod", list);
        let symvers = folder.write("Module.symvers", symvers);
        let _ = stitch::all_forms(&[list], Some(&symvers), None);
        let objects = ["pair_c.o", "pair_main.o"].map(|name| folder.path(name));
        let _ = stitch::all_forms(&objects, None, None);
    });
});
