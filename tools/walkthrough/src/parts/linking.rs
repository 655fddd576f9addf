//! Part 2: a program of several objects.

use crate::model::Check::{Letter, Line, Output, Undefined};
use crate::model::{run, step, Part, Step};
use crate::source;

/// Linking.
pub const PART: Part = Part {
    number: 2,
    title: "Linking",
    breaks: "each source compiles, but with one object left out there is no program (2.5).",
    about: "The linker combines object files: it gives each section an address, finds the definition \
            of each imported name, and fills the gaps. It compares names and nothing else, so either \
            side can be C or Rust.",
    sources: &[
        source!("1-object-file/hello.c"),
        source!("1-object-file/hello.rs"),
        source!("2-linking/main.c"),
        source!("2-linking/main.rs"),
    ],
    requires: None,
    steps: STEPS,
    closing: "linking means matching names and filling gaps; a compiler only calls the linker.",
};

const STEPS: &[Step] = &[
    step(
        "A `main` in C, and one in Rust, only declare `hello`.",
        &[
            run("grep -e extern -e hello main.c main.rs"),
            run("$CC -c main.c hello.c"),
            run("$RUSTC -O --edition=2021 --crate-type=lib --emit=obj hello.rs -o hello_rs.o"),
            run("$NM -g main.o").checks(&[Letter("main", 'T'), Letter("hello", 'U')]),
            run("$NM -g hello.o").checks(&[Letter("hello", 'T')]),
        ],
    )
    .shows("main.o imports what hello.o exports"),
    step(
        "C with C, C with Rust, Rust with C.",
        &[
            run("$LINK main.o hello.o -o main && ./main").checks(&[Output("hello from C")]),
            run("$LINK main.o hello_rs.o -o main && ./main").checks(&[Output("hello from Rust")]),
            run("$RUSTLINK main.rs -C link-arg=hello.o -o main_rs && ./main_rs")
                .checks(&[Output("hello from C")]),
        ],
    )
    .shows("Two objects make a program, whatever their languages"),
    step(
        "What kind of file is it?",
        &[run("$READELF -h main | grep -e Type -e Entry")
            .checks(&[Line(&["Type:", "DYN"]), Line(&["Entry point"])])],
    )
    .look(
        "DYN: no longer relocatable piece by piece, but position-independent as a whole (PIE); with \
         fixed addresses it would be EXEC. Execution begins at the entry point.",
    )
    .shows("The program is no longer relocatable, and has an entry point"),
    step(
        "`-Wl,-t`: the linker prints each file that it reads. `-v`: the driver prints how it calls \
         the linker.",
        &[
            run("$LINK -Wl,-t main.o hello.o -o main | grep -e '[.]o' -e libc.so").checks(&[
                Line(&["Scrt1.o"]),
                Line(&["main.o"]),
                Line(&["hello.o"]),
                Line(&["libc.so"]),
            ]),
            run("$LINK -v main.o hello.o -o main 2>&1 | grep $LINKER")
                .checks(&[Line(&["$LINKER", "Scrt1.o", "main.o hello.o", "-lc"])]),
        ],
    )
    .look(
        "Scrt1.o has the entry point, from where `main` is called; -lc is the C library. (gcc calls \
         ld through collect2.)",
    )
    .shows("The compiler's driver calls the linker, with start-up code and the C library"),
    step(
        "Both compilers believe the declaration; only the linker notices.",
        &[
            run("$LINK main.o -o main")
                .exits(1)
                .checks(&[Undefined("hello")]),
            run("$RUSTLINK main.rs -o main 2>&1 | grep undefined").checks(&[Undefined("hello")]),
        ],
    )
    .shows("Without hello.o: undefined reference"),
    step(
        "",
        &[
            run("$RUSTLINK --print link-args main.rs -C link-arg=hello.o")
                .checks(&[Line(&["\"$CC\"", "\"hello.o\""])]),
        ],
    )
    .shows("rustc links through the C compiler's driver"),
];
