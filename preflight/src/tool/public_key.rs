//! Lines of an `authorized_keys` file: `[options] type blob [comment]`, as sshd(8) reads them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `ssh-ed25519`, `ssh-rsa`.
    pub kind: String,
    /// Bits of an RSA key's modulus.
    pub bits: Option<u32>,
}

/// A line that is neither a key nor a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl PublicKey {
    /// Reads a line; nothing for a comment or an empty line.
    ///
    /// # Errors
    /// [`NoKey`] where it is neither.
    pub fn parse(line: &str) -> Result<Option<Self>, NoKey> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let words = words(line);
        // The type comes first, or after the options.
        let pairs = words.iter().zip(words.iter().skip(1)).take(2);
        pairs.into_iter().find_map(|(kind, blob)| Self::of(kind, blob)).map(Some).ok_or(NoKey)
    }

    /// A blob begins with the name of its type, which must be the same.
    fn of(kind: &str, blob: &str) -> Option<Self> {
        let blob = STANDARD.decode(blob).ok()?;
        let (name, rest) = field(&blob)?;
        if name != kind.as_bytes() {
            return None;
        }
        let bits = match kind {
            "ssh-rsa" => {
                let (_exponent, rest) = field(rest)?;
                let modulus = field(rest)?.0;
                let first = modulus.iter().position(|byte| *byte != 0)?;
                let bytes = u32::try_from(modulus.len() - first).ok()?;
                Some(bytes * 8 - modulus[first].leading_zeros())
            }
            _ => None,
        };
        Some(Self { kind: kind.to_owned(), bits })
    }
}

/// A field with its length before it, and what follows.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

/// The words of a line; blanks inside of double quotes part nothing.
fn words(line: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    line.split(|character: char| {
        let blank = matches!(character, ' ' | '\t') && !quoted;
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = character == '\\' && !escaped;
        blank
    })
    .filter(|word| !word.is_empty())
    .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &str = include_str!("../../tests/fixtures/authorized_keys/kinds.txt");

    #[test]
    fn every_kind_is_known_with_its_bits() {
        let keys: Vec<PublicKey> = KEYS.lines().filter_map(|line| PublicKey::parse(line).unwrap()).collect();
        let found: Vec<(&str, Option<u32>)> = keys.iter().map(|key| (key.kind.as_str(), key.bits)).collect();
        let expected = [
            ("ssh-ed25519", None),
            ("ssh-rsa", Some(3072)),
            ("ssh-rsa", Some(2048)),
            ("ecdsa-sha2-nistp256", None),
            ("ssh-ed25519", None),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_key_is_said_so() {
        let rsa = KEYS.lines().find(|line| line.starts_with("ssh-rsa")).unwrap();
        for line in ["hello", "ssh-ed25519 AAAA", "ssh-ed25519", &rsa.replace("ssh-rsa", "ssh-dss"), &rsa[..60]] {
            assert_eq!(PublicKey::parse(line), Err(NoKey), "{line}");
        }
        assert_eq!(PublicKey::parse("  # ssh-rsa"), Ok(None));
    }

    proptest! {
        #[test]
        fn garbage_is_no_key(line in "\\PC{1,80}") {
            prop_assert!(!matches!(PublicKey::parse(&line), Ok(Some(_))));
        }

        #[test]
        fn a_cut_key_is_no_key(at in 10..300usize) {
            let rsa = KEYS.lines().find(|line| line.starts_with("ssh-rsa")).unwrap();
            prop_assert!(!matches!(PublicKey::parse(&rsa[..at]), Ok(Some(_))));
        }
    }
}
