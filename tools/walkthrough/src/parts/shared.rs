//! Part 3: code that is brought in when the program starts.

use crate::model::Check::{Letter, Line, Output};
use crate::model::{step, Part, Step};
use crate::source;

/// Shared libraries.
pub const PART: Part = Part {
    number: 3,
    title: "Shared libraries",
    about:
        "A shared library stays outside of the program. Only its name is linked in; the dynamic \
         linker finds and loads it each time that the program starts.",
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
        "Nobody knows where a shared library will be in memory, so its code must run anywhere. \
         This object has fixed addresses…",
        "$CC -fno-pic -c hello.c -o fixed.o",
    ),
    step(
        "…so no shared library can be made of it.",
        "$LINK -shared fixed.o -o libfixed.so",
    )
    .ends(1)
    .checks(&[Line(&["relocation R_X86_64_", "recompile with -fPIC"])])
    .look(
        "A hole of fixed size for an absolute address: it cannot be filled before the program \
         runs.",
    )
    .shows("C: only position-independent code makes a shared library"),
    step(
        "With -fPIC it works.",
        "$LINK -shared -fPIC hello.c -o libhello.so",
    ),
    step(
        "Whom does it serve?",
        "$NM -D libhello.so | grep -e hello -e puts",
    )
    .checks(&[Letter("hello", 'T'), Letter("puts", 'U')])
    .look(
        "-D: the names that count when the program runs. hello has a place now, within the \
         library.",
    )
    .shows("C: -fPIC -shared make a library that gives hello"),
    step(
        "-L. -lhello: look here, too, and take libhello.so.",
        "$LINK main.c -L. -lhello -o main",
    ),
    step("The program does not start.", "./main")
        .ends(127)
        .checks(&[Line(&[
            "error while loading shared libraries",
            "libhello.so",
        ])])
        .look(
            "The dynamic linker says this, before main. It looks in the system's folders only; -L \
             was for the linker.",
        )
        .shows("C: without the path the program does not start"),
    step("Tell it where to look, too.", "LD_LIBRARY_PATH=. ./main")
        .checks(&[Output("hello from C")])
        .shows("C: with LD_LIBRARY_PATH it runs"),
    step(
        "Which libraries does it load?",
        "LD_LIBRARY_PATH=. ldd main",
    )
    .checks(&[Line(&["libhello.so => ./libhello.so"])])
    .shows("C: ldd names the library"),
    step("Is the code of hello in the program?", "$NM -D main")
        .checks(&[Letter("hello", 'U')])
        .look("U: no. It is brought in at each start.")
        .shows("C: the code is not in the program"),
    step(
        "A Rust program that uses the same C library.",
        "$RUSTLINK main.rs -L. -lhello -o main_rs",
    ),
    step("It does not start by itself either.", "./main_rs")
        .ends(127)
        .checks(&[Line(&[
            "error while loading shared libraries",
            "libhello.so",
        ])])
        .shows("Rust: without the path the program does not start"),
    step("With the path?", "LD_LIBRARY_PATH=. ./main_rs")
        .checks(&[Output("hello from C")])
        .shows("Rust: a C library used by Rust runs"),
    step("Is the code in it?", "$NM -D main_rs | grep hello")
        .checks(&[Letter("hello", 'U')])
        .shows("Rust: the code of the C library is not in the program"),
    step(
        "Now by rustc. It makes position-independent code unless told otherwise, so tell it.",
        "$RUSTC -O --edition=2021 --crate-type=lib --emit=obj -C relocation-model=static hello.rs \
         -o fixed.o",
    ),
    step(
        "Is that good for a shared library?",
        "$LINK -shared fixed.o -o libfixed.so",
    )
    .ends(1)
    .checks(&[Line(&["relocation R_X86_64_", "recompile with -fPIC"])])
    .look("No; for the same reason as before.")
    .shows("Rust: only position-independent code makes a shared library"),
    step(
        "A shared library for the use of C is a cdylib.",
        "rm libhello.so && $RUSTLINK --edition=2021 --crate-type=cdylib hello.rs",
    ),
    step(
        "Which names does it give?",
        "$NM -D libhello.so | grep -e hello -e puts",
    )
    .checks(&[Letter("hello", 'T'), Letter("puts", 'U')])
    .look("The names of before. rustc chose the name of the file: libhello.so, after hello.rs.")
    .shows("Rust: a cdylib gives hello, as C's library does"),
    step(
        "Link C's main with it, and run it.",
        "$LINK main.c -L. -lhello -o main && LD_LIBRARY_PATH=. ./main",
    )
    .checks(&[Output("hello from Rust")])
    .shows("Rust: a cdylib used by C runs"),
    step("ldd?", "LD_LIBRARY_PATH=. ldd main")
        .checks(&[Line(&["libhello.so => ./libhello.so"])])
        .look(
            "Rust's standard library is inside the cdylib, and it may bring libgcc_s, for panics.",
        )
        .shows("Rust: ldd names the cdylib"),
];
