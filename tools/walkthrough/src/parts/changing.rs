//! Part 5: what a change of the library does to the programs.

use crate::model::Check::{NotAs, Output, SameAs};
use crate::model::{step, Part, Step};
use crate::source;

/// Changing a library.
pub const PART: Part = Part {
    number: 5,
    title: "Changing a library",
    about: "The library inside a program stays as it was when it was linked. The one outside can \
            be replaced at any time, by another version or by one in another language, and the \
            program is not touched.",
    sources: &[
        source!("1-object-file/hello.c"),
        source!("1-object-file/hello.rs"),
        source!("2-linking/main.c"),
        source!("2-linking/main.rs"),
    ],
    needs: None,
    steps: STEPS,
};

const STEPS: &[Step] = &[
    step(
        "The library, shared…",
        "$LINK -shared -fPIC hello.c -o libhello.so",
    ),
    step(
        "…and static.",
        "$CC -c hello.c && $AR rcs libhello.a hello.o",
    ),
    step(
        "Two programs that load the shared one, in C…",
        "$LINK main.c -L. -lhello -o main_c",
    ),
    step("…and in Rust.", "$RUSTLINK main.rs -L. -lhello -o main_rs"),
    step(
        "Two that have it inside, in C…",
        "$LINK main.c libhello.a -o inside_c",
    ),
    step(
        "…and in Rust.",
        "$RUSTLINK main.rs -C link-arg=libhello.a -o inside_rs",
    ),
    step(
        "All four say the same.",
        "export LD_LIBRARY_PATH=.; ./main_c; ./main_rs; ./inside_c; ./inside_rs",
    )
    .checks(&[Output(
        "hello from C\nhello from C\nhello from C\nhello from C",
    )])
    .shows("All programs say what the library says"),
    step(
        "Fingerprints of the programs that load it…",
        "sha256sum main_c main_rs",
    )
    .called("main"),
    step(
        "…of those that have it inside…",
        "sha256sum inside_c inside_rs",
    )
    .called("inside"),
    step("…and of the library itself.", "sha256sum libhello.so").called("library"),
    step(
        "Change the source of the library.",
        "sed -i 's/hello from/goodbye from/' hello.c",
    ),
    step(
        "Make it again, shared…",
        "$LINK -shared -fPIC hello.c -o libhello.so",
    ),
    step(
        "…and static. But no program.",
        "$CC -c hello.c && $AR rcs libhello.a hello.o",
    ),
    step("Is it another library now?", "sha256sum libhello.so")
        .checks(&[NotAs("library")])
        .shows("The shared library changed"),
    step(
        "What do the programs say that load it?",
        "export LD_LIBRARY_PATH=.; ./main_c; ./main_rs",
    )
    .checks(&[Output("goodbye from C\ngoodbye from C")])
    .shows("C and Rust: the program with the shared library says the new words"),
    step("Did anybody change them?", "sha256sum main_c main_rs")
        .checks(&[SameAs("main")])
        .look("The fingerprints of before.")
        .shows("C and Rust: it is the same program, byte for byte"),
    step("And those that have it inside?", "./inside_c; ./inside_rs")
        .checks(&[Output("hello from C\nhello from C")])
        .look("They still have the old code, although libhello.a is new.")
        .shows("C and Rust: the program with the static library says the old words"),
    step(
        "They have to be linked again, in C…",
        "$LINK main.c libhello.a -o inside_c && ./inside_c",
    )
    .checks(&[Output("goodbye from C")])
    .shows("C: linked again, it says the new ones"),
    step(
        "…and in Rust.",
        "$RUSTLINK main.rs -C link-arg=libhello.a -o inside_rs && ./inside_rs",
    )
    .checks(&[Output("goodbye from C")])
    .shows("Rust: linked again, it says the new ones"),
    step(
        "By that, they became other programs.",
        "sha256sum inside_c inside_rs",
    )
    .checks(&[NotAs("inside")])
    .shows("C and Rust: but then it is another program"),
    step(
        "Now put a library written in Rust in the place of C's.",
        "rm libhello.so && $RUSTLINK --edition=2021 --crate-type=cdylib hello.rs",
    ),
    step(
        "The programs of before:",
        "export LD_LIBRARY_PATH=.; ./main_c; ./main_rs",
    )
    .checks(&[Output("hello from Rust\nhello from Rust")])
    .shows("C and Rust: it runs with a Rust library behind the same name"),
    step("And still nobody changed them.", "sha256sum main_c main_rs")
        .checks(&[SameAs("main")])
        .look(
            "They need somebody who gives hello, called as C does. Who, is none of their business.",
        )
        .shows("C and Rust: the program cannot tell; it is the same"),
];
