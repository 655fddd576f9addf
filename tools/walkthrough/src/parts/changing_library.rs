//! Part 5: what a change of the library does to the programs.

use crate::model::Check::{NotAs, Output, SameAs};
use crate::model::{claim, run, same, Part, Step};
use crate::parts::HELLO_AND_MAIN;

/// Changing a library.
pub const PART: Part = Part {
    number: 5,
    title: "Changing a library",
    breaks: "the library is rebuilt, and half of the programs ignore it (5.3).",
    about: "A program keeps a static library as it was at link time. A shared one can be \
            replaced at any time, by another version or by one in another language, without touching \
            the program.",
    sources: HELLO_AND_MAIN,
    requires: None,
    steps: STEPS,
    closing: "all programs follow a shared library; with a static one, each has to be linked again.",
};

const STEPS: &[Step] = &[
    claim("All programs print what the library prints")
        .intro("Two programs load the library, and two have it inside.")
        .commands(&[
            run("$LINK -shared -fPIC hello.c -o libhello.so"),
            run("$CC -c hello.c && $AR rcs libhello.a hello.o"),
            run("$LINK main.c -L. -lhello -o main_c"),
            run("$RUSTLINK main.rs -L. -lhello -o main_rs"),
            run("$LINK main.c libhello.a -o inside_c"),
            run("$RUSTLINK main.rs -C link-arg=libhello.a -o inside_rs"),
            run("export LD_LIBRARY_PATH=.; ./main_c; ./main_rs")
                .checks(&[Output("hello from C\nhello from C")]),
            same("./inside_c; ./inside_rs"),
            run("sha256sum main_c main_rs").named("main"),
            run("sha256sum inside_c inside_rs").named("inside"),
            run("sha256sum libhello.so").named("library"),
        ]),
    claim("The shared library changed")
        .intro("Both kinds are rebuilt, but no program.")
        .commands(&[
            run("sed -i 's/hello from/goodbye from/' hello.c"),
            run("$LINK -shared -fPIC hello.c -o libhello.so"),
            run("$CC -c hello.c && $AR rcs libhello.a hello.o"),
            run("sha256sum libhello.so").checks(&[NotAs("library")]),
        ]),
    claim(
        "Programs that load the library print the new words; those that contain it, the old ones",
    )
    .commands(&[
        run("export LD_LIBRARY_PATH=.; ./main_c; ./main_rs")
            .checks(&[Output("goodbye from C\ngoodbye from C")]),
        run("sha256sum main_c main_rs").checks(&[SameAs("main")]),
        run("./inside_c; ./inside_rs").checks(&[Output("hello from C\nhello from C")]),
    ]),
    claim("Linked again, those print the new words, and are different files").commands(&[
        run("$LINK main.c libhello.a -o inside_c && ./inside_c")
            .checks(&[Output("goodbye from C")]),
        same("$RUSTLINK main.rs -C link-arg=libhello.a -o inside_rs && ./inside_rs"),
        run("sha256sum inside_c inside_rs").checks(&[NotAs("inside")]),
    ]),
    claim("The same programs run with a Rust library of the same name")
        .intro(
            "The programs import `hello`, with C's calling convention. The language that defines \
             it does not matter.",
        )
        .commands(&[
            run("rm libhello.so && $RUSTLINK --edition=2021 --crate-type=cdylib hello.rs"),
            run("export LD_LIBRARY_PATH=.; ./main_c; ./main_rs")
                .checks(&[Output("hello from Rust\nhello from Rust")]),
            run("sha256sum main_c main_rs").checks(&[SameAs("main")]),
        ]),
];
