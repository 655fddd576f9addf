//! Part 9: what a change of an exporting module does to those that use it.

use crate::model::Check::{Line, NotAs, SameAs};
use crate::model::{guest, step, Part, Step};
use crate::source;

/// Changing a module.
pub const PART: Part = Part {
    number: 9,
    title: "The kernel: changing a library",
    about: "The module that others use can be replaced, by another version or by one in another \
            language. Whoever has the same code inside stays as it was built.",
    sources: &[
        source!("9-changing-module/Kbuild"),
        source!("8-shared-module/word.h"),
        source!("8-shared-module/word.c"),
        source!("8-shared-module/say.rs"),
        source!("9-changing-module/say_c.c"),
        source!("9-changing-module/inside_main.rs"),
        source!("9-changing-module/inside_word.c"),
        source!("9-changing-module/word_main.rs"),
        source!("9-changing-module/word_export.c"),
    ],
    needs: None,
    steps: STEPS,
};

/// Loads all that speak, and asks what they said.
const SPEAK: &str =
    "insmod word.ko; insmod say.ko; insmod inside.ko; dmesg | grep -e say: -e inside:";

const STEPS: &[Step] = &[
    step(
        "The library; say, which uses it; and inside, which has the same code inside.",
        "cat Kbuild && make -C $KDIR M=$PWD",
    ),
    guest("What do they say?", SPEAK)
        .checks(&[Line(&["say: hello"]), Line(&["inside: hello"])])
        .shows("Both modules say the word"),
    step("A fingerprint of the user…", "sha256sum say.ko").called("say"),
    step("…and of the library.", "sha256sum word.ko").called("word"),
    step(
        "Change the word, and make the library again; but no other module.",
        "sed -i s/hello/goodbye/ word.h && make -C $KDIR M=$PWD word.ko",
    ),
    step("Is it another library now?", "sha256sum word.ko")
        .checks(&[NotAs("word")])
        .shows("The exporting module changed"),
    guest("And what do the others say?", SPEAK)
        .checks(&[Line(&["say: goodbye"]), Line(&["inside: hello"])])
        .look("say was not built again, and says the new word; inside says the old one.")
        .shows("The user says the new word; who has it inside, the old one"),
    step("Has anybody changed say.ko?", "sha256sum say.ko")
        .checks(&[SameAs("say")])
        .shows("The user is the same module, byte for byte"),
    step("inside has to be built again.", "make -C $KDIR M=$PWD"),
    guest("Then it follows.", SPEAK)
        .checks(&[Line(&["say: goodbye"]), Line(&["inside: goodbye"])])
        .shows("Built again, who has it inside says the new word"),
    step(
        "Now the library in Rust. Kbuild takes other objects for it, and nothing else changes.",
        "echo 'word-y := word_main.o word_export.o' >> Kbuild && make -C $KDIR M=$PWD word.ko",
    ),
    guest(
        "A user in Rust, and one in C.",
        "insmod word.ko; insmod say.ko; insmod say_c.ko; dmesg | grep say",
    )
    .checks(&[
        Line(&["say: hello from Rust"]),
        Line(&["say_c: hello from Rust"]),
    ])
    .look("Who gives the word, is none of their business.")
    .shows("A library in Rust serves users in Rust and in C"),
    step("And still nobody changed the user.", "sha256sum say.ko")
        .checks(&[SameAs("say")])
        .shows("The user cannot tell; it is the same"),
    step(
        "At last the name: take #[no_mangle] away.",
        "sed -i /no_mangle/d word_main.rs && make -C $KDIR M=$PWD",
    )
    .ends(2)
    // 6.12: "word" [word.ko] undefined! 7.3: word.ko: symbol 'word' was exported without definition
    .checks(&[Line(&["ERROR: modpost:", "word.ko"])])
    .look(
        "modpost looks up every name when the modules are built, as the linker did in part 6; \
         before anything is loaded.",
    )
    .shows("Without #[no_mangle]: modpost finds no definition"),
];
