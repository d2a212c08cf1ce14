//! How many of what.

use std::fmt::Display;

/// A number with its noun: `1 host`, `3 hosts`. For nouns whose plural ends in a plain s.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let end = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{end}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0_usize, 1, 2].map(|number| counted(number, "host")), ["0 hosts", "1 host", "2 hosts"]);
        assert_eq!(counted(1_u32, "user"), "1 user");
    }
}
