//! Part 3: code that is loaded when the program starts.

use crate::model::Check::{Letter, Line, Output};
use crate::model::{claim, run, same, Check, Part, Step};
use crate::parts::HELLO_AND_MAIN;

/// Shared libraries.
pub const PART: Part = Part {
    number: 3,
    title: "Shared libraries",
    breaks: "a program that linked without errors does not start (3.4).",
    about: "A shared library stays outside the program, which contains only its name. The dynamic \
            linker finds and loads it at each start, at an address not known before: its code must \
            run anywhere.",
    sources: HELLO_AND_MAIN,
    requires: None,
    steps: STEPS,
    closing: "a shared library is found by name, at each start; the program only imports from it.",
};

/// The linker rejects code that is not position-independent.
const NOT_PIC: &[Check] = &[Line(&["relocation R_X86_64_", "recompile with -fPIC"])];

const NOT_FOUND: &[Check] = &[Line(&[
    "error while loading shared libraries",
    "libhello.so",
])];

const STEPS: &[Step] = &[
    claim("Code with fixed addresses cannot become a shared library")
        .intro("An absolute address in 32 bits cannot be filled in before the library is loaded.")
        .commands(&[
            run("$CC -fno-pic -c hello.c -o fixed_c.o"),
            run(
                "$RUSTC -O --edition=2021 --crate-type=lib --emit=obj -C relocation-model=static \
                 hello.rs -o fixed_rs.o",
            ),
            run("$LINK -shared fixed_c.o -o libfixed.so")
                .exits(1)
                .checks(NOT_PIC),
            run("$LINK -shared fixed_rs.o -o libfixed.so 2>&1 | grep recompile").checks(NOT_PIC),
        ]),
    claim("hello.o links without `-fPIC`, but a library in general needs it")
        .intro(
            "The article that this project grew out of says that a shared library needs -fPIC. Not always: by \
             default, compilers make position-independent code, if only for programs, and part 1's \
             hello.o links as it is. An object with a global variable does not.",
        )
        .commands(&[
            run("$CC -c hello.c && $LINK -shared hello.o -o libhello.so"),
            run("$READELF -h libhello.so | grep Type").checks(&[Line(&["Type:", "DYN"])]),
            run(
                "echo 'int calls; int count(void) { return ++calls; }' > count.c && $CC -c count.c",
            ),
            run("$LINK -shared count.o -o libcount.so")
                .exits(1)
                .checks(NOT_PIC),
            run("$CC -fPIC -c count.c && $LINK -shared count.o -o libcount.so"),
            run("$NM -D libcount.so | grep calls").checks(&[Letter("calls", 'B')]),
        ])
        .look(
            "A program's global variable is its own. A library's can be overridden by the \
             program's, so the library's code must look up its address; -fPIC makes it do that.",
        ),
    claim("A shared library exports hello, in C and as a cdylib")
        .intro(
            "A `cdylib` is a shared library for C. `nm -D` lists the symbols for the dynamic \
             linker.",
        )
        .commands(&[
            run("$LINK -shared -fPIC hello.c -o libhello.so"),
            run("$RUSTLINK --edition=2021 --crate-type=cdylib hello.rs -o libhello_rs.so"),
            run("$NM -D libhello.so | grep -e hello -e puts")
                .checks(&[Letter("hello", 'T'), Letter("puts", 'U')]),
            run("$NM -D libhello_rs.so | grep -e hello -e puts")
                .checks(&[Letter("hello", 'T'), Letter("puts", 'U')]),
        ]),
    claim("Without the library's folder, the program does not start")
        .intro("-L. -lhello: search `.` too, for libhello.so.")
        .commands(&[
            run("$LINK main.c -L. -lhello -o main"),
            run("$RUSTLINK main.rs -L. -lhello -o main_rs"),
            run("./main").exits(127).checks(NOT_FOUND),
            run("./main_rs").exits(127).checks(NOT_FOUND),
        ])
        .look(
            "The error is the dynamic linker's, before `main`. It searches only the system's \
             folders; -L was for the linker.",
        ),
    claim("With `LD_LIBRARY_PATH` it runs; the library's code is not inside")
        .intro("ldd lists what the dynamic linker loads. U: the program does not contain `hello`.")
        .commands(&[
            run("LD_LIBRARY_PATH=. ./main").checks(&[Output("hello from C")]),
            same("LD_LIBRARY_PATH=. ./main_rs"),
            run("LD_LIBRARY_PATH=. ldd main | grep '=>'")
                .checks(&[Line(&["libhello.so => ./libhello.so"])]),
            run("$NM -D main | grep hello").checks(&[Letter("hello", 'U')]),
            same("$NM -D main_rs | grep hello"),
        ]),
    claim("A C program uses a cdylib like any shared library")
        .intro("Rust's standard library is inside the cdylib, and may load libgcc_s, for panics.")
        .commands(&[
            run("$LINK main.c -L. -lhello_rs -o main && LD_LIBRARY_PATH=. ./main")
                .checks(&[Output("hello from Rust")]),
            run("LD_LIBRARY_PATH=. ldd main | grep '=>'")
                .checks(&[Line(&["libhello_rs.so => ./libhello_rs.so"])]),
        ]),
];
