//! Hashes as 64 characters, lower case.

use crate::Hash;

/// The two characters of each byte.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The hash that 64 lower-case characters say.
pub fn hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    fill(text, &mut hash).then_some(hash)
}

/// Decodes into bytes of a known length; false for anything else than exactly that many.
pub(crate) fn fill(text: &str, bytes: &mut [u8]) -> bool {
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() != bytes.len() * 2 {
        return false;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return false };
        *byte = high << 4 | low;
    }
    true
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}
