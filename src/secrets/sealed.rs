//! One encrypted value.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of a nonce of XChaCha20-Poly1305.
pub(super) const NONCE_BYTES: usize = 24;
/// Bytes of its tag.
pub(super) const TAG_BYTES: usize = 16;

/// Nonce and ciphertext; as text, base64 in one line. The text of equal bytes is equal, so what is not changed stays the
/// same in the file, byte for byte.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sealed(Vec<u8>);

impl Sealed {
    /// Of a nonce and a ciphertext with its tag.
    pub(super) fn new(nonce: &[u8], ciphertext: &[u8]) -> Self {
        Self([nonce, ciphertext].concat())
    }

    /// Nonce, and ciphertext with its tag.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        self.0.split_at(NONCE_BYTES)
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.0))
    }
}

impl FromStr for Sealed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let bytes = STANDARD.decode(text).map_err(|_| "is not base64: a character is wrong or missing")?;
        if bytes.len() <= NONCE_BYTES + TAG_BYTES {
            return Err("is too short: a part of it is missing");
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_one_to_one() {
        let sealed = Sealed::new(&[1; NONCE_BYTES], &[2; TAG_BYTES + 1]);
        let text = sealed.to_string();
        assert!(text.parse::<Sealed>().unwrap() == sealed);
        // 41 bytes: the last character before the padding has unused bits, which must be zero.
        assert!(text.ends_with('='));
        let other = text.replace("I=", "J=");
        assert!(other == text || other.parse::<Sealed>().is_err());
        for bad in ["", "AAAA", "!!!!", &text[..text.len() - 1], &format!("{text}AAAA")] {
            assert!(bad.parse::<Sealed>().is_err(), "{bad}");
        }
    }
}
