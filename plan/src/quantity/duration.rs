//! A length of time.

/// Parses `90s`, `5m`, `2h`, `1d`, `1h30m` or a plain number of seconds into seconds.
///
/// # Errors
/// A sentence that says what is wrong and what to write.
pub fn parse_duration(text: &str) -> Result<u64, String> {
    let invalid = || format!("`{text}` is not a duration: write a number with a unit, such as 90s, 5m, 2h or 1d");
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse() {
        return Ok(seconds);
    }
    let (mut total, mut smallest) = (0_u64, u64::MAX);
    if rest.is_empty() {
        return Err(invalid());
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(invalid)?;
        let number: u64 = rest[..digits].parse().map_err(|_| invalid())?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            _ => return Err(invalid()),
        };
        // Units fall, so that `5m1h` or `1s500ms` are not understood as something else.
        if unit >= smallest {
            return Err(invalid());
        }
        smallest = unit;
        total = number.checked_mul(unit).and_then(|seconds| seconds.checked_add(total)).ok_or_else(invalid)?;
        rest = &rest[digits + 1..];
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("45", 45)] {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
        for text in
            ["", "m", "5 m", "5m1h", "500ms", "-5s", "1.5h", "5x", "5ü", "99999999999999999999s", "999999999999999999d"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
