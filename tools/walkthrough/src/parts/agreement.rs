//! Part 6: what both sides have to agree about.

use crate::model::Check::{Line, NoLine, Output, Silent, Undefined};
use crate::model::{step, Part, Step};
use crate::source;

/// Agreement.
pub const PART: Part = Part {
    number: 6,
    title: "Agreement",
    about: "Two things must be equal on both sides: the name, which the linker compares, and the \
            types and the way of calling, which nobody compares. Who declares a function wrongly \
            gets nonsense; unless somebody looks at the finished objects.",
    sources: &[
        source!("1-object-file/hello.rs"),
        source!("2-linking/main.c"),
        source!("6-agreement/minus.c"),
        source!("6-agreement/wrong.c"),
        source!("6-agreement/wrong.rs"),
    ],
    needs: None,
    steps: STEPS,
};

const STEPS: &[Step] = &[
    step(
        "The name first. Take #[no_mangle] out of hello.rs, and compile it.",
        "sed -i '/no_mangle/d' hello.rs && $RUSTC -O --edition=2021 --crate-type=lib --emit=obj \
         hello.rs",
    ),
    step("Which name does it give now?", "$NM -g hello.o")
        .checks(&[Line(&["T _", "5hello5hello"]), NoLine("T hello")])
        .look(
            "A mangled name: the crate hello, in it the function hello, and a hash; each name \
             with its length. So two crates can have functions of the same name.",
        )
        .shows("Without #[no_mangle] the symbol has another, mangled name"),
    step("-C: nm can read it to us.", "$NM -g -C hello.o")
        .checks(&[Line(&["T hello::hello"])])
        .shows("nm -C shows it as Rust would write it"),
    step(
        "C's main asks for hello.",
        "$CC -c main.c && $LINK main.o hello.o -o main",
    )
    .ends(1)
    .checks(&[Undefined("hello")])
    .look("Nobody gives that name, and the linker says so: an error that is seen.")
    .shows("Without #[no_mangle]: undefined reference"),
    step("Now the types. A function in C…", "cat minus.c"),
    step(
        "…and a C program that declares it wrongly: unsigned int is not what it returns.",
        "cat wrong.c",
    ),
    step(
        "Does anybody complain?",
        "$CC -g -Wall -Wextra -c minus.c wrong.c && $LINK minus.o wrong.o -o wrong",
    )
    .checks(&[Silent])
    .look(
        "Not a word. Each source is right by itself, and the linker sees only that both say \
         minus.",
    )
    .shows("C: a wrong declaration links without a word"),
    step("What does it compute?", "./wrong")
        .checks(&[Output("2 - 5 = 4294967293")])
        .look(
            "The 32 bits are those of -3, as minus meant them; the caller took them for an \
             unsigned number.",
        )
        .shows("C: and computes nonsense"),
    step("The same mistake in Rust.", "cat wrong.rs"),
    step(
        "Does rustc complain?",
        "$RUSTLINK -g wrong.rs -C link-arg=minus.o -o wrong",
    )
    .checks(&[Silent])
    .look("No. The unsafe block says: whoever wrote this vouches for the declaration.")
    .shows("Rust: a wrong declaration links without a word"),
    step("And what does it compute?", "./wrong")
        .checks(&[Output("2 - 5 = 4294967293")])
        .shows("Rust: and computes nonsense"),
    step(
        "The objects are still there, and stitch, of this project, compares both sides. rustc leaves \
         no trace of a declaration in an object: stitch has to ask it, as it was called.",
        "$RUSTC -g --emit=obj wrong.rs",
    ),
    step(
        "Kbuild leaves a note of that beside each object; here we write it.",
        "printf 'savedcmd_wrong.o := rustc wrong.rs\\nsource_wrong.o := wrong.rs\\n' > .wrong.o.cmd",
    ),
    step(
        "So: C's debug information, and what rustc says of Rust's declaration. The machine passes 32 \
         bits in either case; --strict asks for the same meaning, too.",
        "stitch check --strict --probe --rustc $RUSTC minus.o wrong.o",
    )
    .ends(1)
    .checks(&[Line(&[
        "the result: 4 bytes signed in C, 4 bytes unsigned in Rust",
    ])])
    .look(
        "They differ, and it exits with status 1: a build can be stopped by that. For the module of \
         this project, the border does so.",
    )
    .shows("Refused by the checks of this project"),
    step(
        "Declare it as it is.",
        "sed -i 's/u32/i32/' wrong.rs && $RUSTC -g --emit=obj wrong.rs",
    ),
    step(
        "And ask again.",
        "stitch check --strict --probe --rustc $RUSTC minus.o wrong.o && echo both are the same",
    )
    .checks(&[Output("both are the same")])
    .shows("The right declaration is accepted by them"),
    step(
        "And it computes.",
        "$RUSTLINK wrong.rs -C link-arg=minus.o -o right && ./right",
    )
    .checks(&[Output("2 - 5 = -3")])
    .shows("Rust: declared rightly, it computes"),
];
