//! A share.

/// Parses `25%` into 25.
///
/// # Errors
/// A sentence that says what is wrong and what to write.
pub fn parse_percent(text: &str) -> Result<u8, String> {
    text.trim()
        .strip_suffix('%')
        .and_then(|number| number.trim_end().parse().ok())
        .filter(|share| *share <= 100)
        .ok_or_else(|| format!("`{text}` is not a share: write a whole number from 0% to 100%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_end_at_a_hundred() {
        assert_eq!(parse_percent("25%"), Ok(25));
        assert_eq!(parse_percent("100 %"), Ok(100));
        for text in ["101%", "25", "%", "-1%", "2.5%", ""] {
            assert!(parse_percent(text).is_err(), "{text}");
        }
    }
}
