//! What a plain (unquoted) scalar means.

use crate::node::Kind;

/// Resolves a plain scalar.
///
/// # Errors
/// A sentence for a whole number that does not fit into 64 bits.
pub(super) fn resolve(text: &str) -> Result<Kind, String> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Kind::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Kind::Bool(false),
        _ if is_whole_number(text) => {
            Kind::Int(text.parse().map_err(|_| format!("`{text}` is too large for a number: put it in quotes"))?)
        }
        _ if is_fraction(text) => text.parse().map_or_else(|_| Kind::String(text.to_owned()), Kind::Float),
        _ => Kind::String(text.to_owned()),
    })
}

/// Whether a number would lose something when it is written out again, as `3.10` does; a person mostly means text.
pub(super) fn loses_digits(text: &str, value: f64) -> bool {
    format!("{value:?}") != text.trim_start_matches('+')
}

/// `12`, `-3`, `0`; not `012`, whose value depends on the version of YAML.
fn is_whole_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    is_digits(digits) && (digits == "0" || !digits.starts_with('0'))
}

/// `1.5`, `-0.25`, `1.5e-3`; not `1e3`, which YAML 1.1 reads as text and which may be the start of a commit's name.
fn is_fraction(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let Some((whole, fraction)) = mantissa.split_once('.') else { return false };
    is_whole_number(whole) && is_digits(fraction) && is_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_versions_of_yaml_read_differently_stay_text() {
        for text in
            ["0640", "0o640", "007.5", "0x1F", "1_000", "12:30", "1e3", "12e4567", ".inf", ".nan", "1.", ".5", "-", "+"]
        {
            assert_eq!(resolve(text), Ok(Kind::String(text.to_owned())));
        }
        assert_eq!(resolve("0"), Ok(Kind::Int(0)));
        assert_eq!(resolve("-17"), Ok(Kind::Int(-17)));
        assert_eq!(resolve("0.5"), Ok(Kind::Float(0.5)));
        assert_eq!(resolve("-1.5e3"), Ok(Kind::Float(-1500.0)));
    }

    #[test]
    fn versions_lose_digits() {
        assert!(loses_digits("3.10", 3.1));
        assert!(loses_digits("1.50", 1.5));
        assert!(!loses_digits("22.04", 22.04));
        assert!(!loses_digits("1.0", 1.0));
    }
}
