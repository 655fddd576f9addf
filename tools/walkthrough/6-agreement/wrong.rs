// SPDX-License-Identifier: GPL-2.0
extern "C" {
    fn minus(a: i32, b: i32) -> i64;
}

fn main() {
    println!("2 - 5 = {}", unsafe { minus(2, 5) });
}
