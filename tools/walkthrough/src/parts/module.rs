//! Part 7: what the kernel's build makes of objects.

use crate::model::Check::{Letter, Line, Output};
use crate::model::{guest, step, Part, Step};

/// A module is an object file.
pub const PART: Part = Part {
    number: 7,
    title: "The kernel: a module is an object file",
    about: "hello_rust.ko is made of two objects, as a program of part 2 was, and its helper in C is \
            inside, as the library of part 4 was. But nobody has linked it to its end: that is done \
            by the kernel, when it is loaded.",
    // None of its own: this is hello_rust's folder.
    sources: &[],
    needs: None,
    steps: STEPS,
};

const STEPS: &[Step] = &[
    step(
        "KDIR is the build folder of a kernel. Kbuild compiles both halves and stitches them.",
        "make -C $KDIR M=$PWD",
    ),
    step(
        "Which kinds of files are there now?",
        "readelf -h hello_rust_main.o c_helper.o hello_rust.ko | grep -e File -e Type",
    )
    .called("types")
    .checks(&[Line(&["Type:", "REL"])])
    .look("All three are relocatable: the module, too.")
    .shows("A .ko is an object file, and no program or shared library"),
    step(
        "Rust's half needs a function of C's.",
        "nm hello_rust_main.o | grep -w c_helper_repeat",
    )
    .checks(&[Letter("c_helper_repeat", 'U')])
    .shows("In the object of Rust, C's function is undefined"),
    step(
        "C's half gives it, and the module has it.",
        "nm c_helper.o hello_rust.ko | grep -w c_helper_repeat",
    )
    .checks(&[Letter("c_helper_repeat", 'T')])
    .look("T in both: ld has put the objects into one, as ar and the linker did in user space.")
    .shows("In the module, both halves are together"),
    step(
        "So it needs no other module.",
        "modinfo -F depends hello_rust.ko",
    )
    .checks(&[Output("")])
    .look("Nothing: the helper is inside, as with a static library.")
    .shows("Static: the module depends on no other"),
    step(
        "What is still missing in it?",
        "nm -u hello_rust.ko | grep -w _printk",
    )
    .checks(&[Letter("_printk", 'U')])
    .look("What the kernel gives. There is no libc here, and nothing that could link it now.")
    .shows("What the kernel gives is still undefined in the .ko"),
    step(
        "The call to C is still a hole with a note, even inside of one file.",
        "readelf -rW hello_rust.ko | grep -w c_helper_repeat",
    )
    .checks(&[Line(&["R_X86_64_PLT32", "c_helper_repeat"])])
    .shows("Relocations are still to be done in the .ko"),
    guest(
        "Load it, and ask the kernel where the function is now.",
        "insmod hello_rust.ko && grep -w c_helper_repeat /proc/kallsyms",
    )
    .checks(&[Line(&["c_helper_repeat", "[hello_rust]"])])
    .look(
        "An address: the kernel's module loader has given the module a place and filled the holes.",
    )
    .shows("The kernel's module loader is the dynamic linker"),
    guest(
        "And it runs.",
        "insmod hello_rust.ko && dmesg | grep hello,",
    )
    .checks(&[Line(&["hello_rust: Rust, called by C: hello, world!"])])
    .shows("Both halves run as one module"),
];
