//! One line of an `authorized_keys` file.

/// A key as `sshd(8)` reads it: `[options] type blob [comment]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey<'a> {
    options: Option<&'a str>,
    algorithm: &'a str,
    blob: &'a str,
    comment: &'a str,
}

impl<'a> PublicKey<'a> {
    /// Parses one line; `None` for comments, empty lines and what is no key.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        Self::without_options(line).or_else(|| {
            let (options, rest) = line.split_at(options_end(line)?);
            Self::without_options(rest.trim_start()).map(|key| Self { options: Some(options), ..key })
        })
    }

    fn without_options(text: &'a str) -> Option<Self> {
        let (algorithm, rest) = text.split_once([' ', '\t'])?;
        let rest = rest.trim_start();
        let (blob, comment) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let known = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"].iter().any(|p| algorithm.starts_with(p));
        // Every blob begins with the length of the algorithm's name, of which at least two bytes are zero.
        (known && blob.starts_with("AAAA")).then(|| Self { options: None, algorithm, blob, comment: comment.trim() })
    }

    /// Whether both are the same key, whatever their options and comments.
    pub(super) fn is_same_key(&self, other: &PublicKey<'_>) -> bool {
        self.algorithm == other.algorithm && self.blob == other.blob
    }

    /// Whether both grant the same to the same key.
    pub(super) fn grants_the_same(&self, other: &PublicKey<'_>) -> bool {
        self.is_same_key(other) && self.options == other.options
    }

    pub(super) fn has_options(&self) -> bool {
        self.options.is_some()
    }

    /// What a person recognises it by: options, type, end of the blob, comment.
    pub(super) fn describe(&self) -> String {
        let tail = self.blob.trim_end_matches('=');
        let tail = format!("…{}", tail.get(tail.len().saturating_sub(8)..).unwrap_or(tail));
        let words = [self.options.unwrap_or_default(), self.algorithm, &tail, self.comment];
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Where the options end: the first blank outside of double quotes.
fn options_end(line: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    line.char_indices().find_map(|(at, character)| {
        match character {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => return Some(at),
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        None
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BLOB: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJ0f";

    #[test]
    fn options_may_hold_blanks_and_quotes() {
        let line = format!(r#"command="echo \"a b\" c",no-pty ssh-ed25519 {BLOB} ann@laptop at home"#);
        let key = PublicKey::parse(&line).unwrap();
        assert_eq!(key.options, Some(r#"command="echo \"a b\" c",no-pty"#));
        assert_eq!((key.algorithm, key.blob, key.comment), ("ssh-ed25519", BLOB, "ann@laptop at home"));
        assert!(key.describe().ends_with("no-pty ssh-ed25519 …AAAAIJ0f ann@laptop at home"), "{}", key.describe());
    }

    #[test]
    fn comments_and_options_do_not_make_another_key() {
        let (bare, other) = (format!("ssh-ed25519 {BLOB}"), format!("restrict ssh-ed25519 {BLOB} x"));
        let (bare, other) = (PublicKey::parse(&bare).unwrap(), PublicKey::parse(&other).unwrap());
        assert!(bare.is_same_key(&other));
        assert!(!bare.grants_the_same(&other));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for line in ["", "# ssh-ed25519 AAAA", "ssh-ed25519", "ssh-ed25519 xyz", "hello world AAAA", "cert-authority"] {
            assert_eq!(PublicKey::parse(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(line in "\\PC{0,60}") {
            let _ = PublicKey::parse(&line).map(|key| key.describe());
        }
    }
}
