//! How a change of text is shown: as a unified diff in which no secret can be read.

use similar::{ChangeTag, TextDiff};

use crate::change::Detail;
use crate::host::Host;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Shows how text on the host becomes the desired text.
///
/// `before` is what the host has, `after` the desired text with tokens. With `hidden` what is removed is not shown: it may hold
/// an older value of a secret, which no vault knows. What stays or comes is shown with `(secret)` in the place of each value; a
/// line that stays is equal to a desired one in this form, so that an older value cannot hide in it.
pub(crate) fn text_diff(host: &Host, field: &str, before: &str, after: &str, hidden: bool) -> Detail {
    let (before, after) = (host.vault().scrub(before), host.vault().scrub(after));
    if before == after {
        // Only the value of a secret differs.
        return Detail::Secret { field: field.to_owned() };
    }
    let diff = TextDiff::from_lines(&before, &after);
    let mut text = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        text.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let line = match change.tag() {
                ChangeTag::Delete if hidden => "(hidden)\n",
                _ => change.value(),
            };
            text.push(match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            });
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    Detail::Text { field: field.to_owned(), diff: text }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::secret::{Secret, Vault, token};

    fn host() -> Host {
        let mut vault = Vault::default();
        vault.insert("pw".to_owned(), Secret::new("new-value".to_owned()), String::new());
        let mut host = Host::new("/nonexistent");
        host.set_vault(vault);
        host
    }

    fn shown(before: &str, after: &str, hidden: bool) -> String {
        match text_diff(&host(), "content", before, after, hidden) {
            Detail::Text { diff, .. } => diff,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_plain_diff() {
        assert_eq!(shown("a\nb\n", "a\nc", false), "@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n");
    }

    #[test]
    fn neither_the_new_nor_an_older_secret_is_shown() {
        let after = format!("user x\npassword {}\n", token("pw", &[]));
        assert_eq!(
            shown("user x\npassword old-value\n", &after, true),
            "@@ -1,2 +1,2 @@\n user x\n-(hidden)\n+password (secret)\n"
        );
        let unchanged = shown("user y\npassword new-value\n", &after, true);
        assert_eq!(unchanged, "@@ -1,2 +1,2 @@\n-(hidden)\n+user x\n password (secret)\n");
    }

    #[test]
    fn a_change_of_nothing_but_the_secret_is_said() {
        let detail = text_diff(&host(), "content", "(secret)", &token("pw", &[]), true);
        assert_eq!(detail, Detail::Secret { field: "content".to_owned() });
    }
}
