//! Part 8: modules that export symbols.

use crate::model::Check::{Letter, Line, NoLine, Output};
use crate::model::{guest, run, step, Part, Step};
use crate::source;

/// Modules that export.
pub const PART: Part = Part {
    number: 8,
    title: "The kernel: a module as a shared library",
    breaks: "a module does not load: Unknown symbol (8.3).",
    about: "A module can export symbols to other modules. It has to be loaded before them, like a \
            program's shared library.",
    sources: &[
        source!("8-shared-module/Kbuild"),
        source!("8-shared-module/word.h"),
        source!("8-shared-module/word.c"),
        source!("8-shared-module/say.rs"),
    ],
    requires: None,
    steps: STEPS,
    closing: "modules are each other's shared libraries; depmod and modprobe find and order them.",
};

const STEPS: &[Step] = &[
    step(
        "The library is in C, its user in Rust. EXPORT_SYMBOL_GPL is for modules with a compatible \
         licence.",
        &[
            run("sed -n /char/,/EXPORT/p word.c"),
            run("grep -A2 extern say.rs"),
            run("make -s -C $KDIR M=$PWD"),
            run("nm say.ko | grep -w word").checks(&[Letter("word", 'U')]),
        ],
    )
    .shows("The code of the library is not in the module that uses it"),
    step(
        "As ldd does for a program.",
        &[run("modinfo -F depends say.ko").checks(&[Output("word")])],
    )
    .shows("modinfo names the module that it depends on"),
    step(
        "",
        &[guest("insmod say.ko || dmesg | grep say:")
            .checks(&[Line(&["say: Unknown symbol word (err -2)"])])],
    )
    .shows("Without the library: Unknown symbol"),
    step(
        "",
        &[
            guest("insmod word.ko && insmod say.ko && dmesg | grep say:")
                .checks(&[Line(&["say: hello"]), NoLine("Unknown symbol")]),
        ],
    )
    .shows("With the library loaded first, Rust uses it"),
    step(
        "depmod finds the dependencies of all modules in /lib/modules.",
        &[guest(
            "mkdir -p /lib/modules/$(uname -r) && mv *.ko /lib/modules/$(uname -r) && depmod && \
             modprobe say && lsmod",
        )
        .checks(&[Line(&["say "]), Line(&["word ", "1", "say"])])],
    )
    .shows("modprobe loads what a module depends on"),
    step(
        "The kernel counts its users.",
        &[
            guest("insmod word.ko && insmod say.ko && rmmod word")
                .exits(1)
                .checks(&[Line(&["rmmod", "word", "Resource temporarily unavailable"])]),
            guest("insmod word.ko && insmod say.ko && rmmod say && rmmod word && lsmod")
                .checks(&[NoLine("say"), NoLine("word")]),
        ],
    )
    .shows("A library can be removed only while it is unused"),
];
