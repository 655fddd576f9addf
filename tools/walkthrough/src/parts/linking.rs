//! Part 2: a program of several objects.

use crate::model::Check::{Letter, Line, Output, Undefined};
use crate::model::{step, Part, Step};
use crate::source;

/// Linking.
pub const PART: Part = Part {
    number: 2,
    title: "Linking",
    about: "The linker puts object files together: it gives each a place, looks up for every name \
            that one needs who gives it, and fills the holes. It compares names, and nothing \
            else; so C and Rust can be on either side.",
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
        "A main in C. It only declares hello: who defines it is not said.",
        "cat main.c",
    ),
    step("Two sources, two objects.", "$CC -c main.c hello.c"),
    step("What does main.o need?", "$NM -g main.o")
        .checks(&[Letter("main", 'T'), Letter("hello", 'U')])
        .look("hello is undefined here, and hello.o defines it: they fit.")
        .shows("C: main.o needs what hello.o gives"),
    step(
        "Link them, and run the program.",
        "$LINK main.o hello.o -o main && ./main",
    )
    .checks(&[Output("hello from C")])
    .shows("C: the two objects make a program that runs"),
    step(
        "What kind of file is that?",
        "$READELF -h main | grep -e Type -e Entry",
    )
    .checks(&[Line(&["Type:", "DYN"])])
    .look(
        "DYN: no longer an object file. It can be loaded anywhere as a whole (PIE); without that, \
         it would be EXEC. It has an entry point, where it starts.",
    )
    .shows("C: it is another kind of file than its objects"),
    step(
        "The compiler's driver did not link it by itself. -v makes it tell whom it calls.",
        "$LINK -v main.o hello.o -o main 2>&1 | grep $LINKER",
    )
    .checks(&[Line(&["$LINKER", "crt1.o", "main.o hello.o", "-lc"])])
    .look(
        "The linker gets both objects; the driver adds crt1.o, which calls main, and -lc, the C \
         library. (gcc calls ld through collect2.)",
    )
    .shows("C: the compiler's driver calls the linker"),
    step("Now leave one object out.", "$LINK main.o -o main")
        .ends(1)
        .checks(&[Undefined("hello")])
        .look("It was compiled without complaint. Only the linker sees that a name is missing.")
        .shows("C: without hello.o: undefined reference"),
    step("The same main in Rust.", "cat main.rs")
        .look("The extern block is Rust's way to declare it."),
    step(
        "Rust's main with C's hello.o.",
        "$RUSTLINK main.rs -C link-arg=hello.o -o main && ./main",
    )
    .checks(&[Output("hello from C")])
    .shows("Rust: a Rust main and a C object make a program"),
    step(
        "Who links here? rustc tells whom it calls, too.",
        "$RUSTLINK --print link-args main.rs -C link-arg=hello.o",
    )
    .checks(&[Line(&["\"$CC\"", "\"hello.o\""])])
    .look("The driver of the C compiler, which calls the linker as before.")
    .shows("Rust: rustc calls the C compiler's driver to link"),
    step(
        "Without hello.o, does rustc notice?",
        "$RUSTLINK main.rs -o main 2>&1 | grep undefined",
    )
    .checks(&[Undefined("hello")])
    .look("No: rustc believed the declaration, and again the linker says it.")
    .shows("Rust: without hello.o: undefined reference"),
    step(
        "The other way round: hello by rustc…",
        "$RUSTC -O --edition=2021 --crate-type=lib --emit=obj hello.rs -o hello_rs.o",
    ),
    step(
        "…and C's main.",
        "$LINK main.o hello_rs.o -o main && ./main",
    )
    .checks(&[Output("hello from Rust")])
    .look("main.o was made before, when only C was there. It fits all the same.")
    .shows("Rust: a C main and a Rust object make a program"),
];
