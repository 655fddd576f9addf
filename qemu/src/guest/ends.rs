//! The beginning and the end of what a guest writes, which may be anything, of any length.

use std::collections::VecDeque;
use std::io::{self, Read};

/// Bytes that are kept of either. No guest that is well writes as much.
const MOST: usize = 4 << 20;

/// Reads to the end, and leaves out what is in the middle of more than [`MOST`] bytes twice.
pub fn read_ends(from: impl Read) -> Vec<u8> {
    read_ends_of(from, MOST)
}

fn read_ends_of(mut from: impl Read, most: usize) -> Vec<u8> {
    let mut beginning = Vec::new();
    // What came until an error is all that there is.
    let _ = from.by_ref().take(most as u64).read_to_end(&mut beginning);
    let (mut end, mut left_out, mut chunk) = (VecDeque::<u8>::new(), 0, vec![0; 64 * 1024]);
    loop {
        let read = match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        end.extend(&chunk[..read]);
        let surplus = end.len().saturating_sub(most);
        end.drain(..surplus);
        left_out += surplus;
    }
    if left_out > 0 {
        beginning.extend(format!("\nlab: {left_out} bytes are left out here\n").into_bytes());
    }
    beginning.extend(end);
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long() {
        let ends = |text: &str| {
            let ends = read_ends_of(text.as_bytes(), 4);
            String::from_utf8_lossy(&ends).into_owned()
        };
        for text in ["", "abc", "abcd", "abcdefgh"] {
            assert_eq!(ends(text), text);
        }
        assert_eq!(
            ends("abcd--------efgh"),
            "abcd\nlab: 8 bytes are left out here\nefgh"
        );
    }

    /// 64 MB, in the memory of eight.
    #[test]
    fn without_end() {
        let flood = io::repeat(b'a').take(64 << 20);
        let kept = read_ends(flood);
        assert!(kept.len() < 2 * MOST + 100, "{} bytes", kept.len());
    }
}
