//! Part 8: modules that export symbols.

use crate::model::Check::{Letter, Line, NoLine, Output};
use crate::model::{claim, guest, run, Part, Step};
use crate::parts::WORD_AND_SAY;

/// Modules that export.
pub const PART: Part = Part {
    number: 8,
    title: "The kernel: a module as a shared library",
    breaks: "a module does not load: Unknown symbol (8.3).",
    about: "A module can export symbols to other modules. It has to be loaded before them, like a \
            program's shared library.",
    sources: WORD_AND_SAY,
    requires: None,
    steps: STEPS,
    closing: "modules are each other's shared libraries; depmod and modprobe find and order them.",
};

const STEPS: &[Step] = &[
    claim("The code of the library is not in the module that uses it")
        .intro(
            "The library is in C, its user in Rust. EXPORT_SYMBOL_GPL is for modules with a \
             compatible licence.",
        )
        .commands(&[
            run("sed -n /char/,/EXPORT/p word.c"),
            run("grep -A2 extern say.rs"),
            run("make -s -C $KDIR M=$PWD"),
            run("nm say.ko | grep -w word").checks(&[Letter("word", 'U')]),
        ]),
    claim("modinfo names the module that it depends on")
        .intro("As ldd does for a program.")
        .commands(&[run("modinfo -F depends say.ko").checks(&[Output("word")])]),
    claim("Without the library: Unknown symbol")
        .commands(&[guest("insmod say.ko || dmesg | grep say:")
            .checks(&[Line(&["say: Unknown symbol word (err -2)"])])]),
    claim("With the library loaded first, Rust uses it").commands(&[guest(
        "insmod word.ko && insmod say.ko && dmesg | grep say:",
    )
    .checks(&[Line(&["say: hello"]), NoLine("Unknown symbol")])]),
    claim("modprobe loads what a module depends on")
        .intro("depmod finds the dependencies of all modules in /lib/modules.")
        .commands(&[guest(
            "mkdir -p /lib/modules/$(uname -r) && mv *.ko /lib/modules/$(uname -r) && depmod && \
             modprobe say && lsmod",
        )
        .checks(&[Line(&["say "]), Line(&["word ", "1", "say"])])]),
    claim("A library can be removed only while it is unused")
        .intro("The kernel counts its users.")
        .commands(&[
            guest("insmod word.ko && insmod say.ko && rmmod word")
                .exits(1)
                .checks(&[Line(&["rmmod", "word", "Resource temporarily unavailable"])]),
            guest("insmod word.ko && insmod say.ko && rmmod say && rmmod word && lsmod")
                .checks(&[NoLine("say"), NoLine("word")]),
        ]),
];
