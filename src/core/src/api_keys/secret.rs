//! The key itself: prefix, 43 base62 characters (256 random bits), 6 of checksum.

use super::Kind;
use crate::secrets;
use secrecy::{ExposeSecret, SecretString};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY: usize = 43;
const CHECKSUM: usize = 6;

/// A whole key. Shown once; its `Debug` shows nothing.
#[derive(Clone, Debug)]
pub struct KeySecret {
    text: SecretString,
    kind: Kind,
}

impl KeySecret {
    /// A new one.
    pub fn generate(kind: Kind) -> Self {
        let body: String = base62_bytes().take(BODY).map(char::from).collect();
        let unsigned = format!("{}{body}", kind.prefix());
        let checksum = checksum(&unsigned);
        Self { text: (unsigned + &checksum).into(), kind }
    }

    /// Reads a key, refusing what is mistyped, cut short or not a key at all, without asking the database.
    pub fn parse(text: &str) -> Option<Self> {
        let kind = Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        if text.len() != kind.prefix().len() + BODY + CHECKSUM || !text.is_ascii() {
            return None;
        }
        let (unsigned, given) = text.split_at(text.len() - CHECKSUM);
        (checksum(unsigned) == given).then(|| Self { text: text.to_owned().into(), kind })
    }

    /// What is stored: SHA-256 of the whole key.
    pub fn hash(&self) -> [u8; 32] {
        secrets::hash(self.text.expose_secret())
    }

    /// What may be shown for ever.
    pub fn last4(&self) -> &str {
        let text = self.text.expose_secret();
        &text[text.len() - 4..]
    }

    /// Live, test or restricted.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The text, for the one time it is shown.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

/// Uniform: a byte of 248 and above would favour the first characters, so it is thrown away.
fn base62_bytes() -> impl Iterator<Item = u8> {
    std::iter::repeat_with(secrets::random::<64>)
        .flat_map(|bytes| bytes.to_vec())
        .filter(|&byte| byte < 248)
        .map(|byte| ALPHABET[usize::from(byte) % 62])
}

/// CRC-32/ISO-HDLC in base62, zero-padded, most significant first.
fn checksum(text: &str) -> String {
    let crc = crc32fast::hash(text.as_bytes());
    (0..CHECKSUM as u32).rev().map(|place| char::from(ALPHABET[(crc / 62u32.pow(place) % 62) as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_reads_back() {
        for kind in Kind::ALL {
            let key = KeySecret::generate(kind);
            let again = KeySecret::parse(key.expose()).expect("a key");
            assert_eq!((again.kind(), again.hash()), (kind, key.hash()));
            assert_eq!(key.expose().len(), kind.prefix().len() + 49);
        }
    }

    #[test]
    fn the_checksum_is_crc_32_iso_hdlc() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xCBF4_3926);
        // 0xCBF43926 = 3421780262 in base62, zero-padded.
        assert_eq!(checksum("123456789"), "3jZRME".to_owned());
    }

    #[test]
    fn a_key_says_nothing_of_itself() {
        let key = KeySecret::generate(Kind::Live);
        assert!(!format!("{key:?}").contains(&key.expose()[8..]));
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_no_key(place in 0usize..57, letter in 0usize..62) {
            let key = KeySecret::generate(Kind::Live);
            let mut text = key.expose().as_bytes().to_vec();
            prop_assume!(text[place] != ALPHABET[letter]);
            text[place] = ALPHABET[letter];
            prop_assert!(KeySecret::parse(&String::from_utf8(text).expect("ascii")).is_none());
        }

        #[test]
        fn any_text_is_a_key_or_not(text in ".{0,80}") {
            let _ = KeySecret::parse(&text);
        }
    }
}
