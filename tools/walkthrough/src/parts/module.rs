//! Part 7: what the kernel's build does with objects.

use crate::model::Check::{Letter, Line, Output};
use crate::model::{claim, guest, run, Part, Step};

/// A module is an object file.
pub const PART: Part = Part {
    number: 7,
    title: "The kernel: a module is an object file",
    breaks: "a finished module turns out to be unfinished: it still has gaps (7.5).",
    about:
        "hello_rust.ko combines two objects, like a program of part 2, and contains its C helper as \
            a program contains a static library (part 4). But it is not fully linked: the kernel does that \
            when it loads the module. The sources are hello_rust.rs and \
            c_helper.c; KDIR is the build folder of a kernel.",
    // Its folder is that of hello_rust itself.
    sources: &[],
    requires: None,
    steps: STEPS,
    closing: "a .ko is a relocatable object, and the kernel's module loader is its dynamic linker.",
};

const STEPS: &[Step] = &[
    claim("Kbuild calls rustc, the C compiler and the linker")
        .intro("Two compilers make two objects; `ld -r` combines them into a relocatable one.")
        .commands(&[
            run("make -C $KDIR M=$PWD clean"),
            run("make -C $KDIR M=$PWD | grep -E ' (RUSTC|CC|LD) '").checks(&[
                Line(&["RUSTC [M]", "hello_rust_main.o"]),
                Line(&["CC [M]", "c_helper.o"]),
                Line(&["LD [M]", "hello_rust.o"]),
                Line(&["LD [M]", "hello_rust.ko"]),
            ]),
        ]),
    claim("A .ko is an object file, neither a program nor a shared library").commands(&[run(
        "readelf -h hello_rust_main.o c_helper.o hello_rust.ko | grep Type | uniq -c",
    )
    .checks(&[Line(&["3", "Type:", "REL"])])]),
    claim("C's function is undefined in Rust's object, and defined in the module")
        .intro("Rust calls it.")
        .commands(&[
            run("nm hello_rust_main.o | grep -w c_helper_repeat")
                .checks(&[Letter("c_helper_repeat", 'U')]),
            run("nm hello_rust.ko | grep -w c_helper_repeat")
                .checks(&[Letter("c_helper_repeat", 'T')]),
        ]),
    claim("It depends on no other module, and imports from the kernel")
        .intro("The list is empty, as the helper is inside. `_printk` is the kernel's.")
        .commands(&[
            run("modinfo -F depends hello_rust.ko").checks(&[Output("")]),
            run("nm -u hello_rust.ko | grep -w _printk").checks(&[Letter("_printk", 'U')]),
        ]),
    claim("The .ko still has relocations")
        .intro("Even the call between its halves is not filled in.")
        .commands(&[run("readelf -rW hello_rust.ko | grep -w c_helper_repeat")
            .checks(&[Line(&["R_", "c_helper_repeat"])])]),
    claim("The kernel's module loader is the dynamic linker, and both halves run")
        .intro("The function has an address now: the module was placed, and its gaps were filled.")
        .commands(&[guest(
            "insmod hello_rust.ko && grep -w c_helper_repeat /proc/kallsyms && dmesg | grep \
                 hello,",
        )
        .checks(&[
            Line(&["c_helper_repeat", "[hello_rust]"]),
            Line(&["hello_rust: Rust, called by C: hello, world!"]),
        ])]),
];
