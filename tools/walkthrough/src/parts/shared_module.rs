//! Part 8: modules that give symbols to others.

use crate::model::Check::{Letter, Line, NoLine, Output};
use crate::model::{guest, step, Part, Step};
use crate::source;

/// Modules that export.
pub const PART: Part = Part {
    number: 8,
    title: "The kernel: a module as a shared library",
    about:
        "A module can give symbols to other modules: it exports them. Whoever uses them needs it \
            loaded first, as a program needs its shared library.",
    sources: &[
        source!("8-shared-module/Kbuild"),
        source!("8-shared-module/word.h"),
        source!("8-shared-module/word.c"),
        source!("8-shared-module/say.rs"),
    ],
    needs: None,
    steps: STEPS,
};

const STEPS: &[Step] = &[
    step("The library, in C.", "cat word.c")
        .look("EXPORT_SYMBOL_GPL: for other modules, if their licence fits."),
    step("The module that uses it, in Rust: how it declares it.", "grep -A2 extern say.rs"),
    step("Kbuild makes both, two modules.", "make -C $KDIR M=$PWD"),
    step("Is the code of word in say.ko?", "nm say.ko | grep -w word")
        .checks(&[Letter("word", 'U')])
        .look("U: no. It is looked up when the module is loaded.")
        .shows("The code of the library is not in the module that uses it"),
    step("Kbuild has noted who gives it.", "modinfo -F depends say.ko")
        .checks(&[Output("word")])
        .look("What ldd says of a program, modinfo says of a module.")
        .shows("modinfo names the module that is needed"),
    guest("Load only the user.", "insmod say.ko || dmesg | grep say:")
        .checks(&[Line(&["say: Unknown symbol word (err -2)"])])
        .look("The kernel refuses it, as the dynamic linker refused the program.")
        .shows("Without the library: Unknown symbol"),
    guest(
        "The library first.",
        "insmod word.ko && insmod say.ko && dmesg | grep say:",
    )
    .checks(&[Line(&["say: hello"]), NoLine("Unknown symbol")])
    .shows("A C library used by Rust runs"),
    guest(
        "modprobe knows the order: depmod has read it out of all modules in /lib/modules.",
        "mkdir -p /lib/modules/$(uname -r) && mv *.ko /lib/modules/$(uname -r) && depmod && modprobe \
         say && lsmod",
    )
    .checks(&[Line(&["say "]), Line(&["word ", "1", "say"])])
    .look("Both are loaded; word is used by one, which is say.")
    .shows("modprobe loads what a module depends on"),
    guest(
        "Can the library be taken away while it is used?",
        "insmod word.ko && insmod say.ko && rmmod word",
    )
    .ends(1)
    .checks(&[Line(&["rmmod", "word", "Resource temporarily unavailable"])])
    .look("No. The kernel counts who uses it.")
    .shows("A library in use cannot be removed"),
    guest(
        "The user first, then the library.",
        "insmod word.ko && insmod say.ko && rmmod say && rmmod word && lsmod",
    )
    .checks(&[NoLine("say"), NoLine("word")])
    .shows("Unused, it can be removed"),
];
