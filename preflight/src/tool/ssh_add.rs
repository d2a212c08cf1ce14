//! `ssh-add -l`: `256 SHA256:… comment (ED25519)`, a line for each key.

/// The types of the keys, RSA with its bits; none where a line is no key, or where there is none.
pub fn keys(text: &str) -> Option<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let keys: Vec<String> = lines.map(key).collect::<Option<_>>()?;
    (!keys.is_empty()).then_some(keys)
}

fn key(line: &str) -> Option<String> {
    let (bits, rest) = line.trim().split_once(' ')?;
    let bits: u32 = bits.parse().ok()?;
    let (fingerprint, rest) = rest.split_once(' ')?;
    let known = fingerprint.starts_with("SHA256:") || fingerprint.starts_with("MD5:");
    let kind = rest.rsplit_once('(')?.1.strip_suffix(')')?;
    let plain = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (known && plain).then(|| if kind == "RSA" { format!("RSA {bits}") } else { kind.to_owned() })
}

/// The same without the comments, which name people and machines.
pub fn without_comments(text: &str) -> String {
    let masked = text.lines().map(|line| match (key(line), line.rsplit_once(" (")) {
        (Some(_), Some((rest, kind))) => {
            let words: Vec<&str> = rest.split(' ').take(2).collect();
            format!("{} … ({kind}", words.join(" "))
        }
        _ => line.to_owned(),
    });
    masked.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TWO: &str = include_str!("../../tests/fixtures/ssh_add/two.txt");

    #[test]
    fn comments_may_hold_anything() {
        assert_eq!(keys(TWO), Some(vec!["ED25519".to_owned(), "RSA 3072".to_owned()]));
        assert_eq!(keys("256 SHA256:x a (b) c (ED25519-SK)\n"), Some(vec!["ED25519-SK".to_owned()]));
        assert_eq!(keys("256 SHA256:x (ED25519)\n"), Some(vec!["ED25519".to_owned()]));
        assert_eq!(keys(""), None);
        assert_eq!(keys("The agent has no identities.\n"), None);
    }

    proptest! {
        #[test]
        fn garbage_is_none(text in "\\PC{0,80}") {
            prop_assert!(keys(&text).is_none_or(|_| text.contains("SHA256:") || text.contains("MD5:")));
            let _ = without_comments(&text);
        }

        #[test]
        fn a_cut_text_never_panics(at in 0..TWO.len()) {
            let _ = keys(TWO.get(..at).unwrap_or_default());
        }
    }
}
