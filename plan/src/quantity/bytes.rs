//! A number of bytes.

/// Units and what they multiply by: `KiB` is 1024, `KB` is 1000.
const UNITS: [(&str, u64); 10] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Parses `512MiB`, `1.5 GB` or `4096` into bytes, rounded down.
///
/// # Errors
/// A sentence that says what is wrong and what to write.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let invalid = || format!("`{text}` is not a size: write a number with a unit, such as 512MiB (1024) or 2GB (1000)");
    let trimmed = text.trim();
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| trimmed.strip_suffix(unit).map(|number| (number.trim_end(), *factor)))
        .unwrap_or((trimmed, 1));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if [whole, fraction].iter().any(|digits| digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()))
        || fraction.len() > 9
    {
        return Err(invalid());
    }
    let whole: u128 = whole.parse().map_err(|_| invalid())?;
    let part =
        fraction.parse::<u128>().map_err(|_| invalid())? * u128::from(factor) / 10_u128.pow(fraction.len() as u32);
    whole
        .checked_mul(u128::from(factor))
        .and_then(|bytes| u64::try_from(bytes + part).ok())
        .ok_or_else(|| format!("`{text}` is more bytes than 64 bits can count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_binary_or_decimal() {
        for (text, bytes) in
            [("512MiB", 512 << 20), ("2GB", 2_000_000_000), ("4096", 4096), ("1.5 KiB", 1536), ("0B", 0), ("3kB", 3000)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "-1", "1.2.3", "5 apples", "512mb", "1e3", "5G", "99999999999TiB", "1.MiB", "+1"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }
}
