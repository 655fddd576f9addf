//! Part 7: what the kernel's build does with objects.

use crate::model::Check::{Letter, Line, Output};
use crate::model::{guest, run, step, Part, Step};

/// A module is an object file.
pub const PART: Part = Part {
    number: 7,
    title: "The kernel: a module is an object file",
    breaks: "a finished module turns out to be unfinished: it still has gaps (7.5).",
    about:
        "hello_rust.ko combines two objects, like a program of part 2, and contains its helper in \
            C, like a static library of part 4. But it is not fully linked: the kernel does that \
            when it loads the module. KDIR is the build folder of a kernel.",
    // Its folder is that of hello_rust itself.
    sources: &[],
    requires: None,
    steps: STEPS,
    closing: "a .ko is a relocatable object, and the kernel's module loader is its dynamic linker.",
};

const STEPS: &[Step] = &[
    step(
        "",
        &[
            run("make -C $KDIR M=$PWD clean"),
            run("make -C $KDIR M=$PWD | grep -F [M]").checks(&[
                Line(&["RUSTC [M]", "hello_rust_main.o"]),
                Line(&["CC [M]", "c_helper.o"]),
                Line(&["LD [M]", "hello_rust.o"]),
                Line(&["LD [M]", "hello_rust.ko"]),
            ]),
        ],
    )
    .look(
        "rustc and the C compiler make one object each, and ld combines them: `ld -r`, which leaves \
         the result relocatable. The .mod.o and .module-common.o describe the module.",
    )
    .shows("Kbuild calls rustc, the C compiler and the linker"),
    step(
        "",
        &[
            run("readelf -h hello_rust_main.o c_helper.o hello_rust.ko | grep Type | uniq -c")
                .checks(&[Line(&["3", "Type:", "REL"])]),
        ],
    )
    .shows("A .ko is an object file, neither a program nor a shared library"),
    step(
        "Rust calls it.",
        &[
            run("nm hello_rust_main.o | grep -w c_helper_repeat")
                .checks(&[Letter("c_helper_repeat", 'U')]),
            run("nm hello_rust.ko | grep -w c_helper_repeat")
                .checks(&[Letter("c_helper_repeat", 'T')]),
        ],
    )
    .shows("C's function is undefined in Rust's object, and defined in the module"),
    step(
        "",
        &[
            run("modinfo -F depends hello_rust.ko").checks(&[Output("")]),
            run("nm -u hello_rust.ko | grep -w _printk").checks(&[Letter("_printk", 'U')]),
        ],
    )
    .look("The list is empty, as the helper is inside. `_printk` is the kernel's.")
    .shows("It depends on no other module, and imports from the kernel"),
    step(
        "Even the call between its halves is not filled in.",
        &[
            run("readelf -rW hello_rust.ko | grep -w c_helper_repeat")
                .checks(&[Line(&["R_X86_64_PLT32", "c_helper_repeat"])]),
        ],
    )
    .shows("The .ko still has relocations"),
    step(
        "",
        &[
            guest(
                "insmod hello_rust.ko && grep -w c_helper_repeat /proc/kallsyms && dmesg | grep \
                 hello,",
            )
            .checks(&[
                Line(&["c_helper_repeat", "[hello_rust]"]),
                Line(&["hello_rust: Rust, called by C: hello, world!"]),
            ]),
        ],
    )
    .look("The function has an address now: the module was placed, and its gaps were filled.")
    .shows("The kernel's module loader is the dynamic linker, and both halves run"),
];
