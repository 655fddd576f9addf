//! Part 4: code that is copied into the program.

use crate::model::Check::{Letter, Line, NoLine, Output};
use crate::model::{step, Part, Step};
use crate::source;

/// Static libraries.
pub const PART: Part = Part {
    number: 4,
    title: "Static libraries",
    about:
        "A static library is an archive of object files. The linker takes those that are needed \
         out of it and copies them into the program; the archive has then done its duty.",
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
        "ar puts objects into an archive.",
        "$CC -c hello.c && $AR rcs libhello.a hello.o",
    ),
    step("What is in it?", "$AR t libhello.a")
        .checks(&[Output("hello.o")])
        .look("The object, and nothing but an index around it. No linker was called.")
        .shows("C: a static library is an archive of objects"),
    step(
        "The same -L. -lhello as before.",
        "$LINK main.c -L. -lhello -o main && ./main",
    )
    .checks(&[Output("hello from C")])
    .look("It starts without LD_LIBRARY_PATH.")
    .shows("C: linked with a static library, the program runs by itself"),
    step("Is the code in the program?", "$NM main | grep -w hello")
        .checks(&[Letter("hello", 'T')])
        .look("T, with an address: it was copied.")
        .shows("C: the code is inside"),
    step("Which libraries does it still load?", "ldd main")
        .checks(&[Line(&["libc.so.6"]), NoLine("libhello")])
        .look(
            "libhello is not named any more. But the C library is: this is still a dynamic \
             executable.",
        )
        .shows("C: ldd no longer names libhello, but the C library"),
    step(
        "-static: all libraries as archives, the C library, too.",
        "$LINK -static main.c -L. -lhello -o main_static && ./main_static",
    )
    .checks(&[Output("hello from C")])
    .shows("C: a fully static program runs"),
    step("And what does ldd say now?", "ldd main_static")
        .ends(1)
        .checks(&[Line(&["not a dynamic executable"])])
        .look("Only now. One static library does not make a static program.")
        .shows("C: \"not a dynamic executable\" holds for a fully static link only"),
    step("Its kind of file?", "$READELF -h main_static | grep Type")
        .checks(&[Line(&["Type:", "EXEC"])])
        .look("EXEC: with fixed addresses, as nobody has to place it.")
        .shows("C: the fully static program is of type EXEC"),
    step(
        "A Rust program with the C archive.",
        "$RUSTLINK main.rs -L. -l static=hello -o main_rs && ./main_rs",
    )
    .checks(&[Output("hello from C")])
    .shows("Rust: linked with C's static library, it runs by itself"),
    step("Is C's code in it?", "$NM main_rs | grep -w hello")
        .checks(&[Letter("hello", 'T')])
        .shows("Rust: C's code is inside"),
    step("What does it load?", "ldd main_rs")
        .checks(&[Line(&["libc.so.6"]), NoLine("libhello"), NoLine("libstd")])
        .look("Rust's own standard library is not named: rustc links it statically.")
        .shows("Rust: ldd names neither libhello nor Rust's library, but C's"),
    step(
        "And a fully static Rust program? It takes two options.",
        "$RUSTLINK -C target-feature=+crt-static -C relocation-model=static main.rs -L. -l \
         static=hello -o main_static && ./main_static",
    )
    .checks(&[Output("hello from C")])
    .shows("Rust: a fully static program runs"),
    step("What does ldd say of it?", "ldd main_static")
        .ends(1)
        .checks(&[Line(&["not a dynamic executable"])])
        .look(
            "Without the second option it can be loaded anywhere, and ldd says \"statically \
             linked\".",
        )
        .shows("Rust: \"not a dynamic executable\" holds for a fully static link only"),
    step(
        "Now an archive by rustc: staticlib.",
        "rm libhello.a && $RUSTC --edition=2021 --crate-type=staticlib hello.rs",
    ),
    step(
        "C's main with it: the same command again.",
        "$LINK main.c -L. -lhello -o main && ./main",
    )
    .checks(&[Output("hello from Rust")])
    .shows("Rust: a staticlib used by C runs"),
    step("Is Rust's code in the program?", "$NM main | grep -w hello")
        .checks(&[Letter("hello", 'T')])
        .shows("Rust: the code of the staticlib is inside"),
    step("And ldd?", "ldd main")
        .checks(&[Line(&["libc.so.6"]), NoLine("libhello")])
        .look("No libhello. libgcc_s may be there: Rust's library inside the archive asks for it.")
        .shows("Rust: ldd does not name the staticlib"),
];
