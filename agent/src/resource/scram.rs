//! The form in which PostgreSQL keeps a password: RFC 5802 with SHA-256 (RFC 7677).

use std::fs;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::secret::base64;

/// What PostgreSQL uses for a new password.
const ITERATIONS: u32 = 4096;
/// Iterations above this are refused rather than computed for minutes.
const MAX_ITERATIONS: u32 = 10_000_000;
/// Bytes of salt in a new verifier, as PostgreSQL uses.
const SALT: usize = 16;
/// SHA-256's block, in bytes.
const BLOCK: usize = 64;

type Key = [u8; 32];

/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`: proves a password without holding it.
#[derive(PartialEq, Eq)]
pub(super) struct ScramVerifier {
    iterations: u32,
    salt: Vec<u8>,
    stored_key: Key,
    server_key: Key,
}

impl ScramVerifier {
    /// Parses `pg_authid.rolpassword`; `None` for another form (`md5…`) or a damaged one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        Some(Self {
            iterations: iterations.parse().ok().filter(|n| (1..=MAX_ITERATIONS).contains(n))?,
            salt: decode_base64(salt)?,
            stored_key: decode_base64(stored)?.try_into().ok()?,
            server_key: decode_base64(server)?.try_into().ok()?,
        })
    }

    /// A verifier of `password` with a fresh salt.
    ///
    /// # Errors
    /// When `/dev/urandom` cannot be read.
    pub(super) fn generate(password: &str) -> io::Result<Self> {
        let mut salt = vec![0; SALT];
        fs::File::open("/dev/urandom")?.read_exact(&mut salt)?;
        Ok(Self::derive(password, salt, ITERATIONS))
    }

    /// Whether this verifier was made of `password`.
    pub(super) fn accepts(&self, password: &str) -> bool {
        *self == Self::derive(password, self.salt.clone(), self.iterations)
    }

    /// The text for `ALTER ROLE … PASSWORD`.
    pub(super) fn render(&self) -> String {
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.iterations,
            base64(&self.salt),
            base64(&self.stored_key),
            base64(&self.server_key)
        )
    }

    fn derive(password: &str, salt: Vec<u8>, iterations: u32) -> Self {
        let salted = pbkdf2(password.as_bytes(), &salt, iterations);
        let client_key = Hmac::new(&salted).of(&[b"Client Key"]);
        Self {
            iterations,
            salt,
            stored_key: Sha256::digest(client_key).into(),
            server_key: Hmac::new(&salted).of(&[b"Server Key"]),
        }
    }
}

/// Whether SASLprep (RFC 4013) leaves a password as it is, so that every client and server agrees on its bytes.
pub(super) fn is_plain_password(password: &str) -> bool {
    !password.is_empty() && password.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// HMAC-SHA-256 with the two padded keys hashed once, which halves the work of PBKDF2.
struct Hmac {
    inner: Sha256,
    outer: Sha256,
}

impl Hmac {
    fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        Self {
            inner: Sha256::new_with_prefix(block.map(|byte| byte ^ 0x36)),
            outer: Sha256::new_with_prefix(block.map(|byte| byte ^ 0x5c)),
        }
    }

    fn of(&self, parts: &[&[u8]]) -> Key {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        self.outer.clone().chain_update(inner.finalize()).finalize().into()
    }
}

/// The first (and for SHA-256 only) block of PBKDF2.
fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32) -> Key {
    let hmac = Hmac::new(password);
    let mut round = hmac.of(&[salt, &1_u32.to_be_bytes()]);
    let mut result = round;
    for _ in 1..iterations {
        round = hmac.of(&[&round]);
        result.iter_mut().zip(round).for_each(|(sum, byte)| *sum ^= byte);
    }
    result
}

/// The value of one digit of base64.
fn sextet(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0;
        for digit in chunk {
            bits = bits << 6 | sextet(*digit)?;
        }
        let bits = bits << (6 * (4 - chunk.len()));
        bytes.extend((0..chunk.len() - 1).map(|byte| (bits >> (16 - 8 * byte)) as u8));
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 7677, section 3: user `user`, password `pencil`.
    const SALT_7677: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";

    #[test]
    fn the_exchange_of_rfc_7677_is_reproduced() {
        let verifier = ScramVerifier::derive("pencil", decode_base64(SALT_7677).unwrap(), 4096);
        let auth_message: &[u8] = b"n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let server_signature = Hmac::new(&verifier.server_key).of(&[auth_message]);
        assert_eq!(base64(&server_signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let client_signature = Hmac::new(&verifier.stored_key).of(&[auth_message]);
        let proof: Key = decode_base64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap().try_into().unwrap();
        let mut client_key = [0; 32];
        client_key.iter_mut().zip(proof).zip(client_signature).for_each(|((key, p), s)| *key = p ^ s);
        assert_eq!(<Key>::from(Sha256::digest(client_key)), verifier.stored_key);
    }

    #[test]
    fn a_verifier_tells_its_password_from_others() {
        let text = ScramVerifier::generate("correct horse").unwrap().render();
        let verifier = ScramVerifier::parse(&text).unwrap();
        assert!(verifier.accepts("correct horse"));
        assert!(!verifier.accepts("correct horsf"));
        assert_eq!(verifier.render(), text);
    }

    #[test]
    fn other_forms_are_no_verifiers() {
        for text in [
            "",
            "md5a3556571e93b0d20722ba62be61e8c2d",
            "SCRAM-SHA-256$4096:AA==$AA==:AA==",
            "SCRAM-SHA-256$0:AA==$6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=:6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            "SCRAM-SHA-256$x:AA==$:",
        ] {
            assert!(ScramVerifier::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn only_what_saslprep_leaves_alone_is_plain() {
        assert!(is_plain_password("p4$$ w'rd\\"));
        assert!(!is_plain_password("pässword"));
        assert!(!is_plain_password("tab\t"));
        assert!(!is_plain_password(""));
    }

    proptest! {
        #[test]
        fn base64_survives_the_round_trip(bytes: Vec<u8>) {
            prop_assert_eq!(decode_base64(&base64(&bytes)), Some(bytes));
        }

        #[test]
        fn decoding_never_panics(text in "[A-Za-z0-9+/=é]{0,12}") {
            let _ = decode_base64(&text);
        }
    }
}
