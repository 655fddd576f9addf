//! How a guest that has booted gets its job, and answers.
//!
//! It asks and answers through its second serial port, which is a socket to the lab. That port is too slow
//! for a module under emulation, so the job itself goes through the guest's memory, which the lab shares.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result};
use rustix::fs::{memfd_create, seek, MemfdFlags, SeekFrom};

use super::ends::read_ends;

/// Bytes of the guest's memory that the job comes through, part by part, as in init.c: zeros at the end
/// of its initramfs.
const WINDOW: usize = 256 * 1024;

/// What init writes when the job has ended.
const ANSWER: &str = "lab: the job ended with ";

/// Bytes of a page, to which QEMU aligns an initramfs. On both architectures at least this.
const PAGE: usize = 4096;

/// The lab's end.
pub struct Channel {
    port: UnixStream,
    memory: File,
    /// The first page of the initramfs, by which it is found in the guest's memory,
    start: Vec<u8>,
    /// and where the window is in it.
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
        let start = initramfs[..PAGE].to_vec();
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
            start,
            window: window as u64,
        };
        Ok((channel, guest))
    }

    /// Sends the job, a part each time that the guest asks for one; returns what it writes afterwards, until
    /// it ends.
    ///
    /// A guest that has ended does not ask. How it has ended, QEMU's status and the console show.
    pub fn talk(self, job: &[u8]) -> Vec<u8> {
        let mut from = &self.port;
        for part in job.chunks(WINDOW) {
            if self.send(&mut from, part).is_err() {
                break;
            }
        }
        read_ends(from)
    }

    /// The guest asks for it with a byte.
    fn send(&self, from: &mut impl Read, part: &[u8]) -> io::Result<()> {
        from.read_exact(&mut [0])?;
        let address = self.initramfs()?;
        self.memory.write_all_at(part, address + self.window)?;
        (&self.port).write_all(b"\n")
    }

    /// Where it is in the guest's memory. Each architecture's kernel and QEMU have another way to say that,
    /// so it is searched for: some milliseconds, since most of the memory was never touched.
    fn initramfs(&self) -> io::Result<u64> {
        let mut chunk = vec![0; 256 * PAGE];
        let mut at = 0;
        loop {
            // There is no data behind the last.
            at = seek(&self.memory, SeekFrom::Data(at))?;
            let read = self.memory.read_at(&mut chunk, at)?;
            let mut pages = chunk[..read].chunks_exact(PAGE);
            if let Some(nth) = pages.position(|page| page == self.start) {
                return Ok(at + (nth * PAGE) as u64);
            }
            at += read as u64;
        }
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

    /// As QEMU loads it, at this address of the guest's memory.
    const ADDRESS: u64 = 0x1f3000;

    #[test]
    fn a_part_is_sent_for_each_request() -> Result<()> {
        let job = [b"a".repeat(WINDOW), b"b".repeat(10)].concat();
        let mut initramfs = b"an initramfs ".repeat(1000);
        let window = initramfs.len();
        let (channel, GuestEnd { mut port, memory }) = Channel::new(&mut initramfs)?;
        assert_eq!(initramfs.len(), window + WINDOW);
        assert!(initramfs[window..].iter().all(|&byte| byte == 0));
        memory.write_all_at(&initramfs, ADDRESS)?;

        let lab = std::thread::spawn(move || channel.talk(&job));
        let mut seen = [0; 11];
        for expected in ["aaaaaaaaaaa", "bbbbbbbbbba"] {
            port.write_all(b"\n")?;
            port.read_exact(&mut [0])?;
            memory.read_exact_at(&mut seen, ADDRESS + window as u64)?;
            assert_eq!(seen, expected.as_bytes());
        }
        port.write_all(b"said\n")?;
        drop(port);
        assert_eq!(lab.join().expect("no panic"), b"said\n");
        Ok(())
    }

    #[test]
    fn a_guest_that_ends_early_gets_nothing() -> Result<()> {
        // Without a request, and without the initramfs in its memory.
        for asked in ["", "\n"] {
            let mut initramfs = vec![b'a'; PAGE];
            let (channel, GuestEnd { mut port, memory }) = Channel::new(&mut initramfs)?;
            memory.write_all_at(b"another", ADDRESS)?;
            port.write_all(asked.as_bytes())?;
            let mut answer = Vec::new();
            let lab = std::thread::spawn(move || channel.talk(b"a job"));
            port.shutdown(std::net::Shutdown::Write)?;
            assert!(lab.join().expect("no panic").is_empty(), "{asked:?}");
            port.read_to_end(&mut answer)?;
            assert!(answer.is_empty(), "{asked:?}");
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
