//! Caches of their own, for what would spoil the real one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{ensure, Context, Result};

use super::world::{fresh, must_say, program, said, succeed, World};

/// A cache of its own: the parts of the real one are hard links, so that it costs little.
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// With these parts of the real cache, which are there.
    pub fn with(world: &World, parts: &[&str]) -> Result<Self> {
        let cache = world.cache()?;
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

    /// Where the lab keeps its things.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("hello_rust")
    }

    /// The lab, with this cache.
    pub fn lab(&self, words: &[&str]) -> Result<Command> {
        let mut command = fresh(program("lab")?);
        self.prepare(&mut command).args(words);
        Ok(command)
    }

    /// The same, where some folder of the cache is a disk of its own, of so many bytes.
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

/// Runs a command that must end with exit code 2 and say all of `words`.
pub fn must_refuse(command: &mut Command, words: &[&str]) -> Result<()> {
    let output = command.output()?;
    ensure!(
        output.status.code() == Some(2),
        "ended with {}:\n{}",
        output.status,
        said(&output)
    );
    words
        .iter()
        .try_for_each(|word| must_say(&said(&output), word))
}
