//! Copies of the cache, for tests that would damage the real one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{ensure, Context, Result};

use super::context::{fresh, must_contain, printed, program, succeed, TestContext};

/// A cache that shares parts with the real one by hard links, which costs little.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// With these parts of the real cache, which exist.
    pub fn with(context: &TestContext, parts: &[&str]) -> Result<Self> {
        let cache = context.cache()?;
        let beside = cache.dir().parent().context("the cache has no parent")?;
        let scratch = Scratch {
            folder: tempfile::tempdir_in(beside)?,
        };
        std::fs::create_dir(scratch.dir())?;
        for part in parts {
            let to = scratch.dir().join(part);
            std::fs::create_dir_all(to.parent().unwrap_or(&to))?;
            succeed(
                Command::new("cp")
                    .arg("-al")
                    .arg(cache.dir().join(part))
                    .arg(to),
            )?;
        }
        Ok(scratch)
    }

    /// The lab's folder in it.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("hello_rust")
    }

    /// The lab, with this cache.
    pub fn lab(&self, words: &[&str]) -> Result<Command> {
        let mut command = fresh(program("lab")?);
        self.prepare(&mut command).args(words);
        Ok(command)
    }

    /// The same, with a disk of this many bytes in place of a folder of the cache.
    pub fn lab_on_small_disk(&self, disk: &Path, bytes: u64, words: &[&str]) -> Result<Command> {
        let mut command = Command::new("bwrap");
        self.prepare(&mut command)
            .args([
                "--dev-bind",
                "/",
                "/",
                "--size",
                &bytes.to_string(),
                "--tmpfs",
            ])
            .arg(disk)
            .arg("--")
            .arg(program("lab")?)
            .args(words);
        Ok(command)
    }

    fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("XDG_CACHE_HOME", self.folder.path())
            .stdin(Stdio::null())
    }
}

/// Runs a command that must exit with 2 and print all of `words`.
pub fn must_refuse(command: &mut Command, words: &[&str]) -> Result<()> {
    let output = command.output()?;
    ensure!(
        output.status.code() == Some(2),
        "{}:\n{}",
        output.status,
        printed(&output)
    );
    words
        .iter()
        .try_for_each(|word| must_contain(&printed(&output), word))
}
