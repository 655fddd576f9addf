// SPDX-License-Identifier: GPL-2.0
extern "C" {
    fn hello();
}

fn main() {
    unsafe { hello() };
}
