//! Hashes as 64 characters, lower case.

use crate::Hash;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two characters of each byte.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The hash that 64 lower-case characters say.
pub fn hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    (text.len() == hash.len() * 2 && fill(text, &mut hash)).then_some(hash)
}

/// The bytes that lower-case characters say.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    (text.len().is_multiple_of(2) && fill(text, &mut bytes)).then_some(bytes)
}

/// Without a branch for each character: an export is hex by a third.
fn fill(text: &str, bytes: &mut [u8]) -> bool {
    let mut seen = 0;
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        seen |= high | low;
        *byte = high << 4 | low & 15;
    }
    seen < 16
}

/// What a character is worth; 255 for those that are none.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value] as usize] = value as u8;
        value += 1;
    }
    values
};
