//! Part 4: code that is copied into the program.

use crate::model::Check::{Letter, Line, NoLine, Output};
use crate::model::{claim, run, same, Part, Step};
use crate::parts::HELLO_AND_MAIN;

/// Static libraries.
pub const PART: Part = Part {
    number: 4,
    title: "Static libraries",
    breaks:
        "`ldd` calls a static program \"not a dynamic executable\", but says the same of an object file (4.5).",
    about:
        "A static library is an archive of object files. The linker copies those that are needed \
            into the program; after that the archive is no longer needed.",
    sources: HELLO_AND_MAIN,
    requires: None,
    steps: STEPS,
    closing: "a static library is copied at link time; only `-static` applies this to all libraries.",
};

const STEPS: &[Step] = &[
    claim("A static library is an archive of objects")
        .intro("`ar` only packs them; no linker is called.")
        .commands(&[
            run("$CC -c hello.c && $AR rcs libhello.a hello.o"),
            run("$AR t libhello.a").checks(&[Output("hello.o")]),
        ]),
    claim("Linked with it, the program runs by itself: the code is inside")
        .intro("The same `-lhello` as in part 3.")
        .commands(&[
            run("$LINK main.c -L. -lhello -o main && ./main").checks(&[Output("hello from C")]),
            same("$RUSTLINK main.rs -L. -l static=hello -o main_rs && ./main_rs"),
            run("$NM main | grep -w hello").checks(&[Letter("hello", 'T')]),
            run("$NM main_rs | grep -w hello").checks(&[Letter("hello", 'T')]),
        ]),
    claim("ldd no longer lists libhello, but still lists the C library")
        .intro(
            "One static library does not make a static program. Rust's own standard library is not \
             listed either: rustc links it statically.",
        )
        .commands(&[
            run("ldd main | grep '=>'").checks(&[Line(&["libc.so.6"]), NoLine("libhello")]),
            run("ldd main_rs | grep '=>'").checks(&[
                Line(&["libc.so.6"]),
                NoLine("libhello"),
                NoLine("libstd"),
            ]),
        ]),
    claim("A fully static program runs, and is of type EXEC")
        .intro("`-static` uses archives only, for the C library too. EXEC: at fixed addresses.")
        .commands(&[
            run("$LINK -static main.c -L. -lhello -o static_c && ./static_c")
                .checks(&[Output("hello from C")]),
            same(
                "$RUSTLINK -C target-feature=+crt-static -C relocation-model=static main.rs -L. -l \
                 static=hello -o static_rs && ./static_rs",
            ),
            run("$READELF -h static_c | grep Type").checks(&[Line(&["Type:", "EXEC"])]),
            same("$READELF -h static_rs | grep Type"),
        ]),
    claim("\"not a dynamic executable\" means a fully static program, or not a program at all")
        .intro(
            "ldd's answer does not prove a static program: hello.o gets it too. The proof is that \
             the program runs, and requests no interpreter, which is the dynamic linker.",
        )
        .commands(&[
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
        ]),
    claim("A C program uses a staticlib like any archive")
        .intro("libgcc_s may be listed: Rust's library inside the archive asks for it.")
        .commands(&[
            run("$RUSTC --edition=2021 --crate-type=staticlib hello.rs -o libhello_rs.a"),
            run("$LINK main.c -L. -lhello_rs -o main && ./main")
                .checks(&[Output("hello from Rust")]),
            run("$NM main | grep -w hello").checks(&[Letter("hello", 'T')]),
            run("ldd main | grep '=>'").checks(&[Line(&["libc.so.6"]), NoLine("libhello")]),
        ]),
];
