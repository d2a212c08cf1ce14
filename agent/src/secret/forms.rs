//! The forms that a secret value takes: what a template's filter makes of it, and what a log may show.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Transform;

/// What stands in the place of a secret wherever a person or a log could see it.
pub(super) const MASK: &str = "(secret)";

/// Shorter values are not looked for in outgoing text.
const SHORTEST: usize = 4;

/// A value after a transform.
pub(super) fn transform(value: &str, transform: Transform) -> Zeroizing<String> {
    Zeroizing::new(match transform {
        Transform::UrlEncode => url_encoded(value),
        Transform::Base64 => base64(value.as_bytes()),
        Transform::Sha256 => hex(&Sha256::digest(value.as_bytes())),
        Transform::Quote => quoted(value),
        Transform::Json => json_quoted(value),
    })
}

/// Every text that would give the value away.
pub(super) fn of(value: &str) -> Vec<Zeroizing<String>> {
    let mut forms = Vec::new();
    let mut add = |form: Zeroizing<String>| {
        if form.len() >= SHORTEST && !forms.contains(&form) {
            forms.push(form);
        }
    };
    if value.len() < SHORTEST {
        return Vec::new();
    }
    add(Zeroizing::new(value.to_owned()));
    for (each, _) in Transform::ALL {
        add(transform(value, each));
    }
    add(json_escaped(value));
    for core in base64_within(value.as_bytes()) {
        add(core);
    }
    // A diff and a log show one line at a time. Frames such as `-----BEGIN …` are no secret and are in many files.
    for line in value.lines().map(str::trim).filter(|line| line.len() >= 8 && !line.starts_with("-----")) {
        add(Zeroizing::new(line.to_owned()));
    }
    forms
}

fn json_quoted(value: &str) -> String {
    serde_json::Value::String(value.to_owned()).to_string()
}

fn json_escaped(value: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(json_quoted(value));
    Zeroizing::new(quoted[1..quoted.len() - 1].to_owned())
}

fn url_encoded(value: &str) -> String {
    let mut text = String::with_capacity(3 * value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            text.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
    text
}

/// Quotes for a POSIX shell, always with quotes.
pub(crate) fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Base64 with padding, the standard alphabet.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// What every base64 text holds that the value is somewhere in, such as the `user:password` of an HTTP header: one form for
/// each of the three places in a group that it can begin at, in both alphabets. Short ones would be found in any text.
fn base64_within(value: &[u8]) -> Vec<Zeroizing<String>> {
    let mut cores = Vec::new();
    for offset in 0..3 {
        // In one allocation: a buffer that grows leaves the old one behind, unwiped.
        let padded = Zeroizing::new([&[0; 2][..offset], value].concat());
        let text = Zeroizing::new(base64(&padded));
        // Six bits make a letter; those at the ends have bits of the neighbours too.
        let core = &text[(8 * offset).div_ceil(6)..8 * padded.len() / 6];
        if core.len() >= 8 {
            cores.push(Zeroizing::new(core.to_owned()));
            cores.push(Zeroizing::new(core.replace('+', "-").replace('/', "_")));
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        for (input, want) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(input.as_bytes()), want);
        }
        assert_eq!(*transform("a b/c~ü", Transform::UrlEncode), "a%20b%2Fc~%C3%BC");
        assert_eq!(*transform("a\"b\\c\nü", Transform::Json), r#""a\"b\\c\nü""#);
        assert_eq!(
            *transform("abc", Transform::Sha256),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_value_inside_of_a_base64_text_is_found_wherever_it_begins() {
        let forms = of("s3cret?>v~lue");
        for before in ["", "a", "ab", "abc", "user:"] {
            let text = base64(format!("{before}s3cret?>v~lue and more").as_bytes());
            assert!(forms.iter().any(|form| text.contains(form.as_str())), "{text}");
            let url_safe = text.replace('+', "-").replace('/', "_");
            assert!(forms.iter().any(|form| url_safe.contains(form.as_str())), "{url_safe}");
        }
    }

    #[test]
    fn short_values_have_no_forms() {
        assert!(of("abc").is_empty());
    }
}
