//! Types at a terminal.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{ensure, Context, Result};
use host::programs::which;
use host::project::project;
use rustix::process::{kill_process, Signal};

use super::context::{must_contain, same_surroundings, tail, TestContext};
use super::processes::{processes_with, says, wait_for};
use crate::harness::test::CannotRun;

/// The key that kills QEMU from outside.
pub const KILL: &str = "";

/// `make` with these words on a terminal, where keys are typed, each when a text is on the screen; what
/// was on it. `end` tells how make ended.
pub fn talk(
    context: &TestContext,
    words: &[&str],
    keys: &[(&str, &str)],
    end: &str,
) -> Result<String> {
    let Some(script) = which("script") else {
        return Err(CannotRun("this host has no script, which makes terminals".to_owned()).into());
    };
    let make = context.make_command(&project(), words)?;
    let words: Vec<_> = std::iter::once(make.get_program())
        .chain(make.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let line = format!("{}; echo left with $?; stty -a", words.join(" "));

    let screen = tempfile::NamedTempFile::new()?;
    let mut terminal = Command::new(script);
    terminal.args(["--quiet", "--command", &line, "/dev/null"]);
    let mut child = same_surroundings(&mut terminal, &make)
        .env("SHELL", "/bin/sh")
        .env("TERM", "dumb")
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
    // The terminal is as it was.
    must_contain(&printed, "isig icanon")?;
    Ok(printed)
}

fn kill_qemu() -> Result<()> {
    let all = processes_with("qemu-system-x86_64");
    let qemu = all.iter().find(|(_, line)| line.starts_with("qemu"));
    let (qemu, _) = qemu.context("no QEMU runs")?;
    kill_process(*qemu, Signal::KILL).context("cannot kill QEMU")
}

fn type_keys(child: &mut Child, screen: &Path, keys: &[(&str, &str)]) -> Result<()> {
    let mut keyboard = child.stdin.take().context("no keyboard")?;
    let mut seen = 0;
    for (text, key) in keys {
        let found = wait_for(text, || {
            let over = matches!(child.try_wait(), Ok(Some(_)));
            let shown = fs::read(screen).ok()?;
            let shown = String::from_utf8_lossy(&shown).into_owned();
            let end = shown.get(seen..).and_then(|new| new.find(text));
            let end = end.map(|start| seen + start + text.len());
            (over || end.is_some()).then_some(end)
        })?;
        ensure!(found.is_some(), "the terminal was left before {text:?}");
        seen = found.unwrap_or(seen);
        match *key {
            KILL => kill_qemu()?,
            key => keyboard.write_all(key.as_bytes())?,
        }
    }
    wait_for("the end of make", || says(screen, "icanon", 1))
}
