//! Decompresses sections, as far as their file is large enough to have so much: a few bytes can stand for
//! gigabytes.

use std::borrow::Cow;
use std::io::Read;

use object::{CompressedData, CompressionFormat, ObjectSection};
use ruzstd::decoding::StreamingDecoder;

/// Bytes that any file may have in its compressed sections.
const LEAST: u64 = 16 << 20;

/// How many times the size of the file they may have besides. Debug information shrinks to a third or a fifth.
const RATIO: u64 = 32;

/// The most: no module has so much debug information.
const MOST: u64 = 1 << 30;

/// The bytes that may still be decompressed.
pub struct Budget(u64);

impl Budget {
    /// That of a file of this size.
    pub fn of(file: usize) -> Self {
        let size = (file as u64).saturating_mul(RATIO).saturating_add(LEAST);
        Budget(size.min(MOST))
    }

    /// The decompressed bytes of a section; none if they cannot be decompressed.
    pub fn contents<'d>(&mut self, section: &impl ObjectSection<'d>) -> Cow<'d, [u8]> {
        let Ok(compressed) = section.compressed_data() else {
            return Cow::default();
        };
        if compressed.format == CompressionFormat::None {
            return Cow::Borrowed(compressed.data);
        }
        match self.0.checked_sub(compressed.uncompressed_size) {
            Some(rest) => self.0 = rest,
            None => return Cow::default(),
        }
        match compressed.format {
            CompressionFormat::Zstandard => zstandard(&compressed).map(Cow::Owned),
            _ => compressed.decompress().ok(),
        }
        .unwrap_or_default()
    }
}

/// The crate `object` would decompress more than the section says, without end.
fn zstandard(compressed: &CompressedData<'_>) -> Option<Vec<u8>> {
    let size = compressed.uncompressed_size;
    let (mut input, mut bytes) = (compressed.data, Vec::new());
    while !input.is_empty() {
        let decoder = StreamingDecoder::new(&mut input).ok()?;
        let rest = size.checked_sub(bytes.len() as u64)?;
        decoder.take(rest + 1).read_to_end(&mut bytes).ok()?;
    }
    (bytes.len() as u64 == size).then_some(bytes)
}
