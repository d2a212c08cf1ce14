//! How a change of text is shown: as a unified diff in which no secret can be read.

use std::time::{Duration, Instant};

use similar::algorithms::{Capture, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, DiffTag, group_diff_ops};

use crate::change::Detail;
use crate::host::Host;

/// Lines around a change.
const CONTEXT: usize = 3;
/// How long a diff may take before it is allowed to be longer than necessary.
const PATIENCE: Duration = Duration::from_millis(500);

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
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let mut text = String::new();
    for hunk in hunks(&old, &new) {
        text.push_str(&format!("{}\n", UnifiedHunkHeader::new(&hunk)));
        for op in &hunk {
            let (removed, added) = (&old[op.old_range()], &new[op.new_range()]);
            if op.tag() == DiffTag::Equal {
                removed.iter().for_each(|line| push(&mut text, ' ', line));
            } else {
                removed.iter().for_each(|line| push(&mut text, '-', if hidden { "(hidden)\n" } else { line }));
                added.iter().for_each(|line| push(&mut text, '+', line));
            }
        }
    }
    Detail::Text { field: field.to_owned(), diff: text }
}

/// The changes with the lines around them. The algorithm is called directly: the crate's own entry carries all five of its
/// algorithms into the agent, which goes over slow links.
fn hunks(old: &[&str], new: &[&str]) -> Vec<Vec<DiffOp>> {
    let mut found = Replace::new(Capture::new());
    let deadline = Some(Instant::now() + PATIENCE);
    match myers::diff_deadline_raw(&mut found, old, 0..old.len(), new, 0..new.len(), deadline) {
        Ok(()) => group_diff_ops(found.into_inner().into_ops(), CONTEXT),
        Err(never) => match never {},
    }
}

fn push(text: &mut String, mark: char, line: &str) {
    text.push(mark);
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::secret::token;

    fn host() -> Host {
        Host::knowing("new-value")
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
