//! `make shell` on a terminal, and the ways to leave it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{ensure, Context, Result};
use lab::exit::Exit;
use lab::host::programs::which;
use rustix::process::{kill_process, Signal};

use super::GREETING;
use crate::harness::test::CannotRun;
use crate::support::context::{must_contain, same_surroundings, tail, TestContext};
use crate::support::processes::{processes_with, says, wait_for};
use lab::host::project::project;

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
    )?;
    must_contain(&printed, GREETING)?;
    must_contain(
        &printed,
        "hello_rust: Rust, called by the kernel: goodbye, world!",
    )
}

pub fn left_by_key(context: &TestContext) -> Result<()> {
    let printed = talk_to_shell(context, &["uname -r\n", "\x01x"])?;
    must_contain(&printed, "QEMU: Terminated")
}

/// The key that kills QEMU from outside.
const KILL: &str = "";

/// make ends with 2, and names the lab's code.
pub fn loses_qemu(context: &TestContext) -> Result<()> {
    let printed = talk_until(context, &[KILL], "left with 2")?;
    must_contain(&printed, "lab: error: QEMU died")?;
    must_contain(&printed, &format!("Error {}", Exit::Qemu as i32))
}

fn talk_to_shell(context: &TestContext, keys: &[&str]) -> Result<String> {
    talk_until(context, keys, "left with 0")
}

/// `make shell` on a terminal: at each prompt, these keys; what was on the screen.
fn talk_until(context: &TestContext, keys: &[&str], end: &str) -> Result<String> {
    let Some(script) = which("script") else {
        return Err(CannotRun("this host has no script, which makes terminals".to_owned()).into());
    };
    let make = context.make_command(&project(), &["shell"])?;
    let words: Vec<_> = std::iter::once(make.get_program())
        .chain(make.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    let line = format!("{}; echo left with $?; stty -a", words.join(" "));

    let screen = tempfile::NamedTempFile::new()?;
    let mut terminal = Command::new(script);
    terminal.args(["--quiet", "--command", &line, "/dev/null"]);
    let mut child = same_surroundings(&mut terminal, &make)
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(screen.reopen()?)
        .spawn()?;
    let typed = type_keys(&mut child, screen.path(), keys);
    if typed.is_err() {
        child.kill()?;
    }
    child.wait()?;

    let printed = String::from_utf8_lossy(&fs::read(screen.path())?).into_owned();
    typed.with_context(|| tail(&printed))?;
    must_contain(&printed, end)?;
    // QEMU gives the terminal back as it was.
    must_contain(&printed, "isig icanon")?;
    Ok(printed)
}

fn kill_qemu() -> Result<()> {
    let all = processes_with("qemu-system-x86_64");
    let qemu = all.iter().find(|(_, line)| line.starts_with("qemu"));
    let (qemu, _) = qemu.context("no QEMU runs")?;
    kill_process(*qemu, Signal::KILL).context("cannot kill QEMU")
}

fn type_keys(child: &mut Child, screen: &Path, keys: &[&str]) -> Result<()> {
    let mut keyboard = child.stdin.take().context("no keyboard")?;
    for (nth, key) in keys.iter().enumerate() {
        let prompt = wait_for("a prompt", || {
            let over = matches!(child.try_wait(), Ok(Some(_)));
            let shown = says(screen, "guest# ", nth + 1).is_some();
            (over || shown).then_some(shown)
        })?;
        ensure!(prompt, "the terminal was left before prompt {}", nth + 1);
        match *key {
            KILL => kill_qemu()?,
            key => keyboard.write_all(key.as_bytes())?,
        }
    }
    wait_for("the end of the shell", || says(screen, "icanon", 1))
}
