// SPDX-License-Identifier: GPL-2.0
#[repr(C)]
pub struct Pair {
    a: i32,
    b: i32,
}

#[no_mangle]
pub fn minus(pair: Pair, _more: i32) -> i32 {
    pair.a - pair.b
}
