//! Part 9: what a change of an exporting module does to its users.

use crate::model::Check::{Line, NotAs, SameAs};
use crate::model::{claim, guest, run, Part, Step};
use crate::source;

/// Changing a module.
pub const PART: Part = Part {
    number: 9,
    title: "The kernel: changing a library",
    breaks: "a rebuilt library reaches one module, but not the other (9.2).",
    about: "A module that others use can be replaced, by another version or by one in another \
            language. A module with the same code inside stays as it was built.",
    sources: &[
        source!("9-changing-module/Kbuild"),
        source!("8-shared-module/word.h"),
        source!("8-shared-module/word.c"),
        source!("8-shared-module/say.rs"),
        source!("9-changing-module/say_c.c"),
        source!("9-changing-module/inside_main.rs"),
        source!("9-changing-module/inside_word.c"),
        source!("9-changing-module/word_main.rs"),
        source!("9-changing-module/word_export.c"),
    ],
    requires: None,
    steps: STEPS,
    closing: "modules follow a shared library as programs do, and modpost plays the linker.",
};

/// Loads the modules that print the word.
const LOAD: &str =
    "insmod word.ko; insmod say.ko; insmod inside.ko; dmesg | grep -e say: -e inside:";

const STEPS: &[Step] = &[
    claim("Both modules print the word")
        .intro("`say` uses the library `word`; `inside` contains the same code.")
        .commands(&[
            run("cat Kbuild && make -s -C $KDIR M=$PWD"),
            run("sha256sum say.ko").named("say"),
            run("sha256sum word.ko").named("word"),
            guest(LOAD).checks(&[Line(&["say: hello"]), Line(&["inside: hello"])]),
        ]),
    claim("The same user prints the new word; the module with the code inside, the old one")
        .intro("Only the library is rebuilt.")
        .commands(&[
            run("sed -i s/hello/goodbye/ word.h && make -C $KDIR M=$PWD word.ko"),
            run("sha256sum word.ko").checks(&[NotAs("word")]),
            run("sha256sum say.ko").checks(&[SameAs("say")]),
            guest(LOAD).checks(&[Line(&["say: goodbye"]), Line(&["inside: hello"])]),
        ]),
    claim("Rebuilt, it prints the new word").commands(&[
        run("make -s -C $KDIR M=$PWD"),
        guest(LOAD).checks(&[Line(&["say: goodbye"]), Line(&["inside: goodbye"])]),
    ]),
    claim("A library in Rust serves the same users, in Rust and in C")
        .intro("Only the library's objects in Kbuild change.")
        .commands(&[
            run(
                "echo 'word-y := word_main.o word_export.o' >> Kbuild && make -s -C $KDIR M=$PWD \
                 word.ko",
            ),
            guest("insmod word.ko; insmod say.ko; insmod say_c.ko; dmesg | grep say").checks(&[
                Line(&["say: hello from Rust"]),
                Line(&["say_c: hello from Rust"]),
            ]),
            run("sha256sum say.ko").checks(&[SameAs("say")]),
        ]),
    claim("Without `#[no_mangle]`, modpost finds no definition")
        .intro("modpost looks up every name at build time, as the linker did in part 6.")
        .commands(&[
            run("sed -i /no_mangle/d word_main.rs && make -s -C $KDIR M=$PWD")
                .exits(2)
                // 6.12: "word" [word.ko] undefined! 7.3: 'word' was exported without definition
                .checks(&[Line(&["ERROR: modpost:", "word.ko"])]),
        ]),
];
