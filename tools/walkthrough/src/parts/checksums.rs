//! Part 10: how the kernel rejects a module built for another interface of its library.

use crate::model::Check::{Line, NoLine, NotAs, SameAs};
use crate::model::{guest, run, step, Part, Step};
use crate::source;

/// Checksums of interfaces.
pub const PART: Part = Part {
    number: 10,
    title: "The kernel: a library with another interface",
    breaks: "the library's function has another type, and the kernel refuses its user (10.3).",
    about:
        "Linkers and loaders look up names. With CONFIG_MODVERSIONS, the kernel also compares a \
            checksum of the type behind the name. For Rust this works since Linux 6.14, by \
            gendwarfksyms, which reads the types from debug information.",
    sources: &[
        source!("8-shared-module/Kbuild"),
        source!("8-shared-module/word.h"),
        source!("8-shared-module/word.c"),
        source!("8-shared-module/say.rs"),
    ],
    requires: Some("MODVERSIONS"),
    steps: STEPS,
    closing:
        "the kernel compares the library's interface then and now, not what its user declares.",
};

/// Prints the library's current checksum.
const CHECKSUM: &str = "grep -w word Module.symvers | cut -f1";

/// Loads the library and its user, and prints the log.
const LOAD: &str = "insmod word.ko; insmod say.ko; dmesg | grep say:";

const STEPS: &[Step] = &[
    step(
        "The modules are those of part 8.",
        &[
            run("make -s -C $KDIR M=$PWD"),
            run(CHECKSUM).named("library"),
            run("modprobe --dump-modversions ./say.ko | grep -w word | cut -f1")
                .checks(&[SameAs("library")]),
        ],
    )
    .shows("The user records the checksum of the interface it was built for"),
    step(
        "First the function returns another word; then it gets another type. Only the library is \
         rebuilt.",
        &[
            run("sed -i s/hello/goodbye/ word.h && make -s -C $KDIR M=$PWD word.ko"),
            run(CHECKSUM).checks(&[SameAs("library")]),
            run("sed -i 's/(void)/(int times)/' word.h word.c && make -s -C $KDIR M=$PWD word.ko"),
            run(CHECKSUM).checks(&[NotAs("library")]),
        ],
    )
    .shows("The checksum is of the interface, not of the code"),
    step(
        "",
        &[guest(LOAD).checks(&[
            Line(&["say: disagrees about version of symbol word"]),
            Line(&["say: Unknown symbol word (err -22)"]),
            NoLine("say: goodbye"),
        ])],
    )
    .look(
        "Without CONFIG_MODVERSIONS, the kernel would have loaded it, and `say` would have called a \
         function of another type.",
    )
    .shows("A library with another interface: its user is refused"),
    step(
        "",
        &[
            run("make -s -C $KDIR M=$PWD"),
            guest(LOAD).checks(&[Line(&["say: goodbye"]), NoLine("disagrees")]),
        ],
    )
    .look(
        "It loads, although its own declaration is still the old one: the checksum is taken from the \
         library alone. What Rust declares is what hello_rust compares, at build time (part 6).",
    )
    .shows("Rebuilt, the user loads, whatever it declares"),
];
