//! What the gate reads once there are objects: symbols, expanded sources, Kbuild's notes, messages of
//! compilers, and bitcode as text.

#![no_main]
// The gate is a program of one crate, for Kbuild; what its main() calls is not called here.
#![allow(dead_code, unused_imports)]

include!("../gate.rs");

use expanded::Expanded;
use libfuzzer_sys::fuzz_target;
use nm::Symbols;
use object::{Language, Object, Source};
use objects::{declared_in, exports, Border};
use problem::Layer;
use unit::Contract;

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let [bindings, layout, of_rust, of_c, expanded, source, symvers, messages, ir] = fuzz::parts(&text);
    let object = |language, nm, expanded, source: &str| Object {
        name: "half.o".to_owned(),
        language,
        source: "half".to_owned(),
        symbols: Symbols::new(nm),
        contracts: Vec::new(),
        is_typed: true,
        own: vec![Source {
            file: "half".to_owned(),
            text: source.to_owned(),
        }],
        expanded,
    };
    let border = Border {
        declared: declared_in("a_h.rs", bindings, layout),
        objects: vec![
            object(Language::Rust, of_rust, Expanded::new(expanded), expanded),
            object(Language::C, of_c, Expanded::default(), source),
        ],
        kernel: exports(symvers),
    };
    for problem in border.problems() {
        assert!(problem.to_string().contains("error: "));
    }
    border.report();
    object::source_and_deps(source);
    let contract = Contract::new("a_layout.h".to_owned(), layout, bindings);
    unit::compare("a.c", &[contract], source);
    for layer in [Layer::Rust, Layer::C] {
        explain::explanations(layer, &[], &explain::symbols_in(bindings), messages);
    }
    join::with_equal_attributes(ir);
});
