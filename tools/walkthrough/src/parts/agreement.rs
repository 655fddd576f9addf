//! Part 6: what both sides have to agree on.

use crate::model::Check::{Letter, Line, NoLine, Output, Silent, Undefined};
use crate::model::{claim, run, same, Part, Step};
use crate::source;

/// Agreement.
pub const PART: Part = Part {
    number: 6,
    title: "Agreement",
    breaks: "without a warning, 2 - 5 becomes 4294967293 (6.3), or -7 (6.4).",
    about: "Both sides must agree on the name, which the linker compares, and on types and calling \
            convention, which it does not. A wrong declaration silently produces garbage, unless the \
            finished objects are compared.",
    sources: &[
        source!("1-object-file/hello.rs"),
        source!("2-linking/main.c"),
        source!("6-agreement/minus.c"),
        source!("6-agreement/wrong.c"),
        source!("6-agreement/wrong.rs"),
        source!("6-agreement/lost.c"),
        source!("6-agreement/lost.rs"),
    ],
    requires: None,
    steps: STEPS,
    closing: "the linker checks names; types and conventions are unchecked, unless the build checks them.",
};

const STEPS: &[Step] = &[
    claim("Without `#[no_mangle]` the name is mangled: undefined reference")
        .intro(
            "The mangled name consists of the crate, the function, and a hash, so that two crates \
             can have functions of the same name; `nm -C` decodes it. The linker reports this \
             mistake.",
        )
        .commands(&[
            run("sed /no_mangle/d hello.rs > mangled.rs"),
            run("$RUSTC -O --edition=2021 --crate-type=lib --emit=obj mangled.rs"),
            run("$NM -g mangled.o | grep hello")
                .checks(&[Line(&["T _", "7mangled5hello"]), NoLine("T hello")]),
            run("$NM -g -C mangled.o | grep hello").checks(&[Line(&["T mangled::hello"])]),
            run("$CC -c main.c && $LINK main.o mangled.o -o main")
                .exits(1)
                .checks(&[Undefined("hello")]),
        ]),
    claim("Edition 2024 requires `unsafe extern` and `#[unsafe(no_mangle)]`")
        .intro(
            "`unsafe extern` and `#[unsafe(no_mangle)]` change nothing in the object. They mark \
             two promises that no compiler checks: that the declaration is right, and the name \
             unique.",
        )
        .commands(&[
            run("$RUSTC --edition=2024 --crate-type=lib --emit=obj hello.rs 2>&1 | grep ^error")
                .checks(&[
                    Line(&["extern blocks must be unsafe"]),
                    Line(&["unsafe attribute used without unsafe"]),
                ]),
            run("sed 's/^extern/unsafe &/; s/no_mangle/unsafe(&)/' hello.rs > new.rs"),
            run("$RUSTC -O --edition=2024 --crate-type=lib --emit=obj new.rs && $NM -g new.o")
                .checks(&[Letter("hello", 'T'), Letter("puts", 'U')]),
        ]),
    claim("A wrong declaration compiles and links without a warning, and computes garbage")
        .intro("`minus` returns int. C declares it as long, and Rust as i64.")
        .commands(&[
            run("grep minus minus.c wrong.c wrong.rs"),
            run("$CC -g -Wall -Wextra -c minus.c wrong.c && $LINK minus.o wrong.o -o wrong_c")
                .checks(&[Silent]),
            same("$RUSTLINK -g wrong.rs -C link-arg=minus.o -o wrong_rs"),
            run("./wrong_c").checks(&[Output("2 - 5 = 4294967293")]),
            same("./wrong_rs"),
        ])
        .look(
            "Each source is right by itself, and the linker sees only the name; `unsafe` means \
             that its author vouches for the declaration. `minus` sets 32 bits of a register to \
             -3; the caller reads 64, and the upper ones are whatever is there, here 0.",
        ),
    claim("A lost `extern \"C\"` links without a warning, too, and mixes up the arguments")
        .intro("Here, the definition in Rust lost it.")
        .commands(&[
            run("grep -e pair -e minus lost.c"),
            run("grep -A1 no_mangle lost.rs"),
            run("$RUSTC -O --crate-type=lib --emit=obj lost.rs -o lost_rs.o"),
            run("$CC -Wall -Wextra lost.c -c && $LINK lost.o lost_rs.o -o lost").checks(&[Silent]),
            run("./lost").checks(&[Output("2 - 5 = -7")]),
            run("sed -i 's/pub fn/pub extern \"C\" fn/' lost.rs"),
            run("$RUSTC -O --crate-type=lib --emit=obj lost.rs -o lost_rs.o"),
            run("$LINK lost.o lost_rs.o -o lost && ./lost").checks(&[Output("2 - 5 = -3")]),
        ])
        .look(
            "C packs both members of the struct into one register. Rust's own convention, which is \
             not specified, used two, so that `b` was what C passed next: 2 - 9.",
        ),
    claim("The checks of this project refuse the wrong declaration")
        .intro(
            "`stitch` compares C's debug information with Rust's declaration. A declaration leaves \
             only its name in the object, not its type, so stitch calls rustc again, with the command that Kbuild \
             records beside each object; here we write the record.",
        )
        .commands(&[
            run("$RUSTC -g --emit=obj wrong.rs"),
            run("printf 'savedcmd_wrong.o := rustc wrong.rs\\nsource_wrong.o := wrong.rs\\n' \
                 > .wrong.o.cmd"),
            run("stitch check --probe --rustc $RUSTC minus.o wrong.o")
                .exits(1)
                .checks(&[Line(&[
                    "the result: 4 bytes signed in C, 8 bytes signed in Rust",
                ])]),
        ])
        .look(
            "It exits with status 1, which would stop a build; hello_rust's build has such a \
             check, too.",
        ),
    claim("The right declaration is accepted, and computes")
        .commands(&[
            run("sed -i s/i64/i32/ wrong.rs && $RUSTC -g --emit=obj wrong.rs"),
            run("stitch check --probe --rustc $RUSTC minus.o wrong.o && echo both agree")
                .checks(&[Output("both agree")]),
            run("$RUSTLINK wrong.rs -C link-arg=minus.o -o right && ./right")
                .checks(&[Output("2 - 5 = -3")]),
        ]),
];
