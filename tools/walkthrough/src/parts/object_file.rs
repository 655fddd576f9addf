//! Part 1: what a compiler produces from one source.

use crate::model::Check::{Letter, Line};
use crate::model::{claim, run, same, step, Check, Part, Step};
use crate::source;

/// Object files.
pub const PART: Part = Part {
    number: 1,
    title: "Object files",
    breaks: "an object file holds finished machine code, and the kernel refuses to run it (1.2).",
    about:
        "A compiler turns one source into one object file: machine code, data, and a list of the \
            names that it exports to other objects and imports from them. The source language does \
            not matter.",
    sources: &[
        source!("1-object-file/hello.c"),
        source!("1-object-file/hello.rs"),
    ],
    requires: None,
    steps: STEPS,
    closing: "an object file is code and data with gaps, and names; its language does not show.",
};

const SECTIONS: &[Check] = &[
    Line(&[".text", "PROGBITS", "AX"]),
    Line(&[".rodata", "PROGBITS"]),
    Line(&[".symtab", "SYMTAB"]),
    Line(&[".rela.text", "RELA"]),
];

const STEPS: &[Step] = &[
    step(
        "A function in C that calls `puts` of the C library, and the same in Rust. `extern \"C\"` \
         selects C's calling convention, `#[no_mangle]` keeps the name `hello`; part 6 leaves \
         it out. `-c` and `--emit=obj` compile, but do not link. `-O` optimises: otherwise small \
         functions of Rust's library would clutter the object.",
    )
    .commands(&[
        run("cat hello.c"),
        run("cat hello.rs"),
        run("$CC -c hello.c -o hello_c.o"),
        run("$RUSTC -O --edition=2021 --crate-type=lib --emit=obj hello.rs -o hello_rs.o"),
    ]),
    claim("An object file is a relocatable ELF file")
        .intro("REL: it can still be placed at any address.")
        .commands(&[
            run("$READELF -h hello_c.o | grep Type").checks(&[Line(&["Type:", "REL"])]),
            same("$READELF -h hello_rs.o | grep Type"),
        ]),
    claim("It cannot be executed")
        .intro("Even with the execute bit set, the kernel cannot load a relocatable file.")
        .commands(&[
            run("chmod +x hello_c.o && ./hello_c.o")
                .exits(126)
                .checks(&[Line(&["hello_c.o", "Exec format error"])]),
            run("chmod +x hello_rs.o && ./hello_rs.o")
                .exits(126)
                .checks(&[Line(&["hello_rs.o", "Exec format error"])]),
        ]),
    claim("It holds code, data, symbols and relocations")
        .intro("Each is in sections of its own.")
        .commands(&[
            run("$READELF -SW hello_c.o | grep -e ' .text' -e rodata -e symtab -e rela.text")
                .checks(SECTIONS),
            run("$READELF -SW hello_rs.o | grep -e ' .text' -e rodata -e symtab -e rela.text")
                .checks(SECTIONS),
            run("$SIZE hello_c.o hello_rs.o").checks(&[
                Line(&["text", "data", "bss"]),
                Line(&["hello_c.o"]),
                Line(&["hello_rs.o"]),
            ]),
        ])
        .look(
            "`.text` is the code (A: loaded, X: executable), `.rodata` the data, here the string \
             to print, `.symtab` the symbols, and `.rela.text` the relocations. `size` counts \
             read-only data as text; neither object has variables (data, bss).",
        ),
    claim("nm shows that it exports hello (T) and imports puts (U)")
        .intro("`-g`: only global symbols.")
        .commands(&[
            run("$NM -g hello_c.o").checks(&[Letter("hello", 'T'), Letter("puts", 'U')]),
            same("$NM -g hello_rs.o"),
        ])
        .look("T: defined in the text section, not placed yet. U: to be defined elsewhere."),
    claim("Relocations say how to fill the gaps")
        .intro("How can it call `puts` without its address? With a gap, and a note for the linker.")
        .commands(&[
            run("$READELF -r hello_c.o | grep R_X86_64").checks(&[Line(&["R_X86_64_", "puts"])]),
            run("$READELF -r hello_rs.o | grep R_X86_64").checks(&[Line(&["R_X86_64_", "puts"])]),
        ])
        .look(
            "At this offset, fill in the distance to `puts`. The types may differ, as rustc calls \
             through a table of addresses (GOT); the linker knows them all.",
        ),
];
