//! How a guest that has booted gets its job, and answers.
//!
//! It asks and answers through its second serial port, which is a socket to the lab. That port is too slow
//! for a module under emulation, so the job itself goes through the guest's memory, which the lab shares.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use rustix::fs::{memfd_create, MemfdFlags};

/// Bytes of the guest's memory that the job comes through, part by part, as in init.c: zeros at the end
/// of its initramfs.
const WINDOW: usize = 256 * 1024;

/// What init writes when the job has ended.
const ANSWER: &str = "lab: the job ended with ";

/// The lab's end.
pub struct Channel {
    port: UnixStream,
    memory: File,
    /// Where the window is in the initramfs.
    window: u64,
}

/// The guest's end: what QEMU gets as files.
pub struct GuestEnd {
    /// What the serial port is connected to.
    pub port: UnixStream,
    /// The guest's memory.
    pub memory: File,
}

impl Channel {
    /// Makes both ends, and adds the window to the initramfs.
    pub fn new(initramfs: &mut Vec<u8>) -> Result<(Self, GuestEnd)> {
        let window = initramfs.len();
        initramfs.resize(window + WINDOW, 0);
        let (own, port) = UnixStream::pair().context("cannot make a socket")?;
        let memory = memfd_create("guest", MemfdFlags::CLOEXEC).context("cannot make memory")?;
        let memory = File::from(memory);
        let guest = GuestEnd {
            port,
            memory: memory.try_clone()?,
        };
        let channel = Channel {
            port: own,
            memory,
            window: window as u64,
        };
        Ok((channel, guest))
    }

    /// Sends the job, a part each time that the guest asks for one; returns what it writes afterwards, until
    /// it ends.
    ///
    /// A guest that has ended does not ask. How it has ended, QEMU's status and the console show.
    pub fn talk(self, job: &[u8]) -> Vec<u8> {
        let mut from = BufReader::new(&self.port);
        for part in job.chunks(WINDOW) {
            if self.send(&mut from, part).is_err() {
                break;
            }
        }
        let mut answer = Vec::new();
        let _ = from.read_to_end(&mut answer);
        answer
    }

    /// The guest asks with the address of its initramfs.
    fn send(&self, from: &mut impl BufRead, part: &[u8]) -> io::Result<()> {
        let mut asked = String::new();
        from.read_line(&mut asked)?;
        let address = u64::from_str_radix(asked.trim(), 16).map_err(io::Error::other)?;
        self.memory.write_all_at(part, address + self.window)?;
        (&self.port).write_all(b"\n")
    }
}

/// Splits an answer into the job's output and its status.
pub fn split_answer(text: &str) -> (String, Option<i32>) {
    match text.rsplit_once(ANSWER) {
        Some((output, status)) => (output.to_owned(), status.trim().parse().ok()),
        None => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_sent_for_each_line() -> Result<()> {
        let job = [b"a".repeat(WINDOW), b"b".repeat(10)].concat();
        let mut initramfs = b"an initramfs".to_vec();
        let window = initramfs.len();
        let (channel, GuestEnd { mut port, memory }) = Channel::new(&mut initramfs)?;
        assert_eq!(initramfs.len(), window + WINDOW);
        assert!(initramfs[window..].iter().all(|&byte| byte == 0));

        let lab = std::thread::spawn(move || channel.talk(&job));
        let mut seen = [0; 11];
        for expected in ["aaaaaaaaaaa", "bbbbbbbbbba"] {
            port.write_all(b"1f000\n")?;
            port.read_exact(&mut [0])?;
            memory.read_exact_at(&mut seen, 0x1f000 + window as u64)?;
            assert_eq!(seen, expected.as_bytes());
        }
        port.write_all(b"said\n")?;
        drop(port);
        assert_eq!(lab.join().expect("no panic"), b"said\n");
        Ok(())
    }

    #[test]
    fn a_guest_that_ends_early_gets_nothing() -> Result<()> {
        for asked in ["", "1f000", "not a number\n"] {
            let (channel, GuestEnd { mut port, memory }) = Channel::new(&mut Vec::new())?;
            port.write_all(asked.as_bytes())?;
            drop(port);
            assert!(channel.talk(b"a job").is_empty(), "{asked:?}");
            drop(memory);
        }
        Ok(())
    }

    #[test]
    fn answers() {
        let text = |text| split_answer(text);
        assert_eq!(
            text("a\nlab: the job ended with 3\n"),
            ("a\n".to_owned(), Some(3))
        );
        assert_eq!(
            text("lab: the job ended with 0\n"),
            (String::new(), Some(0))
        );
        assert_eq!(text("half a li"), ("half a li".to_owned(), None));
        // Cut off in the middle: no status.
        assert_eq!(text("a\nlab: the job ended with ").1, None);
    }
}
