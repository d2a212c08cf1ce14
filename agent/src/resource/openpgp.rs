//! As much of OpenPGP as it takes to know a public key by its fingerprint (RFC 4880), without gpg on the host.

use sha1::{Digest as _, Sha1};

use crate::secret::hex;

/// The fingerprints of all primary keys in an ASCII-armoured public key, lower-case hex.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn fingerprints(armoured: &str) -> Result<Vec<String>, String> {
    let bytes = dearmour(armoured)?;
    let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (tag, body, after) = packet(rest).ok_or("a packet of the key is cut off")?;
        if tag == PUBLIC_KEY {
            found.push(fingerprint(body)?);
        }
        rest = after;
    }
    if found.is_empty() { Err("it holds no public key".to_owned()) } else { Ok(found) }
}

const PUBLIC_KEY: u8 = 6;

/// Version 4: SHA-1 over 0x99, the length in two bytes, and the packet.
fn fingerprint(body: &[u8]) -> Result<String, String> {
    let length = u16::try_from(body.len()).map_err(|_| "a packet of the key is too long".to_owned())?;
    match body.first() {
        Some(4) => {
            let digest =
                Sha1::new().chain_update([0x99]).chain_update(length.to_be_bytes()).chain_update(body).finalize();
            Ok(hex(&digest))
        }
        Some(version) => Err(format!("it is a key of version {version}; only version 4 is supported")),
        None => Err("a packet of the key is empty".to_owned()),
    }
}

/// Splits the first packet into tag, body and what follows it.
fn packet(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    let at = |index: usize| rest.get(index).copied().map(usize::from);
    let (tag, header, length) = if head & 0x40 != 0 {
        let (header, length) = match at(0)? {
            short @ 0..192 => (1, short),
            two @ 192..224 => (2, ((two - 192) << 8) + at(1)? + 192),
            255 => (5, at(1)? << 24 | at(2)? << 16 | at(3)? << 8 | at(4)?),
            // Partial lengths are for data, not for keys.
            _ => return None,
        };
        (head & 0x3f, header, length)
    } else {
        let (header, length) = match head & 3 {
            0 => (1, at(0)?),
            1 => (2, at(0)? << 8 | at(1)?),
            2 => (4, at(0)? << 24 | at(1)? << 16 | at(2)? << 8 | at(3)?),
            _ => (0, rest.len()),
        };
        (head >> 2 & 0x0f, header, length)
    };
    let end = length.checked_add(header)?;
    (head & 0x80 != 0).then_some(())?;
    Some((tag, rest.get(header..end)?, rest.get(end..)?))
}

/// The bytes inside the armour.
fn dearmour(text: &str) -> Result<Vec<u8>, String> {
    const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    let begin = text.find(BEGIN).ok_or_else(|| format!("it does not begin with {BEGIN}"))?;
    let inside = &text[begin + BEGIN.len()..];
    let end = inside.find("-----END PGP PUBLIC KEY BLOCK-----").ok_or("the end of the key block is missing")?;
    // Headers such as `Version:` come before an empty line; the checksum begins with `=`.
    let lines: Vec<&str> = inside[..end].lines().map(str::trim).collect();
    let head = lines.iter().rposition(|line| line.contains(": ")).map_or(0, |at| at + 1);
    let body: String = lines[head..].iter().filter(|line| !line.starts_with('=')).copied().collect();
    base64(&body).ok_or_else(|| "the key block is not base64".to_owned())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    /// An ed25519 key made for this test with gpg 2.2; its private half was thrown away.
    pub(in crate::resource) const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawLvNhYJKwYBBAHaRw8BAQdAsHXVrTasdT0thMu7iv8WiKZbmTkz1E0ezxWB
UjYfNOG0IGNjLWNsb3VkIHRlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJAEExYIADgW
IQSE5k2bTxJiEhlSOtZgXw44MvKLlwUCawLvNgIbAwULCQgHAgYVCgkICwIEFgID
AQIeAQIXgAAKCRBgXw44MvKLl/dVAQCnNxzRN9EffbTM0HsEviRtKt4P4RlRiEba
yR4a20J19wD/ZWYd1+HGwk+BdwvXr6y4FoEdfRRBtQ6xClOAnoy5+AI=
=jsGQ
-----END PGP PUBLIC KEY BLOCK-----
";
    pub(in crate::resource) const FINGERPRINT: &str = "84E64D9B4F12621219523AD6605F0E3832F28B97";

    #[test]
    fn finds_the_fingerprint_that_gpg_finds() {
        assert_eq!(fingerprints(KEY).unwrap(), [FINGERPRINT.to_lowercase()]);
    }

    #[test]
    fn damage_is_named() {
        assert!(fingerprints("hello").unwrap_err().contains("does not begin"));
        let cut: String = KEY
            .lines()
            .filter(|line| line.starts_with('-') || line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(fingerprints(&cut).unwrap_err(), "it holds no public key");
        assert!(fingerprints(&KEY.replacen('m', "*", 1)).is_err());
    }
}
