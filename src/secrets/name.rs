//! The name of a secret.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

/// Longest name, in characters.
const LIMIT: usize = 64;

/// What a secret is called in `secrets/<env>.yml` and in the spec: `[a-z][a-z0-9_]*`, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let valid = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && text.len() <= LIMIT;
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidName { text: text.to_owned() }) }
    }
}

/// A text that is no name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` cannot be the name of a secret: lower-case letters, digits and `_`, a letter first, at most {LIMIT} characters"
)]
pub struct InvalidName {
    text: String,
}

impl InvalidName {
    /// The nearest text that is a name: `Redis-Password` → ``did you mean `redis_password`?``
    pub fn hint(&self) -> Option<String> {
        let mut near = String::new();
        for c in self.text.trim().chars() {
            match c.to_ascii_lowercase() {
                c if c.is_ascii_lowercase() || c.is_ascii_digit() => near.push(c),
                _ if near.ends_with('_') || near.is_empty() => {}
                _ => near.push('_'),
            }
        }
        let near = near.trim_matches('_').parse::<Name>().ok()?;
        Some(format!("did you mean `{near}`?"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_with_underscores() {
        for good in ["a", "redis_password", "s3_key_2"] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", "Redis", "1st", "_x", "a-b", "a b", "ä", "a\n", &"a".repeat(65)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_wrong_name_gets_the_nearest_right_one() {
        let hint = |text: &str| text.parse::<Name>().unwrap_err().hint();
        assert_eq!(hint("Redis-Password").as_deref(), Some("did you mean `redis_password`?"));
        assert_eq!(hint("db.main/key").as_deref(), Some("did you mean `db_main_key`?"));
        assert_eq!(hint("1234"), None);
    }
}
