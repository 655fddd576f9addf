//! Part 1: what a compiler makes of one source.

use crate::model::Check::{Letter, Line, SameAs};
use crate::model::{step, Part, Step};
use crate::source;

/// Object files.
pub const PART: Part = Part {
    number: 1,
    title: "Object files",
    about: "A compiler turns one source into one object file: machine code with a list of the \
            names that it gives to others and of those that it needs from them. It is no program \
            yet. It does not matter which language it was written in.",
    sources: &[
        source!("1-object-file/hello.c"),
        source!("1-object-file/hello.rs"),
    ],
    needs: None,
    steps: STEPS,
};

const STEPS: &[Step] = &[
    step(
        "Here is a function in C. It needs another one, puts of the C library, and there is no \
         main.",
        "cat hello.c",
    ),
    step("-c: compile it, and stop before linking.", "$CC -c hello.c"),
    step(
        "What kind of file did that make?",
        "$READELF -h hello.o | grep Type",
    )
    .called("type")
    .checks(&[Line(&["Type:", "REL"])])
    .look(
        "REL: a relocatable ELF file, which still can be placed anywhere. `file` would say so, \
         too.",
    )
    .shows("C: hello.o is a relocatable ELF file"),
    step(
        "It holds machine code. Allow everybody to execute it, and try.",
        "chmod +x hello.o && ./hello.o",
    )
    .ends(126)
    .checks(&[Line(&["hello.o", "Exec format error"])])
    .look("The kernel refuses it: the permission is there, but this format is no program's.")
    .shows("C: hello.o cannot be executed"),
    step(
        "What does it give to others, and what does it need from them? nm lists the symbols; -g \
         leaves out those for its own use.",
        "$NM -g hello.o",
    )
    .called("symbols")
    .checks(&[Letter("hello", 'T'), Letter("puts", 'U')])
    .look(
        "T: in the text section, that is the code, and for others to use. U: undefined, somebody \
         else has to bring it. The address is 0: it has no place yet.",
    )
    .shows("C: nm shows what hello.o gives (T) and what it needs (U)"),
    step(
        "How can it call puts without knowing where that is? It leaves a hole, and a note for the \
         linker.",
        "$READELF -r hello.o",
    )
    .checks(&[Line(&["R_X86_64_", "puts"])])
    .look("A relocation: at this offset of the code, put in how far away puts turned out to be.")
    .shows("C: it can be placed anywhere: relocations say what to fill in"),
    step("Now the same function in Rust.", "cat hello.rs").look(
        "extern \"C\": called as C does. #[no_mangle]: the name stays hello. Part 6 leaves it \
         out.",
    ),
    step(
        "--emit=obj is rustc's -c. -O leaves out what only a debugger wants.",
        "$RUSTC -O --edition=2021 --crate-type=lib --emit=obj hello.rs",
    ),
    step(
        "The same question to this hello.o.",
        "$READELF -h hello.o | grep Type",
    )
    .checks(&[Line(&["Type:", "REL"]), SameAs("type")])
    .look("Word by word the answer of before.")
    .shows("Rust: hello.o is the same kind of file"),
    step("Can this one be executed?", "chmod +x hello.o && ./hello.o")
        .ends(126)
        .checks(&[Line(&["hello.o", "Exec format error"])])
        .shows("Rust: it cannot be executed either"),
    step("And its symbols?", "$NM -g hello.o")
        .checks(&[Letter("hello", 'T'), Letter("puts", 'U'), SameAs("symbols")])
        .look("Nothing here tells which language it was.")
        .shows("Rust: nm shows the same names with the same letters"),
    step("Its holes and notes?", "$READELF -r hello.o")
        .checks(&[Line(&["R_X86_64_", "puts"])])
        .look(
            "The type may be another one (rustc calls puts through a table of addresses, GOT); \
             the linker knows them all.",
        )
        .shows("Rust: it can be placed anywhere, by relocations of the same kind"),
];
