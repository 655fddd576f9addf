//! Part 2: a program of several objects.

use crate::model::Check::{Letter, Line, Output, Undefined};
use crate::model::{claim, run, Part, Step};
use crate::parts::HELLO_AND_MAIN;

/// Linking.
pub const PART: Part = Part {
    number: 2,
    title: "Linking",
    breaks: "each source compiles, but with one object left out there is no program (2.5).",
    about: "The linker combines object files: it gives each section an address, finds the definition \
            of each imported name, and fills the gaps. It compares names and nothing else, so either \
            side can be C or Rust.",
    sources: HELLO_AND_MAIN,
    requires: None,
    steps: STEPS,
    closing: "linking means matching names and filling gaps; a compiler only calls the linker.",
};

const STEPS: &[Step] = &[
    claim("main.o imports what hello.o exports")
        .intro("A `main` in C, and one in Rust, only declare `hello`.")
        .commands(&[
            run("grep -e extern -e hello main.c main.rs"),
            run("$CC -c main.c hello.c"),
            run("$RUSTC -O --edition=2021 --crate-type=lib --emit=obj hello.rs -o hello_rs.o"),
            run("$NM -g main.o").checks(&[Letter("main", 'T'), Letter("hello", 'U')]),
            run("$NM -g hello.o | grep hello").checks(&[Letter("hello", 'T')]),
        ]),
    claim("Two objects make a program, whatever their languages")
        .intro("C with C, C with Rust, Rust with C.")
        .commands(&[
            run("$LINK main.o hello.o -o main && ./main").checks(&[Output("hello from C")]),
            run("$LINK main.o hello_rs.o -o main && ./main").checks(&[Output("hello from Rust")]),
            run("$RUSTLINK main.rs -C link-arg=hello.o -o main_rs && ./main_rs")
                .checks(&[Output("hello from C")]),
        ]),
    claim("The program is no longer relocatable, and has an entry point")
        .intro("DYN: position-independent as a whole (PIE); EXEC would be for fixed addresses.")
        .commands(&[run("$READELF -h main | grep -e Type -e Entry")
            .checks(&[Line(&["Type:", "DYN"]), Line(&["Entry point"])])]),
    claim("The compiler's driver calls the linker, with start-up code and the C library")
        .intro(
            "`-Wl,-t`: the linker prints each file that it reads. `-v`: the driver prints how it \
             calls the linker.",
        )
        .commands(&[
            run("$LINK -Wl,-t main.o hello.o -o main | grep -e '[.]o' -e libc.so").checks(&[
                Line(&["Scrt1.o"]),
                Line(&["main.o"]),
                Line(&["hello.o"]),
                Line(&["libc.so"]),
            ]),
            run("$LINK -v main.o hello.o -o main 2>&1 | grep $LINKER").checks(&[Line(&[
                "$LINKER",
                "Scrt1.o",
                "main.o hello.o",
                "-lc",
            ])]),
        ])
        .look(
            "Scrt1.o has the entry point, from where `main` is called; -lc is the C library. (gcc \
             calls ld through collect2.)",
        ),
    claim("Without hello.o: undefined reference")
        .intro("Both compilers believe the declaration; only the linker notices.")
        .commands(&[
            run("$LINK main.o -o main")
                .exits(1)
                .checks(&[Undefined("hello")]),
            run("$RUSTLINK main.rs -o main 2>&1 | grep undefined").checks(&[Undefined("hello")]),
        ]),
    claim("rustc links through the C compiler's driver").commands(&[run(
        "$RUSTLINK --print link-args main.rs -C link-arg=hello.o",
    )
    .checks(&[Line(&["\"$CC\"", "\"hello.o\""])])]),
];
