//! No program, but what a fuzzer has to find: the tests run it.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: fuzz::report_stack_overflow(), |input: &[u8]| {
    match input {
        b"panic" => panic!("planted"),
        b"overflow" => assert!(deep(1) > 0),
        b"endless" => while std::hint::black_box(true) {},
        // As much as two gigabytes, a part of it at a time.
        b"memory" => drop(std::hint::black_box((0..2048).map(|_| vec![1_u8; 1 << 20]).collect::<Vec<_>>())),
        _ => {}
    }
});

fn deep(depth: u64) -> u64 {
    if std::hint::black_box(depth) == 0 {
        return 0;
    }
    // Not the last call, which would need no stack.
    depth + deep(depth + 1)
}
