//! `make shell` on a terminal, and the ways to leave it.

use anyhow::Result;
use lab::exit::Exit;

use super::GREETING;
use crate::support::context::{must_contain, TestContext};
use crate::support::terminal::{talk, KILL};

pub fn left_by_exit(context: &TestContext) -> Result<()> {
    let printed = talk_to_shell(
        context,
        &[
            "insmod hello_rust.ko\n",
            "dmesg | tail -n 4\n",
            "rmmod hello_rust\n",
            "dmesg | tail -n 1\n",
            "exit\n",
        ],
        "left with 0",
    )?;
    must_contain(&printed, GREETING)?;
    must_contain(
        &printed,
        "hello_rust: Rust, called by the kernel: goodbye, world!",
    )
}

pub fn left_by_key(context: &TestContext) -> Result<()> {
    let printed = talk_to_shell(context, &["uname -r\n", "\x01x"], "left with 0")?;
    must_contain(&printed, "QEMU: Terminated")
}

/// make ends with 2, and names the lab's code.
pub fn loses_qemu(context: &TestContext) -> Result<()> {
    let printed = talk_to_shell(context, &[KILL], "left with 2")?;
    must_contain(&printed, "lab: error: QEMU died")?;
    must_contain(&printed, &format!("Error {}", Exit::Qemu as i32))
}

/// At each prompt, these keys.
fn talk_to_shell(context: &TestContext, keys: &[&str], end: &str) -> Result<String> {
    let keys: Vec<_> = keys.iter().map(|key| ("guest# ", *key)).collect();
    talk(context, &["shell"], &keys, end)
}
