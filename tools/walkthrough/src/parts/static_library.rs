//! Part 4: code that is copied into the program.

use crate::model::Check::{Letter, Line, NoLine, Output};
use crate::model::{like, run, same, step, Part, Step};
use crate::source;

/// Static libraries.
pub const PART: Part = Part {
    number: 4,
    title: "Static libraries",
    breaks:
        "`ldd` calls a static program \"not a dynamic executable\", but an object file, too (4.5).",
    about:
        "A static library is an archive of object files. The linker copies those that are needed \
            into the program; after that the archive is no longer needed.",
    sources: &[
        source!("1-object-file/hello.c"),
        source!("1-object-file/hello.rs"),
        source!("2-linking/main.c"),
        source!("2-linking/main.rs"),
    ],
    requires: None,
    steps: STEPS,
    closing: "a static library is copied at link time; only `-static` does so to all libraries.",
};

const STEPS: &[Step] = &[
    step(
        "No linker is called.",
        &[
            run("$CC -c hello.c && $AR rcs libhello.a hello.o"),
            run("$AR t libhello.a").checks(&[Output("hello.o")]),
        ],
    )
    .shows("A static library is an archive of objects"),
    step(
        "-lhello, as in part 3.",
        &[
            run("$LINK main.c -L. -lhello -o main && ./main").checks(&[Output("hello from C")]),
            same("$RUSTLINK main.rs -L. -l static=hello -o main_rs && ./main_rs"),
            run("$NM main | grep -w hello").checks(&[Letter("hello", 'T')]),
            like("$NM main_rs | grep -w hello"),
        ],
    )
    .shows("Linked with it, the program runs by itself: the code is inside"),
    step(
        "",
        &[
            run("ldd main | grep '=>'").checks(&[Line(&["libc.so.6"]), NoLine("libhello")]),
            run("ldd main_rs | grep '=>'").checks(&[
                Line(&["libc.so.6"]),
                NoLine("libhello"),
                NoLine("libstd"),
            ]),
        ],
    )
    .look(
        "One static library does not make a static program. Rust's own standard library is not \
         listed either: rustc links it statically.",
    )
    .shows("ldd no longer names libhello, but the C library"),
    step(
        "`-static`: archives only, the C library too.",
        &[
            run("$LINK -static main.c -L. -lhello -o static_c && ./static_c")
                .checks(&[Output("hello from C")]),
            same(
                "$RUSTLINK -C target-feature=+crt-static -C relocation-model=static main.rs -L. -l \
                 static=hello -o static_rs && ./static_rs",
            ),
            run("$READELF -h static_c | grep Type").checks(&[Line(&["Type:", "EXEC"])]),
            same("$READELF -h static_rs | grep Type"),
        ],
    )
    .look("EXEC: with fixed addresses, as no dynamic linker has to move it.")
    .shows("A fully static program runs, and is of type EXEC"),
    step(
        "",
        &[
            run("ldd static_c")
                .exits(1)
                .checks(&[Line(&["not a dynamic executable"])]),
            same("ldd static_rs"),
            same("ldd hello.o"),
            run("$READELF -lW main | grep interpreter")
                .checks(&[Line(&["Requesting program interpreter"])]),
            run("$READELF -lW static_c | grep -c interpreter")
                .exits(1)
                .checks(&[Output("0")]),
        ],
    )
    .look(
        "ldd's answer does not prove a static program: hello.o gets it too. That it runs, and names no \
         interpreter, which is the dynamic linker, does.",
    )
    .shows("\"not a dynamic executable\" means a fully static program, or none at all"),
    step(
        "",
        &[
            run("$RUSTC --edition=2021 --crate-type=staticlib hello.rs -o libhello_rs.a"),
            run("$LINK main.c -L. -lhello_rs -o main && ./main")
                .checks(&[Output("hello from Rust")]),
            run("$NM main | grep -w hello").checks(&[Letter("hello", 'T')]),
            run("ldd main | grep '=>'").checks(&[Line(&["libc.so.6"]), NoLine("libhello")]),
        ],
    )
    .look("libgcc_s may be listed: Rust's library inside the archive asks for it.")
    .shows("A C program uses a staticlib like any archive"),
];
