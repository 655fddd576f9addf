//! Part 10: what keeps a module away from a library whose interface is not the one it was built for.

use crate::model::Check::{Line, NoLine, NotAs, SameAs};
use crate::model::{guest, step, Part, Step};
use crate::source;

/// Checksums of interfaces.
pub const PART: Part = Part {
    number: 10,
    title: "The kernel: a library with another interface",
    about: "A linker, a loader, and the kernel look names up. With CONFIG_MODVERSIONS, the kernel \
            also compares a checksum of what the name stands for. For Rust it can do so since \
            Linux 6.14, with gendwarfksyms, which reads types from debug information.",
    sources: &[
        source!("8-shared-module/Kbuild"),
        source!("8-shared-module/word.h"),
        source!("8-shared-module/word.c"),
        source!("8-shared-module/say.rs"),
    ],
    needs: Some("MODVERSIONS"),
    steps: STEPS,
};

/// The checksum that the library has today.
const CHECKSUM: &str = "grep -w word Module.symvers | cut -f1";

/// Loads the library and its user; why not, if not.
const SAY: &str = "insmod word.ko; insmod say.ko; dmesg | grep say:";

const STEPS: &[Step] = &[
    step(
        "The library in C and its user in Rust, as in part 8.",
        "make -C $KDIR M=$PWD",
    ),
    step("The checksum of the library's interface…", CHECKSUM).called("library"),
    step(
        "…and what its user has noted of it.",
        "modprobe --dump-modversions ./say.ko | grep -w word | cut -f1",
    )
    .checks(&[SameAs("library")])
    .shows("The user has the checksum of the interface it was built for"),
    step(
        "Change what the library does.",
        "sed -i s/hello/goodbye/ word.h && make -C $KDIR M=$PWD word.ko",
    ),
    step("Another checksum?", CHECKSUM)
        .checks(&[SameAs("library")])
        .look("No: another word, but a function of the same type.")
        .shows("The checksum is that of the interface, not of the code"),
    step(
        "Now change the function's type, and build the library again; but not its user.",
        "sed -i 's/(void)/(int times)/' word.h word.c && make -C $KDIR M=$PWD word.ko",
    ),
    step("And now?", CHECKSUM)
        .checks(&[NotAs("library")])
        .shows("Another type is another checksum"),
    guest("Load the user of the old type.", SAY)
        .checks(&[
            Line(&["say: disagrees about version of symbol word"]),
            Line(&["say: Unknown symbol word (err -22)"]),
            NoLine("say: goodbye"),
        ])
        .look(
            "The kernel has compared the checksums, and refuses it. Without CONFIG_MODVERSIONS \
             it would have loaded it, and called a function of another type.",
        )
        .shows("A library with another interface: its user is refused"),
    step("Build the user again, unchanged.", "make -C $KDIR M=$PWD"),
    guest("It is loaded…", SAY)
        .checks(&[Line(&["say: goodbye"]), NoLine("disagrees")])
        .look(
            "…though its own declaration is still the old one. The checksum is taken from the \
             library alone: what Rust believes of it is nowhere in it. That is what hello_rust \
             compares, when it is built (part 6).",
        )
        .shows("Built again, the user is loaded, whatever it declares itself"),
];
