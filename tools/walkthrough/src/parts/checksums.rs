//! Part 10: how the kernel rejects a module built for another interface of its library.

use crate::model::Check::{Line, NoLine, NotAs, SameAs};
use crate::model::{claim, guest, run, Part, Step};
use crate::parts::WORD_AND_SAY;

/// Checksums of interfaces.
pub const PART: Part = Part {
    number: 10,
    title: "The kernel: a library with another interface",
    breaks: "the library's function has another type, and the kernel refuses its user (10.3).",
    about:
        "Linkers and loaders look up names. With CONFIG_MODVERSIONS, the kernel also compares a \
            checksum of the type behind the name. For Rust this has worked since Linux \
            6.14, through gendwarfksyms, which reads the types from debug information.",
    sources: WORD_AND_SAY,
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
    claim("The user records the checksum of the interface it was built for")
        .intro("The modules are those of part 8.")
        .commands(&[
            run("make -s -C $KDIR M=$PWD"),
            run(CHECKSUM).named("library"),
            run("modprobe --dump-modversions ./say.ko | grep -w word | cut -f1")
                .checks(&[SameAs("library")]),
        ]),
    claim("The checksum is of the interface, not of the code")
        .intro(
            "First the function returns another word; then it gets another type. Only the library \
             is rebuilt.",
        )
        .commands(&[
            run("sed -i s/hello/goodbye/ word.h && make -s -C $KDIR M=$PWD word.ko"),
            run(CHECKSUM).checks(&[SameAs("library")]),
            run("sed -i 's/(void)/(int times)/' word.h word.c && make -s -C $KDIR M=$PWD word.ko"),
            run(CHECKSUM).checks(&[NotAs("library")]),
        ]),
    claim("A library with another interface: its user is refused")
        .intro(
            "Without CONFIG_MODVERSIONS, the kernel would have loaded it, and `say` would have \
             called a function of another type.",
        )
        .commands(&[guest(LOAD).checks(&[
            Line(&["say: disagrees about version of symbol word"]),
            Line(&["say: Unknown symbol word (err -22)"]),
            NoLine("say: goodbye"),
        ])]),
    claim("Rebuilt, the user loads, whatever it declares")
        .intro(
            "It loads, although its own declaration is still the old one: the checksum is taken \
             from the library alone. Only a check like the one in part 6, or the border in \
             hello_rust's build, compares what Rust declares.",
        )
        .commands(&[
            run("make -s -C $KDIR M=$PWD"),
            guest(LOAD).checks(&[Line(&["say: goodbye"]), NoLine("disagrees")]),
        ]),
];
