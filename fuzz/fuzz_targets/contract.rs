//! A contract as the gate reads it: what the preprocessor and bindgen print.

#![no_main]
// The gate is a program of one crate, for Kbuild; what its main() calls is not called here.
#![allow(dead_code, unused_imports)]

include!("../gate.rs");

use bind::Bound;
use bindings::Bindings;
use contract::{check_all, Generated};
use header::Header;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let [preprocessed, bound, typed, kernel] = fuzz::parts(&text);
    // Files of the module's own folder.
    let header = Header::new("a.h", preprocessed, |file| file.ends_with(".h"));
    let rust = bind::with_types(bound.to_owned());
    let rust = bind::without_undefined(&header, rust);
    let rust = bind::typed_constants(&rust, &Bindings::new(typed));
    let bindings = Bindings::new(&rust);
    let mut used = Vec::new();
    bindings.used_types(&mut |name, _| used.push(name.to_owned()));
    let problems = check_all(&header, &bindings);
    let bound = Bound {
        rust,
        foreign: String::new(),
        undefined: used,
        kernel: kernel.split_whitespace().map(str::to_owned).collect(),
    };
    let files = Generated::new(&header, &bindings, &bound);
    for problem in problems.iter().chain(&files.problems) {
        assert!(problem.to_string().contains("error: "));
    }
});
